"""Do small circles point to those who are about to leave? On the sample operator, against what was planted.

    python -m benchmarks.shrinking [--users 20000 --months 6 --seed 1 --calls-per-month 14]

What each customer-period is, by the truth: `sign` (a planted leaver's circle has begun to shrink, before the month of
leaving), `leaving` (that month), `stays` (a circle that shrinks although its customer stays), `dip` (fewer calls to
the same circle), `other`. Prints one line of JSON: for `shrinking` and for the plain rule `halved` (half the own mean
size or less, against peers), over all periods and by period, how many of each kind are flagged, beside how many there
are; `precision` (flagged that are sign, leaving or stays), `recall` of sign and leaving, and `before`: of the leavers
with a sign, how many were flagged in the last period before they left.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import polars as pl

from benchmarks.sample_lake import arguments, loaded
from graph.calls import circles, contacts, lifetimes
from graph.calls.state import Inputs
from lake.clock import today
from lake.home import Home
from loaders.sample.scale import Scale

HALF = 0.5
KINDS = ("sign", "leaving", "stays", "dip", "other")


def planted(feeds: Path, home: Home, periods: list[str]) -> pl.DataFrame:
    """`user, period, kind` and `before`, the last period before a leaver with a sign left; without recycled numbers."""
    truth = feeds / "truth"
    twice = pl.read_csv(truth / "recycled.csv", infer_schema=False)["number"]

    def table(name: str) -> pl.DataFrame:
        rows = (
            pl.read_parquet(truth / f"{name}.parquet")
            if name == "dips"
            else pl.read_csv(truth / f"{name}.csv", infer_schema=False)
        ).filter(~pl.col("number").is_in(twice.implode()))
        return rows.with_columns(user=pl.Series(home.pseudonyms().of_numbers(rows["number"].to_arrow())))

    every = pl.DataFrame({"period": periods})
    leavers = table("leavers").filter(pl.col("shrinks_from").fill_null("") != "").join(every, how="cross")
    leavers = leavers.filter(pl.col("period") >= pl.col("shrinks_from"), pl.col("period") <= pl.col("month"))
    ahead = pl.col("period") < pl.col("month")
    signs = leavers.select(
        "user",
        "period",
        kind=pl.when(ahead).then(pl.lit("sign")).otherwise(pl.lit("leaving")),
        before=ahead & (pl.col("period") == pl.col("period").filter(ahead).max().over("user")),
    )
    last = max(periods)
    stays = table("stay_shrinkers").join(every, how="cross").filter(pl.col("period") >= pl.col("from"))
    stays = stays.filter(
        pl.col("period") < pl.when(pl.col("back_from") > "").then("back_from").otherwise(pl.lit("9999"))
    )
    stays = stays.select("user", "period", kind=pl.lit("stays"), before=pl.lit(False))
    dips = table("dips").filter(pl.col("month") <= last)
    dips = dips.select("user", period="month", kind=pl.lit("dip"), before=pl.lit(False))
    return pl.concat([signs, stays, dips]).unique(["user", "period"], keep="first", maintain_order=True)


def quality(found: pl.DataFrame, flag: pl.Expr) -> dict[str, object]:
    """What is flagged, by kind; precision, recall and how many leavers were found before they left."""
    flagged = found.filter(flag)
    kinds = {kind: flagged.filter(kind=kind).height for kind in KINDS}
    of = {kind: found.filter(kind=kind).height for kind in KINDS}
    right, signs = kinds["sign"] + kinds["leaving"], of["sign"] + of["leaving"]
    ahead = found.filter("before").height
    return {
        "flagged": kinds,
        "precision": round((right + kinds["stays"]) / max(flagged.height, 1), 3),
        "recall": round(right / max(signs, 1), 3),
        "before": round(flagged.filter("before").height / max(ahead, 1), 3),
    }


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--calls-per-month", type=float)
    options = vars(parser.parse_args())
    with tempfile.TemporaryDirectory() as folder:
        scale = Scale(calls_per_month=options["calls_per_month"])
        which = {name: options[name] for name in ("users", "months", "seed")}
        feeds, home, settings, lake = loaded(Path(folder), **which, scale=scale)
        contacts.build(lake, settings)
        circles.build(lake, lifetimes.read(lake, settings.period, today(settings, lake)), Inputs(lake))
        compared = pl.DataFrame(lake.read("circles")).filter(pl.col("shrinking").is_not_null())
        truth = planted(feeds, home, lake.partitions("contacts"))
        found = compared.join(truth, on=["user", "period"], how="left").with_columns(
            pl.col("kind").fill_null("other"), pl.col("before").fill_null(False)
        )
        flags = {"shrinking": pl.col("shrinking"), "halved": (pl.col("against_peers") <= HALF).fill_null(False)}
        periods = {
            period[0]: {
                "of": {kind: rows.filter(kind=kind).height for kind in KINDS},
                **{name: quality(rows, flag)["flagged"] for name, flag in flags.items()},
            }
            for period, rows in found.group_by("period", maintain_order=True)
        }
        whole = {name: quality(found, flag) for name, flag in flags.items()}
        print(json.dumps({"benchmark": "shrinking", **options, **whole, "periods": periods}))


if __name__ == "__main__":
    main()
