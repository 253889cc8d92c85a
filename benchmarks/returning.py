"""Returning customers: what was planted in the sample operator, and 100,000 leavers among two million numbers.

    python -m benchmarks.returning [--users 20000 --months 6 --seed 1] [--leavers 100000 --numbers 2000000]

Prints one line of JSON. Quality of `joint` (as `analyse` does it), `alone` (each pair by itself) and `jaccard` (shared
contacts over all contacts of both, the same periods and new numbers): `first` and `mrr`, the planted pairs at rank 1
and their mean reciprocal rank; `precision` and `recall` of the leavers' best candidates with a score from one half on
(of `jaccard`, as many of the best); `fair` number, mean score and share of true pairs in five bins of best candidates;
`missed` the sum of (score - truth)^2 over all pairs, for each planted one. Who is compared with the leavers depends on
the home's key, so that a figure moves by a hundredth or two from run to run.
"""

from __future__ import annotations

import datetime as dt
import json
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.sample_lake import arguments, loaded
from graph.calls import contacts, lifetimes
from graph.calls.returning import build
from graph.calls.returning.pasts import pasts
from graph.calls.returning.profiles import profiles
from graph.calls.returning.rounds import OVERLAP_DAYS
from graph.calls.returning.seen import seen
from lake.clock import today
from lake.home import Home
from lake.tables import Lake

HALF = 0.5
BLOCK = 60
"""Numbers of a circle of the generated network."""


def planted(feeds: Path, home: Home, lake: Lake) -> pl.DataFrame:
    """Pseudonyms of the planted pairs; of a number that was given on since, those of its former customer."""
    told = pl.read_csv(feeds / "truth" / "returning.csv", infer_schema=False)
    pairs = {
        name: pl.from_arrow(home.pseudonyms().of_numbers(told[column].to_arrow()))
        for name, column in (("user", "number"), ("candidate", "new_number"))
    }
    found = pl.DataFrame(pairs).with_columns(true=True)
    held = pl.from_arrow(lake.read("successions", ["user", "former"])) if lake.has("successions") else None
    if held is None:
        return found
    former = found.join(held, on="user", how="left")  # type: ignore[arg-type]
    return former.with_columns(user=pl.coalesce("former", "user")).drop("former")


def jaccard(lake: Lake, customers: lifetimes.Customers) -> pa.Table:
    """The plain way: shared contacts over all contacts of both, every new number of every leaver."""
    known = seen(lake, customers.periods, customers.positions)
    past = pasts(customers, known, build.SPAN["month"])
    new = build.candidates(lake, customers, known, past, build.SPAN["month"])
    talked = profiles(lake, customers.periods, customers.positions, past.user, past.begins, past.ends)
    theirs = pl.DataFrame({"past": np.repeat(np.arange(len(past.user)), np.diff(talked.starts)), "c": talked.contact})
    theirs = theirs.filter(pl.Series(np.repeat(past.left, np.diff(talked.starts))))
    rows = np.repeat(np.arange(len(new.number)), np.diff(new.talks.starts))
    both = theirs.join(pl.DataFrame({"new": rows, "c": new.talks.contact}), on="c").group_by("past", "new").len()
    left, right, shared = (both[name].to_numpy() for name in ("past", "new", "len"))
    fine = (new.first[right] >= past.end[left] - OVERLAP_DAYS) & (new.number[right] != past.user[left])
    left, right, shared = left[fine], right[fine], shared[fine].astype(np.int64)
    score = shared / (np.diff(talked.starts)[left] + np.diff(new.talks.starts)[right] - shared)
    return build.table(customers, build.Judged(past.user[left], new.number[right], score, shared))


def quality(found: pa.Table, truth: pl.DataFrame, best: int | None = None) -> dict[str, object]:
    """Figures of a table; `best`: how many of the best to take as said, those from one half on by default."""
    rows = pl.from_arrow(found).join(truth, on=["user", "candidate"], how="left")  # type: ignore[union-attr]
    rows = rows.with_columns(pl.col("true").fill_null(False))
    first = rows.filter(pl.col("rank") == 1).sort("score", "user", descending=[True, False])
    said = first.filter(pl.col("score") >= HALF) if best is None else first.head(best)
    bins = first.group_by((pl.col("score") * 5).floor().clip(0, 4).alias("bin")).agg(
        pl.len(), pl.col("score").mean(), pl.col("true").mean()
    )
    true = rows.filter("true")
    squares = ((rows["score"] - rows["true"].cast(pl.Float64)) ** 2).sum() + truth.height - true.height
    return {
        "first": round(true.filter(pl.col("rank") == 1).height / truth.height, 3),
        "mrr": round(float((1 / true["rank"]).sum()) / truth.height, 3),
        "said": said.height,
        "precision": round(float(said["true"].sum()) / max(said.height, 1), 3),
        "recall": round(float(said["true"].sum()) / truth.height, 3),
        "missed": round(float(squares) / truth.height, 3),
        "fair": [[n, round(score, 3), round(share, 3)] for _, n, score, share in bins.sort("bin").rows()],
    }


def on_sample(folder: Path, options: dict[str, int]) -> dict[str, object]:
    feeds, home, settings, lake = loaded(folder, **options)
    contacts.build(lake, settings)
    customers = lifetimes.read(lake, settings.period, today(settings, lake))
    truth = planted(feeds, home, lake)
    joint = quality(build.returning(lake, customers), truth)
    return {
        **options,
        "planted": truth.height,
        "joint": joint,
        "alone": quality(build.returning(lake, customers, joint=False), truth),
        "jaccard": quality(jaccard(lake, customers), truth, int(str(joint["said"]))),
    }


def made(folder: Path, leavers: int, numbers: int, seed: int = 1) -> tuple[Lake, lifetimes.Customers]:
    """A lake of three months: circles of 60 numbers, half of them on-net, a third of all new after the first month, and
    `leavers` who leave at the end of the first or second; half of those have a new number, for three ties in four."""
    rng = np.random.default_rng(seed)
    lake = Lake(folder / "made")
    months = ["2026-04", "2026-05", "2026-06"]
    on_net = rng.random(numbers) < HALF
    begins = np.where(rng.random(numbers) < 1 / 3, rng.integers(1, 3, numbers), 0)
    ends = np.full(numbers, 2)
    gone = rng.choice(np.flatnonzero(on_net & (begins == 0)), leavers, replace=False)
    ends[gone] = rng.integers(0, 2, leavers)
    a = np.repeat(np.arange(numbers), 4)
    b = np.minimum(a // BLOCK * BLOCK + rng.integers(0, BLOCK, len(a)), numbers - 1)
    far = rng.random(len(a)) < 0.2
    b[far] = rng.integers(0, numbers, far.sum())
    new = np.full(numbers, -1)
    back = gone[: leavers // 2]
    new[back] = rng.choice(np.flatnonzero(begins > 0), len(back), replace=False)
    begins[new[back]] = ends[back] + 1
    goes_on = (new[a] >= 0) & (rng.random(len(a)) < 0.75)
    a, b = np.r_[a, new[a][goes_on]], np.r_[b, b[goes_on]]
    kept = (a != b) & (on_net[a] | on_net[b])
    low, high = np.minimum(a, b)[kept], np.maximum(a, b)[kept]
    ties = np.unique(low * numbers + high)
    users = np.zeros((numbers, 2), ">u8")
    users[:, 0] = np.arange(numbers) * np.uint64(2**64 // numbers)
    names = pa.Array.from_buffers(pa.binary(16), numbers, [None, pa.py_buffer(users.tobytes())]).cast(pa.binary())
    for place, month in enumerate(months):
        low, high = np.divmod(ties[rng.random(len(ties)) < 0.8], numbers)
        there = (np.maximum(begins[low], begins[high]) <= place) & (place <= np.minimum(ends[low], ends[high]))
        low, high = low[there], high[there]
        calls = 1 + rng.poisson(2, len(low))
        day = dt.datetime(2026, 4 + place, 1)
        first = np.datetime64(day, "us") + rng.integers(0, 15 * 86_400, len(low)).astype("m8[s]")
        last = first + rng.integers(0, 14 * 86_400, len(low)).astype("m8[s]")
        one, other = np.r_[low, high], np.r_[high, low]
        order = np.lexsort((other, one))
        zero = np.zeros(2 * len(low), np.int64)
        columns = {
            "user": names.take(pa.array(one[order])),
            "contact": names.take(pa.array(other[order])),
            "calls_out": np.r_[calls, zero[: len(low)]][order],
            "calls_in": np.r_[zero[: len(low)], calls][order],
            **dict.fromkeys(("seconds_out", "seconds_in", "messages_out", "messages_in", "days"), zero),
            **{name: np.r_[values, values][order] for name, values in (("first_at", first), ("last_at", last))},
        }
        path = lake.root / f"contacts/period={month}/part-0.parquet"
        path.parent.mkdir(parents=True)
        pq.write_table(pa.table(columns, schema=contacts.SCHEMA), path, compression="zstd", row_group_size=1 << 20)
    left_on = np.array([np.datetime64("2026-05-01"), np.datetime64("2026-06-01"), np.datetime64("NaT")])[ends]
    customers = {
        "user": names,
        "off_net": ~on_net,
        "kind": pa.array(["person"]).take(pa.array(np.zeros(numbers, np.int64))),
        "status": pa.nulls(numbers, pa.string()),
        "activated_on": pa.nulls(numbers, pa.date32()),
        "left_on": pa.array(left_on.astype("M8[D]")),
        "account": pa.nulls(numbers, pa.binary()),
    }
    lake.write("customers", pa.table(customers))
    return lake, lifetimes.read(lake, "month", dt.date(2026, 7, 1))


def at_scale(folder: Path, leavers: int, numbers: int) -> dict[str, object]:
    lake, customers = made(folder, leavers, numbers)
    build.returning(*made(folder / "small", 50, 1000))  # compiled
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started, cpu = time.perf_counter(), time.process_time()
    found = build.returning(lake, customers)
    return {
        "leavers": int((customers.gone & customers.on_net).sum()),
        "numbers": numbers,
        "contacts": sum(pq.read_metadata(file).num_rows for file in lake.files("contacts")),
        "rows": found.num_rows,
        "seconds": round(time.perf_counter() - started, 1),
        "cpu_seconds": round(time.process_time() - cpu, 1),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "peak_mb_before": before // 1024,
    }


def main() -> None:
    parser = arguments(__doc__)
    for name, value in (("leavers", 100_000), ("numbers", 2_000_000)):
        parser.add_argument(f"--{name}", type=int, default=value)
    options = vars(parser.parse_args())
    scale = {name: options.pop(name) for name in ("leavers", "numbers")}
    with tempfile.TemporaryDirectory() as folder:
        found = {"sample": on_sample(Path(folder), options)} if options["users"] else {}
        if scale["numbers"]:
            found["scale"] = at_scale(Path(folder), **scale)
        print(json.dumps({"benchmark": "returning", **found}))


if __name__ == "__main__":
    main()
