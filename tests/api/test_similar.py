"""Apps used alike, and look-alikes: customers 0, 1, 3 and 5 have vectors; 3 does not consent, 5 left."""

from __future__ import annotations

import numpy as np

from embeddings.alike import Alike
from tests.api.conftest import DIGITS, NUMBER, Api, problem, text
from tests.matching.conftest import APP_VECTORS, APPS, POPULARITY, USER_VECTORS

SIMILAR = "/v1/users/similar"
ALIKE = Alike.of(
    np.array(APP_VECTORS, np.float32),
    np.array(POPULARITY, np.float32),
    np.array(USER_VECTORS, np.float32),
    np.array([[2], [1], [0], [1], [1]], np.float32),
)


def test_apps_used_alike_with_their_names_best_first(api: Api) -> None:
    body = api.get("/v1/apps/chat/similar", "explore").json()
    order, scores = ALIKE.apps_like(0, 9)
    assert [item["app"] for item in body["items"]] == [APPS[i] for i in order]
    assert [item["score"] for item in body["items"]] == scores.tolist()
    assert len(order) == 4
    radio = next(item for item in body["items"] if item["app"] == "radio")
    assert radio == {"app": "radio", "name": "Radio", "category": "talk", "score": scores[order.tolist().index(4)]}
    assert body["next"] is None


def test_apps_in_pages_and_no_more_than_k(api: Api) -> None:
    path = "/v1/apps/chat/similar"
    every = [item["app"] for item in api.get(path).json()["items"]]
    first = api.get(path, params={"limit": 2, "k": 3}).json()
    second = api.get(path, params={"limit": 2, "k": 3, "cursor": first["next"]}).json()
    assert [item["app"] for item in first["items"] + second["items"]] == every[:3]
    assert second["next"] is None


def test_customers_like_those_of_a_list_who_may_be_listed(api: Api) -> None:
    body = api.post(SIMILAR, {"users": [text(0)]}, "explore").json()
    _, scores = ALIKE.customers_like(np.array([0]), np.array([0, 1]), 9)
    assert body == {"items": [{"user": text(1), "score": scores[0]}], "next": None, "listed": 1, "known": 1}
    # who does not consent may be on the list: what is said is of others
    of_three = api.post(SIMILAR, {"users": [text(3), text(3)]}).json()
    assert [item["user"] for item in of_three["items"]] == [text(0), text(1)]
    assert of_three["listed"] == 1


def test_numbers_and_pseudonyms_of_one_list(api: Api) -> None:
    body = api.post(SIMILAR, {"numbers": [NUMBER, "0151 00000001"], "users": [text(1), text(80)]}).json()
    assert (body["listed"], body["known"]) == (3, 1)  # the number's customer came after the snapshot
    assert [item["user"] for item in body["items"]] == [text(0)]
    assert DIGITS not in str(body)


def test_a_list_of_whom_nothing_is_known_has_no_look_alikes(api: Api) -> None:
    assert api.post(SIMILAR, {"users": [text(2)]}).json() == {"items": [], "next": None, "listed": 1, "known": 0}


def test_customers_in_pages(api: Api) -> None:
    first = api.post(SIMILAR, {"users": [text(3)]}, params={"limit": 1}).json()
    second = api.post(SIMILAR, {"users": [text(3)]}, params={"limit": 1, "cursor": first["next"]}).json()
    assert [item["user"] for item in first["items"] + second["items"]] == [text(0), text(1)]
    assert len(api.post(SIMILAR, {"users": [text(3)], "k": 1}).json()["items"]) == 1


def test_what_cannot_be_asked_is_refused(api: Api) -> None:
    problem(api.get("/v1/apps/nothing/similar"), 404, "nothing", error="unknown_name")
    problem(api.get(f"/v1/apps/{DIGITS}/similar"), 404, error="unknown_name")
    for wrong in ({"k": 0}, {"k": "x"}, {"limit": 0}, {"cursor": "x"}):
        problem(api.get("/v1/apps/chat/similar", params=wrong), 422, next(iter(wrong)))
    problem(api.post(SIMILAR, {}), 422, "users or numbers")
    problem(api.post(SIMILAR, {"users": [DIGITS]}), 422, "pseudonym", error="bad_value")
    problem(api.post(SIMILAR, {"numbers": [NUMBER, "no number"]}), 422, "place 2")
    problem(api.post(SIMILAR, {"users": [text(0)], "k": 0}), 422)
    problem(api.post(SIMILAR, {"users": [text(0)]}, params={"limit": 0}), 422, "limit")
    problem(api.post(SIMILAR, {"users": [text(0)]}, "match"), 403)
    problem(api.get("/v1/apps/chat/similar", "match"), 403)
    problem(api.get("/v1/apps/chat/similar", None), 401)
