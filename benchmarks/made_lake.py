"""A lake of random customers, apps, products and ties, made as arrays: quick to fill a graph of any size from.

Counts and shapes are an operator's (long tails of apps, products and contacts, ties mostly among neighbours); what it
says of anybody is meaningless, and no analysis has to run before templates can.
"""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa

from graph.dumbbell.channel_use import SCHEMA as CHANNEL_USE
from lake.tables import Lake
from loaders.customers import SCHEMA as CUSTOMERS
from loaders.feeds import FEEDS

TODAY = dt.date(2026, 7, 1)
PERIODS = ("2026-04", "2026-05", "2026-06")
CITIES, BRANDS, MODELS, PRODUCTS, CHANNELS, CATEGORIES, COMMUNITY, SEGMENT = 40, 12, 600, 60, 20, 40, 120, 2_800
"""How many there are; of communities and segments, how many customers each has."""


def make(lake: Lake, users: int, ties: int, uses: int, apps: int, seed: int = 1) -> None:
    """Write the tables of `users` customers, `ties` in all periods together, `uses` of `apps` apps."""
    rng = np.random.default_rng(seed)
    keys = np.sort(rng.integers(0, 2**62, users, np.uint64)).astype(">u8").repeat(2).reshape(-1, 2)
    pseudonyms = pa.array([row.tobytes() for row in keys], pa.binary())
    _customers(lake, rng, pseudonyms)
    _things(lake, apps)
    _holdings(lake, rng, pseudonyms, uses, apps)
    _ties(lake, rng, pseudonyms, ties // len(PERIODS))
    _found(lake, rng, pseudonyms)


def _customers(lake: Lake, rng: np.random.Generator, users: pa.Array) -> None:
    n = len(users)
    known = {
        "user": users,
        "off_net": rng.random(n) < 0.05,
        "kind": ["person"] * n,
        "status": np.where(rng.random(n) < 0.02, "left", "active"),
        "city": _names("city", _skewed(rng, CITIES, n)),
        "gender": np.where(rng.random(n) < 0.5, "f", "m"),
        "arpu": rng.gamma(2.0, 10.0, n).round(2),
        "contract_until": _days(rng.integers(-400, 700, n)),
        "consent": rng.random(n) < 0.9,
        "no_contact": rng.random(n) < 0.05,
    }
    lake.write("customers", _table(CUSTOMERS, known, n))


def _things(lake: Lake, apps: int) -> None:
    for feed, n, more in (
        (
            "handsets",
            MODELS,
            {"brand": _names("brand", np.arange(MODELS) % BRANDS), "os": ["one", "two"] * (MODELS // 2)},
        ),
        ("apps", apps, {"name": _names("App ", np.arange(apps))}),
        ("products", PRODUCTS, {"kind": ["plan"] * 10 + ["service"] * (PRODUCTS - 10)}),
        ("channels", CHANNELS, {"name": _names("Channel ", np.arange(CHANNELS))}),
    ):
        key = feed.removesuffix("s")
        named = {key: _names(key, np.arange(n)), "model": _names("Model ", np.arange(n))}
        schema = FEEDS[feed].schema
        lake.write(feed, _table(schema, {k: v for k, v in (named | more).items() if k in schema.names}, n))
    category = [_names("category", np.arange(apps) % CATEGORIES), _names("app", np.arange(apps))]
    lake.write("categories", pa.table({"item_kind": ["app"] * apps, "item": category[1], "category": category[0]}))


def _holdings(lake: Lake, rng: np.random.Generator, users: pa.Array, uses: int, apps: int) -> None:
    n = len(users)
    everybody = np.arange(n)
    pairs = np.unique(rng.integers(0, n, int(uses * 1.6)) * apps + _skewed(rng, apps, int(uses * 1.6), 0.8))
    user, app = np.divmod(np.sort(rng.permutation(pairs)[:uses]), apps)
    day = rng.integers(-180, 0, len(user))
    use = {
        "user": users.take(user),
        "app": _names("app", app),
        "at": _moments(day),
        "day": _days(day),
        "sessions": rng.geometric(0.1, len(user)),
        "seconds": rng.integers(10, 10_000, len(user)),
        "mb": rng.gamma(1.0, 20.0, len(user)),
    }
    lake.write_partition("app_usage", "month", "2026-06", _table(FEEDS["app_usage"].schema, use, len(user)))
    owner = np.concatenate([everybody, rng.integers(0, n, n // 2)])
    owned = {
        "user": users.take(owner),
        "handset": _names("handset", _skewed(rng, MODELS, len(owner), 0.6)),
        "since": _days(np.concatenate([rng.integers(-900, -30, n), rng.integers(-1800, -900, n // 2)])),
        "until": _days(np.concatenate([np.full(n, 10_000), np.full(n // 2, -900)]), open_from=10_000),
    }
    lake.write("user_handsets", _table(FEEDS["user_handsets"].schema, owned, len(owner)))
    holder = np.concatenate([everybody, rng.integers(0, n, n)])
    product = np.concatenate([_skewed(rng, 10, n), 10 + _skewed(rng, PRODUCTS - 10, n, 0.8)])
    once = np.unique(holder * PRODUCTS + product)
    held = {
        "user": users.take(once // PRODUCTS),
        "product": _names("product", once % PRODUCTS),
        "since": _days(rng.integers(-900, -1, len(once))),
        "until": _days(np.where(rng.random(len(once)) < 0.2, rng.integers(-200, 200, len(once)), 10_000), 10_000),
    }
    lake.write("subscriptions", _table(FEEDS["subscriptions"].schema, held, len(once)))
    reached = np.unique(rng.integers(0, n, 3 * n) * CHANNELS + _skewed(rng, CHANNELS, 3 * n))
    channel = {
        "user": users.take(reached // CHANNELS),
        "channel": _names("channel", reached % CHANNELS),
        "touches": rng.geometric(0.2, len(reached)),
        "hours": pa.ListArray.from_arrays(np.arange(0, 2 * len(reached) + 1, 2), rng.integers(8, 22, 2 * len(reached))),
        "last_at": _moments(rng.integers(-90, 0, len(reached))),
        "rank": np.arange(len(reached)) - np.searchsorted(reached // CHANNELS, reached // CHANNELS) + 1,
    }
    lake.write("channel_use", _table(CHANNEL_USE, channel, len(reached)))


def _ties(lake: Lake, rng: np.random.Generator, users: pa.Array, ties: int) -> None:
    """Three of four ties are to one of the 60 or so nearest, and last; one is to anybody, and is new every period.

    Only the direction from the smaller pseudonym is written: it is what the graph takes.
    """
    n = len(users)
    weight = np.cumsum(rng.lognormal(0.0, 0.8, n))

    def drawn(count: int) -> np.ndarray:
        return np.minimum(np.searchsorted(weight, rng.random(count) * weight[-1]), n - 1)

    def pairs(start: np.ndarray, end: np.ndarray) -> np.ndarray:
        low, high = np.minimum(start, end), np.maximum(start, end)
        return (low * n + high)[low < high]

    near = drawn(ties)
    lasting = np.unique(pairs(near, (near + rng.geometric(0.03, ties)) % n))
    for period in PERIODS:
        mine = rng.permutation(lasting)[: int(0.75 * ties)]
        far = np.setdiff1d(np.unique(pairs(drawn(int(0.5 * ties)), rng.integers(0, n, int(0.5 * ties)))), mine)
        once = np.sort(np.concatenate([mine, rng.permutation(far)[: ties - len(mine)]]))
        counts = {
            f"{what}_{side}": rng.poisson(3, len(once)) for what in ("calls", "messages") for side in ("out", "in")
        }
        table = {"user": users.take(once // n), "contact": users.take(once % n), **counts}
        table |= {f"seconds_{side}": 60 * counts[f"calls_{side}"] for side in ("out", "in")}
        table |= {"days": rng.integers(1, 28, len(once))}
        table |= {name: _moments(rng.integers(-30, 0, len(once))) for name in ("first_at", "last_at")}
        lake.write_partition("contacts", "period", period, pa.table(table))


def _found(lake: Lake, rng: np.random.Generator, users: pa.Array) -> None:
    n = len(users)
    last = pa.array([PERIODS[-1]] * n)
    community, rank = np.arange(n) // COMMUNITY, rng.permutation(n) + 1
    lake.write("segments", pa.table({"user": users, "segment": _names("segment", np.arange(n) % max(1, n // SEGMENT))}))
    circles = {
        "contacts": rng.poisson(10, n), "lost": rng.poisson(3, n), "strength_lost": rng.random(n),
        "against_self": rng.gamma(9, 1 / 9, n), "against_peers": rng.gamma(9, 1 / 9, n), "p_value": rng.random(n),
        "shrinking": rng.random(n) < 0.01,
    }  # fmt: skip
    lake.write("circles", pa.table({"user": users, "period": last, **circles}))
    named = {"level": np.zeros(n, np.int64), "community": _names("c", community)}
    lake.write("communities", pa.table({"user": users, "period": last, **named}))
    order = np.lexsort((rank, community))
    within = np.empty(n, np.int64)
    within[order] = np.arange(n) % COMMUNITY + 1
    score = {"score": 1 / rank, "rank": rank, "community_rank": within, "reach": rng.integers(1, 1000, n)}
    score |= {"adoptions_led": rng.poisson(1, n), "evidence": rng.random(n)}
    lake.write("leaders", pa.table({"user": users, **score}))


def _table(schema: pa.Schema, columns: dict[str, object], rows: int) -> pa.Table:
    """Those columns in the types of the schema, the others null."""
    given = {name: columns.get(name, pa.nulls(rows, schema.field(name).type)) for name in schema.names}
    return pa.table({name: pa.array(v) if isinstance(v, np.ndarray) else v for name, v in given.items()}).cast(schema)


def _skewed(rng: np.random.Generator, kinds: int, count: int, exponent: float = 1.0) -> np.ndarray:
    """Places 0, 1, … with falling frequency (Zipf)."""
    share = np.cumsum(np.arange(1, kinds + 1) ** -exponent)
    return np.searchsorted(share, rng.random(count) * share[-1])


def _names(prefix: str, places: np.ndarray) -> pa.Array:
    every = pa.array([f"{prefix}{i}" for i in range(int(places.max(initial=0)) + 1)], pa.string())
    return every.take(pa.array(places))


def _days(back: np.ndarray, open_from: int = 10**9) -> pa.Array:
    days = (np.datetime64(TODAY) + back.astype("timedelta64[D]")).astype("datetime64[D]")
    return pa.array(days, pa.date32(), mask=back >= open_from)


def _moments(back: np.ndarray) -> pa.Array:
    return pa.array((np.datetime64(TODAY) + back.astype("timedelta64[D]")).astype("datetime64[us]"), pa.timestamp("us"))
