"""Who may leave, and who may have come back.

Of the customers of tests/api/conftest.py, 3 does not consent, 5 has left and 6 is off-net; 4 and 7 have no probability.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest

from graph.calls.forecasts import reports
from graph.load import write_scores
from lake.tables import Lake
from tests.api.conftest import DIGITS, Api, Operator, problem, text
from tests.matching.conftest import BINARY, TEXT, table, user

REASON = [("circle", 0.9, "no longer speaks with 6 of the 9 people of the period before")]
REASONS = pa.list_(pa.struct([("feature", TEXT), ("contribution", pa.float64()), ("words", TEXT)]))
CHURN = {"user": BINARY, "period": TEXT, "probability": pa.float64(), "decile": pa.int64(), "stage": TEXT,
         "reasons": REASONS}  # fmt: skip
RETURNING = {"user": BINARY, "candidate": BINARY, "score": pa.float64(), "shared_contacts": pa.int64(),
             "rank": pa.int64()}  # fmt: skip
SCORES = {"user": BINARY, "model": TEXT, "period": TEXT, "probability": pa.float64(), "decile": pa.int64(),
          "reasons": REASONS}  # fmt: skip


def write_churn(operator: Operator, *rows: tuple[Any, ...]) -> None:
    lake = Lake(operator.home.lake)
    lake.write("churn", table(CHURN, *[(user(n), *row) for n, *row in rows]))
    write_scores(lake, operator.store)


@pytest.fixture(scope="module", autouse=True)
def analysed(operator: Operator) -> None:
    lake = Lake(operator.home.lake)
    lake.write("scores", table(SCORES, (user(0), "fake", "2026-05", 0.02, 4, [("calls", 0.4, "hardly calls")])))
    write_churn(
        operator,
        (0, "2026-05", 0.5, 1, "stable", REASON),
        (1, "2026-05", 0.25, 2, "circle", []),
        (2, "2026-05", 0.5, 1, "decision", []),
        (3, "2026-05", 0.9, 1, "decision", REASON),
        (4, "2026-05", None, None, "circle", []),
        (5, "2026-05", None, None, "left", []),
        (6, "2026-05", 0.8, 1, "decision", []),
    )
    operator.store.write(
        "MATCH (u:User {user: $user}) MERGE (s:Segment {segment: 's1'}) MERGE (u)-[:IN_SEGMENT]->(s)", user=text(1)
    )


def users(api: Api, path: str, **params: Any) -> list[str]:
    return [item["user"] for item in api.get(path, params=params).json()["items"]]


def test_who_may_leave_by_probability_then_by_stage(api: Api) -> None:
    body = api.get("/v1/churn", "explore").json()
    assert [(item["user"], item["probability"], item["stage"]) for item in body["items"]] == [
        (text(0), 0.5, "stable"),
        (text(2), 0.5, "decision"),
        (text(1), 0.25, "circle"),
        (text(4), None, "circle"),
    ]
    assert body["items"][0] == {
        "user": text(0), "probability": 0.5, "decile": 1, "stage": "stable", "period": "2026-05", "community": "c1",
        "segment": None, "reasons": [{"feature": "circle", "contribution": 0.9, "words": REASON[0][2]}],
    }  # fmt: skip
    assert body["items"][2]["segment"] == "s1"
    assert body["items"][3]["reasons"] == []
    assert (body["next"], body["no_probability_because"]) == (None, None)


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_pages_follow_each_other(api: Api, limit: int) -> None:
    found, cursor = [], None
    while True:
        given = {"limit": limit} if cursor is None else {"limit": limit, "cursor": cursor}
        body = api.get("/v1/churn", params=given).json()
        found += [item["user"] for item in body["items"]]
        assert len(body["items"]) == limit or body["next"] is None
        if (cursor := body["next"]) is None:
            break
    assert found == [text(i) for i in (0, 2, 1, 4)]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"stage": "circle"}, [1, 4]),
        ({"stage": "decision"}, [2]),
        ({"decile": 1}, [0, 2]),
        ({"decile": 1, "stage": "stable"}, [0]),
        ({"segment": "s1"}, [1]),
        ({"segment": "none"}, []),
        ({"community": "c1"}, [0, 2, 1, 4]),
        ({"community": "c2"}, []),
        ({"period": "2026-05"}, [0, 2, 1, 4]),
        ({"period": "2026-04"}, []),
    ],
)
def test_some_of_those_who_may_leave(api: Api, wanted: dict[str, Any], expected: list[int]) -> None:
    assert users(api, "/v1/churn", **wanted) == [text(i) for i in expected]


def test_without_enough_history_the_stage_says_who(api: Api, operator: Operator) -> None:
    stages = ["stable", "experience", "circle", "stable", "decision", "left", "stable"]
    before = Lake(operator.home.lake).read("churn")
    try:
        write_churn(operator, *[(n, "2026-05", None, None, stage, []) for n, stage in enumerate(stages)])
        reports.keep(Lake(operator.home.lake), "churn", {"off": "there is 1 period of calls"})
        assert users(api, "/v1/churn") == [text(i) for i in (4, 2, 1, 0)]
        assert api.get("/v1/churn").json()["no_probability_because"] == "there is 1 period of calls"
        first = api.get("/v1/churn", params={"limit": 2}).json()
        assert users(api, "/v1/churn", cursor=first["next"]) == [text(i) for i in (1, 0)]
        assert users(api, "/v1/churn", stage="experience") == [text(1)]
    finally:
        reports.drop(Lake(operator.home.lake))
        Lake(operator.home.lake).write("churn", before)
        write_scores(Lake(operator.home.lake), operator.store)


def test_churn_in_the_view_of_a_customer(api: Api) -> None:
    body = api.get(f"/v1/users/{text(0)}").json()
    assert body["churn"] == {
        "probability": 0.5, "decile": 1, "stage": "stable", "period": "2026-05",
        "reasons": [{"feature": "circle", "contribution": 0.9, "words": REASON[0][2]}],
    }  # fmt: skip
    assert body["scores"] == {"fake": {"probability": 0.02, "decile": 4, "reasons": ["hardly calls"]}}
    assert (body["returning"], body["formerly"]) == ([], [])


@pytest.fixture
def returning(operator: Operator) -> Iterator[Lake]:
    """5, who left, is now 6, or 3 or 0; 4 is now 1; 3 is 2; 2 is 5, who has left as well."""
    lake = Lake(operator.home.lake)
    rows = [(2, 5, 0.99, 9, 1), (3, 2, 0.9, 3, 1), (4, 1, 0.75, 4, 1), (5, 3, 0.8, 5, 1), (5, 6, 0.1, 2, 2),
            (5, 0, 0.1, 1, 3)]  # fmt: skip
    lake.write("returning", table(RETURNING, *[(user(a), user(b), *row) for a, b, *row in rows]))
    yield lake
    lake.drop("returning")


FIFTH = {
    "user": text(5),
    "left_on": None,
    "candidates": [
        {"candidate": text(6), "score": 0.1, "shared_contacts": 2, "rank": 2, "off_net": True},
        {"candidate": text(0), "score": 0.1, "shared_contacts": 1, "rank": 3, "off_net": False},
    ],
}
FOURTH = {
    "user": text(4),
    "left_on": None,
    "candidates": [{"candidate": text(1), "score": 0.75, "shared_contacts": 4, "rank": 1, "off_net": False}],
}


def test_who_may_have_come_back_the_surest_first(api: Api, returning: Lake) -> None:
    assert api.get("/v1/returning", "explore").json() == {"items": [FIFTH, FOURTH], "next": None}
    first = api.get("/v1/returning", params={"limit": 1}).json()
    assert first["items"] == [FIFTH]
    assert api.get("/v1/returning", params={"limit": 1, "cursor": first["next"]}).json() == {
        "items": [FOURTH],
        "next": None,
    }


def test_the_new_number_in_the_view_of_who_left_and_the_former_one_in_that_of_the_new(
    api: Api, operator: Operator, returning: Lake
) -> None:
    assert api.get(f"/v1/users/{text(5)}").json()["returning"] == FIFTH["candidates"]
    operator.store.write(
        "MATCH (a:User {user: $a}), (b:User {user: $b}) MERGE (a)-[:SAME_AS {score: 0.9}]->(b)", a=text(5), b=text(6)
    )
    assert api.get(f"/v1/users/{text(6)}").json()["formerly"] == [{"user": text(5), "score": 0.9, "left_on": None}]
    assert api.get(f"/v1/users/{text(5)}").json()["formerly"] == []


def test_before_there_is_an_analysis(api: Api, operator: Operator) -> None:
    problem(api.get("/v1/returning"), 503, "dumbbell analyse", error="not_ready")
    lake = Lake(operator.home.lake)
    before = lake.read("churn")
    lake.drop("churn")
    try:
        problem(api.get("/v1/churn"), 503, "dumbbell analyse", error="not_ready")
    finally:
        lake.write("churn", before)


def test_refusals(api: Api, returning: Lake) -> None:
    problem(api.get("/v1/churn", params={"stage": "left"}), 422, "who has left is not listed", error="bad_value")
    for wrong in ("0", "11", "first", DIGITS):
        problem(api.get("/v1/churn", params={"decile": wrong}), 422, "decile", error="bad_value")
    first = api.get("/v1/churn", params={"limit": 1}).json()["next"]
    for path in ("/v1/churn", "/v1/returning"):
        problem(api.get(path, params={"limit": 0}), 422, "limit")
        for wrong in ("x", "", "bnVsbA==", "W10=", "W251bGwsbnVsbF0="):
            problem(api.get(path, params={"cursor": wrong}), 422, "cursor", error="bad_value")
        problem(api.get(path, None), 401)
        problem(api.get(path, "match"), 403)
    problem(api.get("/v1/returning", params={"cursor": first}), 422, "cursor")
