"""Which fact supports an item most: the customer's contacts, category, handset or segment, compared by lift.

Lift is how many times as frequent the item (or its category) is around the customer as among all customers. Rates
come from few observations, so that each is drawn towards the network's own rate by a prior of `PRIOR_WEIGHT`
observations: lift = (x + w p) / ((y + w) p), with x of y observed and p the rate among all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np

from matching.arrays import Ragged

NOTHING, CONTACTS, CATEGORY, HANDSET, SEGMENT, UNUSED = range(6)
"""Kinds of evidence; NOTHING leaves only how many customers use the item, UNUSED not even that: nobody does."""
PRIOR_WEIGHT = 5.0
LEAST_LIFT = 1.1
"""Below this, a fact is no reason."""
LEAST_CONTACTS = 2
"""Contacts who use the item before they are named as a reason: one alone would tell what that person uses."""
LEAST_OWNERS = 5
"""Owners of a handset who use the item before they are named as a reason."""


@dataclass(frozen=True)
class Ties:
    """What lies around customers, for one kind of item (apps or products), by position.

    used            Ragged (n + 1): items each customer uses or holds, sorted; weight says how much
    share           float32 (items): share of customers who use it
    category        int32 (items), -1 without
    category_share  float32 (categories): share of all uses that fall on the category
    contacts        Ragged (n + 1): whom each customer calls most, most first; those who do not consent are not in it
    handset         int32 (n + 1), -1 unknown
    owners          Ragged (handsets): items used by owners of each, weight = how many
    owner_count     float32 (handsets)
    segment         int32 (n + 1), -1 without
    fit_lift        float32 (segments, items): lift of FITS to the item or its category, 0 without
    fit_category    bool (segments, items): whether that FITS leads to the category
    """

    used: Ragged
    share: np.ndarray
    category: np.ndarray
    category_share: np.ndarray
    contacts: Ragged
    handset: np.ndarray
    owners: Ragged
    owner_count: np.ndarray
    segment: np.ndarray
    fit_lift: np.ndarray
    fit_category: np.ndarray


@dataclass(slots=True)
class Found:
    """The strongest evidence for each (customer, item), arrays of one shape, as EVIDENCE names and types them.

    kind   int8, one of the kinds above
    x, y   int32: x of y contacts, or owners of the handset, use the item; for CATEGORY x of y items used
    other  int32: a contact (position) who uses it, or the item of the category that the customer uses most; else -1
    lift   float32, 1 without evidence
    """

    kind: np.ndarray
    x: np.ndarray
    y: np.ndarray
    other: np.ndarray
    lift: np.ndarray

    def take(self, places: object) -> Found:
        """Only what is at some places, as NumPy indexes an array."""
        return Found(*[getattr(self, name)[places] for name in EVIDENCE])


EVIDENCE = {"kind": np.int8, "x": np.int32, "y": np.int32, "other": np.int32, "lift": np.float32}
"""The columns of `Found`, and their types."""
NO_EVIDENCE = {"other": -1, "lift": 1}
"""What they are without evidence, where that is not 0."""
Fact = tuple[int, int, int, int, float]
"""The evidence for one (customer, item): `kind, x, y, other, lift` as in `Found`."""


def facts_of(found: Found) -> list[Fact]:
    """The evidence for the items of one customer, from arrays (k)."""
    return list(zip(*[getattr(found, name).tolist() for name in EVIDENCE], strict=True))


def strongest(ties: Ties, users: np.ndarray, items: np.ndarray) -> Found:
    """Evidence for `items` (b, k; -1 for none) of `users` (b,)."""
    found = Found(*[np.full(items.shape, NO_EVIDENCE.get(name, 0), kind) for name, kind in EVIDENCE.items()])
    _strongest(
        users.astype(np.int64), items.astype(np.int32),
        ties.used.starts, ties.used.values, ties.used.weights, ties.share, ties.category, ties.category_share,
        ties.contacts.starts, ties.contacts.values, ties.handset, ties.owners.starts, ties.owners.values,
        ties.owners.weights, ties.owner_count, ties.segment, ties.fit_lift, ties.fit_category,
        found.kind, found.x, found.y, found.other, found.lift,
    )  # fmt: skip
    return found


@numba.njit(cache=True, nogil=True)
def _place(values: np.ndarray, low: int, high: int, wanted: int) -> int:
    """Position of `wanted` in values[low:high] (sorted), or -1."""
    end = high
    while low < high:
        middle = (low + high) >> 1
        if values[middle] < wanted:
            low = middle + 1
        else:
            high = middle
    return low if low < end and values[low] == wanted else -1


@numba.njit(cache=True, nogil=True)
def _lift(x: float, y: float, rate: float) -> float:
    rate = max(rate, 1e-6)
    return (x + PRIOR_WEIGHT * rate) / ((y + PRIOR_WEIGHT) * rate)


@numba.njit(cache=True, nogil=True)
def _strongest(
    users, items, used_starts, used, used_weights, share, category, category_share, contact_starts, contacts, handset,
    owner_starts, owned, owner_weights, owner_count, segment, fit_lift, fit_category, kind, xs, ys, other, lift,
):  # fmt: skip
    for b in range(len(users)):
        user = users[b]
        low, high = used_starts[user], used_starts[user + 1]
        for j in range(items.shape[1]):
            item = items[b, j]
            if item < 0:
                continue
            best = LEAST_LIFT
            if share[item] <= 0:
                kind[b, j] = UNUSED
            # contacts who use the item
            x, first = 0, -1
            for c in range(contact_starts[user], contact_starts[user + 1]):
                who = contacts[c]
                if _place(used, used_starts[who], used_starts[who + 1], item) >= 0:
                    x += 1
                    if first < 0:
                        first = who
            y = contact_starts[user + 1] - contact_starts[user]
            if x >= LEAST_CONTACTS:
                value = _lift(x, y, share[item])
                if value > best:
                    best = value
                    kind[b, j], xs[b, j], ys[b, j], other[b, j], lift[b, j] = CONTACTS, x, y, first, value
            # items of the same category that the customer uses
            if category[item] >= 0:
                x, most, heaviest = 0, -1, -1.0
                for c in range(low, high):
                    if used[c] != item and category[used[c]] == category[item]:
                        x += 1
                        if used_weights[c] > heaviest:
                            most, heaviest = used[c], used_weights[c]
                if x > 0:
                    value = _lift(x, high - low, category_share[category[item]])
                    if value > best:
                        best = value
                        kind[b, j], xs[b, j], ys[b, j], other[b, j], lift[b, j] = CATEGORY, x, high - low, most, value
            # owners of the same handset
            phone = handset[user]
            if phone >= 0:
                at = _place(owned, owner_starts[phone], owner_starts[phone + 1], item)
                if at >= 0 and owner_weights[at] >= LEAST_OWNERS:
                    value = _lift(owner_weights[at], owner_count[phone], share[item])
                    if value > best:
                        best = value
                        kind[b, j], xs[b, j], ys[b, j] = HANDSET, owner_weights[at], owner_count[phone]
                        other[b, j], lift[b, j] = -1, value
            # the segment
            if segment[user] >= 0:
                value = fit_lift[segment[user], item]
                if value > best:
                    kind[b, j], xs[b, j], ys[b, j] = SEGMENT, 0, 0
                    other[b, j], lift[b, j] = -1, value
