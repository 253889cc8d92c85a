"""Leaders, the people around a customer, and one view of a customer.

Customer 0 talks with 1 (9), 2 (8), 3 (7, who does not consent) and 6 (4, off-net); 1 with 5 (2).
"""

from tests.api.conftest import DIGITS, Api, problem, text


def test_leaders_by_rank_without_who_may_not_be_listed(api: Api) -> None:
    body = api.get("/v1/influence/leaders", "explore").json()
    assert [item["user"] for item in body["items"]] == [
        text(i) for i in (0, 1, 2, 4)
    ]  # 3: no consent, 5: left, 6: off-net
    assert [item["rank"] for item in body["items"]] == [1, 2, 3, 5]
    assert body["next"] is None


def test_leaders_in_pages(api: Api) -> None:
    first = api.get("/v1/influence/leaders", params={"limit": 3}).json()
    second = api.get("/v1/influence/leaders", params={"limit": 3, "cursor": first["next"]}).json()
    assert [item["rank"] for item in first["items"] + second["items"]] == [1, 2, 3, 5]
    assert second["next"] is None
    problem(api.get("/v1/influence/leaders", params={"limit": 0}), 422, "limit")


def test_leaders_of_a_community(api: Api) -> None:
    assert len(api.get("/v1/influence/leaders", params={"community": "c1"}).json()["items"]) == 4
    assert api.get("/v1/influence/leaders", params={"community": "c2"}).json()["items"] == []


def test_the_people_around_a_customer(api: Api) -> None:
    body = api.get(f"/v1/influence/ego/{text(0)}", "explore").json()
    assert [(node["user"], node["hops"], node["contacts"], node["off_net"]) for node in body["nodes"]] == [
        (text(0), 0, 0, False),
        (text(1), 1, 9, False),
        (text(2), 1, 8, False),
        (text(6), 1, 4, True),
    ]
    assert body["nodes"][1]["community"] == "c1"
    assert [(edge["source"], edge["target"]) for edge in body["edges"]] == [(text(0), text(i)) for i in (1, 2, 6)]
    assert body["edges"][0]["periods"][0] | {"period": "2026-05", "calls_out": 9} == body["edges"][0]["periods"][0]
    assert not body["truncated"]


def test_two_hops_and_the_cap(api: Api) -> None:
    two = api.get(f"/v1/influence/ego/{text(0)}", params={"hops": 2}).json()
    assert [(node["user"], node["hops"], node["contacts"]) for node in two["nodes"][4:]] == [(text(5), 2, 2)]
    assert two["nodes"][4]["left"]
    assert (text(1), text(5)) in [(edge["source"], edge["target"]) for edge in two["edges"]]
    capped = api.get(f"/v1/influence/ego/{text(0)}", params={"hops": 2, "limit": 2}).json()
    assert [node["user"] for node in capped["nodes"]] == [text(0), text(1), text(2)]
    assert capped["truncated"]


def test_nobody_around_who_does_not_consent(api: Api) -> None:
    body = api.get(f"/v1/influence/ego/{text(3)}").json()
    assert [node["user"] for node in body["nodes"]] == [text(3)]
    assert body["edges"] == []


def test_a_view_of_a_customer(api: Api) -> None:
    body = api.get(f"/v1/users/{text(0)}", "explore").json()
    assert body["user"] == text(0)
    assert body["portrait"]["city"] == "Bonn"
    assert body["circle"] == {"shrinking": True}
    assert body["community"] == {"community": "c1"}
    assert body["leader"]["rank"] == 1
    assert body["churn"] is None
    assert [item["id"] for item in body["matches"]["app"]] == ["game", "chat", "radio"]
    assert api.get(f"/v1/users/{text(0).upper()}").json()["user"] == text(0)


def test_refusals(api: Api) -> None:
    problem(api.get(f"/v1/users/{text(80)}"), 404, error="unknown_name")
    for wrong in (DIGITS, f"+{DIGITS}", "x" * 36):
        problem(api.get(f"/v1/users/{wrong}"), 400, error="number_in_address")
        problem(api.get(f"/v1/influence/ego/{wrong}"), 400, error="number_in_address")
    problem(api.get(f"/v1/influence/ego/{text(80)}"), 404, error="unknown_name")
    problem(api.get(f"/v1/influence/ego/{text(0)}", params={"hops": 3}), 422, "hops")
    for path in ("/v1/influence/leaders", f"/v1/influence/ego/{text(0)}", f"/v1/users/{text(0)}"):
        problem(api.get(path, None), 401)
        problem(api.get(path, "match"), 403)
