"""Feeds of all kinds, whole and damaged, against the readers; prints one line of JSON.

    python -m benchmarks.fuzz [--seconds 60 --seed 1]

Each case writes one feed's rows (good values and bad ones, all spellings of CSV) and loads them:

- as CSV, perhaps with its bytes damaged, in pieces of any size, compared with `benchmarks.plain_reader`;
- a file of the sample operator with its bytes damaged, likewise;
- as Parquet, which must give the lake of the same CSV; or Parquet with its bytes damaged, or with odd types;
- again, which must change nothing.

Never an error outside `DumbbellError`; rows read are taken, quarantined, repeated or withheld; no raw number is in the
quarantine, in the report or in an error's sentence.
"""

from __future__ import annotations

import argparse
import csv
import decimal
import io
import json
import random
import shutil
import string
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks import plain_reader
from benchmarks.plain_reader import Plain, Refused
from lake.errors import DumbbellError
from lake.home import Home
from lake.pseudonyms import Pseudonyms
from lake.settings import load_settings
from lake.tables import Lake
from loaders import csv_reader
from loaders.feeds import FEEDS, Column
from loaders.folder import look_into
from loaders.load import load
from loaders.sample import write_sample

KEY = bytes(range(32))
SECRET = "4915112345"
"""What raw numbers of a case begin with: looked for wherever none may be."""

MEMORY = Path("/dev/shm")
"""Where homes are made when there is such a place: a case waits for no disk."""

GOOD = {
    "number": [
        "110",
        "00431234567",
        "+43 (1) 234-567",
        "0",
        "12345678901",
        SECRET + "678",
        f"+{SECRET[:2]} 15112345/1",
    ],
    "hashed": ["a", "K-1", "漢"],
    "id": ["a", "b", "x1", "0", "a b", 'q"q', "ü"],
    "handset": ["35209900", "35-209900-176148-1", "3520990017614823", "Model X"],
    "text": [
        "a",
        "Bad Homburg",
        "two\nlines",
        "a\r\nb",
        'say "hi"',
        "漢字",
        "a,b",
        " x ",
        "=1+1",
        "\u2028",
        "\U0001f600",
    ],
    "date": ["2026-05-01", "2024-02-29", "1899-12-31", "2026-05-01T00:00:00.000000"],
    "moment": ["2026-05-01T10:00:00Z", "2026-05-01 10:00", "2026-10-25T02:30:00", "2026-05-01T10:00:00.123456+02:00"],
    "date or moment": ["2026-05-01", "2026-05-31T23:30:00Z", "20260501T120000Z", "2026-W18-5T12"],
    "month": ["2026-05", "2026-12"],
    "integer": ["0", "1", "5", "5.0", "12", "0007", "-3"],
    "decimal": ["0", "1.5", ".5", "-0.25", "1e3", "+2", "90.0", "0.1"],
    "boolean": ["true", "false", "TRUE"],
    "choice": [],
    "list": ["a", "a;b", " a ; ;b;", "x1"],
    "url": ["a.example", "https://News.example/a/b?x=1#y", "A.example/ü", "*.example", "me@a.example:80/b/"],
    "condition": ["", "birth_year >= 1990", "city = Bonn and bill.mb > 4", "not (city is empty)"],
}
BAD = [
    *("x", " ", "\t", "\0", "-", "+", ";", "?", "//", "1,5", "2026-13-01", "2026-02-30", "2026-03-29T02:30:00", "NaN"),
    *("inf", "1e999", "9" * 19, "9" * 30, "1234567890123456", SECRET + "x", SECRET + "99999999", f"city = {SECRET}"),
    *(f"{SECRET}77 = 1", "0001-01-01T00:00Z", "9999-12-31T23:59:59Z", "2026-05-01T24:00", "１２", "\u00a0", "\ufeff1"),
    *("nonsense = 1", "(" * 300, "1" * 400, "not " * 500, "2026-05-01T10:00:60Z", "2026-05-01T10:00+25:00", "null"),
]
BYTES = [b'"', b",", b"\n", b"\r", b"\r\n", b"\0", b"\xff", b"\xef\xbb\xbf", b"\xff\xfe", b'""', b'","', b"\x81", b" "]


KINDS = ("csv", "csv", "damaged csv", "damaged csv", "gb18030", "damaged parquet", "typed parquet", "damaged sample")


class Case:
    """One feed's rows as text: `header` (unknown names too), `rows` of cells."""

    def __init__(self, draw: random.Random) -> None:
        self.feed = draw.choice(list(FEEDS))
        columns = [c for c in FEEDS[self.feed].columns if c.required or draw.random() < 0.6]
        draw.shuffle(columns)
        self.header = [c.name for c in columns]
        self.unknown = draw.random() < 0.1
        if self.unknown:
            self.header.insert(draw.randrange(len(columns) + 1), "shoe size")
        share = draw.choice([0, 0.02, 0.2])
        rows = draw.choice([0, 1, 3, 12, 60])
        known = {c.name: c for c in columns}
        self.rows = [[cell(draw, known.get(name), share) for name in self.header] for _ in range(rows)]
        self.month = draw.choice([None, None, "2026-05"]) if FEEDS[self.feed].event else None
        self.zone = draw.choice(["UTC", "Europe/Berlin"])
        self.encoding = "utf-8"

    def name(self, suffix: str) -> str:
        return f"{self.feed}/{self.month}.{suffix}" if self.month else f"{self.feed}.{suffix}"

    def csv(self, draw: random.Random) -> bytes:
        """RFC 4180 in one of its spellings, perhaps with records of other lengths, blank lines, a mark."""
        text = io.StringIO(newline="")
        ending = draw.choice(["\n", "\r\n", "\n", "\r"])
        quoting = draw.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
        odd = draw.random() < 0.1
        for row in [self.header, *self.rows]:
            if odd and draw.random() < 0.1:
                text.write(ending if draw.random() < 0.5 else ending.join(["a,b", ""]))
            careful = quoting if not any("\r" in c for c in row) else csv.QUOTE_ALL
            if len(row) == 1 and not row[0]:
                careful = csv.QUOTE_ALL
            csv.writer(text, lineterminator=ending, quoting=careful).writerow(row)
        raw = text.getvalue()
        if draw.random() < 0.2:
            raw = raw.removesuffix(ending)
        return (("\ufeff" if draw.random() < 0.1 else "") + raw).encode(self.encoding)

    def parquet(self, draw: random.Random) -> bytes:
        table = pa.table({n: pa.array([r[i] for r in self.rows], pa.string()) for i, n in enumerate(self.header)})
        sink = io.BytesIO()
        pq.write_table(table, sink, row_group_size=draw.choice([1, 7, 1000]), compression=draw.choice(["NONE", "zstd"]))
        return sink.getvalue()

    def typed(self, draw: random.Random) -> bytes:
        """The header over columns of types that no operator would send, and some that one would."""
        rows = draw.choice([0, 1, 5])
        sink = io.BytesIO()
        pq.write_table(pa.table({name: odd_column(draw, rows) for name in self.header}), sink)
        return sink.getvalue()


def cell(draw: random.Random, column: Column | None, share: float) -> str:
    if column is None or draw.random() < share:
        return draw.choice([*BAD, "".join(draw.choices(string.printable + "ü漢", k=draw.randrange(6)))])
    if not column.required and draw.random() < 0.2:
        return ""
    return draw.choice(list(column.allowed) or GOOD[column.type])


def odd_column(draw: random.Random, rows: int) -> pa.Array:
    n = draw.randrange(10)
    kinds: list[tuple[pa.DataType, Any]] = [
        (pa.int64(), n),
        (pa.float32(), n / 3),
        (pa.decimal128(38, 10), decimal.Decimal(n)),
        (pa.binary(), b"\xff" if n == 9 else b"4"),
        (pa.binary(3), b"abc"),
        (pa.date64(), 86_400_000 * n),
        (pa.time32("s"), n),
        (pa.duration("s"), n),
        (pa.timestamp("ns", draw.choice([None, "UTC", "Asia/Tokyo"])), 10**18),
        (pa.timestamp("ms"), draw.choice([0, 2**62, -(2**62)])),
        (pa.list_(pa.int32()), [n, None]),
        (pa.list_(pa.list_(pa.string())), [["a"]]),
        (pa.struct([("a", pa.int8())]), {"a": 1}),
        (pa.map_(pa.string(), pa.int8()), [("a", 1)]),
        (pa.dictionary(pa.int8(), pa.string()), "a"),
        (pa.float16(), 1.5),
        (pa.null(), None),
        (pa.bool_(), True),
        (pa.uint64(), 2**64 - 1),
    ]
    kind, value = draw.choice(kinds)
    return pa.array([None if draw.random() < 0.2 else value for _ in range(rows)], kind)


def damaged(draw: random.Random, raw: bytes) -> bytes:
    """A few bytes changed, put in, taken out, repeated or cut off."""
    data = bytearray(raw)
    for _ in range(draw.choice([1, 1, 2, 5])):
        at, to = sorted(draw.randrange(len(data) + 1) for _ in range(2))
        to = min(to, at + draw.choice([1, 4, 1000]))
        match draw.randrange(5):
            case 0:
                data[at:to] = b""
            case 1:
                data[at:at] = draw.choice(BYTES)
            case 2:
                data[at:at] = data[at:to]
            case 3:
                data[at : at + 1] = bytes([draw.randrange(256)])
            case _:
                del data[to:]
    return bytes(data)


def check(holds: bool, what: str) -> None:
    if not holds:
        raise AssertionError(what)


class Bench:
    """A home of its own for one case."""

    def __init__(self, root: Path, case: Case) -> None:
        self.root = root
        (root / "number.key").write_text(KEY.hex())
        self.settings = load_settings(
            home=root / "home", key_file=root / "number.key", timezone=case.zone, encoding=case.encoding
        )
        self.home = Home.open(self.settings, create=True)
        self.lake = Lake(self.home.lake)

    def load(self, name: str, raw: bytes) -> dict[str, Any]:
        """The report's counts of the one feed. Raises DumbbellError."""
        path = self.root / "feeds" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(raw)
        try:
            report = load(self.root / "feeds", self.home, self.settings)
        except DumbbellError as error:
            check(SECRET not in str(error), f"a number in: {error}")
            check(not self.lake.has("customers"), "something of a refused folder was taken")
            raise
        told = json.dumps(report.to_json())
        assert SECRET not in told, f"a number in the report: {told}"
        (counts,) = report.to_json()["feeds"].values()
        together = counts["taken"] + counts["quarantined"] + counts["repeated"] + counts["withheld"]
        assert counts["read"] == together, counts
        assert len(self.quarantine()) == counts["quarantined"], "the quarantine has other rows than the report"
        return {**counts, "changed": report.changed}

    def quarantine(self) -> list[tuple[int, str | None]]:
        tables = [pq.read_table(path) for path in self.home.quarantine.glob("*.parquet")]
        rows = [row for table in tables for row in table.to_pylist()]
        assert SECRET not in repr(rows), "a number in the quarantine"
        return sorted(((row["line"], row["column"]) for row in rows), key=repr)

    def rows(self, feed: str) -> list[str]:
        return sorted(map(repr, self.lake.read(feed).to_pylist())) if self.lake.has(feed) else []


@contextmanager
def bench(case: Case) -> Iterator[Bench]:
    root = Path(tempfile.mkdtemp(prefix="fuzz-", dir=MEMORY if MEMORY.is_dir() else None))
    try:
        yield Bench(root, case)
    finally:
        shutil.rmtree(root)


def compare_csv(case: Case, raw: bytes, same_as: bytes | None) -> None:
    """One file against the plain reader; `same_as` is Parquet that must give the same lake."""
    try:
        wanted: Plain | None = plain_reader.read_csv(
            case.feed, raw, encoding=case.encoding, zone=case.zone, month=case.month
        )
    except Refused:
        wanted = None
    with bench(case) as one:
        try:
            counts = one.load(case.name("csv"), raw)
        except DumbbellError as error:
            check(wanted is None, f"refused: {error}")
            return
        assert wanted is not None, "taken, but the plain reader refuses it"
        assert (counts["read"], counts["withheld"]) == (wanted.read, wanted.withheld), (counts, wanted)
        assert one.quarantine() == sorted(wanted.bad, key=repr), (one.quarantine(), wanted.bad)
        assert counts["values_dropped"] == wanted.dropped, (counts, wanted.dropped)
        found = one.rows(case.feed)
        rows = plain_reader.latest(case.feed, wanted.rows)
        assert found == in_lake(case.feed, rows), "other rows in the lake"
        again = one.load(case.name("csv"), raw)
        assert not again["changed"], "the second load changed something"
        assert one.rows(case.feed) == found
    if same_as is not None:
        with bench(case) as other:
            told = other.load(case.name("parquet"), same_as)
            assert other.rows(case.feed) == found, "Parquet gives another lake than CSV"
            names = ("read", "taken", "quarantined", "values_dropped", "withheld")
            assert [told[n] for n in names] == [counts[n] for n in names], (told, counts)


def in_lake(feed: str, rows: list[dict[str, Any]]) -> list[str]:
    """The plain reader's rows as `Bench.rows` shows them."""
    pseudonyms = Pseudonyms(KEY)
    schema = FEEDS[feed].schema
    columns = {}
    for column in schema:
        values = [row.get(column.name) for row in rows]
        declared = next((c for c in FEEDS[feed].columns if c.lake_name == column.name), None)
        if declared is not None and declared.type in ("number", "hashed"):
            make = pseudonyms.of_numbers if declared.type == "number" else pseudonyms.of_texts
            columns[column.name] = make(pa.array(values, pa.string()))
        else:
            columns[column.name] = pa.array(values, column.type)
    return sorted(map(repr, pa.table(columns, schema=schema).to_pylist()))


def survive(case: Case, raw: bytes) -> None:
    """Parquet that may be refused: with a sentence, or its rows add up."""
    with bench(case) as one:
        try:
            one.load(case.name("parquet"), raw)
        except DumbbellError:
            return
        assert not one.load(case.name("parquet"), raw)["changed"], "the second load changed something"


def one_case(seed: int) -> str:
    """Run the case of a seed; what kind it was. Raises what it finds."""
    draw = random.Random(seed)
    case = Case(draw)
    kind = draw.choice(KINDS)
    csv_reader.CHUNK = draw.choice([16, 300, 1 << 24]) if kind != "gb18030" else 1 << 24  # looked at a piece at a time
    match kind:
        case "damaged sample":
            of_sample(case, draw)
        case "damaged parquet":
            survive(case, damaged(draw, case.parquet(draw)))
        case "typed parquet":
            survive(case, case.typed(draw))
        case "csv":
            state = draw.getstate()
            raw = case.csv(draw)
            whole = plain_cells(case, raw)
            draw.setstate(state)
            compare_csv(case, raw, case.parquet(draw) if whole else None)
        case _:
            case.encoding = "gb18030" if kind == "gb18030" else "utf-8"
            raw = case.csv(draw)
            compare_csv(case, damaged(draw, raw) if kind == "damaged csv" or draw.random() < 0.3 else raw, None)
    return kind


@cache
def sample() -> dict[str, bytes]:
    """The beginnings of a sample operator's files, by name."""
    with tempfile.TemporaryDirectory() as folder:
        write_sample(Path(folder) / "feeds", users=200, months=1, seed=1)
        found = {}
        for files in look_into(Path(folder) / "feeds").files.values():
            raw = files[0].path.read_bytes()
            found[files[0].name] = raw[: raw.find(b"\n", 20_000) + 1 or None] if files[0].name.endswith("csv") else raw
        return found


def of_sample(case: Case, draw: random.Random) -> None:
    """A file of the sample, damaged."""
    name, raw = draw.choice(sorted(sample().items()))
    path = Path(name)
    case.feed = path.parts[0].split(".")[0]
    case.month = path.stem if len(path.parts) > 1 and FEEDS[case.feed].event else None
    raw = damaged(draw, raw)
    if path.suffix == ".csv":
        compare_csv(case, raw, None)
    else:
        survive(case, raw)


def plain_cells(case: Case, raw: bytes) -> bool:
    """Whether the CSV holds exactly the case's cells: no odd record was put in."""
    records = plain_reader.split(plain_reader.decoded(raw, case.encoding))
    return [cells for _, cells in records] == [case.header, *case.rows]


def fuzz(seconds: float, seed: int, cases: int | None = None) -> dict[str, Any]:
    """Run cases for so long (or so many); what failed, with the seed that shows it again."""
    started = time.monotonic()
    kinds: dict[str, int] = {}
    crashes = []
    number = 0
    while time.monotonic() - started < seconds and (cases is None or number < cases):
        of_case = seed * 10**9 + number
        number += 1
        try:
            kind = one_case(of_case)
        except Exception as error:  # noqa: BLE001  whatever it is, it is a find
            kind = "crash"
            crashes.append({"seed": of_case, "error": f"{type(error).__name__}: {error}"[:400]})
            if len(crashes) <= 20:
                traceback.print_exc(limit=-4, file=sys.stderr)
        kinds[kind] = kinds.get(kind, 0) + 1
    return {"cases": number, "kinds": kinds, "crashes": crashes, "seconds": round(time.monotonic() - started, 1)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--case", type=int, help="run the one case of this seed, as a crash names it")
    options = parser.parse_args()
    if options.case is not None:
        print(json.dumps({"benchmark": "fuzz", "case": options.case, "kind": one_case(options.case)}))
        return
    print(json.dumps({"benchmark": "fuzz", "seed": options.seed, **fuzz(options.seconds, options.seed)}))


if __name__ == "__main__":
    main()
