"""The quarantine of a feed over several loads, whatever the pieces in which its rows are found."""

from __future__ import annotations

import hashlib

import pyarrow.parquet as pq
import pytest

from loaders import csv_reader, quarantine


def digest(bench) -> str:
    return hashlib.sha256((bench.home.quarantine / "users.parquet").read_bytes()).hexdigest()


def test_the_quarantine_is_the_same_whatever_the_pieces_and_the_order(
    make_bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows are grouped anew, and sorted by file, each time that a part of a feed is read again."""
    text = "number,star\n" + "".join(f"{'x' if n % 3 else ''}{n},{n % 9}\n" for n in range(500))
    more = "number\n" + "x\n" * 50
    whole, pieces, parts = make_bench(), make_bench(), make_bench()
    whole.load({"users/a.csv": text, "users/b.csv": more})
    monkeypatch.setattr(csv_reader, "CHUNK", 100)
    pieces.load({"users/a.csv": text, "users/b.csv": more})
    monkeypatch.setattr(quarantine, "ROWS_A_GROUP", 1 << 17)
    parts.load({"users/b.csv": more})
    parts.load({"users/a.csv": text})
    parts.load({"users/b.csv": more + "y\n"})
    parts.load({"users/b.csv": more})
    assert digest(whole) == digest(pieces) == digest(parts)
    rows = pq.read_table(whole.home.quarantine / "users.parquet").to_pylist()
    assert [row["line"] for row in rows] == [n + 2 for n in range(500) if n % 3] + list(range(2, 52))
    assert rows[0] == {
        "feed": "users",
        "file": "users/a.csv",
        "row_group": None,
        "line": 3,
        "column": "number",
        "value_class": "letters and digits, length 2",
        "reason": "has a character that is no digit",
    }


def test_rows_are_grouped_in_order(make_bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quarantine, "ROWS_A_GROUP", 7)
    monkeypatch.setattr(csv_reader, "CHUNK", 10)
    bench = make_bench()
    bench.load({"users.csv": "number\n" + "x\n" * 30})
    facts = pq.read_metadata(bench.home.quarantine / "users.parquet")
    assert [facts.row_group(group).num_rows for group in range(facts.num_row_groups)] == [7, 7, 7, 7, 2]
    assert [row[1] for row in bench.quarantine("users")] == list(range(2, 32))


def test_the_report_counts_each_reason_and_places_its_first_row(bench) -> None:
    report = bench.load(
        {
            "bills/a.csv": "number,month\n1,2026-13\nx,2026-05\n1,never\n",
            "bills/b.csv": "number,month\ny,2026-05\n,2026-05\n1\n",
        }
    )
    told = [(row["column"], row["reason"], row["rows"], row["first"]) for row in report.quarantined]
    assert told == [
        ("month", "is no month (YYYY-MM)", 2, "bills/a.csv, line 2"),
        ("number", "has a character that is no digit", 2, "bills/a.csv, line 3"),
        (None, "has 1 fields, the header has 2", 1, "bills/b.csv, line 4"),
        ("number", "is empty", 1, "bills/b.csv, line 3"),
    ]
    assert report.feeds["bills"].quarantined == 6
