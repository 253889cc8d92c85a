from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from embeddings.snapshot import Snapshot, current_id
from embeddings.train import train
from lake.errors import NotReady


@pytest.fixture
def small(lake, write):
    write["customers"](lake, 3)
    return lake


def _day(offset: int):
    import datetime as dt

    return dt.date(2026, 1, 1) + dt.timedelta(days=offset)


def test_trains_a_current_snapshot_that_knows_the_two_tastes(lake, home, settings, write):
    write["two_tastes"](lake)
    result = train(lake, home, settings)
    assert result["current"]
    assert result["k"] == 20
    snapshot = Snapshot.current(home)
    assert snapshot.id == result["snapshot"]
    scores = snapshot.app_scores(np.arange(120))
    even = np.array([int(app[3:]) % 2 == 0 for app in snapshot.apps])
    assert scores[::2][:, even].mean() - scores[::2][:, ~even].mean() > 0.5
    table = result["table"]
    assert table[result["served"]]["ndcg@20"] > 1.3 * table["popularity"]["ndcg@20"]
    assert result["lift_interval"][0] > 1
    low, high = result["interval"]["ndcg@20"]
    assert low <= table[result["served"]]["ndcg@20"] <= high
    assert {"popularity", "segment", "item_knn", "ease", "als", "filter", "gnn", "blend"} <= set(table)
    assert result["cut"] == "time"
    assert not result["compared"]["worse"]
    manifest = snapshot.manifest
    assert set(manifest["inputs"]) == {"customers", "app_usage"}
    assert manifest["threads"] >= 1
    assert "torch" in manifest["versions"]


def test_the_same_lake_and_seed_give_the_same_bytes(lake, home, settings, write):
    write["two_tastes"](lake, users=40, apps=30)
    first = train(lake, home, settings)["snapshot"]
    assert train(lake, home, settings)["snapshot"] == first
    assert train(lake, home, settings, seed=1)["snapshot"] != first


def test_a_worse_snapshot_is_written_but_not_made_current_unless_forced(lake, home, settings, write):
    write["two_tastes"](lake)
    good = train(lake, home, settings)
    rng = np.random.default_rng(0)
    noise = [(u, f"app{a:02d}", int(rng.integers(0, 31))) for u in range(120) for a in rng.permutation(80)[:9]]
    write["usage"](lake, sorted(noise))
    bad = train(lake, home, settings)
    assert not bad["current"]
    assert bad["compared"]["worse"]
    assert "below the current one's" in bad["compared"]["why"]
    assert current_id(home) == good["snapshot"]
    assert Snapshot.open(home, bad["snapshot"])
    forced = train(lake, home, settings, force=True)
    assert forced["current"]
    assert forced["compared"]["worse"]
    assert current_id(home) == bad["snapshot"]


def test_nothing_to_learn_from(small, home, settings):
    with pytest.raises(NotReady, match="no apps and no products"):
        train(small, home, settings)


def test_no_customers(lake, home, settings, write):
    write["customers"](lake, 1, off_net=(0,))
    lake.write("apps", pa.table({"app": ["a"]}))
    with pytest.raises(NotReady, match="no customers"):
        train(lake, home, settings)


def test_apps_that_nobody_uses_leave_popularity(small, home, settings):
    small.write("apps", pa.table({"app": ["b", "a"], "name": ["B", "A"]}))
    result = train(small, home, settings)
    assert result["served"] == "popularity"
    assert (result["users"], result["table"], result["lift"]) == (0, {}, None)
    assert result["held_out"].startswith("nothing")
    assert Snapshot.current(home).app_scores(np.arange(3)).tolist() == [[0, 0]] * 3


def test_products_without_apps(small, home, settings, write):
    since = [_day(0), _day(20), _day(30)]
    users = [i.to_bytes(8, "big") + bytes(8) for i in (0, 0, 1)]
    small.write("subscriptions", pa.table({"user": users, "product": ["p", "q", "p"], "since": since}))
    train(small, home, settings)
    snapshot = Snapshot.current(home)
    assert snapshot.products == ["p", "q"]
    scores = snapshot.product_scores(np.array([0, 1, 2, -1]))
    assert scores.shape == (4, 2)
    assert ((scores >= 0) & (scores <= 1)).all()
    assert snapshot.app_scores(np.array([0])).shape == (1, 0)


@pytest.mark.parametrize(
    "rows",
    [
        [(0, "a", 0)],
        [(u, "a", 0) for u in range(3)],
        [(0, "a", 0), (0, "a", 0, 7, 1.0, float("nan")), (0, "b", 0)],
        [(u, f"app{a}", 3) for u in range(3) for a in range(4)],
    ],
    ids=["one edge", "an app used by all", "the same edge twice, mb not a number", "all on one day"],
)
def test_odd_use_gives_a_snapshot(small, home, settings, write, rows):
    write["usage"](small, rows)
    result = train(small, home, settings)
    scores = Snapshot.current(home).app_scores(np.array([0, 2, -1]))
    assert np.isfinite(scores).all()
    assert result["current"]


def test_a_single_customer(lake, home, settings, write):
    write["customers"](lake, 1)
    write["usage"](lake, [(0, f"app{a}", a) for a in range(10)])
    train(lake, home, settings)
    assert np.isfinite(Snapshot.current(home).app_scores(np.array([0]))).all()
