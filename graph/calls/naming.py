"""Names of communities, kept from period to period by overlap."""

from __future__ import annotations

import numpy as np

SAME = 0.2
"""Jaccard overlap from which on a community keeps the name of the last period's."""


def canonical(labels: np.ndarray) -> np.ndarray:
    """Labels renumbered 0, 1, ... in the order of each community's first member; -1 (in none) stays.

    >>> canonical(np.array([7, -1, 3, 7]))
    array([ 0, -1,  1,  0])
    """
    found, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    order = np.where(found < 0, len(labels), first)
    number = np.empty(len(found), np.int64)
    number[np.argsort(order, kind="stable")] = np.arange(len(found))
    number[found < 0] = -1
    return number[inverse]


def carry_names(labels: np.ndarray, old_names: np.ndarray, next_name: int) -> tuple[np.ndarray, int]:
    """Give this period's communities names: the last period's where they overlap, new ones elsewhere.

    Pairs of an old and a new community are taken by falling overlap (members of both / members of either), each
    community once, down to `SAME`; so of a split the larger part keeps the name, and of a merger the larger
    partner gives it. Ties go to the older name.

    Parameters: `labels` (n,) this period's communities, `canonical`; `old_names` (n,) the last period's names; -1
    in none. `next_name` is the first name not used in any period before. Returns names (n,) and the new `next_name`.

    >>> carry_names(np.array([0, 0, 1, 1, 1]), np.array([5, 5, 5, 9, 9]), 10)
    (array([5, 5, 9, 9, 9]), 10)
    """
    count = int(labels.max(initial=-1)) + 1
    size = np.bincount(labels[labels >= 0], minlength=count)
    names = np.full(count, -1, np.int64)
    both = (labels >= 0) & (old_names >= 0)
    if both.any():
        pairs, common = np.unique(np.stack([labels[both], old_names[both]]), axis=1, return_counts=True)
        old, old_size = np.unique(old_names[old_names >= 0], return_counts=True)
        either = size[pairs[0]] + old_size[np.searchsorted(old, pairs[1])] - common
        overlap = common / either
        used: set[int] = set()
        for pair in np.lexsort((pairs[0], pairs[1], -overlap)):
            if overlap[pair] < SAME:
                break
            mine, name = int(pairs[0, pair]), int(pairs[1, pair])
            if names[mine] < 0 and name not in used:
                names[mine] = name
                used.add(name)
    new = np.flatnonzero(names < 0)
    names[new] = next_name + np.arange(len(new))
    return np.where(labels >= 0, names[np.maximum(labels, 0)] if count else -1, -1), next_name + len(new)
