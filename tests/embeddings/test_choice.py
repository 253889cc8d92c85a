"""Which scorer serves, from hand-made figures of 50 users."""

from __future__ import annotations

import numpy as np
import pytest

from embeddings.evaluate import Quality
from embeddings.trial import choose


def figures(**means: float) -> dict[str, Quality]:
    spread = np.linspace(-0.01, 0.01, 50)
    given = {"popularity": 0.1, "segment": 0.1, "filter": 0.2, "gnn": 0.1, "blend": 0.2} | means
    return {name: Quality(20, spread + mean, spread + mean) for name, mean in given.items()}


@pytest.mark.parametrize(
    ("means", "served"),
    [
        ({}, "filter"),
        ({"blend": 0.201}, "blend"),
        ({"blend": 0.201, "gnn": 0.205}, "blend"),
        ({"blend": 0.201, "gnn": 0.22}, "gnn"),
        ({"gnn": 0.209}, "filter"),
        ({"gnn": 0.22}, "gnn"),
        ({"segment": 0.3}, "popularity"),
        ({"popularity": 0.3, "blend": 0.25}, "popularity"),
    ],
)
def test_what_is_served(means, served):
    assert choose(figures(**means), seed=0) == served
