"""What the arbitration would have been answered on showings of the past, beside simpler ways to choose an offer.

The state is that of the day before which everything was learned; the showings came later. Each policy chooses one of
the offers that might have been shown, through the channel of the showing; offers it ranks alike have the same chance.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from embeddings.calibration import Forecast
from embeddings.propensity import odds
from lake.progress import track
from lake.tables import Lake
from matching.displayed import Displays, agreement, probabilities
from matching.logged import Closed, Moments, Shown, moments
from matching.policy import ESTIMATES, Estimate, Logged, estimates, support
from matching.scores import OfferScores
from matching.state import MatchState

OURS = "arbitration"
AS_SHOWN = "as_shown"
FEW = 50
"""With fewer acceptances than this nothing is said."""
SURE = 1e-6

POLICIES: dict[str, tuple[str, Callable[[MatchState, OfferScores], np.ndarray]]] = {
    OURS: ("propensity x value x priority", lambda state, scores: scores.score),
    "propensity": ("propensity alone", lambda state, scores: scores.propensity),
    "random": ("any offer that may be shown", lambda state, scores: np.zeros(scores.score.shape)),
    "popular": ("accepted most often before", lambda state, scores: _alike(state.offers.prior[-1], scores)),
    "priority": ("the highest priority", lambda state, scores: _alike(state.offers.priority, scores)),
}
"""What each policy is called and ranks offers by, (b, offers)."""


@dataclass(frozen=True)
class Looked:
    """What the policies would have chosen at r showings, o offers.

    allowed  bool (r, o): what may be shown; `suited` as in `Moments`
    chances  by policy, float64 (r): of choosing the offer that was shown
    own      by policy, float64 (r): acceptance expected of the policy's choice
    worth    by policy, float64 (r): margin expected of it
    expected float64 (r): acceptance expected of the offer that was shown
    never    by policy: share of its choices that nobody was ever shown through that channel
    """

    allowed: np.ndarray
    suited: np.ndarray
    chances: dict[str, np.ndarray]
    own: dict[str, np.ndarray]
    worth: dict[str, np.ndarray]
    expected: np.ndarray
    never: dict[str, float]


def evaluate(lake: Lake, state: MatchState, shown: Shown, closed: Closed, seed: int = 0) -> dict[str, Any]:
    """Expected acceptance, and margin, of each policy at the showings `shown`; JSON-ready, nan as None.

    `state` must not have learned from them. Showings where nothing may be shown by our rules tell nothing apart and are
    left out. With fewer than `FEW` acceptances `off` says so, and figures are None.
    """
    looked = _look(lake, state, shown, closed)
    some = np.asarray(looked.allowed.any(axis=1))
    facts: dict[str, Any] = {
        "shown": int(some.sum()),
        "customers": len(np.unique(shown.user[some])),
        "accepted": int(shown.accepted[some].sum()),
        "left_out": {**shown.left_out, "nothing_may_be_shown": int((~some).sum())},
        "position": "first places alone are looked at; what is expected is expected of the first place",
    }
    names = [*POLICIES, AS_SHOWN]
    if facts["accepted"] < FEW:
        why = f"only {facts['accepted']} of {facts['shown']} showings were accepted: {FEW} are needed to tell anything"
        return {**facts, "off": why, "probabilities": None, "expected": None, "policies": dict.fromkeys(names)}
    looked, shown = _kept(looked, some), shown.take(some)
    displays = displays_of(state, shown, looked)
    logged = np.isfinite(shown.probability)
    told: dict[str, Any] = {"logged": round(float(logged.mean()), 5), "estimated": round(float((~logged).mean()), 5)}
    probability = shown.probability
    if not logged.all():
        chances = probabilities(displays, seed)
        told["fit"] = agreement(chances, displays)
        probability = np.where(logged, probability, chances[np.arange(len(shown)), shown.offer])
    margin = margins(state)
    accepted = shown.accepted.astype(np.float64)
    value = 0.0 if margin is None else margin[shown.offer]

    def of(reward: np.ndarray, expected: np.ndarray, own: dict[str, np.ndarray]) -> dict[str, Logged]:
        found = {
            name: Logged(probability, reward, looked.chances[name], expected, own[name], shown.user)
            for name in POLICIES
        }
        # What was shown is a policy that agrees with the log at the logged chance: each showing counts once.
        return found | {
            AS_SHOWN: Logged(np.ones(len(shown)), reward, np.ones(len(shown)), expected, expected, shown.user)
        }

    yes = of(accepted, looked.expected, looked.own)
    by_acceptance = estimates(yes, seed)
    by_margin = None if margin is None else estimates(of(accepted * value, looked.expected * value, looked.worth), seed)
    facts["probabilities"] = told
    facts["expected"] = Forecast(odds(np.clip(looked.expected, SURE, 1 - SURE)), shown.accepted, shown.user).summary()
    facts["policies"] = {
        name: {
            "acceptance": _figures(by_acceptance, name),
            "margin": None if by_margin is None else _figures(by_margin, name),
            **_support(yes[name], looked.never.get(name, 0.0)),
        }
        for name in names
    }
    return facts


def _look(lake: Lake, state: MatchState, shown: Shown, closed: Closed) -> Looked:
    r, o = len(shown), len(state.offers.ids)
    allowed, suited, expected = np.zeros((r, o), bool), np.zeros((r, o), bool), np.zeros(r)
    chances, own, worth = ({name: np.zeros(r) for name in POLICIES} for _ in range(3))
    margin = margins(state)
    value = np.zeros(o) if margin is None else margin
    ever = through(state, shown)
    never = dict.fromkeys(POLICIES, 0.0)
    for some in track(moments(lake, state, shown, closed), "looking at showings"):
        rows, picked = some.rows, shown.offer[some.rows]
        allowed[rows], suited[rows] = some.allowed, some.suited
        q = some.scores.propensity
        expected[rows] = q[np.arange(len(rows)), picked]
        for name, choice in choices(state, some).items():
            chances[name][rows] = choice[np.arange(len(rows)), picked]
            own[name][rows] = (choice * q).sum(axis=1)
            worth[name][rows] = (choice * q * value).sum(axis=1)
            never[name] += float((choice * ~ever[shown.channel[rows]]).sum())
    total = max(1, int(allowed.any(axis=1).sum()))
    shares = {name: count / total for name, count in never.items()}
    return Looked(allowed, suited, chances, own, worth, expected, shares)


def choices(state: MatchState, some: Moments) -> dict[str, np.ndarray]:
    """Chance (b, offers) that each policy chooses each offer; rows without any that may be shown are 0."""
    return {name: best(rank(state, some.scores), some.allowed) for name, (_, rank) in POLICIES.items()}


def best(values: np.ndarray, allowed: np.ndarray) -> np.ndarray:
    """The same chance for each of the highest values (b, o) among those allowed.

    >>> best(np.array([[3.0, 2.0, 2.0]]), np.array([[False, True, True]])).tolist()
    [[0.0, 0.5, 0.5]]
    """
    ranked = np.where(allowed, values, -np.inf)
    top = allowed & (ranked == ranked.max(axis=1, keepdims=True, initial=-np.inf))
    return top / np.maximum(top.sum(axis=1, keepdims=True), 1)


def margins(state: MatchState) -> np.ndarray | None:
    """The margin (o) of one acceptance of each offer, the mean where it is not given; None where none is."""
    value = state.offers.value
    return np.where(np.isfinite(value), value, np.nanmean(value)) if np.isfinite(value).any() else None


def through(state: MatchState, shown: Shown) -> np.ndarray:
    """Which offers were ever shown through each channel: bool (channels + 1, o); the last row: not known which."""
    ever = np.zeros((len(state.channels.ids) + 1, len(state.offers.ids)), bool)
    ever[shown.channel, shown.offer] = True
    return ever


def displays_of(state: MatchState, shown: Shown, looked: Looked) -> Displays:
    """What the probability of having been shown is estimated from."""
    row = state.vectors.row[shown.user]
    numbers = np.zeros((len(shown), 0))
    if state.propensity is not None:
        numbers = np.where((row >= 0)[:, None], state.propensity.users[row], 0.0)
    possible = through(state, shown)[shown.channel]
    return Displays(shown.offer, shown.user, numbers, shown.channel, possible, looked.suited, looked.allowed)


def _alike(values: np.ndarray, scores: OfferScores) -> np.ndarray:
    return np.broadcast_to(values, scores.score.shape)


def _kept(looked: Looked, some: np.ndarray) -> Looked:
    chances, own, worth = (
        {name: part[some] for name, part in each.items()} for each in (looked.chances, looked.own, looked.worth)
    )
    rows = {each: getattr(looked, each)[some] for each in ("allowed", "suited", "expected")}
    return replace(looked, chances=chances, own=own, worth=worth, **rows)


def _figures(found: dict[str, dict[str, Estimate]], name: str) -> dict[str, Any]:
    """Each estimate with its interval, and how much more ours is."""
    return {
        kind: {
            **_said(found[name][kind]),
            **({} if name == OURS else {"ours_more": _said(found[OURS][kind] - found[name][kind])}),
        }
        for kind in ESTIMATES
    }


def _said(estimate: Estimate) -> dict[str, Any]:
    return {"mean": _number(estimate.mean), "interval": [_number(end) for end in estimate.interval]}


def _support(logged: Logged, never: float) -> dict[str, Any]:
    found = support(logged)
    return {
        "support": {
            "agreement": _number(found.agreement),
            "covered": _number(found.covered),
            "effective": round(found.effective, 1),
            "clipped": found.clipped,
            "never_shown": round(never, 5),
        }
    }


def _number(value: float) -> float | None:
    return round(value, 5) if math.isfinite(value) else None
