"""Traces with other pseudonyms, or without those who are forgotten."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest

from lake import publish
from lake.errors import UnknownName
from matching.decision import Decision, Item, MatchRequest
from matching.decisions import FILE, Decisions
from matching.rewrite import stage_decisions
from tests.matching.conftest import user

NOW = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)


def text(i: int) -> str:
    return str(uuid.UUID(bytes=user(i)))


def decision(id: str, asked: int | None, *through: int) -> Decision:
    """A trace of a decision for a customer, whose path leads through others."""
    path = [{"node": "User", "key": text(i)} for i in ((asked,) if asked is not None else ()) + through]
    steps = [*path, {"node": "Offer", "key": text(9)}]
    item = Item.of(id="o1", score=0.5, channel="sms", reason="because", script=None, path=steps, factors={}, hours=[])
    request = MatchRequest(None if asked is None else user(asked), "offer", 1)
    return Decision(id, "old", request, True, [item], None, 3, {})


@pytest.fixture
def recorded(home):
    decisions = Decisions(home)
    decisions.record_many([decision("a", 0), decision("b", 1, 0), decision("c", 2, 3), decision("d", None)], NOW)
    decisions.close()
    return home


def rewritten(home, change, snapshots=None):
    staging = publish.stage(home.root)
    gone, deletes = stage_decisions(home, staging, change, snapshots or {})
    publish.publish(home.root, staging, deletes)
    return gone


def test_every_trace_that_names_a_customer_goes_whole(recorded):
    gone = rewritten(recorded, lambda users: [None if u == text(0) else u for u in users])
    assert gone == 2
    decisions = Decisions(recorded)
    for id in ("a", "b"):
        with pytest.raises(UnknownName):
            decisions.get(id)
    assert decisions.get("c")["request"]["user"] == text(2)
    assert decisions.get("d")["at"] == "2026-06-01T00:00:00+00:00"
    decisions.close()
    assert text(0).encode() not in b"".join(p.read_bytes() for p in recorded.root.glob(f"{FILE}*"))
    assert (recorded.root / FILE).stat().st_mode & 0o777 == 0o600


def test_pseudonyms_and_snapshots_get_their_new_names(recorded):
    other = {text(i): text(i + 4) for i in range(4)}
    assert rewritten(recorded, lambda users: [other[u] for u in users], {"old": "new"}) == 0
    trace = Decisions(recorded).get("b")
    assert trace["request"]["user"] == text(5)
    assert [step["key"] for step in trace["items"][0]["path"]] == [text(5), text(4), text(9)]  # an offer's name stays
    assert trace["snapshot"] == "new"


def test_a_home_that_never_served_has_no_traces(home):
    assert rewritten(home, lambda users: list(users)) == 0
    assert not (home.root / FILE).exists()
