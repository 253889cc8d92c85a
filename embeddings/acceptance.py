"""Acceptance of offers: learned from earlier answers, measured on later ones, served where that is surely better."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from embeddings.calibration import Forecast, gain
from embeddings.graph import Graph
from embeddings.offer_facts import read_facts
from embeddings.offers import counted
from embeddings.popularity import Segments
from embeddings.portrait import portraits
from embeddings.propensity import Samples, calibration, chance, fit, odds
from embeddings.scorer import Vectors
from embeddings.showings import Showings, affinities, habits, rates, read_showings
from embeddings.split import EPOCH, Split
from embeddings.unshown import Counts, learn_unshown, measure_unshown
from lake.tables import Lake

RIDGES = (30.0, 300.0, 3000.0)
"""Ridges of what sets single offers apart that are tried, each with and without weights."""
LATER = 0.2
"""Share of the showings that come later, where no days do."""
FEW = 50
"""With fewer acceptances than this among the earlier or the later answers nothing is measured, and nothing served."""
MOST_ROWS = 1_000_000
"""Showings that are learned from, the latest."""
MOST_LIKELY = 0.95


@dataclass(frozen=True)
class Setting:
    """What showings mean: the lake's offers with their products' positions (o), -1 for none, and the channels (c)."""

    offers: pa.Array
    product: np.ndarray
    channels: pa.Array


@dataclass(frozen=True)
class Chosen:
    """What was chosen on later answers: the ridge, whether showings are weighted, and the calibration."""

    ridge: float
    weighted: bool
    level: float
    slope: float


@dataclass(frozen=True)
class Trial:
    """What measuring found: `chosen` is None where the model is not served; `affinity` (r) of all showings; `unshown`
    serves offers without responses."""

    showings: Showings
    setting: Setting
    affinity: np.ndarray
    chosen: Chosen | None
    unshown: str
    metrics: dict[str, Any]


def setting(lake: Lake, products: pa.Array) -> Setting:
    """Offers and channels of the lake, sorted; channels also where only offers, use or answers name them."""
    channels = [pa.array([], pa.string())]
    for name in ("channels", "channel_use", "responses", "answers"):
        if lake.has(name):
            channels += lake.scan(name).select("channel").distinct().to_pyarrow()["channel"].chunks
    every = pc.drop_null(pc.unique(pa.chunked_array(channels)))
    every = every.take(pc.sort_indices(every))
    if not lake.has("offers"):
        return Setting(pa.array([], pa.string()), np.zeros(0, np.int64), every)
    table = lake.read("offers", ["offer", "product"]).sort_by("offer")
    place = pc.fill_null(pc.index_in(table["product"].combine_chunks(), value_set=products), -1)
    return Setting(table["offer"].combine_chunks(), place.to_numpy(), every)


def measure(lake: Lake, held: Split, segments: Segments, vectors: Vectors | None, seed: int) -> Trial:
    """Compare the model with the smoothed rates, and with these times twice the affinity, on later answers.

    `vectors` are affinity vectors of `held.train`: they tell of answers from the cutoff on alone. The answers before it
    choose (three quarters teach, one is told); then they teach, with the first half of what came after it, whose last
    half measures.
    """
    place = setting(lake, held.train.nodes.products)
    rows = read_showings(lake, held.train.nodes, segments, place.offers, place.channels)
    r = len(rows)
    days = None if held.cutoff is None else (held.cutoff - EPOCH).days
    first = r if days is None else int(np.searchsorted(rows.at, days * 86_400_000_000))
    affinity = np.zeros(r)
    if vectors is not None:
        affinity[first:] = affinities(rows, vectors, held.train, segments, place.product)[first:]
    start = first if 0 < first < r else r - int(r * LATER)
    cuts = [start * 3 // 4, start, start + (r - start) // 2]
    enough = min(int(rows.accepted[cuts[0] : cuts[1]].sum()), int(rows.accepted[cuts[2] :].sum())) >= FEW
    new = measure_unshown(counts(rows, segments, len(place.offers)), read_facts(lake, place.offers), seed)
    if not enough:
        found = {"shown": r, "accepted": int(rows.accepted.sum()), "served": False, "new": new.metrics}
        return Trial(rows, place, affinity, None, new.served, found)
    numbers = portraits(lake, held.train, rows.user, rows.at, held.cutoff)[1]
    o, c = len(place.offers), len(place.channels)
    early = samples(rows, np.arange(r) < cuts[0], numbers, affinity, segments, o)
    choosing = early.take(slice(cuts[0], cuts[1]))
    best: tuple[float, float, bool, np.ndarray] = (np.inf, RIDGES[0], False, np.zeros(0))
    for weighted in (False, True):
        taught = _latest(early, cuts[0], weighted)
        for ridge in RIDGES:
            expected = fit(taught, o, c, ridge).log_odds(choosing)
            loss = np.average(Forecast(expected, choosing.accepted, choosing.user).losses(), weights=choosing.weight)
            if loss < best[0]:
                best = float(loss), ridge, weighted, expected
    chosen = Chosen(best[1], best[2], *calibration(best[3], choosing.accepted))
    late = samples(rows, np.arange(r) < cuts[2], numbers, affinity, segments, o)
    model = fit(_latest(late, cuts[2], chosen.weighted), o, c, chosen.ridge).calibrated(chosen.level, chosen.slope)
    test = late.take(slice(cuts[2], None))
    log_odds = {
        "rates": test.rate,
        "rates x 2 affinity": odds(np.minimum(2 * chance(test.rate) * chance(test.affinity), MOST_LIKELY)),
        "model": model.log_odds(test),
    }
    forecasts = {name: Forecast(z, test.accepted, test.user) for name, z in log_odds.items()}
    gains = {name: gain(forecasts["model"], forecasts[name], seed) for name in list(log_odds)[:2]}
    served = all(interval[0] > 0 for _, interval in gains.values())
    metrics = {
        "shown": r,
        "accepted": int(rows.accepted.sum()),
        "measured_on": f"the last {len(test)} showings",
        "seen": round(float(test.accepted.mean()), 5),
        "table": {name: forecast.summary() for name, forecast in forecasts.items()},
        "gain": {name: {"log_loss": value, "interval": interval} for name, (value, interval) in gains.items()},
        "reliability": forecasts["model"].reliability(),
        "probabilities": {"logged": round(rows.logged, 5), "estimated": round(1 - rows.logged, 5)},
        "choice": {
            "ridge": chosen.ridge,
            "weighted": chosen.weighted,
            "slope": round(chosen.slope, 5),
            "level": round(chosen.level, 5),
        },
        "served": served,
        "new": new.metrics,
    }
    return Trial(rows, place, affinity, chosen if served else None, new.served, metrics)


def counts(rows: Showings, segments: Segments, offers: int) -> Counts:
    """How often each of `offers` was shown and accepted, by the customer's segment."""
    segment = np.append(segments.of, -1)[rows.user]
    return Counts.of(*counted(rows.offer, segment, rows.accepted, offers, len(segments.names)))


@dataclass(frozen=True)
class Acceptance:
    """What a snapshot holds of it: `arrays`, none where the model is not served, each channel's log-odds (c), and the
    weights of `facts` (`offer_facts`)."""

    arrays: dict[str, np.ndarray]
    channels: pa.Array
    log_odds: np.ndarray
    facts: pa.Table


def learn(lake: Lake, graph: Graph, segments: Segments, trial: Trial) -> Acceptance:
    """What the snapshot serves, learned from all answers."""
    n, o, channels = len(graph.nodes.users), len(trial.setting.offers), trial.setting.channels
    rows, chosen, offers = trial.showings, trial.chosen, trial.setting.offers
    facts = learn_unshown(trial.unshown, counts(rows, segments, o), read_facts(lake, offers), segments.names)
    if chosen is None:
        return Acceptance({}, channels, np.zeros(len(channels)), facts)
    numbers, then = portraits(lake, graph, rows.user, rows.at)
    known = np.ones(len(rows), bool)
    taught = samples(rows, known, then, trial.affinity, segments, o)
    model = fit(_latest(taught, len(rows), chosen.weighted), o, len(channels), chosen.ridge)
    model = model.calibrated(chosen.level, chosen.slope)
    arrays = {
        "offer_users": np.hstack([numbers, habits(rows, known, n)[1]]).astype(np.float32),
        "offer_weights": model.offers,
        "offer_slopes": np.concatenate([[model.rate, model.affinity], model.context]),
    }
    return Acceptance(arrays, channels, model.channels, facts)


def with_log_odds(table: pa.Table, acceptance: Acceptance) -> pa.Table:
    """The snapshot's `channels` with the column `log_odds`, 0 where nothing was learned."""
    place = pc.fill_null(pc.index_in(table["channel"], value_set=acceptance.channels), -1).to_numpy()
    return table.append_column("log_odds", pa.array(np.append(acceptance.log_odds, 0.0)[place]))


def samples(
    rows: Showings, known: np.ndarray, numbers: np.ndarray, affinity: np.ndarray, segments: Segments, offers: int
) -> Samples:
    """Showings as the model reads them, when only the `known` ones (r) were answered."""
    before = habits(rows, known, len(segments.of))[0]
    return Samples(
        user=rows.user,
        offer=rows.offer,
        channel=rows.channel,
        numbers=np.hstack([numbers, before]),
        rate=odds(rates(rows, known, segments, offers)),
        affinity=affinity,
        context=rows.context,
        weight=rows.weight,
        accepted=rows.accepted,
    )


def _latest(rows: Samples, end: int, weighted: bool) -> Samples:
    part = rows.take(slice(max(0, end - MOST_ROWS), end))
    return part if weighted else part.unweighted()
