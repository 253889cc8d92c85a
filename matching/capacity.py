"""Sharing a channel's daily capacity out over all customers: one row of an answer is one planned contact.

Greedy by score: the pairs of customer and offer are gone through from the highest score to the lowest; each takes the
customer's best channel that the offer goes through and that has room, and is left out where none has. A customer
takes at most k. Without bounds this gives every customer's k best, each through its best channel, as one decision
would. Each step takes the best that is left, which for one channel is the optimum; over several it is at least half
of it, as a customer's pair may take room that another needed more.
"""

from __future__ import annotations

import numba
import numpy as np

from matching.routes import first_open
from matching.state import MatchState

SPARE = 5
"""Offers kept per customer beyond k, to fall back on where a channel is full."""


def share_out(
    state: MatchState, users: np.ndarray, items: np.ndarray, values: np.ndarray, k: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The rows that fit into the channels' capacities.

    users   int64 (b)
    items   int32 (b, c): each customer's best offers, best first, -1 after them
    values  float64 (b, c): their scores

    Returns items (b, k), values (b, k) and channels int16 (b, k), -1 and nan after the last of each customer. Equal
    scores are taken in the order of customers, then offers.
    """
    b = len(items)
    row, place = np.nonzero(items >= 0)
    order = np.lexsort((items[row, place], row, -values[row, place]))
    channels = state.channels
    out_items = np.full((b, k), -1, np.int32)
    out_values = np.full((b, k), np.nan)
    out_channels = np.full((b, k), -1, np.int16)
    _share_out(
        row[order], items[row, place][order], values[row, place][order], channels.best, users,
        channels.inbound, state.customers.no_contact, state.offers.through, state.offers.channels,
        channels.capacity.copy(), out_items, out_values, out_channels,
    )  # fmt: skip
    return out_items, out_values, out_channels


@numba.njit(cache=True, nogil=True)
def _share_out(
    row, item, value, best, users, inbound, no_contact, through, order, room, out_items, out_values, out_channels
):  # type: ignore[no-untyped-def]
    k = out_items.shape[1]
    taken = np.zeros(out_items.shape[0], np.int32)
    for i in range(len(row)):
        b, j = row[i], taken[row[i]]
        if j == k:
            continue
        user = users[b]
        open_ = (room != 0) & (inbound | (not no_contact[user]))
        channel = first_open(best[user], open_, through[item[i]], order[item[i]])
        if channel < 0:
            continue
        if room[channel] > 0:
            room[channel] -= 1
        out_items[b, j], out_values[b, j], out_channels[b, j] = item[i], value[i], channel
        taken[b] += 1
