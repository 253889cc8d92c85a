"""The table of churn: learnt from planted features, and without enough history."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from graph.calls.analyse import analyse
from graph.calls.forecasts import churn, reports
from graph.calls.forecasts.history import History
from graph.calls.forecasts.stage import STAGES
from graph.calls.forecasts.words import GROUPS
from graph.calls.state import Inputs
from lake.tables import Lake
from tests.graph.calls.forecasts.made import planted
from tests.graph.calls.world import call, settings, user, world

N, PERIODS = 900, 6


def leaving(folder: Path) -> History:
    """A tenth leave each period; in the two periods before it three in four are on for few days."""
    rng = np.random.default_rng(1)
    left = np.minimum(rng.geometric(0.1, N), 99)
    place = np.arange(PERIODS)
    soon = (place >= left[:, None] - 2) & (rng.random(N) < 0.75)[:, None]
    values = {name: np.full((N, PERIODS), np.nan) for group in GROUPS.values() for name in group.features}
    values["days_on"] = np.where(soon, 5.0, 27.0) + rng.integers(0, 4, (N, PERIODS))
    values["days_on_usual"] = np.full((N, PERIODS), 28.0)
    values["tenure"] = rng.random((N, PERIODS)) * 1000
    return planted(folder, N, left, values, PERIODS)


def rows(lake: Lake) -> pl.DataFrame:
    found = pl.from_arrow(lake.read("churn"))
    assert isinstance(found, pl.DataFrame)
    return found


def test_planted(tmp_path: Path) -> None:
    history = leaving(tmp_path)
    inputs = Inputs(history.lake)
    assert churn.build(history.lake, history.customers, inputs) is True
    facts = reports.kept(history.lake)["churn"]
    assert facts["test_period"] == "2026-04"
    assert facts["learnt_from"] == ["2026-01", "2026-02", "2026-03", "2026-04"]
    assert facts["test"]["auc"] > 0.8
    table = rows(history.lake)
    assert table["user"].to_list() == sorted(table["user"].to_list())
    assert table.height == N
    assert set(table["period"]) == {"2026-06"}
    gone = table.filter(pl.col("stage") == "left")
    assert gone.height == (history.left < PERIODS).sum()
    assert gone["probability"].is_null().all()
    here = table.filter(pl.col("stage") != "left")
    assert here["probability"].is_between(0, 1).all()
    assert set(here["decile"]) == set(range(1, 11))
    first = here.sort("probability", descending=True).row(0, named=True)
    assert (first["decile"], first["stage"]) == (1, "decision")
    assert first["reasons"][0]["feature"] == "days on"
    assert first["reasons"][0]["words"].endswith("usually 28")
    assert sum(facts["stages"].values()) == N
    assert list(facts["stages"]) == list(STAGES)

    before = (history.lake.root / "churn.parquet").read_bytes()
    assert churn.build(history.lake, history.customers, inputs) is False
    assert churn.build(history.lake, history.customers, Inputs(history.lake)) is True
    assert (history.lake.root / "churn.parquet").read_bytes() == before


@pytest.mark.parametrize(("left", "off"), [(99, "is known of 0 of"), (1, "is known of")])
def test_nobody_or_everybody_leaves(tmp_path: Path, left: int, off: str) -> None:
    values = {name: np.full((300, 6), np.nan) for group in GROUPS.values() for name in group.features}
    history = planted(tmp_path, 300, np.full(300, left), values, 6)
    churn.build(history.lake, history.customers, Inputs(history.lake))
    assert off in reports.kept(history.lake)["churn"]["off"]
    table = rows(history.lake)
    assert table["probability"].is_null().all()
    assert set(table["stage"]) == {"left" if left < 6 else "stable"}


def test_few_periods_fall_back_to_the_stage(tmp_path: Path) -> None:
    history = leaving(tmp_path)
    four = {"last": np.minimum(history.customers.last, 3), "gone": history.left < 4}
    short = replace(history.customers, periods=history.periods[:4], **four)  # type: ignore[arg-type]
    churn.build(history.lake, short, Inputs(history.lake))
    assert "there are 4 whole periods of calls, and 5 are needed" in reports.kept(history.lake)["churn"]["off"]
    assert set(rows(history.lake)["stage"]) == {"stable", "decision", "left"}


def test_analyse_writes_it_and_a_lake_without_calls_loses_it(tmp_path: Path) -> None:
    records = [call("a", "b", f"2026-0{month}-02 10:00:00") for month in (4, 6)]
    lake = world(tmp_path, records, [user("a"), user("b"), user("new", activated_on=None), user("c")])
    found = analyse(lake, settings())
    assert "5 are needed" in found["reports"]["churn"]["off"]
    assert found["reports"]["scores"]["handset_change"] == {"off": "the lake has no user_handsets"}
    assert set(rows(lake)["stage"]) == {"stable"}
    lake.drop("calls")
    assert analyse(lake, settings())["reports"] == {}
    assert not lake.has("churn")
    assert not lake.has("features")
