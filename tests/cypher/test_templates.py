"""Each template on the graph of small_graph.py, whose answers are known by hand."""

import datetime as dt
from typing import Any

import pytest

from cypher.catalogue import load
from graph.store import Store
from tests.cypher.conftest import GIVEN, rows
from tests.cypher.small_graph import NOVA, TODAY, day, moment, user, users

NO_PEOPLE = {
    "channel_load", "consent_overview", "keys_alone", "missing_facts", "periods", "segment_fits", "unheld_products",
}  # fmt: skip
"""Templates that speak of things, or count everybody; all others leave out who may not be listed."""


def test_target_group(graph: Store) -> None:
    assert rows(graph, "target_group") == [
        (user(1), NOVA, "Nova 1", 30.0, False),
        (user(7), NOVA, "Nova 1", None, False),
    ]
    assert rows(graph, "target_group", product="no-such-product") == []


def test_target_group_is_seen_from_a_day(graph: Store) -> None:
    in_january = rows(graph, "target_group", today="2026-01-15")
    assert [row[0] for row in in_january] == users(3, 1)  # u3 still has the nova-1; u6 and u7 still hold data-x


def test_reverse_analysis(graph: Store) -> None:
    found = {
        (kind, value): (n, share, all_, lift) for kind, value, n, share, all_, lift in rows(graph, "reverse_analysis")
    }
    assert found == {
        ("app", "maps"): (2, 1.0, 0.4, 2.5),
        ("app", "chat"): (2, 1.0, 0.6, pytest.approx(1 / 0.6)),
        ("app", "music"): (1, 0.5, 0.4, 1.25),
        ("handset", NOVA): (2, 1.0, 0.8, 1.25),
        ("brand", "Nova"): (2, 1.0, 0.8, 1.25),
        ("product", "plan-a"): (1, 0.5, 0.2, 2.5),
        ("product", "data-x"): (1, 0.5, 0.2, 2.5),
        ("segment", "s1"): (2, 1.0, 0.6, pytest.approx(1 / 0.6)),
        ("city", "Berlin"): (2, 1.0, 0.8, 1.25),
    }
    assert {row[1] for row in rows(graph, "reverse_analysis", minimum=2)} == {
        "maps",
        "chat",
        NOVA,
        "Nova",
        "s1",
        "Berlin",
    }


def test_a_list_of_everybody_is_as_usual(graph: Store) -> None:
    everybody = rows(graph, "reverse_analysis", users=users(*range(1, 9)))
    assert {row[5] for row in everybody} == {1.0}


def test_friends_of_app_users(graph: Store) -> None:
    assert rows(graph, "friends_of_app_users") == [(user(1), 2, 7), (user(3), 2, 6)]
    assert rows(graph, "friends_of_app_users", at_least=3) == []


def test_friends_of_holders(graph: Store) -> None:
    assert rows(graph, "friends_of_holders") == [(user(1), 1, 6), (user(3), 1, 4)]


def test_two_hop_ego(graph: Store) -> None:
    assert rows(graph, "two_hop_ego") == [
        (user(2), 1, 1, 6, False),
        (user(6), 1, 1, 1, False),
        (user(3), 2, 2, 6, False),
        (user(8), 2, 1, 2, True),
    ]
    assert rows(graph, "two_hop_ego", user=user(4)) == []


def test_community_leaders(graph: Store) -> None:
    assert rows(graph, "community_leaders") == [
        (user(1), 1, 2, 0.8, 40, 3, None),
        (user(2), 2, 3, 0.7, None, None, 0.02),
    ]


def test_customer_channels(graph: Store) -> None:
    assert rows(graph, "customer_channels") == [
        (user(1), 1, "app", 10, [9, 18]),
        (user(1), 2, "hotline", 5, [9, 18]),
        (user(1), 3, "sms", 5, [9, 18]),
        (user(2), 1, "app", 2, [9, 18]),
    ]


def test_segment_channels(graph: Store) -> None:
    assert rows(graph, "segment_channels") == [
        (1, "app", "App", 2, pytest.approx(2 / 3), 12),
        (2, "sms", "Sms", 2, pytest.approx(2 / 3), 6),
        (3, "hotline", "Hotline", 1, pytest.approx(1 / 3), 5),
    ]


def test_shrinking_circles(graph: Store) -> None:
    marked = (user(2), True, 4, 5, None, 0.8, 0.4, 0.001, 20.0)
    halved = (user(1), False, 3, 2, 0.6, 0.5, 0.5, 0.01, 30.0)
    assert rows(graph, "shrinking_circles") == [marked, halved]
    assert rows(graph, "shrinking_circles", share=0.4) == [marked]


@pytest.mark.parametrize("handset", ["Nova 1", NOVA])
def test_apps_together(graph: Store, handset: str) -> None:
    assert rows(graph, "apps_together", handset=handset) == [
        ("chat", "maps", 2, 0.5, 2.0),
        ("chat", "music", 1, 0.25, 1.0),
        ("maps", "music", 1, 0.25, 1.0),
    ]


def test_contract_ending(graph: Store) -> None:
    assert rows(graph, "contract_ending") == [
        (user(1), day("2026-07-15"), "plan-a", 30.0, False),
        (user(2), day("2026-08-15"), None, 20.0, False),
    ]
    assert [row[0] for row in rows(graph, "contract_ending", days=14)] == users(1)
    assert rows(graph, "contract_ending", days=13) == []


def test_upgrade_candidates(graph: Store) -> None:
    since = day("2025-01-01")
    assert rows(graph, "upgrade_candidates") == [
        (user(n), NOVA, "Nova 1", "4g", since, arpu, False) for n, arpu in ((6, 60.0), (1, 30.0), (2, 20.0), (7, None))
    ]
    assert rows(graph, "upgrade_candidates", months=19) == []
    assert rows(graph, "upgrade_candidates", network="3g") == []
    assert [row[0] for row in rows(graph, "upgrade_candidates", months=0, network="5g")] == users(6, 3, 1, 2, 7)


def test_lookalikes(graph: Store) -> None:
    assert rows(graph, "lookalikes") == [(user(3), "s1", 0.2, 50.0, False), (user(2), "s1", 0.2, 20.0, False)]
    assert rows(graph, "lookalikes", users=users(4, 5, 9)) == []


def test_cross_sell(graph: Store) -> None:
    assert rows(graph, "cross_sell") == [(user(2), day("2025-01-01"), 20.0, False)]
    assert rows(graph, "cross_sell", lacks="no-such-product") == []
    assert rows(graph, "cross_sell", lacks="data-x") == []


def test_lapsed_holders(graph: Store) -> None:
    assert rows(graph, "lapsed_holders") == [
        (user(7), day("2026-05-01"), 1, None, False),
        (user(6), day("2026-03-01"), 1, 60.0, False),
    ]
    assert [row[0] for row in rows(graph, "lapsed_holders", days=62)] == users(7)


def test_near_store(graph: Store) -> None:
    near = [(user(1), "rest", "c-1", 500, False), (user(2), "work", "c-1", 500, False)]
    assert rows(graph, "near_store") == near
    assert rows(graph, "near_store", metres=5000) == [*near, (user(3), "rest", "c-2", 5000, False)]


def test_tag_audience(graph: Store) -> None:
    assert rows(graph, "tag_audience") == [
        (user(1), ["cooking", "football"], 6, 2.5, moment("2026-06-20"), False),
        (user(3), ["cooking"], 2, 1.0, moment("2026-06-05"), False),
    ]
    assert [row[0] for row in rows(graph, "tag_audience", visits=3)] == users(1)


def test_plan_use(graph: Store) -> None:
    assert rows(graph, "plan_use") == [(user(1), "plan-a", "2026-06", 2000.0, 1000.0, 2.0, 20.0, False)]
    assert rows(graph, "plan_use", at_least=0.0, at_most=1.9) == []


def test_category_users(graph: Store) -> None:
    most = (user(1), 1, 12, moment("2026-06-20"), 30.0, False)
    assert rows(graph, "category_users") == [most]
    assert rows(graph, "category_users", sessions=1) == [most, (user(2), 1, 1, moment("2026-01-01"), 20.0, False)]


def test_product_holders(graph: Store) -> None:
    assert rows(graph, "product_holders") == [
        ("data-x", "Data X", "data_pack", 1, 0, 1),
        ("plan-a", "Plan A", "plan", 1, 0, 0),
    ]
    assert rows(graph, "product_holders", days=600)[1] == ("plan-a", "Plan A", "plan", 1, 1, 0)


def test_rising_apps(graph: Store) -> None:
    assert rows(graph, "rising_apps") == [
        ("chat", "Chat", 2, 3, pytest.approx(2 / 3), 1.0),
        ("maps", "Maps", 1, 2, 0.5, pytest.approx(2 / 3)),
    ]
    assert [row[0] for row in rows(graph, "rising_apps", minimum=2)] == ["chat"]


def test_apps_by_os(graph: Store) -> None:
    assert rows(graph, "apps_by_os") == [(app, app.title(), 2, 0.5) for app in ("chat", "maps", "music")]
    assert rows(graph, "apps_by_os", os="RimaOS") == [("chat", "Chat", 1, 0.5)]  # u3, and u7 who has both


def test_handset_switches(graph: Store) -> None:
    assert rows(graph, "handset_switches") == [("Nova", "Rima", 1)]
    assert rows(graph, "handset_switches", days=600) == [("Nova", "Rima", 1), ("Rima", "Nova", 1)]


def test_offer_funnel(graph: Store) -> None:
    assert rows(graph, "offer_funnel") == [("sms", 4, 4, 3, 1, 0, 0.75), ("app", 3, 2, 0, 1, 1, 0.0)]


def test_offer_responses(graph: Store) -> None:
    assert rows(graph, "offer_responses") == [(user(1), "sms", moment("2026-06-10"), "d1")]
    assert [row[0] for row in rows(graph, "offer_responses", outcome="refused")] == users(2)
    assert [row[0] for row in rows(graph, "offer_responses", outcome="refused", days=1000)] == users(2, 6)


def test_channel_load(graph: Store) -> None:
    assert rows(graph, "channel_load") == [
        ("sms", "Sms", 2, 5, pytest.approx(5 / 30), 3, 1.5),
        ("app", "App", 10, 2, pytest.approx(2 / 30), 1, 0.1),
        ("hotline", "Hotline", None, 0, 0.0, 0, None),
        ("store", "Store", None, 0, 0.0, 0, None),
    ]


def test_best_channel(graph: Store) -> None:
    assert rows(graph, "best_channel") == [("s1", "sms", 2, 1, 0.5), ("s2", "app", 1, 0, 0.0)]
    assert rows(graph, "best_channel", minimum=2) == [("s1", "sms", 2, 1, 0.5)]


def test_worn_out(graph: Store) -> None:
    assert rows(graph, "worn_out") == [(user(3), 2, 0, moment("2026-06-12"))]
    assert [row[0] for row in rows(graph, "worn_out", contacts=1, days=1000)] == users(3, 2, 6)


def test_leaders_without(graph: Store) -> None:
    assert rows(graph, "leaders_without") == [
        (user(3), 1, "c2", 1, None, None, 0),
        (user(2), 3, "c1", 2, 0.7, None, 3),
    ]
    assert [row[0] for row in rows(graph, "leaders_without", top=2)] == users(3)
    assert rows(graph, "leaders_without", product="no-such-product") == []


def test_communities(graph: Store) -> None:
    assert rows(graph, "communities") == [("c1", 2, 25.0, 1, user(1)), ("c2", 1, 50.0, 0, user(3))]
    assert rows(graph, "communities", minimum=3) == []


def test_off_net_friends(graph: Store) -> None:
    assert rows(graph, "off_net_friends") == [(user(2), 1, 2, 0.2, False)]
    assert rows(graph, "off_net_friends", at_least=2) == []


def test_churned_friends(graph: Store) -> None:
    assert rows(graph, "churned_friends") == [(user(1), 1, 3, False, day("2026-07-15"), 30.0)]
    assert rows(graph, "churned_friends", at_least=2) == []


def test_losing_communities(graph: Store) -> None:
    assert rows(graph, "losing_communities") == [("c1", 2, 1, pytest.approx(1 / 3), 1, 25.0)]
    assert rows(graph, "losing_communities", minimum=4) == []


def test_leaders_at_risk(graph: Store) -> None:
    assert rows(graph, "leaders_at_risk") == [
        (user(1), 2, "c1", 40, False, 0.5, 0.5, 30.0),
        (user(2), 3, "c1", None, True, 0.8, 0.4, 20.0),
    ]
    assert [row[0] for row in rows(graph, "leaders_at_risk", share=0.4)] == users(2)


def test_complaints(graph: Store) -> None:
    assert rows(graph, "complaints") == [
        (user(2), "2026-06", 2, 1, day("2026-08-15"), 20.0),
        (user(1), "2026-06", 0, 12, day("2026-07-15"), 30.0),
    ]
    assert [row[0] for row in rows(graph, "complaints", dropped_calls=13)] == users(2)


def test_segment_fits(graph: Store) -> None:
    above = [("s1", "social", 0.8, 1.1, "app"), ("s1", "travel", 0.6, 1.5, "app")]
    assert rows(graph, "segment_fits") == [*above, ("s2", "travel", 0.2, 0.5, "sms")]
    assert rows(graph, "segment_fits", lift=1.0) == above


def test_segments(graph: Store) -> None:
    assert rows(graph, "segments") == [
        ("s1", 3, pytest.approx(100 / 3), "travel", 1.5, "app"),
        ("s2", 1, 60.0, "travel", 0.5, "sms"),
    ]


def test_segment_portrait(graph: Store) -> None:
    third = pytest.approx(1 / 3)
    assert rows(graph, "segment_portrait", top=1) == [
        ("app", "chat", 3, 1.0),
        ("brand", "Nova", 2, pytest.approx(2 / 3)),
        ("city", "Berlin", 3, 1.0),
        ("gender", "f", 1, third),
        ("product", "data-x", 1, third),
    ]
    assert len(rows(graph, "segment_portrait")) == 3 + 2 + 1 + 2 + 2


def test_segments_for(graph: Store) -> None:
    assert rows(graph, "segments_for") == [("s1", 0.6, 1.5, "app", 3), ("s2", 0.2, 0.5, "sms", 1)]
    assert rows(graph, "segments_for", kind="product", item="data-x") == [("s1", 0.5, 1.3, "app", 3)]
    assert rows(graph, "segments_for", kind="app") == []


def test_fitting_customers(graph: Store) -> None:
    assert rows(graph, "fitting_customers") == [
        (user(3), "s1", 1.3, "app", 50.0, False),
        (user(1), "s1", 1.3, "app", 30.0, False),
    ]
    assert rows(graph, "fitting_customers", lift=1.4) == []


def test_several_numbers(graph: Store) -> None:
    assert rows(graph, "several_numbers") == [(user(101), 2, users(1, 2), 50.0)]
    assert rows(graph, "several_numbers", minimum=3) == []


def test_keys_alone(graph: Store) -> None:
    assert rows(graph, "keys_alone") == [("Product", "ghost", 1), ("Cell", "c-3", 0)]


def test_missing_facts(graph: Store) -> None:
    missing = {fact: customers for fact, customers, _ in rows(graph, "missing_facts")}
    assert missing == {
        "birth_year": 7, "gender": 5, "bill": 3, "channel": 3, "app": 2, "arpu": 2, "contact": 1, "contract_until": 1,
        "product": 1, "segment": 1, "city": 0, "handset": 0,
    }  # fmt: skip
    assert rows(graph, "missing_facts")[0] == ("birth_year", 7, 1.0)


def test_unheld_products(graph: Store) -> None:
    assert rows(graph, "unheld_products") == [("ghost", None, None, 0, 0)]
    before_all = rows(graph, "unheld_products", today="2024-12-31")
    assert before_all == [("data-x", "Data X", "data_pack", 3, 1), ("ghost", None, None, 0, 0),
                          ("plan-a", "Plan A", "plan", 4, 0)]  # fmt: skip


def test_claimed_twice(graph: Store) -> None:
    assert rows(graph, "claimed_twice") == [(user(1), 2, users(5, 7), 0.9, 0.8)]


def test_periods(graph: Store) -> None:
    assert rows(graph, "periods") == [("2026-05", 2, 9, 0), ("2026-06", 7, 19, 2)]


def test_consent_overview(graph: Store) -> None:
    assert rows(graph, "consent_overview") == [
        (True, False, False, 6, 0.75),
        (True, False, True, 1, 0.125),
        (False, False, False, 1, 0.125),
    ]


def test_at_risk(graph: Store) -> None:
    likely = (user(1), 0.4, 1, "circle", ["the bill: 20"], day("2026-07-15"), 30.0, False)
    unknown = (user(2), None, None, "decision", None, day("2026-08-15"), 20.0, False)
    assert rows(graph, "at_risk") == [likely, unknown]
    assert [row[0] for row in rows(graph, "at_risk", decile=2)] == users(1, 3, 2)
    assert rows(graph, "at_risk", stage="circle") == [likely]
    assert rows(graph, "at_risk", stage="decision") == [unknown]


def test_returning_customers(graph: Store) -> None:
    assert rows(graph, "returning_customers") == [
        (user(1), user(5), 0.9, day("2026-05-31"), False, False),
        (user(8), user(5), 0.85, day("2026-05-31"), True, False),
    ]
    assert [row[0] for row in rows(graph, "returning_customers", score=0.9)] == users(1)


def test_likely_handset_change(graph: Store) -> None:
    assert rows(graph, "likely_handset_change") == [(user(2), 0.3, None, day("2026-08-15"), 20.0, False)]
    assert [row[0] for row in rows(graph, "likely_handset_change", decile=2)] == users(2, 1)


def test_likely_data_pack(graph: Store) -> None:
    assert rows(graph, "likely_data_pack") == [(user(1), 0.6, ["hardly calls"], 2000.0, 30.0, False)]


def test_suppressed_demand(graph: Store) -> None:
    assert rows(graph, "suppressed_demand") == [(user(1), 0.7, None, 2000.0, 30.0, False)]


def test_fake_suspects(graph: Store) -> None:
    assert rows(graph, "fake_suspects") == [(user(2), 0.1, None, None, 20.0, False)]


def test_every_template_has_a_known_answer() -> None:
    assert set(GIVEN) == set(load())


def test_what_names_customers_leaves_some_out() -> None:
    naming = {name for name, t in load().items() if {c.type for c in t.columns} & {"user", "list of users"}}
    assert len(naming) >= 20
    assert not naming & NO_PEOPLE


@pytest.mark.parametrize(
    ("change", "still"),
    [
        ({"consent": False}, set()),
        ({"left_on": TODAY - dt.timedelta(days=1)}, {"offer_funnel"}),
        ({"status": "left"}, {"offer_funnel"}),
        ({"left": True}, {"offer_funnel"}),
        ({"kind": "service"}, {"offer_funnel"}),
    ],
    ids=lambda value: next(iter(value), ""),
)
def test_nobody_is_listed_who_may_not_be(graph: Store, change: dict[str, Any], still: set[str]) -> None:
    before = graph.read("MATCH (u:User) RETURN u.user AS user, properties(u) AS facts")
    graph.write("MATCH (u:User) SET u += $change", change=change)
    try:
        names = set(GIVEN) - NO_PEOPLE - still
        assert {name: rows(graph, name) for name in names} == {name: [] for name in names}
    finally:
        graph.write_rows("MATCH (u:User {user: row.user}) SET u = row.facts", before)


def test_the_limit_is_kept(graph: Store) -> None:
    for template in load().values():
        if "limit" in {p.name for p in template.parameters}:
            assert len(rows(graph, template.name, limit=1)) == 1, template.name
