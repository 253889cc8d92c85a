"""Whether `dumbbell evaluate` is right: its estimates beside the acceptance that was planted in the sample.

    python -m benchmarks.arbitration [--users 20000 --months 6 --seed 1]

The last month is held out. Of every showing the truth knows the probability of acceptance, and of every customer the
log-odds of every offer in that month; what a showing adds to them (channel, hour, offers shown before) is the same for
all offers, so that the acceptance of each offer at each showing is known, and with it that of every policy. Twice: with
the probabilities that were logged, and as if they had not been. Prints one line of JSON: of each policy truth,
estimates and whether the intervals hold the truth, for the acceptance, for the margin, and for how much more ours is.
"""

from __future__ import annotations

import datetime as dt
import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from benchmarks.sample_lake import arguments, loaded
from dumbbell import steps
from graph.calls import contacts
from graph.dumbbell import build as build_dumbbell
from lake.home import Home
from lake.periods import first_day
from lake.tables import Lake
from matching.arrays import positions
from matching.evaluate import OURS, POLICIES, choices, evaluate, margins
from matching.logged import Closed, Shown, moments, read_closed, read_shown
from matching.policy import ESTIMATES
from matching.state import MatchState


def planted(feeds: Path, home: Home, lake: Lake, state: MatchState, shown: Shown, month: str) -> np.ndarray:
    """The true acceptance (r, offers) at each showing, nan where a number had two customers."""
    table = pl.read_parquet(feeds / "truth" / "offer_logit.parquet").unique("number", keep="none")
    users = lake.read("customers", ["user"])["user"]
    place = positions(home.pseudonyms().of_numbers(table["number"].to_arrow()), users)
    known = np.full((state.customers.n, len(state.offers.ids)), np.nan)
    known[place[place >= 0]] = table.select(state.offers.ids.to_pylist()).to_numpy()[place >= 0]
    answers = pl.DataFrame(lake.read("responses", ["user", "offer", "at", "decision", "position"], month))
    files = sorted((feeds / "truth" / "acceptance").glob(f"*{month}*"))
    truth = answers.join(pl.concat([pl.read_parquet(file) for file in files]), on=["decision", "offer", "position"])
    rows = pl.DataFrame(
        {
            "user": positions(truth["user"].to_arrow().cast("binary"), users),
            "offer": positions(truth["offer"].to_arrow().cast("string"), state.offers.ids),
            "at": truth["at"].dt.epoch("us"),
            "true": truth["probability"],
        }
    ).unique(["user", "offer", "at"], keep="none")
    each = pl.DataFrame({"user": shown.user, "offer": shown.offer, "at": shown.at})
    true = each.join(rows, on=["user", "offer", "at"], how="left", maintain_order="left")["true"].to_numpy()
    logit = known[shown.user]
    circumstances = np.log(true / (1 - true)) - logit[np.arange(len(shown)), shown.offer]
    return 1 / (1 + np.exp(-(logit + circumstances[:, None])))


def true_values(lake: Lake, state: MatchState, shown: Shown, closed: Closed, true: np.ndarray) -> dict[str, Any]:
    """By policy: true acceptance and margin, over the showings whose truth is known."""
    margin = margins(state)
    assert margin is not None
    sums, count = {name: np.zeros(2) for name in POLICIES}, 0
    for some in moments(lake, state, shown, closed):
        told = np.isfinite(true[some.rows]).all(axis=1) & some.allowed.any(axis=1)
        count += int(told.sum())
        for name, choice in choices(state, some).items():
            each = (choice * true[some.rows])[told]
            sums[name] += each.sum(), (each * margin).sum()
    return {"showings": count, **{name: (total / count).tolist() for name, total in sums.items()}}


def beside(facts: dict[str, Any], truth: dict[str, Any]) -> dict[str, Any]:
    """Each estimate with the truth, and how many intervals hold it."""
    found, held, asked = {}, 0, 0
    for name in POLICIES:
        for place, what in enumerate(("acceptance", "margin")):
            said = facts["policies"][name][what]
            true = truth[name][place]
            row: dict[str, Any] = {"true": round(true, 5)}
            more = truth[OURS][place] - true
            if name != OURS:
                row["ours_more"] = round(more, 5)
            for kind in ESTIMATES:
                low, high = said[kind]["interval"]
                row[kind] = [said[kind]["mean"], low, high, low <= true <= high]
                held, asked = held + row[kind][-1], asked + 1
                if name != OURS:
                    low, high = said[kind]["ours_more"]["interval"]
                    row[f"{kind}_more"] = [said[kind]["ours_more"]["mean"], low, high, low <= more <= high]
                    held, asked = held + row[f"{kind}_more"][-1], asked + 1
            found[f"{name}_{what}"] = row
    return {"held": held, "intervals": asked, **found}


def main() -> None:
    options = vars(arguments(__doc__).parse_args())
    with tempfile.TemporaryDirectory() as folder:
        feeds, home, settings, lake = loaded(Path(folder), **options)
        build_dumbbell(lake, settings)
        contacts.build(lake, settings)
        month = lake.partitions("responses")[-1]
        begin = dt.datetime.combine(first_day(month), dt.time())
        with steps.as_of(home, settings, month) as (state, _):
            shown, closed = read_shown(lake, state, begin), read_closed(lake, state, begin)
            truth = true_values(lake, state, shown, closed, planted(feeds, home, lake, state, shown, month))
            unlogged = replace(shown, probability=np.full(len(shown), np.nan))
            logged, estimated = (evaluate(lake, state, each, closed) for each in (shown, unlogged))
        fit = estimated["probabilities"]["fit"]
        found = {
            "shown": logged["shown"],
            "logged": beside(logged, truth),
            "estimated": {"fit": fit | {"tenths": len(fit["tenths"])}, **beside(estimated, truth)},
            "support": {name: logged["policies"][name]["support"] for name in POLICIES},
        }
        print(json.dumps({"benchmark": "arbitration", **options, **found}))


if __name__ == "__main__":
    main()
