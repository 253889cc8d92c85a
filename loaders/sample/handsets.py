"""Handset models of invented makers, who holds which, and who changed to which."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from loaders.sample.calendar import ALWAYS, Calendar
from loaders.sample.draws import weighted_rows
from loaders.sample.lifecycle import Life
from loaders.sample.people import SIM_BOX, People
from loaders.sample.streams import Streams

MODELS = 150
SYSTEMS = ("android", "ios", "basic")
NETWORKS = ("2g", "3g", "4g", "5g")
_MAKERS = ("Norvane", "Pomelo", "Kestria", "Huanolo", "Zephtel", "Ambrio", "Tarkin", "Owlite", "Sundrop")
_MAKER_SYSTEM = np.array([0, 1, 0, 0, 0, 0, 0, 0, 2])
_MAKER_SHARE = np.array([0.22, 0.2, 0.13, 0.14, 0.09, 0.08, 0.06, 0.04, 0.04])
_MAKER_PRICE = np.array([420, 880, 330, 190, 150, 260, 210, 120, 45])


@dataclass(frozen=True)
class Models:
    tac: list[str]
    maker: np.ndarray
    system: np.ndarray
    network: np.ndarray
    price: np.ndarray
    released: np.ndarray  # days from the first day
    popularity: np.ndarray
    table: pa.Table


@dataclass(frozen=True)
class Holdings:
    """`model`: the handset held at first, `changed_on` and `next_model` (-1: no change) within the months;
    `propensity` is the true monthly chance of a change that all but leavers' cheaper handsets were drawn from.
    """

    model: np.ndarray
    since: np.ndarray
    former: np.ndarray  # a model held before `model`; -1 unknown
    former_since: np.ndarray
    changed_on: np.ndarray
    next_model: np.ndarray
    propensity: np.ndarray


def make_models(streams: Streams, calendar: Calendar) -> Models:
    """150 models. TACs begin with 00, which is for test equipment."""
    rng = streams("handsets")
    maker = np.sort(rng.choice(len(_MAKERS), MODELS, p=_MAKER_SHARE))
    maker[: len(_MAKERS)] = np.arange(len(_MAKERS))
    released = -rng.integers(30, 365 * 6, MODELS)
    system = _MAKER_SYSTEM[maker]
    price = np.maximum(19, np.round(_MAKER_PRICE[maker] * rng.lognormal(0, 0.35, MODELS))) - 0.01
    modern = 2 + ((released > -900) & (price > 180)) - (system == 2) * (1 + (price < 35))
    number = rng.permutation(900_000)[:MODELS] + 100_000
    tac = [f"00{n:06d}" for n in number]
    table = pa.table(
        {
            "handset": tac,
            "brand": [_MAKERS[m] for m in maker],
            "model": [f"{_MAKERS[m][:1]}{n % 97 + 3} {'Lite' if p < 200 else 'Pro'}-{i}" for i, (m, n, p) in enumerate(
                zip(maker, number, price, strict=True))],
            "os": [SYSTEMS[s] for s in system],
            "os_version": [str(int(v)) for v in np.where(system == 0, 16 + released // 365, np.where(system == 1,
            26 + released // 365, 2))],
            "network": [NETWORKS[n] for n in modern],
            "screen_inches": np.round(np.where(system == 2, rng.uniform(1.8, 2.8, MODELS), rng.uniform(5.4, 6.9,
            MODELS)), 1),
            "price": price,
            "released_on": calendar.dates(released),
        }
    )  # fmt: skip
    popularity = rng.lognormal(0, 0.9, MODELS)
    return Models(tac, maker, system, modern, price, released, popularity, table)


def _choose_model(
    rng: np.random.Generator, models: Models, people: People, who: np.ndarray, system: np.ndarray | None = None
) -> np.ndarray:
    """A model near what income and age would spend; of one system where given."""
    old = people.birth_year[who].astype(int) < np.median(people.birth_year) - 18
    cell = (people.income[who].astype(int) - 1) * 2 + old
    target = np.log(110 * 1.55 ** np.repeat(np.arange(5), 2)) - 0.35 * np.tile([0, 1], 5)
    weight = models.popularity * np.exp(-((np.log(models.price)[None, :] - target[:, None]) ** 2) / 0.7)
    weight *= np.where(models.system == 2, 0.3, 1.0)
    if system is not None:
        weight = np.concatenate([weight * (models.system == s) + 1e-12 * (models.system == s) for s in range(3)])
        cell = cell + 10 * system
    return weighted_rows(rng, weight, cell)


def make_holdings(streams: Streams, calendar: Calendar, people: People, life: Life, models: Models) -> Holdings:
    """Who holds what. Chance of a change in a month: 1.2 %, times the handset's age, gadget taste and contract end."""
    rng = streams("holdings")
    n = people.n
    everybody = np.arange(n)
    first = _choose_model(rng, models, people, everybody)
    root = people.first_number
    first = np.where((root != everybody) & (rng.random(n) < 0.4), first[root], first)
    boxes = people.fake == SIM_BOX
    first[boxes] = int(np.flatnonzero(models.system == 0)[0])
    since = np.maximum(-1 - np.floor(rng.exponential(480, n)).astype(int), models.released[first])
    since = np.where(people.since[:n] > -30, np.maximum(since, people.since[:n]), since)
    former = np.where((rng.random(n) < 0.25) & (since < 0), _choose_model(rng, models, people, everybody), -1)
    former_since = since - rng.integers(200, 900, n)

    keen = rng.lognormal(0, 0.7, n)
    ends = (people.contract_until > -30) & (people.contract_until < calendar.days + 60)
    propensity = 0.012 * keen * np.clip(-since / 500, 0.15, 3) * np.where(ends, 1.8, 1)
    propensity = np.clip(np.where(people.ordinary, propensity, 0), 0, 0.5)
    changed_on = np.full(n, ALWAYS)
    month = np.floor(rng.exponential(1, n) / np.maximum(-np.log1p(-propensity), 1e-9))
    hit = np.flatnonzero(month < calendar.months)
    at = month[hit].astype(int)
    changed_on[hit] = calendar.first[at] + np.floor(rng.random(len(hit)) * np.diff(calendar.bounds)[at])
    drops = np.flatnonzero(life.cheaper & (life.leave_month - 1 < calendar.months) & (life.leave_month > 1))
    changed_on[drops] = calendar.first[life.leave_month[drops] - 1] + rng.integers(0, 27, len(drops))
    active = (changed_on > np.maximum(people.since[:n], since)) & (changed_on < people.until[:n])
    changed_on = np.where(active, changed_on, ALWAYS)

    moving = np.flatnonzero(changed_on != ALWAYS)
    following = np.full(n, -1)
    following[moving] = _choose_model(rng, models, people, moving, models.system[first[moving]])
    cheap = np.flatnonzero(life.cheaper & (changed_on != ALWAYS))
    order = np.lexsort((models.price, models.system))
    rank = np.empty(MODELS, np.int64)
    rank[order] = np.arange(MODELS)
    lowest = np.searchsorted(models.system[order], models.system[first[cheap]])
    down = lowest + np.floor(rng.random(len(cheap)) ** 0.8 * np.maximum(1, (rank[first[cheap]] - lowest) * 0.5)).astype(
        int
    )
    following[cheap] = order[down]
    same = following == first
    changed_on[same], following[same] = ALWAYS, -1
    return Holdings(first, since, former, former_since, changed_on, following, propensity)


def holdings_table(
    streams: Streams, calendar: Calendar, people: People, models: Models, held: Holdings, number: pa.Array
) -> pa.Table:
    """The feed `user_handsets`; one handset in five is given as an IMEI of 15 digits."""
    rng = streams("user_handsets")
    n = people.n
    last = np.where(people.until[:n] < calendar.days, people.until[:n], ALWAYS)
    had, moved = np.flatnonzero(held.former >= 0), np.flatnonzero(held.next_model >= 0)
    user = np.concatenate([had, np.arange(n), moved])
    model = np.concatenate([held.former[had], held.model, held.next_model[moved]])
    since = np.concatenate([held.former_since[had], held.since, held.changed_on[moved]])
    until = np.concatenate([held.since[had], np.where(held.next_model >= 0, held.changed_on, last), last[moved]])
    serial = rng.integers(0, 10_000_000, len(user))
    imei = rng.random(len(user)) < 0.2
    tac = pa.array(models.tac).take(pa.array(model))
    tail = pa.array(10_000_000 + serial).cast(pa.string())
    whole = pc.binary_join_element_wise(tac, pc.utf8_slice_codeunits(tail, 1, 8), "")
    return pa.table(
        {
            "number": number.take(pa.array(user)),
            "handset": pc.if_else(pa.array(imei), whole, tac),
            "since": calendar.dates(since),
            "until": calendar.dates(until),
        }
    )
