"""Which loss the trained scorer learns by: what blends of short fits say on held-out use.

What customers begin to use is not always like what they used. Warm and sharp negatives keep common apps back: on the
places of Gowalla, held out by time, the trained scorer alone is 8 % better with them and a blend no worse; held out at
random the blend is 3 % worse; on 150 apps of an operator only negatives that are not sharp at all help. So it is tried.
"""

from __future__ import annotations

from embeddings.batches import Loss
from embeddings.gnn_training import GNNScorer, TrainedVectors
from embeddings.scorer import Vectors
from embeddings.trial import Trial

LOSSES = (Loss(), Loss(0.12, 1.35, 0.5), Loss(0.12, 1.0, 0.5))
"""Tried in a short fit each; of equally good ones the first."""
LARGEST = 500_000
"""Customers beyond whom the first stands untried: every fit and blend is of all of them, which takes minutes."""


def best_loss(scorer: GNNScorer, trial: Trial, filtered: Vectors) -> tuple[GNNScorer, TrainedVectors, float, Vectors]:
    """`scorer` fitted on the past by the loss whose blend with the filter ranks best for the tuning users, its vectors,
    their weight in the blend, and the blend."""

    found: tuple[GNNScorer, TrainedVectors, float, Vectors] | None = None
    best = -1.0
    for loss in LOSSES if len(trial.held.train.nodes.users) <= LARGEST else LOSSES[:1]:
        other = scorer.told(loss)
        trained = other.fit_all(trial.held.train, cold=False)
        weight, blend = trial.best_blend(filtered, trained.apps)
        reached = float(trial.quality(trial.with_fallback(blend), trial.tuning).ndcg.sum())
        if found is None or reached > best:
            best, found = reached, (other, trained, weight, blend)
    assert found is not None  # there is a first loss
    return found
