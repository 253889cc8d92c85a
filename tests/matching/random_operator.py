"""An operator of random facts, to hold kernels and rules against slow ones."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pyarrow as pa

from embeddings.publish import make_current, write_snapshot
from embeddings.snapshot import Snapshot
from lake.home import Home
from lake.settings import load_settings
from lake.tables import Lake
from matching.state import MatchState
from tests.matching.conftest import BINARY, DAY, MOMENT, TEXT, TEXTS, TODAY, table, user, write_contacts

USERS, APPS, OFFERS, PRODUCTS = 60, 40, 12, 8
START = dt.date(2025, 1, 1)


def random_operator(folder: Path, seed: int, capacity: int | None = None) -> tuple[MatchState, list[bytes]]:
    """A state and its on-net customers' pseudonyms."""
    rng = np.random.default_rng(seed)
    settings = load_settings(home=folder / f"home{seed}", today=TODAY)
    home = Home.open(settings, create=True)
    lake = Lake(home.lake)

    def some(values: list, share: float = 0.7) -> list:
        """For each customer one of the values, or null."""
        return [values[int(rng.integers(len(values)))] if rng.random() < share else None for _ in range(USERS)]

    users = [user(i) for i in range(USERS)]
    lake.write(
        "customers",
        pa.table(
            {
                "user": pa.array(users, BINARY),
                "off_net": pa.array(rng.random(USERS) < 0.05),
                "consent": pa.array(rng.random(USERS) < 0.9),
                "no_contact": pa.array(rng.random(USERS) < 0.2),
                "status": pa.array(some(["active", "barred", "left"], 0.5), TEXT),
                "left_on": pa.nulls(USERS, DAY),
                "sim": pa.array(some(["2g", "3g", "4g", "5g"]), TEXT),
                "city": pa.array(some(["Bonn", "Ulm"]), TEXT),
            }
        ),
    )
    lake.write(
        "handsets",
        table(
            {"handset": TEXT, "brand": TEXT, "model": TEXT, "os": TEXT, "network": TEXT},
            *[(f"h{i}", "B", str(i), (None, "android", "iOS")[i % 3], (None, "3g", "5g")[i % 3]) for i in range(6)],
        ),
    )
    lake.write(
        "user_handsets",
        table(
            {"user": BINARY, "handset": TEXT, "since": DAY, "until": DAY},
            *[(u, f"h{rng.integers(8)}", START, None) for u in users if rng.random() < 0.9],
        ),
    )
    apps = [f"a{i:02d}" for i in range(APPS)]
    systems: list = [[], None, ["android"], ["ios"], ["android", "ios"]]
    lake.write(
        "apps",
        table(
            {"app": TEXT, "name": TEXT, "os": TEXTS},
            *[(a, f"App {a}", systems[int(rng.integers(5))]) for a in apps[:-2]],
        ),
    )
    used = sorted({(int(rng.integers(USERS)), int(rng.integers(APPS) ** 2 // APPS)) for _ in range(400)})
    lake.write_partition(
        "app_usage",
        "month",
        "2026-05",
        table(
            {"user": BINARY, "app": TEXT, "at": MOMENT, "day": DAY, "sessions": pa.int64(), "seconds": pa.float64()},
            *[(user(u), apps[a], dt.datetime(2026, 5, 2), dt.date(2026, 5, 2), 1, float(a * 7 % 5)) for u, a in used],
        ),
    )
    products = [f"p{i}" for i in range(PRODUCTS)]
    lake.write(
        "products",
        table(
            {"product": TEXT, "name": TEXT, "kind": TEXT, "needs_network": TEXT, "needs_os": TEXT, "excludes": TEXTS},
            *[
                (
                    p,
                    f"Product {p}",
                    "plan",
                    (None, "4g")[i % 2],
                    (None, "iOS; kaios", "android")[i % 3],
                    [products[(i + 1) % 8]],
                )
                for i, p in enumerate(products)
            ],
        ),
    )
    lake.write(
        "subscriptions",
        table(
            {"user": BINARY, "product": TEXT, "since": DAY, "until": DAY},
            *[(u, products[int(rng.integers(PRODUCTS))], START, None) for u in users if rng.random() < 0.6],
        ),
    )
    kinds = ["sms", "store", "web", "outbound"]
    lake.write(
        "channels",
        table(
            {"channel": TEXT, "name": TEXT, "kind": TEXT, "daily_capacity": pa.int64()},
            *[(k, k, k, capacity) for k in sorted(kinds)],
        ),
    )
    reached = [(u, kinds[int(c)], r) for u in users for r, c in enumerate(rng.permutation(4)[: rng.integers(4)], 1)]
    lake.write("channel_use", table({"user": BINARY, "channel": TEXT, "rank": pa.int64()}, *reached))
    lake.write(
        "offers",
        table(
            {"offer": TEXT, "product": TEXT, "title": TEXT, "script": TEXT, "reason": TEXT, "channels": TEXTS,
             "starts_on": DAY, "ends_on": DAY, "priority": pa.float64(), "value": pa.float64(), "audience": TEXT},
            *[
                (f"o{i:02d}", products[int(rng.integers(PRODUCTS))], f"Offer {i}", None, (None, "because")[i % 2],
                 [kinds[int(c)] for c in rng.permutation(4)[: 1 + rng.integers(3)]],
                 (None, TODAY, TODAY + dt.timedelta(days=1))[i % 3], None, float(i * 10 % 100), float(1 + i % 4),
                 (None, "city = Bonn", "handset.os = android", "bill.mb > 5")[i % 4])
                for i in range(OFFERS)
            ],
        ),
    )  # fmt: skip
    lake.write("segments", table({"user": BINARY, "segment": TEXT}, *[(u, f"s{i % 3}") for i, u in enumerate(users)]))
    lake.write(
        "categories",
        table(
            {"item_kind": TEXT, "item": TEXT, "category": TEXT},
            *[("app", a, f"c{i % 5}") for i, a in enumerate(apps) if i % 7],
            *[("product", p, f"d{i % 3}") for i, p in enumerate(products)],
        ),
    )
    lake.write(
        "fits",
        table(
            {"segment": TEXT, "item_kind": TEXT, "item": TEXT, "lift": pa.float64()},
            *[(f"s{i % 3}", "category", f"c{i}", 1 + i / 3) for i in range(5)],
            *[(f"s{i % 3}", "app", apps[i], 2.0) for i in range(0, 40, 9)],
        ),
    )
    pairs = {(min(a, b), max(a, b)) for a, b in rng.integers(0, USERS, (300, 2)).tolist() if a != b}
    write_contacts(lake, [(a, b, int(rng.integers(1, 5))) for a, b in sorted(pairs)])
    write_random_snapshot(home, users, apps, products, rng, learned=bool(seed % 2))
    state = MatchState.load(home, settings, lake, Snapshot.current(home))
    off_net = state.customers.off_net
    return state, [u for i, u in enumerate(users) if not off_net[i]]


def write_random_snapshot(
    home: Home, users: list[bytes], apps: list[str], products: list[str], rng: np.random.Generator, learned: bool
) -> None:
    """Two thirds of the customers have vectors; some apps are twins; of two offers it is `learned` who accepts them."""
    trained = [u for i, u in enumerate(users) if i % 3]
    n, m, p = len(trained), len(apps), len(products)
    vectors = rng.standard_normal((m, 16)).astype(np.float32)
    vectors[m // 2 :] = vectors[: m - m // 2]
    arrays = {
        "users": np.frombuffer(b"".join(trained), np.uint8).reshape(-1, 16),
        "user_vectors": rng.standard_normal((n, 16)).astype(np.float32) * (rng.random((n, 1)) < 0.9),
        "app_vectors": vectors,
        "app_popularity": (rng.integers(0, 5, m) / 10).astype(np.float32),
        "product_vectors": rng.standard_normal((p, 8)).astype(np.float32),
        "product_user_vectors": rng.standard_normal((n, 8)).astype(np.float32),
        "product_popularity": rng.random(p).astype(np.float32),
        "user_segment": rng.integers(-1, 2, n).astype(np.int32),
        "segment_app_scores": rng.random((2, m)).astype(np.float32),
        "segment_product_scores": rng.random((2, p)).astype(np.float32),
    }
    arrays["user_vectors"] = arrays["user_vectors"].astype(np.float32)
    starts = np.append(0, np.cumsum(rng.integers(0, 4, m)))
    arrays |= {
        "use_starts": np.zeros(n + 1, np.int64),
        "use_apps": np.zeros(0, np.int32),
        "near_starts": starts,
        "near_apps": rng.integers(0, m, starts[-1]).astype(np.int32),
        "near_weights": rng.random(starts[-1], np.float32),
        "user_pull": rng.random(n, np.float32) * (rng.random(n) < 0.8),
        "app_fold": rng.standard_normal((m, 10)).astype(np.float32),
    }
    if learned:
        arrays["offer_users"] = rng.standard_normal((n, 3)).astype(np.float32)
        arrays["offer_weights"] = rng.standard_normal((3, 4))
        arrays["offer_slopes"] = np.array([0.5, 0.3, -0.4, 0.3, 0.2, 0.1, -0.2])
    rates = {"acceptance": pa.float64(), "shown": pa.int64(), "accepted": pa.int64()}
    tables = {
        "apps": pa.table({"app": apps}),
        "products": pa.table({"product": products}),
        "segments": pa.table({"segment": ["s0", "s1"]}),
        "offers": table({"offer": TEXT, "product": TEXT, **rates}, ("o00", "p0", 0.2, 8, 2), ("o01", "p1", 0.1, 9, 1)),
        "offer_segments": table({"offer": TEXT, "segment": TEXT, **rates}, ("o00", "s1", 0.3, 4, 2)),
        "channels": table({"channel": TEXT, **rates, "log_odds": pa.float64()}, ("sms", 0.1, 9, 1, 0.2)),
    }
    make_current(home, write_snapshot(home, arrays, tables, {"seed": "random"}))
