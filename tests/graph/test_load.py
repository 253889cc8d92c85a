"""The lake into a real Neo4j: every node and edge of a small operator."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest

from graph.store import Store

UTC = dt.UTC


def text(number: int) -> str:
    return str(uuid.UUID(int=number))


def edges(store: Store, name: str) -> list[tuple]:
    """Edges of a type as (start, end, properties), by the ends' keys."""
    rows = store.read(
        f"MATCH (a)-[r:{name}]->(b) RETURN a[toLower(labels(a)[0])] AS a, b[toLower(labels(b)[0])] AS b, "
        "properties(r) AS properties"
    )
    return sorted(
        ((row["a"], row["b"], row["properties"]) for row in rows), key=lambda e: (e[0], e[1], str(sorted(e[2].items())))
    )


def node(store: Store, label: str, key: str) -> dict:
    (row,) = store.read(f"MATCH (n:{label} {{{label.lower()}: $key}}) RETURN properties(n) AS p", key=key)
    return row["p"]


def test_all_nodes_are_there_and_no_others(operator_store):
    rows = operator_store.read(
        "MATCH (n) WHERE NOT n:Lake RETURN labels(n)[0] AS label, n[toLower(labels(n)[0])] AS key"
    )
    found = {label: sorted(r["key"] for r in rows if r["label"] == label) for label in {r["label"] for r in rows}}
    assert found == {
        "User": [text(1), text(2), text(3)],
        "Person": [text(77)],
        "Handset": ["a1", "b2"],
        "App": ["chess", "odd"],
        "Product": ["gone", "m", "s", "xl"],
        "Offer": ["o1", "o9"],
        "Channel": ["shop", "sms", "web"],
        "Cell": ["c1"],
        "Store": ["far", "near"],
        "Segment": ["other customers"],
        "Category": ["games", "plan"],
    }


def test_feed_columns_keep_their_names_and_are_of_neo4js_types(operator_store):
    assert node(operator_store, "User", text(1)) == {
        "user": text(1),
        "off_net": False,
        "activated_on": dt.date(2020, 2, 29),
        "kind": "person",
        "birth_year": 1990,
        "city": "Ålesund",
        "arpu": 12.5,
        "person": text(77),
        "account": text(78),
        "consent": True,
        "no_contact": False,
    }
    assert node(operator_store, "User", text(3))["off_net"] is True
    assert node(operator_store, "App", "chess") == {
        "app": "chess",
        "name": "Chess",
        "category": "games",
        "os": ["android", "ios"],
        "own": False,
    }
    assert node(operator_store, "Handset", "a1")["released_on"] == dt.date(2024, 1, 15)


def test_what_no_row_of_its_own_feed_names_is_its_key_alone(operator_store):
    for label, key in [("Handset", "b2"), ("Product", "gone"), ("Product", "xl"), ("Offer", "o9"), ("Channel", "web")]:
        assert node(operator_store, label, key) == {label.lower(): key}


def test_edges_of_customers(operator_store):
    day, at = dt.date, lambda *args: dt.datetime(*args, tzinfo=UTC)
    assert edges(operator_store, "USES_HANDSET") == [
        (text(1), "a1", {"since": day(2025, 1, 1), "until": day(2025, 6, 30)}),
        (text(1), "a1", {"since": day(2026, 1, 1)}),
        (text(2), "b2", {"since": day(2026, 1, 1)}),
    ]
    assert edges(operator_store, "USES_APP") == [
        (
            text(1),
            "chess",
            {
                "sessions": 5,
                "seconds": 60,
                "mb": pytest.approx(0.3),
                "first_at": at(2026, 5, 31, 22, 30),
                "last_at": at(2026, 6, 2, 8),
            },
        ),
        (text(3), "odd", {"sessions": 1, "first_at": at(2026, 6, 1), "last_at": at(2026, 6, 1)}),
    ]
    assert edges(operator_store, "SUBSCRIBES") == [
        (text(1), "s", {"since": day(2025, 1, 1)}),
        (text(2), "gone", {"since": day(2024, 1, 1), "until": day(2024, 12, 31)}),
    ]
    assert edges(operator_store, "REACHED_BY") == [
        (text(1), "shop", {"touches": 1, "hours": [9], "last_at": at(2026, 6, 1, 9, 15), "rank": 2}),
        (text(1), "sms", {"touches": 2, "hours": [9, 18], "last_at": at(2026, 6, 3, 18), "rank": 1}),
    ]
    assert edges(operator_store, "HELD_BY") == [(text(1), text(77), {}), (text(2), text(77), {})]
    assert edges(operator_store, "IN_SEGMENT") == [(text(1), "other customers", {}), (text(2), "other customers", {})]


def test_answers_of_the_feed_are_one_edge_each_equal_ones_too(operator_store):
    found = [(a, b, {k: v for k, v in p.items() if k != "feed_row"}) for a, b, p in edges(operator_store, "RESPONDED")]
    refused = {"outcome": "refused", "channel": "web", "at": dt.datetime(2026, 6, 1, 9, 10, tzinfo=UTC)}
    shown = {"outcome": "shown", "channel": "sms", "at": dt.datetime(2026, 6, 1, 9, 10, tzinfo=UTC), "decision": "d1"}
    assert found == [(text(1), "o1", shown), (text(2), "o9", refused), (text(2), "o9", refused)]


def test_calls_are_once_a_pair_and_period_seen_from_the_smaller_pseudonym(operator_store):
    found = [
        (a, b, p["period"], p["calls_out"], p["calls_in"], p["messages_in"])
        for a, b, p in edges(operator_store, "CALLS")
    ]
    assert sorted(found) == [
        (text(1), text(2), "2026-05", 3, 1, 0),
        (text(1), text(2), "2026-06", 0, 7, 0),
        (text(2), text(3), "2026-05", 0, 0, 4),
    ]
    properties = edges(operator_store, "CALLS")[0][2]
    assert properties["last_at"] == dt.datetime(2026, 5, 3, 11, 30, 0, 123, tzinfo=UTC)
    assert set(properties) == {
        *(f"{what}_{way}" for what in ("calls", "seconds", "messages") for way in ("out", "in")),
        *("period", "days", "first_at", "last_at"),
    }


def test_the_catalogues_edges(operator_store):
    assert edges(operator_store, "OF") == [("o1", "m", {})]
    assert edges(operator_store, "THROUGH") == [("o1", "sms", {}), ("o1", "web", {})]
    assert edges(operator_store, "EXCLUDES") == [("s", "m", {}), ("s", "xl", {})]
    assert edges(operator_store, "IN_CATEGORY") == [("chess", "games", {}), ("m", "plan", {}), ("s", "plan", {})]
    # a degree of latitude at 50° is 111,229 m on the ellipsoid
    assert edges(operator_store, "NEAREST") == [("c1", "near", {"metres": 1112})]
    fits = {(a, b): p for a, b, p in edges(operator_store, "FITS")}
    assert set(fits) == {("other customers", b) for b in ("games", "plan")}
    assert fits["other customers", "games"] == {"score": pytest.approx(0.5), "lift": pytest.approx(1), "channel": "sms"}
