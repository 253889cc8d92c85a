"""Readable names, and how they are kept from one run to the next."""

from __future__ import annotations

from collections import Counter

import numpy as np

from lake.tables import Lake


def app_names(lake: Lake, items: np.ndarray) -> np.ndarray:
    """A name for each app, (m,) of text, all different: the catalogue's, with the identifier where it is not unique.

    An app that the catalogue does not name goes by its identifier.
    """
    if not lake.has("apps"):
        return items
    table = lake.read("apps", ["app", "name"])
    named = {app: name for app, name in zip(table["app"].to_pylist(), table["name"].to_pylist(), strict=True) if name}
    names = [named.get(item, item) for item in items]
    often = Counter(names)
    return np.array(
        [name if often[name] == 1 else f"{name} ({item})" for name, item in zip(names, items, strict=True)], object
    )


def kept_names(
    before: np.ndarray, labels: list[str], now: np.ndarray, proposed: list[str], taken: frozenset[str] = frozenset()
) -> list[str]:
    """A name for each group of `now`: that of the group before it that has most of its members here, else the proposed.

    `before` and `now` are the groups of the same members, (n,) of places in `labels` and `proposed`, -1 for none. A
    group before hands its name on where more than half of its members who still are in a group have gone; of several
    such the one with most members in common wins, then the name that sorts first. A proposed name that is `taken`,
    or kept by another group, gets a number.

    >>> kept_names(np.array([0, 0, 0, 1, 1]), ["old", "small"], np.array([1, 1, 0, 1, 1]), ["new", "old"])
    ['new', 'old']
    """
    both = (before >= 0) & (now >= 0)
    pairs, common = np.unique(before[both] * np.int64(len(proposed)) + now[both], return_counts=True)
    former, group = pairs // max(len(proposed), 1), pairs % max(len(proposed), 1)
    members = np.bincount(before[both], minlength=len(labels))
    names: dict[int, str] = {}
    heirs = zip(
        (-common).tolist(), [labels[f] for f in former], group.tolist(), 2 * common > members[former], strict=True
    )
    for _, label, g, most in sorted(heirs):
        if most and label not in taken:
            names.setdefault(g, label)
    used = set(names.values()) | taken
    for g, name in enumerate(proposed):
        if g not in names:
            names[g] = _free(name, used)
            used.add(names[g])
    return [names[g] for g in range(len(proposed))]


def _free(name: str, used: set[str]) -> str:
    number, free = 1, name
    while free in used:
        number += 1
        free = f"{name} ({number})"
    return free
