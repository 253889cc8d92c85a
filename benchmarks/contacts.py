"""Call records of a month to contacts: the product against the same aggregation written by hand for DuckDB.

    python -m benchmarks.contacts [--records 20000000 --threads 2 --folder DIR]

Random records (a seventh as many ties as records, half of the numbers customers) are made straight into a lake; 60
million need 3 GB of disk, all of it given back. Each side runs in a process of its own on the same
file. Prints one line of JSON: seconds, of processor time too, peak memory in MB and
rows of each (by hand with and without sorting), and ratios.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from graph.calls import contacts
from lake.settings import Settings
from lake.tables import Lake

MONTH = "2026-05"
BLOCK = 1_000_000
RECORDS_A_USER, RECORDS_A_TIE = 27, 7

BY_HAND = """
COPY (
    SELECT user, contact,
        sum(calls_out)::BIGINT calls_out, sum(calls_in)::BIGINT calls_in,
        sum(seconds_out)::BIGINT seconds_out, sum(seconds_in)::BIGINT seconds_in,
        sum(messages_out)::BIGINT messages_out, sum(messages_in)::BIGINT messages_in,
        bit_count(bit_or(1::BIGINT << dayofmonth(day))) AS days,
        min("at") AS first_at, max("at") AS last_at
    FROM (
        SELECT caller AS user, callee AS contact, day, "at",
            (kind = 'voice')::INT calls_out, 0 calls_in,
            if(kind = 'voice', seconds, 0) seconds_out, 0 seconds_in,
            (kind = 'message')::INT messages_out, 0 messages_in
        FROM read_parquet('{calls}') WHERE answered AND caller <> callee
        UNION ALL
        SELECT callee, caller, day, "at", 0, (kind = 'voice')::INT, 0, if(kind = 'voice', seconds, 0),
            0, (kind = 'message')::INT
        FROM read_parquet('{calls}') WHERE answered AND caller <> callee
    ) GROUP BY ALL {order}
) TO '{out}' (FORMAT parquet, COMPRESSION zstd)
"""


def make(lake: Lake, records: int, seed: int = 1) -> None:
    """Customers and one month of call records, a block at a time."""
    rng = np.random.default_rng(seed)
    numbers = 2 * max(records // RECORDS_A_USER, 10)
    words = np.sort(rng.integers(0, 2**63, numbers).astype(np.uint64))
    names = np.stack([words, rng.integers(0, 2**63, numbers).astype(np.uint64)], axis=1).astype(">u8")
    off_net = rng.random(numbers) < 0.5
    users = _binary(names)
    nothing = pa.nulls(numbers, pa.string())
    known = pa.nulls(numbers, pa.date32())
    columns = {"user": users, "off_net": pa.array(off_net), "kind": nothing.fill_null("person"), "status": nothing}
    customers = pa.table(
        {**columns, "activated_on": known, "left_on": known, "account": pa.nulls(numbers, pa.binary())}
    )
    lake.write("customers", customers)
    lake.write("users", customers.filter(pa.array(~off_net)).select(["user"]))

    ties = max(records // RECORDS_A_TIE, 1)
    caller = rng.integers(0, numbers, ties, dtype=np.int32)
    callee = ((caller + 1 + rng.exponential(40, ties)) % numbers).astype(np.int32)
    path = lake.root / f"calls/month={MONTH}/part-0.parquet"
    path.parent.mkdir(parents=True)
    start = np.datetime64(f"{MONTH}-01", "us").astype(np.int64)
    writer = None
    for first in range(0, records, BLOCK):
        n = min(BLOCK, records - first)
        tie = (rng.random(n) ** 2 * ties).astype(np.int64)
        back = rng.random(n) < 0.4
        one, other = np.where(back, callee[tie], caller[tie]), np.where(back, caller[tie], callee[tie])
        second = np.sort(rng.integers(0, 31 * 86_400, n))
        message = rng.random(n) < 0.22
        seconds = np.where(message, 0, rng.exponential(90, n)).astype(np.int64)
        block = pa.table(
            {
                "caller": _binary(names[one]),
                "callee": _binary(names[other]),
                "at": pa.array(start + second * 1_000_000).cast(pa.timestamp("us")),
                "day": pa.array((start // 86_400_000_000 + second // 86_400).astype(np.int32)).cast(pa.date32()),
                "hour": pa.array((second // 3_600 % 24).astype(np.uint8)),
                "seconds": pa.array(seconds),
                "kind": pa.array(message).cast(pa.int8()).cast(pa.string()).dictionary_encode().cast(pa.string()),
                "answered": pa.array(message | (seconds > 5)),
                "cell": pa.nulls(n, pa.string()),
                "record": pa.nulls(n, pa.string()),
                "call": pa.nulls(n, pa.string()),
            }
        )
        kinds = pa.DictionaryArray.from_arrays(pa.array(message).cast(pa.int8()), pa.array(["voice", "message"]))
        block = block.set_column(block.column_names.index("kind"), "kind", kinds.cast(pa.string()))
        writer = writer or pq.ParquetWriter(path, block.schema, compression="zstd")
        writer.write_table(block)
    assert writer is not None
    writer.close()


def _binary(words: np.ndarray) -> pa.Array:
    """(n, 2) big-endian words as plain binary of 16 bytes."""
    data = np.ascontiguousarray(words)
    offsets = np.arange(0, 16 * len(data) + 1, 16, dtype=np.int32)
    return pa.Array.from_buffers(pa.binary(), len(data), [None, pa.py_buffer(offsets), pa.py_buffer(data)])


def one_side(side: str, root: Path, threads: int) -> dict[str, float]:
    """Run one side in this process."""
    lake = Lake(root)
    out = root.parent / "by-hand.parquet"
    started, worked = time.monotonic(), time.process_time()
    if side == "ours":
        lake.connection.raw_sql(f"SET threads = {threads}")
        contacts.build(lake, Settings(period="month"))
        files = lake.files("contacts") + lake.files("contacts_apart")
    else:
        connection = duckdb.connect(config={"threads": threads})
        order = "ORDER BY user, contact" if side == "sorted" else ""
        connection.execute(BY_HAND.format(calls=lake.files("calls")[0], out=out, order=order))
        files = [out]
    seconds = time.monotonic() - started
    worked = time.process_time() - worked
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    rows = sum(pq.ParquetFile(file).metadata.num_rows for file in files)
    return {"seconds": round(seconds, 2), "cpu_seconds": round(worked, 2), "peak_mb": round(peak), "rows": rows}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=20_000_000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--folder", help="where to work (the system's folder for temporary files)")
    parser.add_argument("--side", choices=("ours", "sorted", "unsorted"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.side:
        print(json.dumps(one_side(given.side, Path(given.folder), given.threads)))
        return
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        root = Path(folder) / "lake"
        make(Lake(root), given.records)
        found = {}
        for side in ("sorted", "unsorted", "ours"):
            command = [sys.executable, "-m", "benchmarks.contacts", "--side", side, "--folder", str(root)]
            done = subprocess.run(
                [*command, "--threads", str(given.threads)], check=True, capture_output=True, text=True
            )
            found[side] = json.loads(done.stdout.splitlines()[-1])
        ratios = {
            f"{what}_over_{side}": round(found["ours"][what] / found[side][what], 2)
            for what in ("seconds", "cpu_seconds")
            for side in ("sorted", "unsorted")
        }
        print(
            json.dumps(
                {"benchmark": "contacts", "on": f"{dt.date.today()}", "records": given.records, **found, **ratios}
            )
        )


if __name__ == "__main__":
    main()
