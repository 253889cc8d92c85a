"""How long the templates that marketers ask first take, on a graph of random customers. Prints one line of JSON.

    python -m benchmarks.templates [--users 200000 --ties 3000000 --uses 2000000 --apps 5000] [--folder DIR --keep]

Each template is asked once for what it has to plan, then `--runs` times with other parameters, read to its last row;
medians and the slowest in milliseconds. Apps, products, handsets and so on are drawn among those that have customers.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.made_lake import BRANDS, CITIES, MODELS, PRODUCTS, SEGMENT, TODAY, make
from cypher.catalogue import load
from cypher.parameters import parse_json
from cypher.run import run
from graph.fill import fill
from graph.load import write_scores
from graph.store import Store, open_store
from lake.home import Home
from lake.pseudonyms import to_text
from lake.settings import load_settings
from lake.tables import Lake

LISTED = 500
"""Customers on a list that a template is given."""


def parameters(rng: np.random.Generator, users: list[str], apps: int) -> dict[str, Callable[[], dict[str, Any]]]:
    """What each template is asked."""

    def listed() -> list[str]:
        return [users[i] for i in rng.integers(0, len(users), LISTED)]

    def one(name: str, kinds: int) -> str:
        return f"{name}{rng.integers(0, kinds)}"

    return {
        "target_group": lambda: {
            "city": one("city", CITIES),
            "brand": one("brand", BRANDS),
            "product": one("product", PRODUCTS),
        },
        "reverse_analysis": lambda: {"users": listed()},
        "friends_of_app_users": lambda: {"app": one("app", apps)},
        "friends_of_holders": lambda: {"product": one("product", PRODUCTS)},
        "two_hop_ego": lambda: {"user": users[rng.integers(0, len(users))]},
        "community_leaders": lambda: {"community": one("c", len(users) // 120)},
        "customer_channels": lambda: {"users": listed()},
        "segment_channels": lambda: {"segment": one("segment", max(1, len(users) // SEGMENT))},
        "apps_together": lambda: {"handset": one("handset", MODELS)},
        "shrinking_circles": lambda: {},
    }


def seconds(store: Store, name: str, given: dict[str, Any]) -> tuple[float, int]:
    """Time to the last row, and how many rows."""
    template = load()[name]
    started = time.perf_counter()
    with run(store, template, parse_json(template, given, TODAY), timeout_s=300.0) as result:
        rows = sum(1 for _ in result.rows)
    return time.perf_counter() - started, rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=200_000)
    parser.add_argument("--ties", type=int, default=3_000_000, help="CALLS edges, of three periods together")
    parser.add_argument("--uses", type=int, default=2_000_000, help="USES_APP edges")
    parser.add_argument("--apps", type=int, default=5_000)
    parser.add_argument("--runs", type=int, default=11)
    parser.add_argument("--folder", type=Path, help="where the home is made; a new one by default")
    parser.add_argument("--keep", action="store_true", help="leave the folder, and go on from it the next time")
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="dumbbell-templates-"))
    settings = load_settings(home=folder).model_copy(update={"neo4j_uri": ""})
    home = Home.open(settings, create=True)
    lake = Lake(home.lake)
    try:
        if not lake.has("leaders"):
            make(lake, options.users, options.ties, options.uses, options.apps)
            fill(home, lake, settings)
        found: dict[str, Any] = {"benchmark": "templates", "median_ms": {}, "slowest_ms": {}, "rows": {}}
        with open_store(home, settings) as store:
            write_scores(lake, store)
            for name in ("CALLS", "USES_APP"):
                found[name] = store.read(f"MATCH ()-[r:{name}]->() RETURN count(r) AS n")[0]["n"]
            users = to_text(lake.read("customers", ["user"])["user"]).to_pylist()
            for name, draw in parameters(np.random.default_rng(1), users, options.apps).items():
                for _ in range(3):
                    seconds(store, name, draw())
                asked = [seconds(store, name, draw()) for _ in range(options.runs)]
                found["median_ms"][name] = round(1000 * statistics.median(s for s, _ in asked))
                found["slowest_ms"][name] = round(1000 * max(s for s, _ in asked))
                found["rows"][name] = int(statistics.median(rows for _, rows in asked))
        print(json.dumps(found))
    finally:
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
