"""Items that stand side by side: of one category at most half, of offers no two for one product, none that excludes
another."""

from __future__ import annotations

from collections import Counter

import numpy as np

from matching.state import MatchState


def mixed(category: np.ndarray, items: np.ndarray, slots: int) -> list[int]:
    """Places of the best items for `slots`, of which no category takes more than half, rounded up, while there are
    others; items without a category are each their own.

    >>> mixed(np.array([1, 1, 1, 2, -1]), np.arange(5), 3), mixed(np.array([1, 1, 1]), np.arange(3), 3)
    ([0, 1, 3], [0, 1, 2])
    """
    most, taken = -(-slots // 2), Counter[int]()
    kept: list[int] = []
    over: list[int] = []
    for j, (item, of) in enumerate(zip(items.tolist(), category.tolist(), strict=True)):
        if item >= 0:
            (over if of >= 0 and taken[of] == most else kept).append(j)
            taken[of] += taken[of] < most
    return sorted([*kept, *over][:slots])


def apart(state: MatchState, items: np.ndarray) -> list[int]:
    """Places of the best offers that can stand side by side: no product twice, none that excludes another."""
    kept: list[int] = []
    barred: set[int] = set()
    for j, item in enumerate(items):
        product = int(state.offers.product[item])
        if item >= 0 and product not in barred:
            kept.append(j)
            barred |= {product, *state.products.excludes.row(product).tolist()}
    return kept
