"""Traces of requests that are answered together: all kept, in one transaction, before any of them is answered."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from api.traces import Traces
from lake.errors import HomeError
from lake.home import Home
from lake.settings import load_settings
from matching.decision import Decision, MatchRequest
from matching.decisions import FILE, Decisions
from matching.match import match
from tests.api.conftest import Api, problem, text
from tests.matching.conftest import user


def made(api: Api, count: int) -> list[Decision]:
    state = api.client.app.state.service.state  # type: ignore[attr-defined]
    return [match(state, MatchRequest(user=user(i % 3))) for i in range(count)]


def test_those_ready_together_are_kept_in_one_transaction(api: Api, tmp_path: Path) -> None:
    home = Home.open(load_settings(home=tmp_path / "home"), create=True)
    decisions, some = Decisions(home), made(api, 5)
    traces, commits = Traces(decisions), list[str]()
    decisions._connection.set_trace_callback(lambda query: commits.append(query) if query == "COMMIT" else None)

    async def both_times() -> None:
        await asyncio.gather(*(traces.keep([decision]) for decision in some[:3]))
        await traces.keep(some[3:])

    asyncio.run(both_times())
    assert commits == ["COMMIT"] * 2
    assert [decisions.get(decision.id)["request"]["user"] for decision in some] == [text(i % 3) for i in range(5)]
    with pytest.raises(sqlite3.IntegrityError):
        asyncio.run(traces.keep(some[:1]))
    asyncio.run(traces.keep(made(api, 1)))
    decisions.close()


def test_what_cannot_be_kept_is_not_answered(api: Api) -> None:
    decisions = api.client.app.state.service.decisions  # type: ignore[attr-defined]
    with closing(sqlite3.connect(api.operator.home.root / FILE)) as other:
        other.execute("BEGIN IMMEDIATE")
        decisions._connection.execute("PRAGMA busy_timeout = 10")
        with pytest.raises(HomeError, match="locked"):
            decisions.record_many(made(api, 1))
        refused = api.post("/v1/match", {"user": text(0), "kind": "app"})
        problem(refused, 503, "cannot be written", error="home")
        other.rollback()
    assert api.post("/v1/match", {"user": text(0), "kind": "app"}).status_code == 200
