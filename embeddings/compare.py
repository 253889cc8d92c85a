"""Whether a new snapshot is worse than the current one, and how that is known.

Two ways, the first where it can tell:

1. **The same customers.** Both rank apps for customers who began to use something after the last day that the current
   snapshot knew, so neither has seen the answers. The current one is asked as it serves. The new one is asked as it
   was fitted for measuring, on less than it is served with; so when it is surely better it is better. When it is
   surely worse, that counts only where it knew all the days that the current one knew.
2. **Lifts.** Each snapshot's NDCG over popularity's on its own held-out use, which is comparable where both cuts are of
   one kind: the new one is worse where the interval of its lift lies wholly below the current one's lift. What is wrong
   with the data, such as a feed of noise, shows here and not in the first. Nothing shows where either lift is told by
   fewer than `FEWEST` customers, whose interval is narrow for being few, or has nothing to be a multiple of.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from embeddings.catalogue import Catalogue
from embeddings.evaluate import FEW, K, Score, bootstrap, ends, measure, measured_users
from embeddings.snapshot import Snapshot, current_id, is_snapshot
from embeddings.split import EPOCH
from embeddings.trial import Trial
from lake.errors import NotReady
from lake.home import Home

FEWEST = 10
"""Customers by whom a lift has to be told."""


@dataclass(frozen=True)
class Verdict:
    """Whether the new snapshot is `worse`, `why` in a sentence, and the `figures` that say so (JSON)."""

    worse: bool
    why: str
    figures: dict[str, Any]


def against_current(home: Home, metrics: dict[str, Any], trial: Trial, served: Score) -> Verdict:
    """The new snapshot (`metrics`, and what is `served` as fitted for measuring) against the home's current one."""
    id = current_id(home)
    if id is None or not is_snapshot(home.snapshots / id):
        return Verdict(False, "there was no current snapshot", {})
    try:
        current = Snapshot.open(home, id)
    except NotReady:  # a file is gone or cut short: anything is better than that
        return Verdict(False, f"the current snapshot {id} cannot be read", {})
    former = current.manifest["metrics"]
    same = side_by_side(current, former.get("last_day"), trial, served)
    if same is not None and (same.worse or same.figures["interval"][0] > 0):
        return same
    lifts = of_lifts(metrics, former)
    return lifts if same is None else Verdict(lifts.worse, lifts.why, {**lifts.figures, "same_customers": same.figures})


def side_by_side(current: Snapshot, last_day: str | None, trial: Trial, served: Score) -> Verdict | None:
    """Both on what customers began after `last_day`, the current one's; None where there is no such time cut, or fewer
    than `FEW` such customers. Apps that the current one does not know it cannot show."""
    held, cutoff = trial.held.held, trial.held.cutoff
    if last_day is None or cutoff is None:
        return None
    last = (dt.date.fromisoformat(last_day) - EPOCH).days
    later = held.first > last
    wanted = held.keep(later)
    users = measured_users(wanted, trial.seed)
    if len(users) < FEW:
        return None
    known = (trial.known + held.keep(~later).matrix()).tocsr()
    score = as_current(current, trial.held.train.nodes)
    new, old = (measure(part, known, wanted.matrix(), users) for part in (served, score))
    interval = ends(bootstrap((new.ndcg - old.ndcg)[:, None], trial.seed)[:, 0])
    knew_as_much = (cutoff - EPOCH).days > last
    means = [round(float(part.ndcg.mean()), 5) for part in (new, old)]
    sign = "better" if interval[0] > 0 else "worse" if interval[1] < 0 else "no differently"
    why = f"it ranks {sign} than the current one" if sign != "no differently" else "it ranks like the current one"
    why += f" for the same {len(users):,} customers: NDCG@{K} {means[0]:.4f} against {means[1]:.4f}"
    figures = {"users": len(users), "after": last_day, "new": means[0], "current": means[1], "interval": interval}
    return Verdict(interval[1] < 0 and knew_as_much, why, {**figures, "knew_as_much": knew_as_much})


def as_current(current: Snapshot, nodes: Catalogue) -> Score:
    """The scores that the current snapshot serves, for users and apps by their positions in today's `nodes`."""
    column = pc.index_in(nodes.apps, pa.array(current.apps, pa.string())).fill_null(-1).to_numpy()

    def score(rows: np.ndarray) -> np.ndarray:
        found = np.full((len(rows), len(column)), -np.inf, np.float32)
        at = current.rows(nodes.users.take(pa.array(rows)).to_pylist())
        found[:, column >= 0] = current.app_scores(at)[:, column[column >= 0]]
        return found

    return score


def of_lifts(new: dict[str, Any], former: dict[str, Any]) -> Verdict:
    """Whether the interval of the new lift lies wholly below the former lift.

    >>> of_lifts({"users": 90, "lift": 2.8, "lift_interval": [2.7, 2.9]}, {"users": 90, "lift": 3.0}).worse
    True
    >>> of_lifts({"users": 90, "lift": 2.8, "lift_interval": [2.5, 3.1]}, {"users": 90, "lift": 3.0}).worse
    False
    >>> of_lifts({"users": 90, "lift": 2.8, "lift_interval": [2.7, 2.9]}, {"users": 1, "lift": 3.0}).worse
    False
    """
    cuts = [metrics.get("cut") for metrics in (former, new)]
    if None not in cuts and cuts[0] != cuts[1]:
        why = f"the current one was measured on a {cuts[0]} cut, this one on a {cuts[1]} cut: their lifts tell nothing"
        return Verdict(False, why, {})
    users = min(new["users"], former["users"])
    if users < FEWEST:
        return Verdict(False, f"of this one or the current one {users:,} customers were measured: too few to tell", {})
    if new["lift"] is None or former["lift"] is None:
        why = "for this one or the current one popularity found nothing: there is no lift over it to compare"
        return Verdict(False, why, {})
    low, high = new["lift_interval"]
    worse = bool(high < former["lift"])
    why = f"its lift over popularity, {new['lift']:.3f} ({low:.3f} to {high:.3f}), "
    why += f"{'lies' if worse else 'does not lie'} below the current one's, {former['lift']:.3f}"
    return Verdict(worse, why, {"lift": new["lift"], "lift_interval": [low, high], "current_lift": former["lift"]})
