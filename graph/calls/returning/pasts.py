"""The leavers, and for each some customers who stayed, alike in size, as if they had left on the same day."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from graph.calls.lifetimes import Customers
from graph.calls.returning.seen import Seen

STAYERS = 2
"""Customers who stayed to each leaver, at least."""
ENOUGH = 20_000
"""Customers who stayed altogether, where there are: fewer leave it to luck who the leavers are compared with."""


@dataclass(frozen=True)
class Pasts:
    """Rows sorted by user: `user` (m,) int32, `left` (m,) bool (false: stayed), `begins` and `ends` (m,) int32, the
    places of the periods that tell who they talk to, `end` (m,) float64, the day of the last contact."""

    user: np.ndarray
    left: np.ndarray
    begins: np.ndarray
    ends: np.ndarray
    end: np.ndarray


def pasts(customers: Customers, seen: Seen, span: int) -> Pasts:
    """Everybody who left after any contact, with their last `span` periods, and beside each customers who stayed.

    Who stayed is of the network since the first period, in it in the last, and has as many contacts a period as the
    leaver (by powers of two). Pseudonyms are cipher blocks, so that taking them in turn is as good as drawing them.
    """
    leavers = np.flatnonzero(customers.on_net & customers.gone & (seen.ends >= 0)).astype(np.int32)
    last = len(customers.periods) - 1
    stayed = customers.on_net & ~customers.gone & (seen.begins == 0) & (seen.ends == last)
    stayers = np.flatnonzero(stayed).astype(np.int32)
    a_period = seen.contacts / np.maximum(seen.ends - seen.begins + 1, 1)
    size = np.floor(np.log2(np.maximum(a_period, 1))).astype(np.int64)
    user, like = [leavers], [leavers]
    for one in np.unique(size[leavers]):
        mine, pool = leavers[size[leavers] == one], stayers[size[stayers] == one]
        if len(pool):
            each = max(STAYERS, min(ENOUGH // len(leavers), len(pool) // len(mine)))
            user.append(pool[np.arange(each * len(mine)) % len(pool)])
            like.append(np.repeat(mine, each))
    who, as_ = np.concatenate(user), np.concatenate(like)
    order = np.lexsort((as_, who))
    who, as_ = who[order], as_[order]
    ends = seen.ends[as_]
    begins = np.maximum(ends - span + 1, 0).astype(np.int32)
    return Pasts(user=who, left=order < len(leavers), begins=begins, ends=ends, end=seen.last[as_])
