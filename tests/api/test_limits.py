"""A token bucket a key: held against a slow one, shared between processes, and a 429 that says when to come again."""

from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from api.app import create_app
from api.limits import SLOTS, WINDOW, Limits
from lake.home import Home
from lake.settings import load_settings
from tests.api.conftest import Api, Operator, problem, text


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return Home.open(load_settings(home=Path(tmp_path_factory.mktemp("limits")) / "home"), create=True)


class Bucket:
    """The oracle: tokens counted one by one."""

    def __init__(self, rate: int, burst: int) -> None:
        self.rate, self.burst, self.tokens, self.at = rate, burst, float(burst), 0.0

    def take(self, now: float) -> float:
        self.tokens = min(self.burst, self.tokens + (now - self.at) * self.rate)
        self.at = now
        if self.tokens < 1 - 1e-6:
            return (1 - self.tokens) / self.rate
        self.tokens -= 1
        return 0.0


@given(
    rate=st.sampled_from([1, 2, 4]),
    burst=st.integers(1, 5),
    asked=st.lists(st.tuples(st.integers(0, 1), st.sampled_from([0.0, 0.125, 0.25, 1.0, 3.0])), max_size=30),
)
def test_it_is_a_token_bucket(home: Home, rate: int, burst: int, asked: list[tuple[int, float]]) -> None:
    (home.root / "limits").unlink(missing_ok=True)
    workers = [Limits(home, rate, burst), Limits(home, rate, burst)]
    bucket, now = Bucket(rate, burst), 1000.0
    bucket.at = now
    for number, (worker, passed) in enumerate(asked):
        now += passed
        assert workers[worker].take("shop", now) == pytest.approx(bucket.take(now))
        assert workers[worker].take(f"other {number}", now) == 0.0
    for one in workers:
        one.close()


def test_no_limit_and_a_machine_started_again(home: Home) -> None:
    (home.root / "limits").unlink(missing_ok=True)
    assert {Limits(home, 0, 1).take("shop") for _ in range(100)} == {0.0}
    limits = Limits(home, 1, 1)
    assert [limits.take("shop", 1e6), limits.take("shop", 1e6)] == [0.0, 1.0]
    assert limits.take("shop", 5.0) == 0.0
    assert (home.root / "limits").stat().st_mode & 0o777 == 0o600


def test_more_keys_than_slots_are_refused_too_early_rather_than_too_late(home: Home) -> None:
    (home.root / "limits").unlink(missing_ok=True)
    limits = Limits(home, 1, 1)
    for i in range(SLOTS * WINDOW):
        limits.take(f"key{i}", 10.0)
    waits = [limits.take(f"key{i}", 10.0) for i in range(SLOTS * WINDOW)]
    assert min(waits) >= 1 - 1e-6
    assert limits.take("key0", 20.0) == 0.0


def test_a_key_that_asks_too_often_gets_429(operator: Operator) -> None:
    settings = operator.settings.model_copy(update={"rate": 0.01, "burst": 3})
    (operator.home.root / "limits").unlink(missing_ok=True)
    with (
        TestClient(create_app(operator.home, settings, operator.store)) as client,
        TestClient(create_app(operator.home, settings, operator.store)) as other,
    ):
        first, second = Api(client, operator), Api(other, operator)
        asked = {"user": text(0), "kind": "app"}
        assert [api.post("/v1/match", asked, "match").status_code for api in (first, second, first)] == [200] * 3
        refused = second.post("/v1/match", asked, "match")
        problem(refused, 429, "too often", error="too_many_requests")
        assert 90 <= int(refused.headers["Retry-After"]) <= 100
        assert first.get("/v1/templates", "query").status_code == 200  # another key
        assert first.get("/healthz", None).status_code == 200
    (operator.home.root / "limits").unlink()
