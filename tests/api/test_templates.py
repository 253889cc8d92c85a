"""`/v1/templates`: the list, a run in every form, refusals."""

import io
import json
from dataclasses import replace

import pyarrow as pa
import pytest

from api.routes.templates import chosen
from cypher import run as running
from cypher.header import Column
from tests.api.conftest import Api, problem, text


def test_the_list(api: Api) -> None:
    body = api.get("/v1/templates", "query").json()
    names = [item["name"] for item in body["items"]]
    assert "shrinking_circles" in names
    assert body["next"] is None
    shown = body["items"][names.index("shrinking_circles")]
    assert {"name", "group", "title", "purpose", "parameters", "columns"} == set(shown)
    limit = next(parameter for parameter in shown["parameters"] if parameter["name"] == "limit")
    assert {"type": "integer", "default": 1000}.items() <= limit.items()


def test_the_list_in_pages(api: Api) -> None:
    every = [item["name"] for item in api.get("/v1/templates").json()["items"]]
    found, cursor = [], None
    while True:
        page = api.get("/v1/templates", params={"limit": 3} | ({"cursor": cursor} if cursor else {})).json()
        assert len(page["items"]) <= 3
        found += [item["name"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert found == every
    for wrong in ("0", "1001", "x", "-1", "٣", ""):
        problem(api.get("/v1/templates", params={"limit": wrong}), 422, "limit")
    problem(api.get("/v1/templates", params={"cursor": "x"}), 422, "cursor")


def test_json(api: Api) -> None:
    answer = api.post("/v1/templates/shrinking_circles", {"parameters": {"limit": 5}}, "query")
    assert answer.status_code == 200
    body = answer.json()
    assert [item["user"] for item in body["items"]] == [text(0), text(1)]
    assert set(body["items"][0]) == {column["name"] for column in body["columns"]}
    assert body["truncated"] is False
    assert body["next"] is None


def test_no_parameters_is_all_defaults(api: Api) -> None:
    assert len(api.post("/v1/templates/shrinking_circles", {}).json()["items"]) == 2


def test_other_forms(api: Api) -> None:
    def run(accept: str):
        return api.post("/v1/templates/shrinking_circles", {}, headers={"Accept": accept})

    lines = run("application/x-ndjson")
    assert lines.headers["content-type"] == "application/x-ndjson"
    assert [json.loads(line)["user"] for line in lines.text.splitlines()] == [text(0), text(1)]
    csv = run("text/csv")
    assert csv.headers["content-type"] == "text/csv; charset=utf-8"
    assert csv.text.splitlines()[0].startswith("user,shrinking,contacts,")
    assert [line.split(",")[0] for line in csv.text.splitlines()[1:]] == [text(0), text(1)]
    arrow = run("application/vnd.apache.arrow.stream")
    table = pa.ipc.open_stream(io.BytesIO(arrow.content)).read_all()
    assert table["user"].to_pylist() == [text(0), text(1)]
    assert table.schema.field("contacts").type == pa.int64()
    problem(run("image/png"), 406, "text/csv", error="not_acceptable")


@pytest.mark.parametrize(
    ("accept", "served"),
    [
        ("text/*", "text/csv"),
        ("application/json;q=0.1, text/csv", "text/csv"),
        ("text/html, */*;q=0.1", "application/json"),
        ("text/csv;q=x, application/x-ndjson", "application/x-ndjson"),
    ],
)
def test_accept(accept: str, served: str) -> None:
    assert chosen(accept) == served


def test_refusals(api: Api) -> None:
    problem(api.post("/v1/templates/shrinking", {}), 404, "shrinking_circles", error="unknown_name")
    asked = {"parameters": {"colour": "red"}}
    problem(api.post("/v1/templates/shrinking_circles", asked), 404, "colour", "limit", error="unknown_name")
    asked = {"parameters": {"limit": "many"}}
    problem(api.post("/v1/templates/shrinking_circles", asked), 422, "limit", "whole number", error="bad_value")
    problem(api.post("/v1/templates/target_group", {}), 422, "city")
    problem(api.post("/v1/templates/shrinking_circles", {"parameters": []}), 422, "parameters")
    problem(api.post("/v1/templates/shrinking_circles", {}, None), 401)
    problem(api.post("/v1/templates/shrinking_circles", {}, "match"), 403)
    problem(api.get("/v1/templates", "match"), 403)


def test_a_list_is_no_file_here(api: Api, tmp_path) -> None:
    path = tmp_path / "users.txt"
    path.write_text(text(0))
    asked = {"parameters": {"users": f"@{path}"}}
    problem(api.post("/v1/templates/customer_channels", asked), 422, "users")


def test_a_query_that_runs_too_long(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running.run, "__kwdefaults__", {"max_rows": 10, "timeout_s": 0.5})
    catalogue = api.client.app.state.service.catalogue
    query = "UNWIND range(1, 100000) AS a UNWIND range(1, 100000) AS b WITH a WHERE a < 0 RETURN a AS app"
    slow = replace(catalogue["apps_together"], parameters=(), columns=(Column("app", "integer", "a"),), cypher=query)
    monkeypatch.setitem(catalogue, "slow", slow)
    problem(api.post("/v1/templates/slow", {}), 400, "time limit", error="query_too_heavy")
