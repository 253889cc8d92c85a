"""Loading again: nothing when nothing changed, else the difference, ending as a load from scratch would."""

from __future__ import annotations

import datetime as dt
import json
import uuid

import pyarrow as pa
import pytest

from graph.dumbbell import build
from graph.load import load_graph, write_scores
from graph.store import Store
from lake.errors import NotReady


def text(number: int) -> str:
    return str(uuid.UUID(int=number))


def everything(store: Store) -> list[str]:
    """All nodes and edges with all properties, as sorted text; the mark of the lake's files apart."""
    nodes = store.read("MATCH (n) WHERE NOT n:Lake RETURN labels(n) AS labels, properties(n) AS properties")
    edges = store.read(
        "MATCH (a)-[r]->(b) RETURN labels(a) AS start, properties(a) AS a, type(r) AS type, properties(r) AS r, "
        "labels(b) AS end, properties(b) AS b"
    )
    return sorted(json.dumps(row, sort_keys=True, default=str) for row in [*nodes, *edges])


def edges(store: Store, name: str) -> list[tuple]:
    """Edges of a type as (start, end, properties), by the ends' keys."""
    rows = store.read(
        f"MATCH (a)-[r:{name}]->(b) RETURN a[toLower(labels(a)[0])] AS a, b[toLower(labels(b)[0])] AS b, "
        "properties(r) AS properties"
    )
    return sorted(
        ((row["a"], row["b"], row["properties"]) for row in rows), key=lambda e: (e[0], e[1], str(sorted(e[2].items())))
    )


@pytest.fixture
def loaded(operator, neo4j_store, settings) -> Store:
    load_graph(operator, neo4j_store, settings)
    return neo4j_store


def test_the_counts_are_those_of_the_graph(operator, neo4j_store, settings):
    counts = load_graph(operator, neo4j_store, settings)
    assert counts["nodes"]["User"] == 3
    assert counts["edges"]["CALLS"] == 3
    assert counts["created"] == len(everything(neo4j_store))
    assert (counts["changed"], counts["removed"]) == (0, 0)


def test_constraints_that_a_killed_import_did_not_come_to_are_made(operator, loaded, settings):
    loaded.write("DROP CONSTRAINT user_key")
    assert load_graph(operator, loaded, settings)["parts"] == []
    assert loaded.read("SHOW CONSTRAINTS YIELD name WHERE name = 'user_key' RETURN name") == [{"name": "user_key"}]


def test_loading_twice_writes_nothing(operator, loaded, settings):
    before = everything(loaded)
    counts = load_graph(operator, loaded, settings)
    assert (counts["created"], counts["changed"], counts["removed"], counts["parts"]) == (0, 0, 0, [])
    assert everything(loaded) == before


def test_a_graph_that_has_lost_its_mark_is_compared_and_found_equal(operator, loaded, settings):
    before = everything(loaded)
    loaded.write("MATCH (l:Lake) DELETE l")
    counts = load_graph(operator, loaded, settings)
    assert (counts["created"], counts["changed"], counts["removed"]) == (0, 0, 0)
    assert len(counts["parts"]) > 10
    assert everything(loaded) == before


def test_changes_of_the_lake_arrive_and_what_has_gone_goes(operator, loaded, small_operator, fill, settings, tie):
    first, *others = small_operator["customers"]
    fill(
        customers=[{**first, "city": None, "arpu": 20.0}, *others, {"user": 4}],
        user_handsets=[
            {"user": 1, "handset": "a1", "since": "2025-01-01", "until": "2025-06-30"},
            {"user": 1, "handset": "a1", "since": "2026-01-01", "until": "2026-06-15"},  # ended, not lost
            {"user": 1, "handset": "c3", "since": "2026-06-15"},
        ],
        app_usage=[*small_operator["app_usage"], {"user": 1, "app": "chess", "at": "2026-06-03T08:00", "mb": 1.0}],
        offers=[],
        contacts=[*small_operator["contacts"][2:], tie(1, 4, "2026-06", calls_in=1), tie(1, 2, "2026-05", calls_out=9)],
    )
    counts = load_graph(operator, loaded, settings)
    changed = everything(loaded)
    assert "calls 2026-05" in counts["parts"]
    assert "subscribes" not in counts["parts"]
    user = loaded.read("MATCH (u:User {user: $user}) RETURN properties(u) AS p", user=text(1))[0]["p"]
    assert "city" not in user
    assert user["arpu"] == 20.0
    assert [(a, b, p.get("until")) for a, b, p in edges(loaded, "USES_HANDSET")] == [
        (text(1), "a1", dt.date(2025, 6, 30)),
        (text(1), "a1", dt.date(2026, 6, 15)),
        (text(1), "c3", None),
    ]
    assert loaded.read("MATCH (h:Handset) RETURN h.handset AS h ORDER BY h") == [{"h": "a1"}, {"h": "c3"}]
    assert edges(loaded, "OF") == edges(loaded, "THROUGH") == []
    assert sorted((a, b, p["period"], p["calls_out"]) for a, b, p in edges(loaded, "CALLS")) == [
        (text(1), text(2), "2026-05", 9),
        (text(1), text(2), "2026-06", 0),
        (text(1), text(4), "2026-06", 0),
    ]
    loaded.wipe(schema=True)
    load_graph(operator, loaded, settings)
    assert everything(loaded) == changed


def test_only_the_last_periods_are_kept(operator, loaded, fill, settings, tie):
    fill(contacts=[tie(1, 2, "2026-07", calls_out=1)])
    load_graph(operator, loaded, settings.model_copy(update={"keep_periods": 2}))
    assert {p["period"] for _, _, p in edges(loaded, "CALLS")} == {"2026-06", "2026-07"}
    loaded.write("MATCH (l:Lake) DELETE l")  # a graph of unknown origin is searched for periods
    load_graph(operator, loaded, settings.model_copy(update={"keep_periods": 1}))
    assert {p["period"] for _, _, p in edges(loaded, "CALLS")} == {"2026-07"}


def test_a_feed_that_was_taken_away_takes_its_edges_along(operator, loaded, settings):
    for name in ("subscriptions", "user_handsets", "responses"):
        operator.drop(name)
    load_graph(operator, loaded, settings)
    assert edges(loaded, "SUBSCRIBES") == edges(loaded, "USES_HANDSET") == edges(loaded, "RESPONDED") == []
    assert loaded.read("MATCH (p:Product) RETURN p.product AS p ORDER BY p") == [{"p": "m"}, {"p": "s"}, {"p": "xl"}]


def answer(store: Store, user: int, item: str, **facts) -> None:
    """What the API records: an edge without `feed_row`."""
    store.write(
        "MATCH (u:User {user: $user}) MATCH (o:Offer {offer: $item}) CREATE (u)-[r:RESPONDED]->(o) SET r = $facts",
        user=text(user),
        item=item,
        facts=facts,
    )


def test_answers_that_the_api_recorded_stay_and_are_not_doubled_by_the_feed(operator, loaded, fill, settings):
    answer(loaded, 2, "o9", outcome="accepted", channel="app", decision="d2", key="k1")
    answer(loaded, 1, "o1", outcome="accepted", channel="app", decision="d1", key="k2")
    given = [("d2", "accepted", "o9", 2), ("d2", "shown", "o9", 2), (None, "accepted", "o1", 1)]
    fill(
        responses=[
            {"user": u, "offer": o, "channel": "app", "at": "2026-06-05T10:00", "outcome": outcome, "decision": d}
            for d, outcome, o, u in given
        ]
    )
    load_graph(operator, loaded, settings)
    found = [(a, b, p["outcome"], p.get("decision"), p.get("key")) for a, b, p in edges(loaded, "RESPONDED")]
    assert sorted(found, key=str) == [
        (text(1), "o1", "accepted", "d1", "k2"),
        (text(1), "o1", "accepted", None, None),
        (text(2), "o9", "accepted", "d2", "k1"),
        (text(2), "o9", "shown", "d2", None),
    ]


def test_a_customer_or_offer_with_recorded_answers_outlives_its_row(operator, loaded, fill, settings):
    answer(loaded, 2, "o9", outcome="accepted", key="k1")
    operator.drop("responses")
    fill(customers=[1])
    build(operator, settings)
    load_graph(operator, loaded, settings)
    assert [(a, b, p["key"]) for a, b, p in edges(loaded, "RESPONDED")] == [(text(2), "o9", "k1")]


def test_a_load_that_was_killed_is_finished_by_the_next(operator, loaded, settings, monkeypatch):
    whole = everything(loaded)
    loaded.wipe(schema=True)
    writes = []

    def dying(query, /, **parameters):
        writes.append(query)
        if len(writes) == 60:
            raise KeyboardInterrupt
        return Store.write(loaded, query, **parameters)

    monkeypatch.setattr(loaded, "write", dying)
    with pytest.raises(KeyboardInterrupt):
        load_graph(operator, loaded, settings)
    monkeypatch.undo()
    assert 0 < len(everything(loaded)) < len(whole)
    load_graph(operator, loaded, settings)
    assert everything(loaded) == whole


class Repeating(Store):
    """A store whose connection is lost once for each query, after the batch was taken: it is sent again."""

    def __init__(self, endpoint):
        super().__init__(endpoint)
        self.sent = set()

    def write(self, query, /, **parameters):
        if query not in self.sent:
            self.sent.add(query)
            super().write(query, **parameters)
        return super().write(query, **parameters)


def test_a_batch_that_was_sent_twice_is_in_the_graph_once(operator, loaded, settings):
    whole = everything(loaded)
    loaded.wipe(schema=True)
    with Repeating(loaded.endpoint) as store:
        load_graph(operator, store, settings)
    assert everything(loaded) == whole


def test_an_edge_that_is_there_twice_is_mended(operator, loaded, settings):
    whole = everything(loaded)
    loaded.write("MATCH (a)-[r:CALLS]->(b) CREATE (a)-[twin:CALLS]->(b) SET twin = properties(r)")
    loaded.write("MATCH (a)-[r:IN_SEGMENT]->(b) CREATE (a)-[:IN_SEGMENT]->(b)")
    loaded.write("MATCH (l:Lake) DELETE l")
    load_graph(operator, loaded, settings)
    assert everything(loaded) == whole


SCORES = ("circles", "communities", "leaders")


def scores(store: Store) -> dict[str, dict]:
    rows = store.read("MATCH (u:User) RETURN u.user AS user, properties(u) AS p")
    return {row["user"]: {k: v for k, v in row["p"].items() if k.split("_")[0] in SCORES} for row in rows}


def test_scores_of_the_last_period_go_onto_customers_and_follow_the_tables(operator, loaded, settings):
    users = [n.to_bytes(16, "big") for n in (1, 2)]
    circles = {"user": [*users, users[0]], "period": ["2026-05"] * 2 + ["2026-06"], "contacts": [5, 6, 7]}
    operator.write("circles", pa.table({**circles, "shrinking": [None, None, True]}))
    operator.write("leaders", pa.table({"user": users, "rank": [2, 1], "score": [0.5, 0.75]}))
    levels = {"user": users * 2, "period": ["2026-06"] * 4, "level": [0, 0, 1, 1], "community": [3, 4, 9, 9]}
    operator.write("communities", pa.table(levels))
    before = everything(loaded)
    assert write_scores(operator, loaded)
    first = {"circles_contacts": 7, "circles_shrinking": True, "leaders_rank": 2, "leaders_score": 0.5}
    second = {"leaders_rank": 1, "leaders_score": 0.75, "communities_community": 4}
    assert scores(loaded) == {text(1): {**first, "communities_community": 3}, text(2): second, text(3): {}}
    assert not write_scores(operator, loaded)
    assert load_graph(operator, loaded, settings)["parts"] == []

    later = {"user": users[:1], "period": ["2026-07"], "contacts": [1], "shrinking": [False]}
    operator.write("circles", pa.table(later))
    operator.write("leaders", operator.read("leaders").slice(0, 0))
    operator.write("communities", operator.read("communities").slice(0, 0))
    assert write_scores(operator, loaded)
    assert scores(loaded) == {text(1): {"circles_contacts": 1, "circles_shrinking": False}, text(2): {}, text(3): {}}
    loaded.write("MATCH (u:User) REMOVE u.circles_contacts, u.circles_shrinking")
    assert everything(loaded) == before


def test_without_tables_there_are_no_scores(operator, loaded):
    assert not write_scores(operator, loaded)


def test_an_empty_lake_is_not_ready(lake, neo4j_store, settings):
    with pytest.raises(NotReady, match="load the feeds"):
        load_graph(lake, neo4j_store, settings)
