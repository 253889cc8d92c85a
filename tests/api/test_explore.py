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
    assert [(node["user"], node["hop"], node["strength"], node["off_net"]) for node in body["nodes"]] == [
        (text(0), 0, 0, False),
        (text(1), 1, 9, False),
        (text(2), 1, 8, False),
        (text(6), 1, 4, True),
    ]
    assert [(link["user"], link["contact"], link["calls_out"]) for link in body["links"]] == [
        (text(0), text(1), 9),
        (text(0), text(2), 8),
        (text(0), text(6), 4),
    ]
    assert (body["capped"], body["withheld"], body["periods"]) == (False, 1, ["2026-05"])


def test_two_hops_and_the_cap(api: Api) -> None:
    two = api.get(f"/v1/influence/ego/{text(0)}", params={"hops": 2, "periods": "2026-05"}).json()
    assert [(node["user"], node["hop"], node["strength"]) for node in two["nodes"][4:]] == [(text(5), 2, 2)]
    capped = api.get(f"/v1/influence/ego/{text(0)}", params={"hops": 2, "limit": 2}).json()
    assert [node["user"] for node in capped["nodes"]] == [text(0), text(1), text(2)]
    assert capped["capped"]


def test_nobody_around_who_does_not_consent(api: Api) -> None:
    body = api.get(f"/v1/influence/ego/{text(3)}").json()
    assert body["nodes"] == body["links"] == []


def test_a_view_of_a_customer(api: Api) -> None:
    body = api.get(f"/v1/users/{text(0)}", "explore").json()
    assert body["user"] == text(0)
    assert body["portrait"]["city"] == "Bonn"
    assert body["circle"] == {"shrinking": True, "p_value": 0.01, "against_peers": 0.5}
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
    problem(api.get(f"/v1/influence/ego/{text(0)}", params={"limit": 0}), 422, "limit")
    problem(api.get(f"/v1/influence/ego/{text(0)}", params={"periods": "2020-01"}), 404, "2020-01")
    for path in ("/v1/influence/leaders", f"/v1/influence/ego/{text(0)}", f"/v1/users/{text(0)}"):
        problem(api.get(path, None), 401)
        problem(api.get(path, "match"), 403)
