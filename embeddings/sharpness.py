"""How sharp the trained scorer's negatives are: what a short fit says on held-out use.

Sharper negatives (c > 1 in `embeddings.gnn_training`) keep common apps back. In a large catalogue that helps with what
customers begin to use, more than a random cut shows; in a small one it hurts. On the places of Gowalla, held out by
time, NDCG@20 rises by a sixth from c = 1.22 and τ = .08 to 1.35 and .12; on 150 apps of an operator it falls by an
eighth, and c = 1 is best.
"""

from __future__ import annotations

from embeddings.gnn_training import SHARPNESS, GNNScorer, TrainedVectors
from embeddings.trial import RISK, Trial

SHARPNESSES = (SHARPNESS, 1.0)
"""Tried in a short fit; another than the first has to rank better by a twentieth (`RISK`)."""


def best_sharpness(scorer: GNNScorer, trial: Trial) -> tuple[GNNScorer, TrainedVectors]:
    """`scorer` fitted on the past at the sharpness at which it ranks best for the tuning users, and its vectors."""

    def reached(found: TrainedVectors) -> float:
        return float(trial.quality(trial.with_fallback(found.apps), trial.tuning).ndcg.sum())

    def fitted(sharpness: float) -> tuple[GNNScorer, TrainedVectors]:
        other = scorer.sharpened(sharpness)
        return other, other.fit_all(trial.held.train, cold=False)

    first, *others = SHARPNESSES
    rival = max((reached(fitted(sharpness)[1]), sharpness) for sharpness in others)
    chosen, trained = fitted(first)
    if rival[0] > reached(trained) * RISK:
        del chosen, trained  # everybody's vectors, before those of another fit
        return fitted(rival[1])
    return chosen, trained
