"""Taking up what is new while serving, a refusal on every worker, and an engine that is away."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.rules import Rules
from api.service import Service
from embeddings.publish import make_current, write_snapshot
from embeddings.snapshot import ARRAYS, TABLES, Snapshot
from graph.engine.server import Endpoint
from graph.store import Store
from lake.settings import load_settings
from lake.tables import put
from tests.api.conftest import Api, Operator, problem, soon, text
from tests.matching.conftest import user


def test_a_refusal_is_in_force_on_another_worker(api: Api) -> None:
    operator = api.operator
    with (
        Store(operator.store.endpoint) as store,
        TestClient(create_app(operator.home, operator.settings, store)) as client,
    ):
        other = Api(client, operator)
        asked = {"user": text(5), "kind": "app"}
        assert other.post("/v1/match", asked).status_code == 200
        told = {"user": text(1), "kind": "app", "item": "radio", "channel": "web", "outcome": "refused"}
        assert api.post("/v1/responses", told).status_code == 201

        def gone() -> bool:
            items = other.post("/v1/match", {"user": text(1), "kind": "app"}).json()["items"]
            return "radio" not in [item["id"] for item in items]

        assert soon(gone)


def test_a_refusal_outlives_a_restart(operator: Operator, api: Api) -> None:
    told = {"user": text(2), "kind": "app", "item": "radio", "channel": "web", "outcome": "refused"}
    assert api.post("/v1/responses", told).status_code == 201
    with TestClient(create_app(operator.home, operator.settings, operator.store)) as client:
        items = Api(client, operator).post("/v1/match", {"user": text(2), "kind": "app"}).json()["items"]
        assert "radio" not in [item["id"] for item in items]


def test_a_new_snapshot_is_taken_up_while_serving(operator: Operator, api: Api) -> None:
    asked = {"user": text(0), "kind": "app", "k": 1}
    before = api.post("/v1/match", asked).json()["snapshot"]
    old = Snapshot.current(operator.home)
    arrays = {name: getattr(old, name) for name in ARRAYS}
    arrays["app_vectors"] = arrays["app_vectors"] * 2
    tables = {name: getattr(old, name) for name in TABLES if name not in ("apps", "products", "segments")}
    for name in ("apps", "products", "segments"):
        tables[name] = pq.read_table(old.folder / f"{name}.parquet")
    make_current(operator.home, write_snapshot(operator.home, arrays, tables, {"made_by": "test"}))
    statuses = set()

    def taken_up() -> bool:
        answer = api.post("/v1/match", asked)
        statuses.add(answer.status_code)
        return answer.json()["snapshot"] != before

    assert soon(taken_up)
    assert statuses == {200}


def test_use_loaded_while_serving_counts_at_once_and_after_a_restart(operator: Operator, api: Api) -> None:
    asked = {"user": text(0), "kind": "app"}

    def items(client: Api) -> list[str]:
        return [item["id"] for item in client.post("/v1/match", asked).json()["items"]]

    first = items(api)[0]
    file = operator.home.lake / "app_usage/month=2026-05/part-0.parquet"
    table = pq.read_table(file)
    one = table.slice(0, 1)
    for name, value in (("user", user(0)), ("app", first)):
        at = one.schema.get_field_index(name)
        one = one.set_column(at, one.field(at), pa.array([value], one.field(at).type))
    put(file, pa.concat_tables([table, one]))
    assert soon(lambda: first not in items(api))
    with TestClient(create_app(operator.home, operator.settings, operator.store)) as client:
        assert first not in items(Api(client, operator))  # whose list was made before


def test_a_snapshot_that_cannot_be_read_leaves_the_old_in_force(operator: Operator, api: Api) -> None:
    current = operator.home.snapshots / "current"
    name = current.read_text()
    current.write_text("no-such-snapshot\n")
    try:
        service: Service = api.client.app.state.service  # type: ignore[attr-defined]
        service.look()
        assert api.post("/v1/match", {"user": text(0), "kind": "app"}).json()["snapshot"] == name.strip()
    finally:
        current.write_text(name)


def test_rules_are_taken_up_while_serving(
    operator: Operator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A rule comes, is spoilt, then goes with its file: the spoilt one changes nothing, and is told of once."""
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "dumbbell.toml"
    with TestClient(create_app(operator.home, operator.settings, operator.store)) as client:
        here = Api(client, operator)

        def items() -> list[str]:
            return [item["id"] for item in here.post("/v1/match", {"user": text(0), "kind": "app"}).json()["items"]]

        before = items()
        rule = f'[rules.own.not_that]\nnot_for = "consent = true"\napps = ["{before[0]}"]\nreason = "not that"\n'
        file.write_text(rule)
        assert soon(lambda: items() == before[1:])
        decision = here.post("/v1/match", {"user": text(0), "kind": "app"}).json()["decision"]
        assert here.get(f"/v1/decisions/{decision}").json()["removed"]["not_that"] == 1
        said = [capfd.readouterr().err]

        def told() -> int:
            said.append(capfd.readouterr().err)
            return "".join(said).count("the former are in force")

        spoilt = (rule.replace("consent =", "no_such_field ="), "[rules", "[budgets]\nno_such_channel = 1.0\n")
        for times, words in enumerate(spoilt, 1):
            file.write_text(words)
            assert soon(lambda times=times: told() == times)  # type: ignore[misc]
            assert items() == before[1:]
        file.unlink()
        assert soon(lambda: items() == before)
        assert told() == 3
    assert "no_such_field" in "".join(said)


def test_rules_that_are_being_written_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "dumbbell.toml"
    rules = Rules(load_settings(home=tmp_path))
    found = []
    for words in ("", "", "[rules]\n", "[rules]\n", "[rules]\n", None, None):
        if words is None:
            file.unlink(missing_ok=True)
        elif not file.exists() or file.read_text() != words:
            file.write_text(words)
        found.append(rules.changed())
    assert found == [False, True, False, True, False, False, True]


def test_while_the_engine_is_away_match_answers_and_responses_say_503(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("graph.store.RETRIES", 1)
    away = Endpoint("bolt://127.0.0.1:9", "neo4j", "none")
    with Store(away) as store, TestClient(create_app(operator.home, operator.settings, store)) as client:
        alone = Api(client, operator)
        assert alone.post("/v1/match", {"user": text(0), "kind": "app"}).status_code == 200
        told = {"user": text(0), "kind": "app", "item": "radio", "channel": "web", "outcome": "refused"}
        problem(alone.post("/v1/responses", told), 503, error="engine_unavailable")
        problem(alone.post("/v1/templates/shrinking_circles", {}), 503, error="engine_unavailable")
        problem(alone.get(f"/v1/users/{text(0)}"), 503, error="engine_unavailable")
        problem(alone.get("/v1/influence/leaders"), 503, error="engine_unavailable")
        problem(alone.get("/readyz", None), 503, "graph")
        assert alone.get("/healthz", None).status_code == 200
