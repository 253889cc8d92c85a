"""Some cases of the fuzzer, and the plain reader that it trusts, on rows whose answer is known."""

from __future__ import annotations

import pytest

from benchmarks.fuzz import fuzz, one_case
from benchmarks.plain_reader import Refused, latest, read_csv


def test_the_readers_agree_with_plain_python_on_feeds_of_all_kinds() -> None:
    found = fuzz(seconds=600, seed=7, cases=120)
    assert found["crashes"] == []
    assert found["cases"] == 120


def test_a_case_repeats_itself() -> None:
    assert one_case(12) == one_case(12)


def test_the_plain_reader_knows_lines_bad_rows_and_what_is_dropped() -> None:
    raw = b'number,city,star\n1,"Bonn\nam Rhein",2\nx,,\n\n2,,9\n1,Ulm,0\n3\n'
    found = read_csv("users", raw)
    assert found.bad == [(4, "number"), (8, None)]
    assert (found.read, found.dropped, found.withheld) == (5, 1, 0)
    names = ("user", "city", "star")
    assert [tuple(row[n] for n in names) for row in latest("users", found.rows)] == [("1", "Ulm", 0), ("2", None, None)]
    with pytest.raises(Refused):
        read_csv("users", b"city\nBonn\n")
    with pytest.raises(Refused):
        read_csv("users", b'number\n"1\n')
