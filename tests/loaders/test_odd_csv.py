"""CSV as it should not be: each file is read, or refused with a sentence that says where and what to do."""

from __future__ import annotations

import codecs
import gzip
import re
from pathlib import Path

import pytest

from lake.errors import FeedError
from loaders.csv_reader import CsvFile
from loaders.folder import FeedFile
from tests.loaders.test_csv import read


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "apps.csv"


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        ("x,y\n1,a\n".encode("utf-16"), "is in UTF-16: convert it to UTF-8"),
        (codecs.BOM_UTF16_BE + "x,y\n".encode("utf-16-be"), "is in UTF-16: convert it to UTF-8"),
        ("x,y\n".encode("utf-16-le"), "holds NUL in its header, as UTF-16 does: convert it to UTF-8"),
        (codecs.BOM_UTF32_BE + "x,y\n".encode("utf-32-be"), "is in UTF-32: convert it to UTF-8"),
        (gzip.compress(b"x,y\n1,a\n", mtime=0), "is compressed by gzip: unpack it"),
        (b"PK\x03\x04 and more", "is an archive or a spreadsheet: write its table as CSV"),
        (b"PAR1 and more", "is Parquet: name it .parquet"),
        (b"x,y\n1,a\n2,\xff\n", "is not in utf-8 (line 3, byte 11): set DUMBBELL_ENCODING=gb18030"),
        ("x,y\r1,ü\r2,".encode() + "Köln".encode("latin-1") + b"\r", "is not in utf-8 (line 3, byte 13)"),
        (b'x,y\n1,a\n2,"b\n3,c\n', "record of line 3 that is never closed (it opens on line 3): close it"),
        (b'x,y\n"1\n2","b\nc\n', "record of line 2 that is never closed (it opens on line 3): close it"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_remedy(path: Path, raw: bytes, found: str) -> None:
    with pytest.raises(FeedError, match=re.escape(found)):
        read(path, raw)


def test_a_mark_of_utf8_before_gb18030_text_is_refused(path: Path) -> None:
    with pytest.raises(FeedError, match=r"is not in gb18030 .line 1, byte 1.*set DUMBBELL_ENCODING=utf-8"):
        read(path, codecs.BOM_UTF8 + "x,y\n1,北京\n".encode("gb18030"), "gb18030")


def test_lines_of_gb18030_are_counted_past_blank_ones_in_every_piece(path: Path) -> None:
    raw = "x,y\n\n\n1,北\n\n2,京\n\n\n\n3,市\n".encode("gb18030")
    for chunk in (4, 7, 11, 1000):
        assert read(path, raw, "gb18030", chunk)[1] == [4, 6, 10]


def test_line_ends_of_old_macs_and_mixed_ones(path: Path) -> None:
    assert read(path, b"x,y\r1,a\r\r2,b\r") == ([("1", "a"), ("2", "b")], [2, 4], [])
    assert read(path, b"x,y\r\n1,a\n2,b\r3,c") == ([("1", "a"), ("2", "b"), ("3", "c")], [2, 3, 4], [])


def test_nul_bytes_are_signs_like_others(path: Path) -> None:
    assert read(path, b"x,y\n1,a\0b\n\0,c\n")[0] == [("1", "a\0b"), ("\0", "c")]


def test_ten_thousand_columns(path: Path) -> None:
    names = ",".join(f"c{i}" for i in range(10_000))
    cells = ",".join(str(i) for i in range(10_000))
    path.write_text(f"{names}\n{cells}\n1,2\n{cells}\n")
    file = CsvFile(FeedFile("apps", path, path.name), "utf-8")
    assert len(file.header) == 10_000
    (batch,) = file.batches(["c9999", "c0"])
    assert batch.columns["c9999"].to_pylist() == ["9999", "9999"]
    assert [(lines.tolist(), reason) for lines, reason in batch.broken] == [([3], "has 2 fields, the header has 10000")]


def test_a_header_longer_than_the_piece_that_is_read_first(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loaders.csv_reader.HEADER_CHUNK", 8)
    assert read(path, b'x,"a name of more than eight bytes"\n1,2\n')[0] == [("1", "2")]


@pytest.mark.parametrize("raw", [b"x,y\n", b"x,y", b"\n\nx,y\n\n"])
def test_a_header_alone_has_no_rows(path: Path, raw: bytes) -> None:
    assert read(path, raw) == ([], [], [])


def test_a_line_without_end_is_refused_with_its_line_and_no_more_memory_than_a_record(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loaders.csv_reader.RECORD_LIMIT", 1 << 20)
    with pytest.raises(FeedError, match=r"the record of line 3 of apps.csv is longer than 1 MB: end records"):
        read(path, b"x,y\n1,a\n2," + b"b" * 3_000_000, chunk=500_000)
    assert read(path, b"x,y\n1," + b"a" * 900_000 + b"\n", chunk=500_000)[1] == [2]


def test_a_quote_that_closes_too_late_costs_its_own_rows_only(path: Path) -> None:
    rows, lines, broken = read(path, b'x,y\n1,"a\n2,b\n3,"c"\n4,d\n')
    assert (rows, lines, broken) == ([("1", 'a\n2,b\n3,c"'), ("4", "d")], [2, 5], [])
