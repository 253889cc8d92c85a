"""Packs, suppressed demand and fake users: what was planted is found, and nothing where nothing is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from scipy.stats import norm

from graph.calls.forecasts import fake, reports, scores, suppressed
from graph.calls.forecasts.history import Columns
from graph.calls.forecasts.words import GROUPS
from graph.calls.state import Inputs
from tests.graph.calls.forecasts.made import planted

NAMES = [name for group in GROUPS.values() for name in group.features]


def columns(n: int, **values: object) -> Columns:
    return {name: np.broadcast_to(np.asarray(values.get(name, np.nan), np.float32), n).copy() for name in NAMES}


def test_censored_regression_recovers_what_was_wanted() -> None:
    rng = np.random.default_rng(0)
    x = np.column_stack([np.ones(4000), rng.normal(size=4000)])
    wanted = x @ [5.0, 1.0] + rng.normal(0, 0.5, 4000)
    limit = rng.normal(5.5, 1.0, 4000)
    mean, spread = suppressed.tobit(x, np.minimum(wanted, limit), wanted > limit)
    assert mean == pytest.approx(x @ [5.0, 1.0], abs=0.1)
    assert spread == pytest.approx(0.5, abs=0.03)


def test_who_is_held_back_comes_first() -> None:
    """Of those alike, the first 20 stop at 85 % of a small plan; the others have room, or a pack."""
    rng = np.random.default_rng(0)
    n = 400
    limit = np.full(n, 20_000.0)
    limit[:40] = 1000
    used = np.exp(rng.normal(np.log(3000), 0.5, n))
    used[:40] = 850
    packs = np.zeros(n)
    packs[20:40] = 1
    month = columns(n, mb=used, plan_mb=limit, packs=packs, age=rng.integers(20, 60, n), events=20)
    p, many, seen, wanted = suppressed.suppressed([month, month])
    assert (p[:20] > 0.5).all()
    assert (p[20:] == 0).all()
    assert (many[0], seen[0]) == (2, 2)
    assert 1500 < wanted[0] < 6000


def test_without_plans_nothing_is_suppressed() -> None:
    p, _, _, _ = suppressed.suppressed([columns(200, mb=100)])
    assert np.isnan(p).all()


def test_fake_accounts_come_first() -> None:
    rng = np.random.default_rng(0)
    n = 500
    now = columns(
        n, events=rng.integers(10, 40, n), contacts=rng.integers(4, 10, n), one_way=rng.random(n) * 0.6,
        out_share=0.3 + 0.4 * rng.random(n), top_share=0.4 + 0.3 * rng.random(n), new=rng.integers(0, 4, n),
        seconds_a_call=60 + 90 * rng.random(n), mb=1000 * rng.random(n), tenure=1000 * rng.random(n),
    )  # fmt: skip
    box = {
        "events": 110,
        "contacts": 108,
        "one_way": 1,
        "out_share": 1,
        "top_share": 1,
        "new": 100,
        "mb": 0,
        "tenure": 9,
    }
    for name, value in box.items():
        now[name][:5] = value
    p, parts = fake.fake(now, np.full(n, 1.0))
    assert set(np.argsort(-p)[:5]) == set(range(5))
    assert (p[:5] > 0.9).all()
    assert np.quantile(p[5:], 0.95) < 0.5
    assert (parts >= 0).all()


def test_false_discoveries_of_nothing_but_chance() -> None:
    score = np.exp(norm.ppf((np.arange(2000) + 0.5) / 2000))
    assert fake.discovered(score).max() < 0.6


def test_too_few_to_tell() -> None:
    p, _ = fake.fake(columns(50, events=3), np.full(50, np.nan))
    assert np.isnan(p).all()


def test_the_table(tmp_path: Path) -> None:
    n, periods = 150, 3
    rng = np.random.default_rng(0)
    values = {name: rng.random((n, periods)) * 10 + 1 for name in NAMES}
    history = planted(tmp_path, n, np.full(n, 99), values, periods)
    nothing = pa.nulls(n, pa.date32())
    history.lake.write("customers", pa.table({"user": history.customers.users, "activated_on": nothing}))
    inputs = Inputs(history.lake)
    assert scores.build(history.lake, history.customers, inputs) is True
    assert scores.build(history.lake, history.customers, inputs) is False
    table = pl.from_arrow(history.lake.read("scores"))
    assert isinstance(table, pl.DataFrame)
    assert set(table["model"]) == {"fake", "suppressed"}
    assert table.filter(pl.col("model") == "fake")["decile"].value_counts()["count"].to_list() == [15] * 10
    facts = reports.kept(history.lake)["scores"]
    assert facts["data_pack"]["off"] == "the lake has no subscriptions and no products"
    assert list(facts) == ["data_pack", "fake", "handset_change", "suppressed"]
