"""P(accepted | customer, offer, channel, place): a logistic regression on what was shown and how it was answered.

log-odds = level + s · log-odds of the smoothed rate (offer in segment) + a · log-odds of the affinity
           + x_u · (w + d_o) + c_channel + v · context

x_u is the customer's portrait with how readily the customer said yes and no so far; d_o, what sets an offer apart, is
held near zero by a ridge. Showings may be weighted by (share of the offer) / (probability that this customer was shown
it), so that who was shown what does not pass for who likes what (Schnabel et al. 2016, "Recommendations as
Treatments"). Ridge and weighting are chosen on later answers, and the log-odds brought to them (Platt 1999).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numba
import numpy as np
import scipy.optimize

RIDGE = 1.0
"""Ridge of all weights but the d_o; that of the smoothed rate is drawn to 1, the others to 0."""
IDENTITY = 10.0
"""Ridge that draws the calibration to 'as it is'."""
MOST_STEPS = 300
PIECE = 1 << 14


@dataclass(frozen=True)
class Samples:
    """r showings in order of time.

    user, offer, channel  int32 (r), -1 where unknown
    numbers               float32 (r, f): x_u as it was then
    rate, affinity        float64 (r): log-odds
    context               float32 (r, c)
    weight                float64 (r)
    accepted              bool (r)
    """

    user: np.ndarray
    offer: np.ndarray
    channel: np.ndarray
    numbers: np.ndarray
    rate: np.ndarray
    affinity: np.ndarray
    context: np.ndarray
    weight: np.ndarray
    accepted: np.ndarray

    def __len__(self) -> int:
        return len(self.offer)

    def take(self, rows: np.ndarray | slice) -> Samples:
        """Only some rows."""
        return Samples(**{name: getattr(self, name)[rows] for name in self.__dataclass_fields__})

    def unweighted(self) -> Samples:
        """The same, each row counting alike."""
        return replace(self, weight=np.ones(len(self)))


@dataclass(frozen=True)
class Propensity:
    """What was learned.

    offers          float64 (o + 1, 1 + f): an offer's level and its weights w + d_o, the last row those of an offer
                    that nobody was shown
    rate, affinity  weights of the two log-odds
    channels        float64 (c): log-odds, 0 on the mean of the showings
    context         float64 (c)
    """

    offers: np.ndarray
    rate: float
    affinity: float
    channels: np.ndarray
    context: np.ndarray

    def log_odds(self, rows: Samples) -> np.ndarray:
        """Log-odds of acceptance (r,) of showings as they were made."""
        found = self.offers[rows.offer, 0] + np.append(self.channels, 0.0)[rows.channel] + rows.context @ self.context
        found += self.rate * rows.rate + self.affinity * rows.affinity
        for o in np.unique(rows.offer):
            mine = rows.offer == o
            found[mine] += rows.numbers[mine] @ self.offers[o, 1:]
        return found

    def calibrated(self, level: float, slope: float) -> Propensity:
        """The same with log-odds `level + slope · log-odds`."""
        offers = self.offers * slope
        offers[:, 0] += level
        return Propensity(offers, self.rate * slope, self.affinity * slope, self.channels * slope, self.context * slope)


def fit(rows: Samples, offers: int, channels: int, ridge: float) -> Propensity:
    """Penalised maximum likelihood by L-BFGS, `ridge` on what sets single offers apart."""
    rows = rows.take(np.argsort(rows.offer, kind="stable"))
    f = rows.numbers.shape[1]
    weight = rows.weight / max(rows.weight.mean() if len(rows) else 1.0, 1e-12)
    usual = np.bincount(rows.channel[rows.channel >= 0], minlength=channels) / max(1, len(rows))
    single = np.stack([np.ones(len(rows)), rows.rate, rows.affinity], axis=1)
    shared = np.hstack([single, rows.context])
    s = shared.shape[1]
    q = s + channels
    drawn_to, stiff = np.zeros(q), np.full(q, RIDGE)
    drawn_to[1], stiff[0] = 1.0, 0.0
    pieces = Pieces.of(rows.offer, offers)
    columns = (shared, np.ascontiguousarray(rows.numbers, np.float32), rows.channel, weight, rows.accepted)

    def loss(point: np.ndarray) -> tuple[float, np.ndarray]:
        theta, w, d = point[:q], point[q : q + f], point[q + f :].reshape(offers, 1 + f)
        through = theta[s:] - usual @ theta[s:]
        sizes = (), (s,), (channels,), (1 + f,)
        value, by_shared, by_channel, by_own = (np.zeros((len(pieces.offer), *size)) for size in sizes)
        own = d + np.append(0.0, w)
        unknown = float(-usual @ theta[s:])
        _evaluated(
            pieces.offer, pieces.ends, *columns, theta[:s], np.append(through, unknown), own,
            value, by_shared, by_channel, by_own,
        )  # fmt: skip
        each = np.zeros((offers, 1 + f))
        np.add.at(each, pieces.offer, by_own)
        total, slope = by_shared.sum(axis=0), by_channel.sum(axis=0)
        told = np.concatenate([total, slope - usual * total[0]]) + stiff * (theta - drawn_to)
        off = (stiff * (theta - drawn_to) ** 2).sum() / 2 + RIDGE * (w**2).sum() / 2 + ridge * (d**2).sum() / 2
        slopes = [told, each.sum(axis=0)[1:] + RIDGE * w, each + ridge * d]
        return value.sum() + off, np.concatenate([part.ravel() for part in slopes])

    start = np.zeros(q + f + offers * (1 + f))
    start[1] = 1.0
    best = scipy.optimize.minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": MOST_STEPS})
    theta, w, d = best.x[:q], best.x[q : q + f], best.x[q + f :].reshape(offers, 1 + f)
    table = np.vstack([d, np.zeros(1 + f)]) + np.append(theta[0] - theta[s:] @ usual, w)
    return Propensity(table, float(theta[1]), float(theta[2]), theta[s:], theta[3:s])


@dataclass(frozen=True)
class Pieces:
    """Rows sorted by offer, in pieces of one offer and at most `PIECE` rows: their sums do not depend on threads.

    `offer` (p) of each, `ends` (p + 1) int64.
    """

    offer: np.ndarray
    ends: np.ndarray

    @classmethod
    def of(cls, offer: np.ndarray, offers: int) -> Pieces:
        """Of the sorted column `offer` (r)."""
        begins = np.searchsorted(offer, np.arange(offers + 1))
        found = [(o, at) for o in range(offers) for at in range(begins[o], begins[o + 1], PIECE)]
        owner = np.array([o for o, _ in found], np.int64)
        return cls(owner, np.array([*(at for _, at in found), begins[-1]], np.int64))


@numba.njit(cache=True, nogil=True, parallel=True, fastmath={"reassoc", "contract"})
def _evaluated(  # type: ignore[no-untyped-def]
    offer, ends, shared, numbers, channel, weight, accepted, theta, through, own,
    value, by_shared, by_channel, by_own,
):  # fmt: skip
    """The loss of each piece of rows and its slopes; the last of `through` (c + 1) is that of an unknown channel."""
    for p in numba.prange(len(offer)):
        mine, loss = own[offer[p]], 0.0
        for r in range(ends[p], ends[p + 1]):
            z = mine[0] + through[channel[r]]
            for k in range(len(theta)):
                z += shared[r, k] * theta[k]
            for k in range(numbers.shape[1]):
                z += numbers[r, k] * mine[1 + k]
            tail = math.exp(-abs(z))
            loss += weight[r] * (max(z, 0.0) + math.log1p(tail) - accepted[r] * z)
            slack = weight[r] * ((1.0 if z > 0 else tail) / (1.0 + tail) - accepted[r])
            for k in range(len(theta)):
                by_shared[p, k] += slack * shared[r, k]
            by_own[p, 0] += slack
            for k in range(numbers.shape[1]):
                by_own[p, 1 + k] += slack * numbers[r, k]
            if channel[r] >= 0:
                by_channel[p, channel[r]] += slack
        value[p] = loss


def calibration(log_odds: np.ndarray, accepted: np.ndarray) -> tuple[float, float]:
    """`(level, slope)` that bring log-odds to what was answered, drawn to (0, 1) by `IDENTITY` where answers are few.

    >>> level, slope = calibration(np.zeros(10_000), np.arange(10_000) < 1_000)  # one in ten, not one in two
    >>> round(level, 1)
    -2.2
    """

    def loss(point: np.ndarray) -> tuple[float, np.ndarray]:
        z = point[0] + point[1] * log_odds
        slack, off = chance(z) - accepted, point - np.array([0.0, 1.0])
        value = (np.logaddexp(0, z) - accepted * z).sum() + IDENTITY * (off**2).sum() / 2
        return value, np.array([slack.sum(), slack @ log_odds]) + IDENTITY * off

    found = scipy.optimize.minimize(loss, np.array([0.0, 1.0]), jac=True, method="L-BFGS-B").x
    return float(found[0]), float(max(found[1], 0.0))


def chance(log_odds: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-log-odds)), without overflow.

    >>> chance(np.array([0.0, -1000.0, 1000.0])).tolist()
    [0.5, 0.0, 1.0]
    """
    return np.asarray(np.exp(-np.logaddexp(0, -log_odds)))


def odds(share: np.ndarray) -> np.ndarray:
    """log(share / (1 - share)) of shares between 0 and 1."""
    return np.asarray(np.log(share) - np.log1p(-share))
