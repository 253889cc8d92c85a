"""Do small circles point to those who are about to leave? On the sample operator, against what was planted.

    python -m benchmarks.shrinking [--users 20000 --months 6 --seed 1]

A customer-period is positive from the period in which a planted leaver's circle begins to shrink to that of leaving.
Prints one line of JSON: precision and recall of `shrinking`, and of circles half their size or less, against peers.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

import polars as pl

from graph.calls.analyse import analyse
from lake.home import Home
from lake.settings import load_settings
from lake.tables import Lake
from loaders.load import load
from loaders.sample import write_sample

HALF = 0.5


def planted(feeds: Path, home: Home) -> pl.DataFrame:
    """Pseudonym, first and last period of each planted sign."""
    leavers = pl.read_csv(feeds / "truth" / "leavers.csv", infer_schema=False).filter(pl.col("shrinks_from") != "")
    users = home.pseudonyms().of_numbers(leavers["number"].to_arrow())
    return leavers.select(pl.from_arrow(users).alias("user"), since="shrinks_from", until="month")  # type: ignore[arg-type]


def quality(found: pl.DataFrame, flag: pl.Expr) -> dict[str, float]:
    """Precision and recall of a flag over customer-periods."""
    counts = found.select(both=(flag & pl.col("sign")).sum(), flagged=flag.sum(), signs=pl.col("sign").sum()).row(0)
    both, flagged, signs = counts
    return {"flagged": flagged, "precision": round(both / max(flagged, 1), 3), "recall": round(both / max(signs, 1), 3)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name, value in (("users", 20_000), ("months", 6), ("seed", 1)):
        parser.add_argument(f"--{name}", type=int, default=value)
    options = vars(parser.parse_args())
    with tempfile.TemporaryDirectory() as folder:
        feeds = Path(folder) / "feeds"
        write_sample(feeds, **options)
        settings = load_settings(home=Path(folder) / "home")
        home = Home.open(settings, create=True)
        load(feeds, home, settings)
        lake = Lake(home.lake)
        analyse(lake, settings)
        circles = pl.from_arrow(lake.read("circles")).filter(pl.col("shrinking").is_not_null())  # type: ignore[union-attr]
        found = circles.join(planted(feeds, home), on="user", how="left").with_columns(
            sign=pl.col("period").is_between("since", "until").fill_null(False)
        )
        flags = {"shrinking": pl.col("shrinking"), "halved": (pl.col("against_peers") <= HALF).fill_null(False)}
        print(json.dumps({"benchmark": "shrinking", **options, **{k: quality(found, f) for k, f in flags.items()}}))


if __name__ == "__main__":
    main()
