"""CSV against Python's csv module: values, exact lines, encodings, and records that are none."""

from __future__ import annotations

import codecs
import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lake.errors import FeedError
from loaders.csv_reader import CsvFile
from loaders.folder import FeedFile

CELL = st.text(st.sampled_from('ab1,"\n\r ü漢'), max_size=6)


def read(path: Path, raw: bytes, encoding: str = "utf-8", chunk: int = 1 << 25) -> tuple[list, list, list]:
    """(rows, their lines, broken records) of a file with these bytes."""
    path.write_bytes(raw)
    file = CsvFile(FeedFile("apps", path, path.name), encoding, chunk)
    rows, lines, broken = [], [], []
    for batch in file.batches(file.header):
        columns = [batch.columns[name].to_pylist() for name in file.header]
        rows += list(zip(*columns, strict=True))
        lines += batch.lines.tolist()
        broken += [(line, reason) for where, reason in batch.broken for line in where.tolist()]
    return rows, lines, broken


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("csv") / "apps.csv"


@given(
    rows=st.lists(st.tuples(CELL, CELL, CELL), max_size=12),
    ending=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    chunk=st.integers(40, 200),
    last=st.booleans(),
)
def test_what_csv_writes_is_read_with_its_lines(
    path: Path, rows: list, ending: str, quoting: int, chunk: int, last: bool
) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator=ending, quoting=quoting)
    writer.writerow("xyz")
    lines, line = [], 2
    for row in rows:
        # csv leaves a lone carriage return unquoted in some versions; quotes are needed there
        lines.append(line)
        line += 1 + sum(cell.count("\n") for cell in row)
        if any("\r" in cell for cell in row):
            csv.writer(text, lineterminator=ending, quoting=csv.QUOTE_ALL).writerow(row)
        else:
            writer.writerow(row)
    raw = text.getvalue().encode()
    if not last and raw.endswith(ending.encode()):
        raw = raw[: -len(ending)]
    assert read(path, raw, chunk=chunk) == (rows, lines, [])


def test_every_way_of_cutting_a_file_into_chunks_reads_the_same(path: Path) -> None:
    raw = b'x,y\r\n1,"a ""b"",\r\nc"\r\n\r\n2,d\r\n3,"e"\n4,f5" screen\n'
    whole = read(path, raw)
    assert whole == ([("1", 'a "b",\r\nc'), ("2", "d"), ("3", "e"), ("4", 'f5" screen')], [2, 5, 6, 7], [])
    for chunk in range(1, len(raw) + 1):
        assert read(path, raw, chunk=chunk) == whole


def test_a_record_with_another_number_of_fields_is_broken_and_the_rest_is_read(path: Path) -> None:
    rows, lines, broken = read(path, b"x,y\n1,a\n2\n3,c,d\n\n4,e\n")
    assert (rows, lines) == ([("1", "a"), ("4", "e")], [2, 6])
    assert broken == [(3, "has 1 fields, the header has 2"), (4, "has 3 fields, the header has 2")]


def test_one_column_with_blank_and_empty_lines(path: Path) -> None:
    assert read(path, b'x\n1\n\n""\n2') == ([("1",), ("",), ("2",)], [2, 4, 5], [])


def test_byte_order_marks_are_no_part_of_the_header(path: Path) -> None:
    assert read(path, codecs.BOM_UTF8 + "x,y\n1,ü\n".encode())[0] == [("1", "ü")]
    assert read(path, "\ufeffx,y\n1,漢\n".encode("gb18030"), "gb18030")[0] == [("1", "漢")]


def test_gb18030_is_read_when_set(path: Path) -> None:
    text = 'x,y\n1,"联通, 北京"\n2,㐀\n'  # with a four-byte character
    for chunk in (5, 16, 1000):
        assert read(path, text.encode("gb18030"), "gb18030", chunk)[0] == [("1", "联通, 北京"), ("2", "㐀")]


@pytest.mark.parametrize(
    ("raw", "encoding", "place", "other"),
    [
        ("x,y\n1,a\n2,联通\n".encode("gb18030"), "utf-8", "line 3, byte 11", "gb18030"),
        ("x,y\n1,Grüße\n".encode("latin-1"), "utf-8", "line 2, byte 9", "gb18030"),
        (codecs.BOM_UTF8 + b"x,y\n", "gb18030", "line 1, byte 1", "utf-8"),
        ("x,y\n1,北京联通公司\n".encode(), "gb18030", "line 2, byte 17", "utf-8"),
        ("x,y\n1,中国移动\n".encode(), "gb18030", "line 2, byte 7", "utf-8"),  # valid in both, plainly UTF-8
    ],
)
def test_another_encoding_is_refused_with_place_and_remedy(
    path: Path, raw: bytes, encoding: str, place: str, other: str
) -> None:
    with pytest.raises(FeedError, match=rf"apps.csv is not in {encoding} .{place}.*DUMBBELL_ENCODING={other}"):
        read(path, raw, encoding)


def test_a_quote_that_is_never_closed_is_refused_with_its_line(path: Path) -> None:
    with pytest.raises(FeedError, match="quote in the record of line 3 that is never closed"):
        read(path, b'x,y\n1,a\n2,"b\n3,c\n')


def test_a_quote_that_is_never_closed_takes_no_more_memory_than_the_longest_record(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loaders.csv_reader.RECORD_LIMIT", 1000)
    with pytest.raises(FeedError, match="line 2"):
        read(path, b'x,y\n1,"' + b"a\n" * 100_000, chunk=500)


def test_an_empty_file_has_no_header(path: Path) -> None:
    path.write_bytes(b"")
    assert CsvFile(FeedFile("apps", path, path.name), "utf-8").header == []
