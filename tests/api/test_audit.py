"""Which key asked for whom: a line before every answer, in a private file a day, with pseudonyms only."""

import json
from pathlib import Path
from typing import Any

import pytest

from api.audit import DAY_S, Audit, files_of, stage_audit
from lake.home import Home
from lake.settings import load_settings
from tests.api.conftest import DIGITS, NUMBER, Api, text


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home.open(load_settings(home=tmp_path / "home"), create=True)


def lines(home: Home) -> list[dict[str, Any]]:
    return [json.loads(line) for path in files_of(home) for line in path.read_text().splitlines()]


def test_every_request_for_a_customer_is_noted(api: Api) -> None:
    home = api.operator.home
    before = len(lines(home))
    known = api.operator.known
    decision = api.post("/v1/match", {"number": NUMBER, "kind": "app"}, "match").json()["decision"]
    api.post("/v1/match", {"users": [text(0), text(77)], "kind": "app"}, "admin")
    told = {"user": text(1), "kind": "app", "item": "radio", "channel": "store", "outcome": "ignored"}
    api.post("/v1/responses", told, "match")
    api.get(f"/v1/decisions/{decision}", "match")
    api.get(f"/v1/users/{text(1).upper()}", "explore")
    api.get(f"/v1/influence/ego/{text(2)}", "explore")
    api.get("/v1/influence/leaders", "explore")
    api.post("/v1/templates/customer_channels", {"parameters": {"users": [text(3)]}}, "query")
    api.post("/v1/match", {"user": DIGITS, "kind": "app"}, "match")  # refused: for nobody
    api.get(f"/v1/users/{DIGITS}", "explore")
    api.post("/v1/match", {"user": text(0), "kind": "app"}, "query")
    found = lines(home)[before:]
    assert [(line["key"], line["route"], line["users"]) for line in found] == [
        ("match", "POST /v1/match", [known]),
        ("admin", "POST /v1/match", [text(0), text(77)]),
        ("match", "POST /v1/responses", [text(1)]),
        ("match", "GET /v1/decisions/{id}", [known]),
        ("explore", "GET /v1/users/{user}", [text(1)]),
        ("explore", "GET /v1/influence/ego/{user}", [text(2)]),
        ("explore", "GET /v1/influence/leaders", []),
        ("query", "POST /v1/templates/{name}", [text(3)]),
    ]
    assert all(line["at"].endswith("+00:00") for line in found)
    for path in files_of(home):
        assert path.stat().st_mode & 0o777 == 0o600
        assert DIGITS not in path.read_text()


def test_a_file_a_day_kept_for_some_days(home: Home) -> None:
    audit, other = Audit(home, 2), Audit(home, 2)
    for day in (20_000, 20_001, 20_002):
        audit.note("shop", "POST /v1/match", [text(day % 7)], day * DAY_S + 1.5)
        other.note("till", "POST /v1/match", [], day * DAY_S + 2)
    assert [path.name for path in files_of(home)] == ["2024-10-05.jsonl", "2024-10-06.jsonl"]
    assert [(line["at"], line["key"]) for line in lines(home)[:2]] == [
        ("2024-10-05T00:00:01.500+00:00", "shop"),
        ("2024-10-05T00:00:02.000+00:00", "till"),
    ]
    audit.close()
    other.close()


def test_other_pseudonyms_and_forgotten_customers(home: Home) -> None:
    audit = Audit(home, 10)
    audit.note("shop", "POST /v1/match", [text(0), text(1), text(0)])
    audit.note("shop", "GET /v1/churn", [])
    audit.close()
    [path] = files_of(home)
    with open(path, "ab") as file:
        file.write(b'{"at": "cut off by a full d')
    staging = home.root / "staging"
    new = {text(0): None, text(1): text(5)}
    assert stage_audit(home, staging, lambda users: [new[user] for user in users]) == 2
    staged = staging / "audit" / path.name
    assert [json.loads(line)["users"] for line in staged.read_text().splitlines()] == [[None, text(5), None], []]
    assert staged.stat().st_mode & 0o777 == 0o600
    assert text(0) not in staged.read_text()
    assert stage_audit(Home(home.root / "none"), staging, lambda users: [*users]) == 0
