"""Acceptance as a snapshot learned it, by hand.

Customer 0 (segment s1, number 2) uses the store most, then sms; 1 (number -1) no channel; customer 4 came after the
snapshot. o1 goes through sms and store, o2 through sms; o3 came after the snapshot.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest

from embeddings.offer_facts import WEIGHTS
from embeddings.publish import make_current, write_snapshot
from embeddings.snapshot import ARRAYS, TABLES, Snapshot
from lake.home import Home
from lake.settings import Settings
from lake.tables import Lake
from matching import batch
from matching.days import Days
from matching.decision import MatchRequest
from matching.match import match
from matching.propensity import shown_lately
from matching.scores import offer_scores
from matching.state import MatchState
from tests.matching.conftest import BINARY, MOMENT, TEXT, TODAY, table, user

AT = dt.datetime.combine(TODAY, dt.time())
SHOWN = [
    (0, "o1", "d1", 3),
    (0, "o1", "d1", 3),
    (0, "o2", "d1", 3),
    (0, "o1", None, 30),
    (0, "o1", None, 31),
    (6, "o1", None, 0),
]


def odds(share: float) -> float:
    return share / (1 - share)


@pytest.fixture
def learned(home: Home, settings: Settings, lake: Lake, load: Callable[[], MatchState]) -> MatchState:
    rows = [(user(u), o, "sms", AT - dt.timedelta(days=days), "ignored", d) for u, o, d, days in SHOWN]
    kinds = {"user": BINARY, "offer": TEXT, "channel": TEXT, "at": MOMENT, "outcome": TEXT, "decision": TEXT}
    lake.write_partition("responses", "month", "2026-05", table(kinds, *rows))
    load()
    old = Snapshot.current(home)
    arrays = {name: np.asarray(getattr(old, name)) for name in ARRAYS}
    arrays["offer_users"] = np.array([[2], [-1], [0], [0], [0]], np.float32)
    arrays["offer_weights"] = np.array([[-1, 0.5], [-2, 0.25], [-3, 1.0]])  # o1, o2, one that nobody was shown
    arrays["offer_slopes"] = np.array([0.5, 2.0, -9.0, 0.3, 0.2, 0.1, -0.25])
    lists = {name: pa.table({name[:-1]: getattr(old, name)}) for name in ("apps", "products", "segments")}
    tables = lists | {name: getattr(old, name) for name in TABLES if name not in lists}
    tables["channels"] = pa.table({"channel": ["sms"], "acceptance": [0.1], "log_odds": [0.7]})
    make_current(home, write_snapshot(home, arrays, tables, {}))
    return MatchState.load(home, settings, lake, Snapshot.current(home))


def test_a_chance_is_made_of_what_was_learned(learned):
    found = offer_scores(learned, np.array([0]))
    o1, o2, o3 = (math.exp(z) for z in (-1 + 0.5 * math.log(odds(0.3)), -2 + 0.5 * math.log(odds(0.1)), -3.0))
    tired = 4**-0.25  # three showings in 30 days: two offers of one decision, one 30 days ago
    # affinity of gold: its log-odds are 2, times 2; store is the most used channel
    expected = o1 * math.exp(4) * math.exp(0.5 * 2) * math.exp(0.3) * tired
    assert odds(found.propensity[0, 0]) == pytest.approx(min(expected, odds(0.95)))
    # o2 goes through sms: .7, and the second most used channel
    assert odds(found.propensity[0, 1]) == pytest.approx(o2 * math.exp(0.25 * 2) * math.exp(0.7 + 0.2) * tired)
    assert found.factors(0, 1)["channel"] == pytest.approx(math.exp(0.9))
    assert found.factors(0, 1)["lately"] == pytest.approx(tired)
    assert found.factors(0, 1)["customer"] == pytest.approx(math.exp(0.5))
    without = o2 * math.exp(0.25 * 2)  # the odds without channel and showings
    assert found.factors(0, 1)["context"] == pytest.approx(found.propensity[0, 1] / (without / (1 + without)))
    prior = 0.15  # the mean of the others
    assert odds(found.propensity[0, 2]) == pytest.approx(o3 * odds(prior) ** 0.5 * math.exp(2 + 0.3) * tired)


def test_the_channel_that_is_asked_for_counts(learned):
    sms = learned.channel("sms")
    found = [offer_scores(learned, np.array([u]), sms).factors(0, 0)["channel"] for u in (1, 0)]
    assert found == pytest.approx([math.exp(0.7), math.exp(0.9)])


def test_one_who_came_later_is_the_average_customer(learned):
    found = offer_scores(learned, np.array([4]))
    assert [found.factors(0, j)["customer"] for j in range(3)] == [1.0, 1.0, 1.0]


def test_a_batch_gives_what_a_request_gives(learned):
    alone = match(learned, MatchRequest(user=user(0), kind="offer", k=3)).items
    together = batch.match_all(learned, "offer", 3, users=[user(i) for i in range(5)])
    mine = [row for row in together.to_pylist() if row["user"] == user(0)]
    assert [(row["item"], row["score"]) for row in mine] == [(item.id, item.score) for item in alone]
    assert {"prior", "affinity", "customer", "channel", "lately", "context", "propensity"} <= set(alone[0].factors)


def test_offers_shown_lately_count_once_a_decision(learned, lake):
    users = lake.read("customers", ["user"])["user"]
    assert shown_lately(lake, users, TODAY, Days()).tolist() == [3, 0, 0, 0, 0, 0, 1, 0]
    assert shown_lately(lake, users, TODAY - dt.timedelta(days=5), Days()).tolist() == [2, 0, 0, 0, 0, 0, 0, 0]


def test_an_offer_that_nobody_was_shown_is_told_by_what_is_known_of_it(home, settings, lake, load):
    assert load().offers.prior[:, 2].tolist() == pytest.approx([0.15] * 3)  # o3 came later: the mean of the others
    old = Snapshot.current(home)
    arrays = {name: np.asarray(getattr(old, name)) for name in ARRAYS}
    lists = {name: pa.table({name[:-1]: getattr(old, name)}) for name in ("apps", "products", "segments")}
    tables = lists | {name: getattr(old, name) for name in TABLES if name not in lists}
    product = lake.read("offers")["product"][2].as_py()
    told = [("offer", "", -3.0), ("product", product, 1.0), ("segment", "s1", 0.5)]
    rows = [{"fact": fact, "value": value, "weight": weight} for fact, value, weight in told]
    tables["offer_facts"] = pa.Table.from_pylist(rows, schema=WEIGHTS)
    make_current(home, write_snapshot(home, arrays, tables, {}))
    state = MatchState.load(home, settings, lake, Snapshot.current(home))
    assert odds(state.offers.prior[:, 2]) == pytest.approx(np.exp([-1.5, -2, -2]))
    assert state.offers.prior[:, :2] == pytest.approx(load().offers.prior[:, :2])  # those have answers of their own
