"""What holds for the whole API: health, errors of one shape, OpenAPI, and no number anywhere."""

import json
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.service import Service
from tests.api.conftest import DIGITS, NUMBER, Api, problem, text


def test_health(api: Api) -> None:
    assert api.get("/healthz", None).json() == {"status": "alive"}
    ready = api.get("/readyz", None)
    assert ready.status_code == 200
    assert ready.json()["snapshot"]


def test_metrics(api: Api) -> None:
    problem(api.get("/metrics", None), 401)
    problem(api.get("/metrics", "match"), 403)
    api.post("/v1/match", {"user": text(0), "kind": "app"})
    figures = api.get("/metrics").text
    assert 'dumbbell_requests_total{method="POST",route="/v1/match",status="200"}' in figures
    assert 'dumbbell_request_seconds_count{route="/v1/match"}' in figures


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/v1/nothing", 404),
        ("GET", f"/v1/{DIGITS}", 404),
        ("GET", "/v1/match", 405),
        ("DELETE", "/v1/templates", 405),
        ("GET", "/docs", 404),
    ],
)
def test_what_is_not_there(api: Api, method: str, path: str, status: int) -> None:
    problem(api.client.request(method, path, headers=api.operator.headers("admin")), status)


def test_the_unexpected_is_a_500_without_its_message(
    api: Api, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(self: Service) -> Any:
        raise RuntimeError(f"secret {DIGITS}")

    monkeypatch.setattr(Service, "state", property(broken))
    problem(api.post("/v1/match", {"user": text(0), "kind": "app"}), 500)
    assert "secret" not in capsys.readouterr().err


def test_openapi(api: Api) -> None:
    schema = api.get("/openapi.json", None).json()
    assert set(schema["paths"]) >= {
        "/v1/match", "/v1/responses", "/v1/decisions/{id}", "/v1/templates", "/v1/templates/{name}", "/v1/users/{user}",
        "/v1/influence/leaders", "/v1/influence/ego/{user}", "/healthz", "/readyz", "/metrics",
    }  # fmt: skip
    assert "$ref" not in json.dumps(schema["paths"]["/v1/match"]["post"]["requestBody"])
    for path, methods in schema["paths"].items():
        for method, route in methods.items():
            assert route["summary"], (path, method)
            for status, answer in route["responses"].items():
                if status >= "400":
                    assert "application/problem+json" in answer["content"], (path, status)
            if method == "post":
                assert route["requestBody"]["content"]["application/json"]["examples"], path
            if path.startswith("/v1"):
                assert route["security"] == [{"key": []}], path


def test_no_number_in_the_log_or_in_the_home(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    asked = {"number": NUMBER, "kind": "app"}
    decision = api.post("/v1/match", asked).json()
    api.post("/v1/match", asked | {"k": 0})
    api.post("/v1/match", {"user": DIGITS, "kind": "app"})
    api.post("/v1/match", asked | {"channel": DIGITS})
    told = {"number": NUMBER, "kind": "app", "item": decision["items"][0]["id"], "channel": "sms", "outcome": "shown"}
    api.post("/v1/responses", told, headers={"Idempotency-Key": DIGITS})
    api.get(f"/v1/users/{DIGITS}")
    api.get(f"/v1/users/{DIGITS}?number={DIGITS}")
    api.get(f"/{DIGITS}")
    api.post("/v1/templates/customer_channels", {"parameters": {"users": [DIGITS]}})
    log = capsys.readouterr().err
    assert [json.loads(line)["event"] for line in log.splitlines()] == ["request"] * 9
    for line in log.splitlines():
        assert {"method", "route", "status", "ms"} <= set(json.loads(line))
    assert DIGITS not in log
    assert DIGITS[2:] not in log
    assert NUMBER not in log
    for path in api.operator.home.root.rglob("*"):
        if path.is_file() and path.name != "number.key":
            assert DIGITS.encode() not in path.read_bytes(), path
    kept = api.operator.store.read("MATCH ()-[r:RESPONDED]->() RETURN properties(r) AS kept")
    assert DIGITS not in str(kept)


def test_before_there_is_a_snapshot(api: Api, tmp_path: Path) -> None:
    operator = api.operator
    home = type(operator.home)(tmp_path / "home")
    home.root.mkdir()
    for name in ("format", "number.key", "keys.json"):
        (home.root / name).write_bytes((operator.home.root / name).read_bytes())
    with TestClient(create_app(home, operator.settings, operator.store)) as client:
        early = Api(client, operator)
        problem(early.get("/readyz", None), 503, "snapshot", error="not_ready")
        problem(early.post("/v1/match", {"user": text(0), "kind": "app"}), 503, "dumbbell", error="not_ready")
        assert early.get("/healthz", None).status_code == 200
        assert early.post("/v1/templates/shrinking_circles", {}).status_code == 200
