"""Which channel an item goes through: the customer's most used among those that the item and the customer allow."""

from __future__ import annotations

import numba
import numpy as np

from matching.state import Kind, MatchState


def choose(
    state: MatchState,
    kind: Kind,
    users: np.ndarray,
    items: np.ndarray,
    asked: int = -1,
    full: np.ndarray | None = None,
    quiet: bool = False,
) -> np.ndarray:
    """Channel of each item: positions int16 (b, k), -1 for none.

    `asked` >= 0 is taken as it is (eligibility has seen to it). Otherwise an offer takes the customer's most used
    channel that it goes through, else the first it names; an app takes the customer's most used channel, or none. A
    customer who must not be approached, as anybody where it is `quiet`, is left with channels where the customer comes
    to the operator. Nothing goes through the channels that are `full`, bool (channels).
    """
    out = np.full(items.shape, -1, np.int16)
    if asked >= 0:
        out[items >= 0] = asked
        return out
    channels = state.channels
    open_ = channels.inbound[None, :] | ~(quiet | state.customers.no_contact[users])[:, None]
    open_ = open_ if full is None else open_ & ~full
    if kind == "app":
        through, order = np.ones((1, len(channels.ids)), bool), np.zeros((1, 0), np.int16)
    else:
        through, order = state.offers.through, state.offers.channels
    _choose(channels.best[users], open_, through, order, items, kind == "app", out)
    return out


def usual(state: MatchState, user: int, full: np.ndarray | None = None, quiet: bool = False) -> int:
    """The channel that `choose` gives a customer's apps where none is asked for."""
    channels, approached = state.channels, not (quiet or state.customers.no_contact[user])
    for channel in channels.best[user].tolist():
        if channel >= 0 and (approached or channels.inbound[channel]) and (full is None or not full[channel]):
            return int(channel)
    return -1


def hours_of(state: MatchState, user: int, channel: int) -> list[int]:
    """At which hours to reach a customer through a channel, by the operator's clock, the best first.

    The hours at which the customer uses that channel most, or, where it is none of the three most used, the one used
    most; without those that quiet hours reach into where the channel is outbound. Empty where nothing is known.
    """
    channels = state.channels
    best = channels.best[user].tolist()
    place = best.index(channel) if channel >= 0 and channel in best else 0
    found = [hour for hour in channels.hours[user, place].tolist() if hour >= 0]
    if state.quiet is None or (channel >= 0 and channels.inbound[channel]):
        return found
    return [hour for hour in found if hour not in state.quiet.hours]


@numba.njit(cache=True, nogil=True)
def first_open(best: np.ndarray, open_: np.ndarray, through: np.ndarray, order: np.ndarray) -> int:
    """The first of `best`, then of `order`, that is both open to the customer and one of the item's channels."""
    for channel in best:
        if channel >= 0 and open_[channel] and through[channel]:
            return int(channel)
    for channel in order:
        if channel >= 0 and open_[channel] and through[channel]:
            return int(channel)
    return -1


@numba.njit(cache=True, nogil=True)
def _choose(best, open_, through, order, items, shared, out):  # type: ignore[no-untyped-def]
    for b in range(items.shape[0]):
        for j in range(items.shape[1]):
            if items[b, j] >= 0:
                item = 0 if shared else items[b, j]
                out[b, j] = first_open(best[b], open_[b], through[item], order[item])
