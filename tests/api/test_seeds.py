"""Seeds for an offer: customer 0 talks with 1 (9), 2 (8), 3 (7, who does not consent); 1 with 5 (2, who left)."""

from tests.api.conftest import Api, problem, text


def test_the_customer_whom_all_listen_to_is_told_first(api: Api) -> None:
    body = api.post("/v1/influence/seeds", {"offer": "o1", "k": 1}, "explore").json()
    assert [seed["user"] for seed in body["seeds"]] == [text(0)]
    # 2 and 3 talk with 0 alone, so they follow surely; 1 with 9 of 11: 1 + 2 + 9/11.
    assert abs(body["spread"]["mean"] - (3 + 9 / 11)) < 0.05
    assert body["spread"]["low"] <= body["spread"]["mean"] <= body["spread"]["high"]
    assert body["guarantee"] == {"ratio": 0.532, "probability": 0.99}


def test_seeds_may_be_shown_the_offer(api: Api) -> None:
    body = api.post("/v1/influence/seeds", {"offer": "o1", "k": 100, "model": "threshold"}).json()
    shown = {seed["user"] for seed in body["seeds"]}
    assert text(3) not in shown  # no consent
    assert text(5) not in shown  # left
    assert len(shown) <= body["eligible"]


def test_a_budget_buys_whom_it_can(api: Api) -> None:
    dear = {"offer": "o1", "budget": 2.0, "cost": 1.0, "costs": {text(0): 5.0}}
    body = api.post("/v1/influence/seeds", dear).json()
    assert text(0) not in {seed["user"] for seed in body["seeds"]}
    assert len(body["seeds"]) <= 2


def test_what_cannot_be_asked_is_refused(api: Api) -> None:
    problem(api.post("/v1/influence/seeds", {"offer": "o1"}), 422)
    problem(api.post("/v1/influence/seeds", {"offer": "o1", "k": 1, "budget": 1.0}), 422)
    problem(api.post("/v1/influence/seeds", {"offer": "nothing", "k": 1}), 404)
    problem(api.post("/v1/influence/seeds", {"offer": "o1", "k": 1, "epsilon": 0.9}), 422)
    problem(api.post("/v1/influence/seeds", {"offer": "o1", "budget": 1.0, "costs": {"x": 1.0}}), 422)
    problem(api.post("/v1/influence/seeds", {"offer": "o1", "k": 1}, "match"), 403)
