"""The best apps of one customer by vectors in 8 bits: what `top_k` gives, to the last bit."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.coarse import Coarse, best_apps
from matching.rank import top_k
from matching.scores import app_scores
from tests.matching.random_operator import random_operator


@given(seed=st.integers(0, 2**32 - 1), d=st.integers(1, 40), size=st.sampled_from([0.0, 1e-20, 1e-3, 1.0, 1e6]))
def test_the_error_is_no_less_than_what_is_lost(seed: int, d: int, size: float) -> None:
    rng = np.random.default_rng(seed)
    vectors = (rng.standard_normal((5, d)) * size * 10.0 ** rng.integers(-3, 3, (5, d))).astype(np.float32)
    coarse = Coarse.of(vectors)
    near = coarse.whole * coarse.scale[:, None].astype(np.float64)
    assert (np.linalg.norm(vectors - near, axis=1) <= coarse.error).all()
    assert (coarse.error <= 0.05 * np.sqrt(d) * np.linalg.norm(vectors.astype(np.float64), axis=1)).all()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_as_top_k(tmp_path: Path, seed: int) -> None:
    state, _ = random_operator(tmp_path, seed)
    rng = np.random.default_rng(seed)
    vectors, m, without = state.vectors, len(state.apps.ids), 0
    for user in range(state.customers.n + 1):
        allowed, k = rng.random(m) < rng.random(), int(rng.integers(1, m + 3))
        fold = np.flatnonzero(rng.random(m) < 0.05) if user % 2 else np.array([], np.int64)
        found = best_apps(state.coarse, vectors, state.used, user, allowed, k, fold)
        fit = app_scores(state, np.array([user]), fold=fold)
        if found is None:
            assert fit.exact[0]
            without += 1
            continue
        made_of = {"left": fit.left, "right": vectors.apps, "longest": vectors.longest_app, "added": fit.added}
        items, values = top_k(fit.scores, allowed[None], k, **made_of)
        assert found[0].tolist() == items[0].tolist()
        assert found[1].tobytes() == values[0].tobytes()
    assert 0 < without < state.customers.n
