"""The kernel against a slow reading of the same lists."""

from __future__ import annotations

import numpy as np
import pytest

from matching.arrays import Ragged
from matching.evidence import CATEGORY, CONTACTS, HANDSET, NOTHING, SEGMENT, UNUSED, Ties, strongest
from tests.matching.random_operator import random_operator

EMPTY = Ragged.of(np.array([], np.int64), np.array([], np.int64), rows=12)


def ties(**more) -> Ties:
    """Ten customers, three items in two categories; nothing around anybody unless said."""
    facts = {
        "used": EMPTY,
        "share": np.full(3, 0.2, np.float32),
        "category": np.array([0, 0, 1], np.int32),
        "category_share": np.array([0.5, 0.5], np.float32),
        "contacts": EMPTY,
        "handset": np.full(11, -1, np.int32),
        "owners": EMPTY,
        "owner_count": np.zeros(3, np.float32),
        "segment": np.full(11, -1, np.int32),
        "fit_lift": np.zeros((1, 3), np.float32),
        "fit_category": np.zeros((1, 3), bool),
    }
    return Ties(**{**facts, **more})


def of(around: Ties, item: int) -> tuple[int, int, int, int, float]:
    found = strongest(around, np.array([0]), np.array([[item]], np.int32))
    each = (found.kind, found.x, found.y, found.other)
    return (*(int(a[0, 0]) for a in each), round(float(found.lift[0, 0]), 4))


def test_nothing_around():
    assert of(ties(), 0) == (NOTHING, 0, 0, -1, 1.0)


def test_an_item_that_nobody_uses():
    assert of(ties(share=np.zeros(3, np.float32)), 0)[0] == UNUSED


def test_contacts_who_use_it_the_most_called_first():
    contacts = Ragged.in_order(np.zeros(3, int), np.array([4, 2, 3]), np.array([1, 2, 3]), rows=11)
    used = Ragged.of(np.array([2, 3]), np.array([0, 0]), rows=11)
    # 2 of 3 where one in five uses it: (2 + 5 · .2) / (8 · .2)
    assert of(ties(contacts=contacts, used=used), 0) == (CONTACTS, 2, 3, 2, 1.875)


def test_a_single_contact_is_no_reason():
    contacts = Ragged.of(np.array([0]), np.array([2]), rows=11)
    assert of(ties(contacts=contacts, used=Ragged.of(np.array([2]), np.array([0]), rows=11)), 0)[0] == NOTHING


def test_the_category_names_the_item_used_most():
    category = np.array([0, 0, 0], np.int32)
    used = Ragged.of(np.array([0, 0]), np.array([1, 2]), rows=11, weights=np.array([3.0, 9.0]))
    share = np.array([0.25], np.float32)
    # 2 of 2 where a quarter of all use is in it: (2 + 5 · .25) / (7 · .25)
    assert of(ties(category=category, used=used, category_share=share), 0) == (CATEGORY, 2, 2, 2, 1.8571)


def test_owners_of_the_same_handset():
    handset = np.append(np.zeros(10, np.int32), np.int32(-1))
    owners = Ragged.of(np.array([0]), np.array([0]), rows=1, weights=np.array([8.0]))
    around = ties(handset=handset, owners=owners, owner_count=np.array([10], np.float32))
    assert of(around, 0) == (HANDSET, 8, 10, -1, 3.0)
    few = Ragged.of(np.array([0]), np.array([0]), rows=1, weights=np.array([4.0]))
    assert of(ties(handset=handset, owners=few, owner_count=np.array([4], np.float32)), 0)[0] == NOTHING


def test_the_strongest_wins():
    segment = np.zeros(11, np.int32)
    contacts = Ragged.of(np.array([0, 0, 0]), np.array([2, 3, 4]), rows=11)
    used = Ragged.of(np.array([2, 3]), np.array([0, 0]), rows=11)
    weak = ties(contacts=contacts, used=used, segment=segment, fit_lift=np.full((1, 3), 1.8, np.float32))
    strong = ties(contacts=contacts, used=used, segment=segment, fit_lift=np.full((1, 3), 1.9, np.float32))
    assert of(weak, 0)[0] == CONTACTS
    assert of(strong, 0) == (SEGMENT, 0, 0, -1, 1.9)


@pytest.mark.parametrize("seed", range(3))
def test_ties_are_counted_as_a_slow_reading_counts_them(tmp_path, seed):
    state, _ = random_operator(tmp_path, seed)
    around, customers = state.app_ties, state.customers
    own = [i for i in range(customers.n) if not customers.off_net[i]]
    uses = {i: set(state.used.row(i).tolist()) for i in own}
    for a in range(len(state.apps.ids)):
        assert around.share[a] == pytest.approx(sum(a in uses[i] for i in own) / len(own))
        for h in range(len(state.handsets.ids)):
            owners = [i for i in own if customers.handset[i] == h]
            low, high = around.owners.starts[h], around.owners.starts[h + 1]
            counts = dict(zip(around.owners.values[low:high], around.owners.weights[low:high], strict=True))
            assert counts.get(a, 0) == sum(a in uses[i] for i in owners)
            assert around.owner_count[h] == len(owners)
    for i in own:
        shown = set(around.contacts.row(i).tolist())
        assert len(shown) <= 12
        assert all(customers.consent[c] and not customers.off_net[c] for c in shown)
