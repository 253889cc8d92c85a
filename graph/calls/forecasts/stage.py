"""Where a customer stands on the way out: left > decision > circle > experience > stable; the first that holds.

A value is a sign when it lies more than `SIGN` robust standard deviations from what is usual for this customer, as
the network has it that period. With x events now and u usual (the mean of m earlier periods or bills), counts are
made comparable by Anscombe's root,

    d = 2 sqrt(x + 3/8) - 2 sqrt(u + 3/8),   z = (d - median of d) / max(sqrt(1 + 1/m), 1.4826 × median |d - median|)

over all customers of the period, so that a holiday or a bad month of the network is nobody's sign. sqrt(1 + 1/m) is the
spread of d for Poisson counts (F. Anscombe, Biometrika 35, 1948); 2.5 is the moderately strict threshold of C. Leys et
al., "Detecting outliers", Journal of Experimental Social Psychology 49 (2013). Lengths (the radius) are
compared by their logarithm, with the second of the two spreads.

- `decision`: on for far fewer days than usual; or calls and messages far below the usual and no more than a quarter of
  it; or the contract is over, or is within a month, and a sign of `circle` or `experience` beside it.
- `circle`: circles says `shrinking`; or half the usual circle or less against peers, of four or more before; or far
  less movement; or a handset taken in the last three months that costs less than the one before.
- `experience`: dropped calls or slow sessions far above the usual, or two complaints or more in the month.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from graph.calls.forecasts.history import EARLIER, Columns

SIGN = 2.5
HARDLY = 0.25
HALF = 0.5
LEAST_BEFORE = 4
"""A circle of three loses one of them too easily."""
SOON_DAYS = 31
COMPLAINTS = 2
READS = (
    "lost", "kept", "against_peers", "shrinking", "events", "events_usual", "days_on", "days_on_usual",
    "contract_days", "radius_change", "handset_price_change", "dropped_calls", "dropped_calls_usual",
    "slow_sessions", "slow_sessions_usual", "complaints",
)  # fmt: skip
"""The features that it looks at."""
STAGES = ("stable", "experience", "circle", "decision", "left")


def signs(columns: Columns) -> dict[str, np.ndarray]:
    """(n,) bool each; false where nothing is known. `columns`: the features of one period."""
    few_calls = _fewer(columns["events"], columns["events_usual"])
    return {
        "off_for_days": _fewer(columns["days_on"], columns["days_on_usual"]),
        "hardly_used": few_calls & (columns["events"] <= HARDLY * columns["events_usual"]),
        "contract_over": columns["contract_days"] <= SOON_DAYS,
        "shrinking": columns["shrinking"] == 1,
        "halved": (columns["against_peers"] <= HALF) & (columns["lost"] + columns["kept"] >= LEAST_BEFORE),
        "moves_less": _less(columns["radius_change"]),
        "cheaper_handset": columns["handset_price_change"] < 1,
        "dropped_calls": _more(columns["dropped_calls"], columns["dropped_calls_usual"]),
        "slow_sessions": _more(columns["slow_sessions"], columns["slow_sessions_usual"]),
        "complaints": columns["complaints"] >= COMPLAINTS,
    }


def stages(columns: Columns) -> np.ndarray:
    """(n,) int8 places in `STAGES`, of customers who have not left."""
    sign = signs(columns)
    experience = sign["dropped_calls"] | sign["slow_sessions"] | sign["complaints"]
    circle = sign["shrinking"] | sign["halved"] | sign["moves_less"] | sign["cheaper_handset"]
    decision = sign["off_for_days"] | sign["hardly_used"] | (sign["contract_over"] & (circle | experience))
    return np.select([decision, circle, experience], [3, 2, 1], 0).astype(np.int8)


def names(stage: np.ndarray) -> pa.Array:
    return pa.array(STAGES).take(pa.array(stage))


def _fewer(now: np.ndarray, usual: np.ndarray) -> np.ndarray:
    return _far_below(_change(now, usual), float(np.sqrt(1 + 1 / EARLIER)))


def _more(now: np.ndarray, usual: np.ndarray) -> np.ndarray:
    return _far_below(-_change(now, usual), float(np.sqrt(1 + 1 / EARLIER)))


def _change(now: np.ndarray, usual: np.ndarray) -> np.ndarray:
    return 2 * np.sqrt(now + 0.375) - 2 * np.sqrt(usual + 0.375)


def _less(ratio: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return _far_below(np.log(ratio), 0.0)


def _far_below(change: np.ndarray, least_spread: float) -> np.ndarray:
    known = change[np.isfinite(change)]
    if not len(known):
        return np.zeros(len(change), bool)
    middle = np.median(known)
    spread = max(least_spread, 1.4826 * float(np.median(np.abs(known - middle))))
    return change < middle - SIGN * spread if spread > 0 else np.zeros(len(change), bool)
