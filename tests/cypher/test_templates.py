"""Each template on the graph of conftest.py, whose answers are known by hand."""

import datetime as dt
from typing import Any

import pytest

from cypher.catalogue import load
from graph.store import Store
from tests.cypher.conftest import GIVEN, NOVA, TODAY, rows, user, users

NOTHING: dict[str, list[Any]] = {name: [] for name in GIVEN}


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


def test_every_template_has_a_known_answer() -> None:
    assert set(GIVEN) == set(load())


def test_where_nobody_consents_nobody_is_listed(graph: Store) -> None:
    graph.write("MATCH (u:User) SET u.consented = u.consent, u.consent = false")
    try:
        assert {name: rows(graph, name) for name in GIVEN} == NOTHING
    finally:
        graph.write("MATCH (u:User) SET u.consent = u.consented REMOVE u.consented")


def test_where_everybody_has_left_nobody_is_listed(graph: Store) -> None:
    graph.write("MATCH (u:User) SET u.leaves_on = u.left_on, u.left_on = $day", day=TODAY - dt.timedelta(days=1))
    try:
        assert {name: rows(graph, name) for name in GIVEN} == NOTHING
    finally:
        graph.write("MATCH (u:User) SET u.left_on = u.leaves_on REMOVE u.leaves_on")


def test_the_limit_is_kept(graph: Store) -> None:
    for template in load().values():
        if "limit" in {p.name for p in template.parameters}:
            assert len(rows(graph, template.name, limit=1)) == 1, template.name
