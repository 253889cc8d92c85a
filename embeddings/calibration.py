"""Whether .1 means one in ten: expected against seen acceptance on later answers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from embeddings.propensity import chance

BINS = 10
DRAWS = 1000


@dataclass(frozen=True)
class Forecast:
    """Log-odds expected of r later showings, `accepted` what came, `user` (r) whose."""

    log_odds: np.ndarray
    accepted: np.ndarray
    user: np.ndarray

    def losses(self) -> np.ndarray:
        """-log of the chance that was given to what came (r,)."""
        return np.logaddexp(0, self.log_odds) - self.accepted * self.log_odds

    def summary(self) -> dict[str, float]:
        """Log loss, AUC, calibration error, and the acceptance expected on the mean."""
        return {
            "log_loss": round(float(self.losses().mean()), 5),
            "auc": round(self.auc(), 5),
            "ece": round(self.error(), 5),
            "expected": round(float(chance(self.log_odds).mean()), 5),
        }

    def auc(self) -> float:
        """How often an accepted showing was expected more than another one, ties as half; .5 where all came alike.

        >>> Forecast(np.array([0.0, 1.0, 1.0]), np.array([False, False, True]), np.arange(3)).auc()
        0.75
        """
        return above(np.unique(self.log_odds, return_inverse=True)[1], self.accepted, ~self.accepted)

    def reliability(self) -> list[dict[str, float]]:
        """`tenths` of the showings."""
        return tenths(chance(self.log_odds), self.accepted)

    def error(self) -> float:
        """Expected calibration error, the `distance` over the tenths."""
        return distance(self.reliability())


def tenths(expected: np.ndarray, came: np.ndarray) -> list[dict[str, float]]:
    """Tenths of r showings by the chance `expected` (r,) of each: how many, its mean, and that of what `came` (r,)."""
    parts = np.array_split(np.argsort(expected, kind="stable"), BINS)
    return [
        {
            "shown": len(part),
            "expected": round(float(expected[part].mean()), 5),
            "accepted": round(float(came[part].mean()), 5),
        }
        for part in parts
        if len(part)
    ]


def distance(parts: list[dict[str, float]]) -> float:
    """Mean over `tenths` of |expected - accepted|, by showings; 0 without any."""
    shown = sum(part["shown"] for part in parts)
    return sum(part["shown"] * abs(part["expected"] - part["accepted"]) for part in parts) / max(1, shown)


def above(place: np.ndarray, yes: np.ndarray, no: np.ndarray) -> float:
    """How often what weighs `yes` (r,) stands at a higher `place` (r,) than what weighs `no` (r,), ties as half; .5
    without one of both."""
    up, down = np.bincount(place, yes), np.bincount(place, no)
    pairs = up.sum() * down.sum()
    return float(up @ (np.cumsum(down) - down / 2) / pairs) if pairs else 0.5


def gain(one: Forecast, other: Forecast, seed: int) -> tuple[float, list[float]]:
    """How much lower the log loss of `one` is than that of `other` on the same showings, with a 95 % bootstrap
    interval over customers."""
    difference = other.losses() - one.losses()
    who, count = np.unique(one.user, return_inverse=True, return_counts=True)[1:]
    total = np.bincount(who, difference)
    rng = np.random.default_rng(seed)
    drawn = (rng.integers(0, len(total), len(total)) for _ in range(DRAWS))
    means = [float(total[rows].sum() / count[rows].sum()) for rows in drawn]
    return round(float(difference.mean()), 5), [round(float(q), 5) for q in np.quantile(means, [0.025, 0.975])]
