"""Sharing the channels' room of today out over all customers: one row of an answer is one planned contact.

Customers are gone through in blocks; of each, the offers that a best plan may need are kept, and the plan is made over
all of them at once (`matching.assignment`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from matching.assignment import Plan, Wishes, assign, coverage, keep_useful
from matching.state import MatchState


@dataclass(frozen=True)
class Shared:
    """What each of b customers gets: items int32 (b, k), best first, -1 after them; values float64 (b, k) and channels
    int16 (b, k) of these; the plan that they come from, and the room (c) that it shared out."""

    items: np.ndarray
    values: np.ndarray
    channels: np.ndarray
    plan: Plan
    room: np.ndarray

    def to_json(self, state: MatchState) -> dict[str, Any]:
        """What `match` says of the plan: its score, the bound that no plan exceeds, the gap between them as a share,
        the greedy plan's score, and how each bounded channel is used: `room` is what today's contacts have left of
        its capacity. `price`: the score one more place would add."""
        plan, channels = self.plan, state.channels
        load = np.bincount(plan.channel[plan.channel >= 0], minlength=len(channels.ids))
        bounded = np.flatnonzero(channels.capacity >= 0).tolist()
        return {
            "score": plan.total,
            "bound": plan.bound,
            "gap": plan.gap,
            "greedy": plan.greedy,
            "channels": {
                channels.ids[c].as_py(): {
                    "capacity": int(channels.capacity[c]),
                    "room": int(self.room[c]),
                    "given": int(load[c]),
                    "price": float(plan.prices[c]),
                }
                for c in bounded
            },
        }


class Sharing:
    """Collects customers, block by block, and shares out: `add` each block, then `share`.

    `room` int64 (c) is what `matching.room.room_left` gives.
    """

    def __init__(self, state: MatchState, k: int, room: np.ndarray) -> None:
        self._state, self._k, self._room = state, k, room
        inbound = state.channels.inbound
        self._open = np.array([np.ones(len(inbound), bool), inbound])
        self._blocks: list[tuple[np.ndarray, ...]] = []

    def add(self, users: np.ndarray, scores: np.ndarray, mask: np.ndarray) -> None:
        """A block: users int64 (b), scores float64 (b, o), and what each may be given, bool (b, o)."""
        group = self._state.customers.no_contact[users].astype(np.int8)
        counts, items, values = keep_useful(scores, mask, self._covers, group, self._k)
        self._blocks.append((users, group, counts, items, values))

    def share(self) -> Shared:
        """The plan, in the order in which customers were added."""
        state, k = self._state, self._k
        none = (np.zeros(0, np.int64), np.zeros(0, np.int8), np.zeros(0, np.int64), np.zeros(0, np.int32), np.zeros(0))
        users, group, counts, items, values = map(np.concatenate, zip(none, *self._blocks, strict=True))
        self._blocks.clear()
        starts = np.zeros(len(users) + 1, np.int64)
        np.cumsum(counts, out=starts[1:])
        wishes = Wishes(
            starts, items, values, state.channels.best[users], group, self._open, state.offers.through,
            state.offers.channels,
        )  # fmt: skip
        plan = assign(wishes, self._room, k)
        at = np.flatnonzero(plan.channel >= 0)
        row = np.repeat(np.arange(len(users)), counts)[at]
        place = np.arange(len(at)) - np.searchsorted(row, row)
        out = (
            np.full((len(users), k), -1, np.int32),
            np.full((len(users), k), np.nan),
            np.full((len(users), k), -1, np.int16),
        )
        out[0][row, place], out[1][row, place], out[2][row, place] = items[at], values[at], plan.channel[at]
        return Shared(*out, plan, self._room)

    @cached_property
    def _covers(self) -> np.ndarray:
        return coverage(self._state.offers.through, self._open, self._room)
