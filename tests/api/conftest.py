"""The API over the hand-made operator of tests/matching and the real Neo4j, started as it is served."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.keys import SCOPES, KeyStore
from api.problems import MEDIA_TYPE
from graph.engine.server import Endpoint
from graph.schema import ensure
from graph.store import Store
from lake.home import Home
from lake.settings import Settings, load_settings
from lake.tables import Lake
from tests.matching.conftest import APPS, TODAY, user, write_lake, write_small_snapshot

NUMBER = "+49 (151) 000-00001"
DIGITS = "4915100000001"


def text(i: int) -> str:
    """Customer i's pseudonym as 36 characters."""
    return str(uuid.UUID(bytes=user(i)))


@dataclass
class Operator:
    """A home with lake, snapshot, graph and keys."""

    home: Home
    settings: Settings
    store: Store
    keys: dict[str, str]
    known: str

    def headers(self, scope: str | None) -> dict[str, str]:
        return {} if scope is None else {"Authorization": f"Bearer {self.keys[scope]}"}


@dataclass
class Api:
    """A client, with a key of the scope named."""

    client: TestClient
    operator: Operator

    def get(self, path: str, scope: str | None = "admin", **more: Any) -> httpx.Response:
        return self.client.get(path, headers=self.operator.headers(scope) | more.pop("headers", {}), **more)

    def post(self, path: str, body: Any = None, scope: str | None = "admin", **more: Any) -> httpx.Response:
        headers = self.operator.headers(scope) | more.pop("headers", {})
        return self.client.post(path, json=body, headers=headers, **more)


def fill(store: Store, numbered: str) -> None:
    """Customers, apps and offers of the lake in the graph; `numbered` is the customer whose number is NUMBER."""
    store.wipe(schema=True)
    ensure(store)
    customers = [
        {"user": text(i), "off_net": i == 6, "consent": i != 3, "city": "Bonn", "communities_community": "c1",
         "leaders_rank": i + 1, "leaders_community_rank": i + 1, "leaders_score": 1 - i / 10,
         "circles_shrinking": i < 2, "circles_p_value": 0.01 if i < 2 else 0.9,
         "circles_against_peers": 0.5 if i < 2 else 1.0, "status": "left" if i == 5 else None}
        for i in range(7)
    ]  # fmt: skip
    customers.append({"user": numbered, "off_net": False, "consent": True})
    store.write_rows("MERGE (u:User {user: row.user}) SET u = row", customers)
    store.write_rows("MERGE (a:App {app: row.app})", [{"app": app} for app in APPS])
    store.write_rows("MERGE (o:Offer {offer: row.offer})", [{"offer": offer} for offer in ("o1", "o2", "o3")])


def write_calls(lake: Lake) -> None:
    """Contacts of one month, seen from both sides."""
    pairs = [(0, 1, 9), (0, 2, 8), (0, 3, 7), (0, 6, 4), (1, 5, 2)]
    rows = sorted([(user(a), user(b), n, 0) for a, b, n in pairs] + [(user(b), user(a), 0, n) for a, b, n in pairs])
    columns = list(zip(*rows, strict=True))
    contacts = pa.table(
        {
            "user": pa.array(columns[0], pa.binary()),
            "contact": pa.array(columns[1], pa.binary()),
            "calls_out": pa.array(columns[2], pa.int64()),
            "calls_in": pa.array(columns[3], pa.int64()),
        }
    )
    for name in ("seconds_out", "seconds_in", "messages_out", "messages_in", "days"):
        contacts = contacts.append_column(name, pa.array([0] * len(rows), pa.int64()))
    lake.write_partition("contacts", "period", "2026-05", contacts)


@pytest.fixture(scope="module")
def operator(neo4j_endpoint: Endpoint, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    settings = load_settings(home=Path(tmp_path_factory.mktemp("api") / "home"), today=TODAY, country="DE")
    home = Home.open(settings, create=True)
    known = home.pseudonyms(create=True).of_numbers(pa.array([DIGITS]))[0].as_py()
    write_lake(Lake(home.lake))
    write_calls(Lake(home.lake))
    write_small_snapshot(home)
    store_of_keys = KeyStore(home)
    keys = {scope: store_of_keys.add(scope, [scope]) for scope in SCOPES}
    with Store(neo4j_endpoint) as store:
        fill(store, str(uuid.UUID(bytes=known)))
        yield Operator(home, settings, store, keys, str(uuid.UUID(bytes=known)))


@pytest.fixture(scope="module")
def api(operator: Operator) -> Iterator[Api]:
    with TestClient(create_app(operator.home, operator.settings, operator.store)) as client:
        yield Api(client, operator)


def soon(condition: Callable[[], bool], seconds: float = 15.0) -> bool:
    """Whether a condition comes true within a time that a busy machine needs too."""
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def problem(response: httpx.Response, status: int, *words: str, error: str | None = None) -> dict[str, Any]:
    """The one shape of every error: RFC 9457, no traceback, the code that schedulers read."""
    body = response.json()
    assert response.status_code == status, body
    assert response.headers["content-type"] == MEDIA_TYPE
    assert body["status"] == status
    assert body["type"] == f"urn:dumbbell:problem:{body['error']}"
    assert body["title"]
    assert set(body) <= {"type", "title", "status", "detail", "error", "errors"}
    assert "Traceback" not in response.text
    assert DIGITS not in response.text
    for word in words:
        assert word in body["detail"], body
    if error is not None:
        assert body["error"] == error
    if status == 401:
        assert response.headers["WWW-Authenticate"] == "Bearer"
    if status == 503:
        assert int(response.headers["Retry-After"]) > 0
    return body
