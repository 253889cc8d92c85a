"""A number that was given on, from feeds to the graph: two customers, each with what is theirs."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pytest

from graph.dumbbell import build
from graph.load import load_graph
from graph.store import Store
from graph.succession import hand_over
from lake.pseudonyms import to_text
from matching.answers import Answers
from tests.loaders.conftest import Bench

HEAD = "number,account,activated_on,person\n"
FEEDS = {
    "users.csv": HEAD + "1,A,2020-01-01,P\n2,C,2020-01-01,\n",
    "apps.csv": "app,name\nchess,Chess\n",
    "app_usage.csv": "number,app,at,mb\n1,chess,2026-05-09,1\n1,chess,2026-05-10,2\n",
    "offers.csv": "offer,product,title,channels\no,p,Offer,sms\n",
    "touches.csv": "number,channel,at\n2,sms,2026-06-01T10:00Z\n",
}


@pytest.fixture
def bench(tmp_path) -> Bench:
    return Bench(tmp_path, timezone="Asia/Shanghai")


def fill(bench: Bench, store: Store) -> None:
    build(bench.lake, bench.settings)
    load_graph(bench.lake, store, bench.settings)
    hand_over(bench.lake, store, bench.settings)


def of(store: Store, edge: str, item: str, fact: str) -> list[tuple]:
    query = f"MATCH (u:User)-[r:{edge}]->(i) RETURN u.user AS u, i.{item} AS i, r.{fact} AS f ORDER BY f, u"
    return [tuple(row.values()) for row in store.read(query)]


def test_the_graph_shows_both_customers_and_moves_what_came_before(bench, neo4j_store):
    known = bench.home.pseudonyms()
    numbers, account = known.of_numbers(pa.array(["1"])), known.of_texts(pa.array(["A"]))
    now, former = (to_text(column)[0].as_py() for column in (numbers, known.of_former(numbers, account)))
    bench.load(FEEDS)
    fill(bench, neo4j_store)
    answers, pseudonym = Answers(neo4j_store), numbers[0].as_py()
    for hour, outcome in ((15, "refused"), (17, "accepted")):  # an hour before and an hour after local midnight
        at = dt.datetime(2026, 5, 9, hour)
        answers.record(user=pseudonym, kind="offer", item="o", channel="sms", outcome=outcome, at=at, key=outcome)
    assert of(neo4j_store, "RESPONDED", "offer", "outcome") == [(now, "o", "accepted"), (now, "o", "refused")]

    bench.load({"users.csv": HEAD + "1,B,2026-05-10,Q\n"})
    for _ in range(2):
        fill(bench, neo4j_store)
        rows = neo4j_store.read("MATCH (u:User)-[:HELD_BY]->() RETURN u.user AS u, u.status AS s, u.left_on AS l")
        assert {row["u"]: (row["s"], row["l"]) for row in rows} == {
            now: (None, None),
            former: ("left", dt.date(2026, 5, 9)),
        }
        assert of(neo4j_store, "USES_APP", "app", "mb") == [(former, "chess", 1.0), (now, "chess", 2.0)]
        assert of(neo4j_store, "RESPONDED", "offer", "outcome") == [(now, "o", "accepted"), (former, "o", "refused")]
    assert answers.of_user(pseudonym)["outcome"].to_pylist() == ["accepted"]
