"""CSV by RFC 4180 in bounded memory, with the exact line of every record."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
import pyarrow as pa

from lake.errors import FeedError
from loaders.batches import RawBatch
from loaders.csv_records import Records, split
from loaders.folder import FeedFile

CHUNK = 1 << 24
HEADER_CHUNK = 1 << 16
RECORD_LIMIT = 1 << 22
"""Bytes that a record may take: a longer one is a quote that was never closed, or no CSV."""

OTHER_FORMATS = (
    (codecs.BOM_UTF16_LE, "is in UTF-16", "convert it to UTF-8"),
    (codecs.BOM_UTF16_BE, "is in UTF-16", "convert it to UTF-8"),
    (b"\0\0\xfe\xff", "is in UTF-32", "convert it to UTF-8"),
    (b"\x1f\x8b", "is compressed by gzip", "unpack it"),
    (b"PK\x03\x04", "is an archive or a spreadsheet", "write its table as CSV"),
    (b"PAR1", "is Parquet", "name it .parquet"),
)
"""First bytes of what is no CSV: what it is, and what to do."""


class CsvFile:
    """One CSV file: its header, then its rows in batches.

    Raises FeedError, naming the file and the line, where the bytes are not in the encoding set, a quote is never
    closed, or a record is longer than RECORD_LIMIT.
    """

    def __init__(self, file: FeedFile, encoding: str, chunk: int | None = None) -> None:
        self.file = file
        self.encoding = encoding
        self.chunk = max(chunk or CHUNK, max(len(first) for first, _, _ in OTHER_FORMATS))
        self.header = self._header()

    def _header(self) -> list[str]:
        with open(self.file.path, "rb") as stream:
            records = next(self._records(stream, min(self.chunk, HEADER_CHUNK)), None)
        if records is None:
            return []
        cells = [cell.decode(self.encoding) for cell in records.cells(0)]
        if "\0" in cells[0]:
            raise FeedError(f"{self.file.name} holds NUL in its header, as UTF-16 does", "convert it to UTF-8")
        return [cell.strip() for cell in cells]

    def batches(self, wanted: list[str]) -> Iterator[RawBatch]:
        """The columns `wanted` of all rows, in file order, as text."""
        places = [self.header.index(name) for name in wanted]
        with open(self.file.path, "rb") as stream:
            first_row = 1
            for records in self._records(stream, self.chunk):
                if self.encoding != "utf-8":
                    text = records.data[: records.used].tobytes().decode(self.encoding).encode()
                    records = split(text, final=True, line=records.line)
                rows = np.arange(first_row, len(records))
                first_row = 0
                if len(rows):
                    yield self._batch(records, rows, dict(zip(wanted, places, strict=True)))

    def _batch(self, records: Records, rows: np.ndarray, places: dict[str, int]) -> RawBatch:
        whole = records.fields[rows] == len(self.header)
        broken = []
        for count in np.unique(records.fields[rows[~whole]]).tolist():
            lines = records.lines[rows[records.fields[rows] == count]]
            broken.append((lines, f"has {count} fields, the header has {len(self.header)}"))
        rows = rows[whole]
        columns: dict[str, pa.Array] = {name: records.column(place, rows) for name, place in places.items()}
        return RawBatch(columns, records.lines[rows], broken=broken)

    def _records(self, stream: BinaryIO, chunk: int) -> Iterator[Records]:
        """The file's records in pieces that hold some, looked at for their encoding."""
        rest, line, before = b"", 1, 0
        final = False
        while not final:
            piece = stream.read(chunk)
            final = len(piece) < chunk
            if before == 0 and not rest:
                mark = self._mark(piece)
                before, piece = len(mark), piece[len(mark) :]
            raw = rest + piece
            found = split(raw, final=final, line=line)
            whole = raw[: found.used]
            self._check_encoding(whole, line, before)
            if len(found):
                yield found
            self._check_length(found, len(raw) - found.used, final)
            rest, line, before = raw[found.used :], found.next_line, before + found.used

    def _mark(self, raw: bytes) -> bytes:
        """The byte order mark that the file begins with; one of another encoding refuses the file."""
        own = codecs.BOM_UTF8 if self.encoding == "utf-8" else "\ufeff".encode("gb18030")
        if raw.startswith(own):
            return own
        if raw.startswith(codecs.BOM_UTF8):
            raise self._other_encoding(1, 0)
        for first, found, remedy in OTHER_FORMATS:
            if raw.startswith(first):
                raise FeedError(f"{self.file.name} {found}", remedy)
        return b""

    def _check_length(self, found: Records, left: int, final: bool) -> None:
        """Refuse what can be no record any more: `left` bytes follow the last whole one."""
        if found.open_quote and (final or left > RECORD_LIMIT):
            raise FeedError(
                f"{self.file.name} has a quote in the record of line {found.next_line} that is never closed "
                f"(it opens on line {found.open_quote})",
                "close it, or write quotes inside a field twice",
            )
        if left > RECORD_LIMIT:
            raise FeedError(
                f"the record of line {found.next_line} of {self.file.name} is longer than {RECORD_LIMIT >> 20} MB",
                "end records with a newline",
            )

    def _check_encoding(self, raw: bytes, line: int, before: int) -> None:
        if raw.isascii():
            return
        try:
            text = raw.decode(self.encoding)
        except UnicodeDecodeError as error:
            raise self._other_encoding(line + _newlines(raw[: error.start]), before + error.start) from None
        if self.encoding == "gb18030" and _is_utf8(raw, len(text)):
            first = next(i for i, byte in enumerate(raw) if byte > 127)
            raise self._other_encoding(line + _newlines(raw[:first]), before + first)

    def _other_encoding(self, line: int, offset: int) -> FeedError:
        other = "gb18030" if self.encoding == "utf-8" else "utf-8"
        return FeedError(
            f"{self.file.name} is not in {self.encoding} (line {line}, byte {offset + 1})",
            f"set DUMBBELL_ENCODING={other} if that is what it is in, or convert it",
        )


def _newlines(raw: bytes) -> int:
    return raw.count(b"\n") + raw.count(b"\r") - raw.count(b"\r\n")


def _is_utf8(raw: bytes, gb_characters: int) -> bool:
    """Whether bytes that decode as GB18030 are UTF-8 all the same: valid, with several long characters."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return sum(map("\u07ff".__lt__, text[:100_000])) >= 3 and gb_characters > 0
