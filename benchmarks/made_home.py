"""A home of any size with a lake and a snapshot from dice: what matching has to carry, without a load or a training.

`benchmarks.made_lake` makes the lake; here come the snapshot and, for an operator's whole burden, what else a decision
looks at: offers with audiences and channels, what customers answered, what fits segments, neighbours of apps.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa

from benchmarks.made_lake import CATEGORIES, CHANNELS, PRODUCTS, SEGMENT, TODAY, make
from embeddings.publish import make_current, write_snapshot
from graph.dumbbell.fits import SCHEMA as FITS
from lake.home import Home
from lake.pseudonyms import to_text
from lake.settings import load_settings
from lake.tables import Lake
from loaders.feeds import FEEDS

SYSTEMS = (["one"], ["two"], ["one", "two"], ["three"], ["three"], ["three"], ["three"])
SHARES = (0.2, 0.2, 0.1, 0.2, 0.1, 0.1, 0.1)
"""Of the apps, three in ten run on `one` and three in ten on `two`, which all customers' handsets have."""
AUDIENCES = (None, "arpu >= 20", "city in (city0, city1, city2)", "handset.os = one and arpu < 30", "gender = f")
NEAR, NUMBERS, PRODUCT_DIMENSIONS, FITTING = 64, 16, 16, 40
"""Neighbours of an app, numbers of a customer for propensities, dimensions of products, apps that fit a segment."""
ROWS = 1 << 16
"""Customers whose vectors are drawn at a time."""


def make_home(
    root: Path,
    users: int,
    apps: int,
    dimensions: int,
    seed: int = 1,
    *,
    ties: int = 15,
    uses: int = 25,
    offers: int = 0,
) -> tuple[Home, list[str]]:
    """A home with lake and snapshot, and the pseudonyms of those who may be shown apps.

    `ties` and `uses` are for each customer. With `offers`, the whole burden.
    """
    rng = np.random.default_rng(seed)
    home = Home.open(load_settings(home=root), create=True)
    home.pseudonyms(create=True)
    lake = Lake(home.lake)
    make(lake, users, 15 * users, uses * users, apps, seed)
    table = lake.read("apps")
    systems = [SYSTEMS[i] for i in rng.choice(len(SYSTEMS), apps, p=SHARES)]
    place = table.schema.get_field_index("os")
    lake.write("apps", table.set_column(place, "os", pa.array(systems, FEEDS["apps"].schema.field("os").type)))
    if offers:
        _burden(lake, rng, offers)
    make_current(home, make_snapshot(home, dimensions, seed))
    customers = lake.read("customers", ["user", "consent"])
    return home, to_text(customers["user"].filter(customers["consent"])).to_pylist()


def make_snapshot(home: Home, dimensions: int, seed: int) -> str:
    """Write a snapshot of a made home, with all that it may hold where there are offers; returns its id."""
    rng = np.random.default_rng(seed)
    lake = Lake(home.lake)
    customers, names = lake.read("customers", ["user"])["user"], lake.read("apps", ["app"])["app"].to_pylist()
    packed = np.frombuffer(b"".join(customers.to_pylist()), np.uint8).reshape(-1, 16)
    n, m = len(packed), len(names)
    spectrum = np.arange(1, dimensions + 1) ** -0.5
    nothing = np.zeros((0, 1), np.float32)
    arrays = {
        "users": packed,
        "app_vectors": _unit(rng, m, spectrum),
        "app_popularity": np.sort(rng.random(m))[::-1] / 10,
        "product_vectors": nothing,
        "product_user_vectors": np.zeros((n, 1), np.float32),
        "product_popularity": nothing[:, 0],
        "user_segment": np.full(n, -1, np.int32),
        "segment_app_scores": np.zeros((0, m), np.float32),
        "segment_product_scores": np.zeros((0, 0), np.float32),
    }
    text, rates = pa.string(), {"acceptance": pa.float64(), "shown": pa.int64(), "accepted": pa.int64()}
    heads: dict[str, dict[str, pa.DataType]] = {
        "products": {"product": text},
        "segments": {"segment": text},
        "offers": {"offer": text, "product": text, **rates},
        "offer_segments": {"offer": text, "segment": text, **rates},
        "channels": {"channel": text, **rates},
    }
    tables = {name: pa.table({c: pa.array([], kind) for c, kind in head.items()}) for name, head in heads.items()}
    if lake.has("offers"):
        learned = _learned(lake, rng, n, m, dimensions)
        arrays, tables = arrays | learned[0], tables | learned[1]
    with tempfile.TemporaryDirectory(dir=home.root.parent) as folder:  # too many to be drawn in memory
        arrays["user_vectors"] = np.lib.format.open_memmap(Path(folder) / "u.npy", "w+", np.float32, (n, dimensions))
        for at in range(0, n, ROWS):
            arrays["user_vectors"][at : at + ROWS] = _unit(rng, min(ROWS, n - at), spectrum) * 6
        return write_snapshot(home, arrays, tables | {"apps": pa.table({"app": names})}, {"made_by": "dice"})


def _unit(rng: np.random.Generator, rows: int, spectrum: np.ndarray) -> np.ndarray:
    vectors = (rng.standard_normal((rows, len(spectrum)), np.float32) * spectrum).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _burden(lake: Lake, rng: np.random.Generator, offers: int) -> None:
    """Offers, channels of which some hold only so many, two answers for each customer, and what fits segments."""
    users, names = lake.read("customers", ["user"])["user"].combine_chunks(), [f"offer{i}" for i in range(offers)]
    n, kinds, channels = len(users), ["sms", "hotline", "app", "store", "web"], [f"channel{i}" for i in range(CHANNELS)]
    put = {
        "channel": channels,
        "kind": [kinds[i % 5] for i in range(CHANNELS)],
        "daily_capacity": [max(1, n // 20) if i % 4 == 0 else None for i in range(CHANNELS)],
    }
    lake.write("channels", _table("channels", put).sort_by("channel"))
    day = np.datetime64(TODAY)
    put = {
        "offer": names,
        "product": [f"product{i}" for i in rng.integers(0, PRODUCTS, offers)],
        "title": [f"Offer {i}" for i in range(offers)],
        "script": ["Would this be something for you?"] * offers,
        "channels": [[channels[c] for c in rng.permutation(CHANNELS)[: 1 + i % 5]] for i in range(offers)],
        "starts_on": pa.array(day + rng.integers(-90, 5, offers)),
        "ends_on": pa.array(day + rng.integers(-2, 90, offers)),
        "priority": rng.integers(0, 101, offers),
        "value": rng.gamma(2.0, 10.0, offers).round(2),
        "audience": [AUDIENCES[i % len(AUDIENCES)] for i in range(offers)],
    }
    lake.write("offers", _table("offers", put).sort_by("offer"))
    who = np.sort(rng.integers(0, n, 2 * n))
    seconds = -rng.integers(0, 120 * 86_400, len(who))
    at = (np.datetime64(TODAY, "s") + seconds.astype("timedelta64[s]")).astype("M8[us]")
    outcome = pa.array(["shown", "accepted", "refused", "ignored"]).take(
        pa.array(rng.choice(4, len(who), p=[0.5, 0.1, 0.3, 0.1]))
    )
    put = {
        "user": users.take(pa.array(who)),
        "offer": pa.array(names).take(pa.array(rng.integers(0, offers, len(who)))),
        "channel": pa.array([f"channel{i}" for i in range(CHANNELS)]).take(
            pa.array(rng.integers(0, CHANNELS, len(who)))
        ),
        "at": pa.array(at),
        "day": pa.array(at.astype("M8[D]")),
        "outcome": outcome,
        "decision": pa.array([f"decision{i:x}" for i in range(len(who))]),
    }
    for month in sorted(set(at.astype("M8[M]").astype(str).tolist())):
        mine = pa.array(at.astype("M8[M]").astype(str) == month)
        lake.write_partition("responses", "month", month, _table("responses", put).filter(mine))
    segments = sorted(set(lake.read("segments", ["segment"])["segment"].to_pylist()))
    owner = np.repeat(np.arange(len(segments)), FITTING)
    apps = lake.read("apps", ["app"])["app"].combine_chunks()
    put = {
        "segment": pa.array(segments).take(pa.array(owner)),
        "item_kind": pa.array(np.where(np.arange(len(owner)) % 4 == 0, "category", "app")),
        "item": pa.array(
            [
                f"category{rng.integers(0, CATEGORIES)}"
                if i % 4 == 0
                else apps[int(rng.integers(0, len(apps)))].as_py()
                for i in range(len(owner))
            ]
        ),
        "lift": rng.gamma(4.0, 0.5, len(owner)),
    }
    lake.write("fits", pa.table({f.name: put.get(f.name, pa.nulls(len(owner), f.type)) for f in FITS}).cast(FITS))


def _learned(
    lake: Lake, rng: np.random.Generator, n: int, m: int, dimensions: int
) -> tuple[dict[str, np.ndarray], dict[str, pa.Table]]:
    """Arrays and tables of products, segments, offers and neighbours."""
    products, offers, channels = (
        lake.read(f"{name}s", [name])[name].to_pylist() for name in ("product", "offer", "channel")
    )
    segments = sorted(set(lake.read("segments", ["segment"])["segment"].to_pylist()))
    spectrum, (s, p, o) = np.ones(PRODUCT_DIMENSIONS), (len(segments), len(products), len(offers))
    arrays = {
        "product_vectors": _unit(rng, p, spectrum) * 2,
        "product_user_vectors": _unit(rng, n, spectrum),
        "product_popularity": rng.random(p, np.float32),
        "user_segment": (np.arange(n) // SEGMENT % s).astype(np.int32),
        "segment_app_scores": rng.random((s, m), np.float32) / 10,
        "segment_product_scores": rng.random((s, p), np.float32),
        "offer_users": rng.standard_normal((n, NUMBERS), np.float32),
        "offer_weights": np.column_stack([np.full(o + 1, -3.0), rng.normal(0, 0.2, (o + 1, NUMBERS))]),
        "offer_slopes": np.array([0.5, 0.5, -0.2, 0.3, 0.2, 0.1, -0.3]),
        "near_starts": np.arange(m + 1) * min(NEAR, m),
        "near_apps": np.argsort(rng.random((m, 4 * NEAR)), axis=1)[:, : min(NEAR, m)].astype(np.int32).ravel() % m,
        "near_weights": rng.random(m * min(NEAR, m), np.float32) / 4,
        "user_pull": rng.random(n, np.float32) + np.float32(0.1),
        "app_fold": _unit(rng, m, np.arange(1, dimensions + 1) ** -0.5),
        "use_starts": np.zeros(n + 1, np.int64),
        "use_apps": np.zeros(0, np.int32),
    }
    rates = {"acceptance": rng.random(o) / 10, "shown": np.full(o, 100), "accepted": np.full(o, 5)}
    none = {name: pa.array([], kind) for name, kind in (("offer", pa.string()), ("segment", pa.string()))}
    told = {name: values[:1].repeat(len(channels)) for name, values in rates.items()}
    told["log_odds"] = rng.normal(0, 0.3, len(channels))
    tables = {
        "products": pa.table({"product": products}),
        "segments": pa.table({"segment": segments}),
        "offers": pa.table({"offer": offers, "product": lake.read("offers")["product"], **rates}),
        "offer_segments": pa.table({**none, **{name: pa.array([], pa.float64()) for name in rates}}),
        "channels": pa.table({"channel": channels, **told}),
    }
    return arrays, tables


def _table(feed: str, columns: dict[str, object]) -> pa.Table:
    """Those columns in the types of the feed, the others null."""
    schema = FEEDS[feed].schema
    rows = len(columns[schema.names[0]])  # type: ignore[arg-type]
    return pa.table({f.name: columns.get(f.name, pa.nulls(rows, f.type)) for f in schema}).cast(schema)
