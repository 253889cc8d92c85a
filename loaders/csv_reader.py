"""CSV by RFC 4180 in bounded memory, with the exact line of every record.

One compiled pass over the bytes finds where records end (quotes may hold commas and newlines) and
how many fields each has; pyarrow then turns the well-formed ones into columns.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from typing import BinaryIO

import numba
import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from lake.errors import FeedError
from loaders.batches import RawBatch
from loaders.folder import FeedFile

CHUNK = 1 << 25
RECORD_LIMIT = 1 << 22  # a longer record is a quote that was never closed
BLOCK = 1 << 23
LONGEST_MARK = 4
QUOTE, COMMA, CR, LF = 34, 44, 13, 10


@numba.njit(cache=True, nogil=True)
def split_records(
    data: np.ndarray,
    final: bool,
    line: int,
    starts: np.ndarray,
    ends: np.ndarray,
    lines: np.ndarray,
    fields: np.ndarray,
) -> tuple[int, int, int, bool]:  # compiled
    """Find the records of `data`, which begins at a record on line `line`.

    Writes each record's first byte, end (without its newline), line and number of fields; blank
    lines are no records. Returns how many there are, how many bytes they take, the line that
    follows, and whether the data ends inside a quote. A quote counts only at a field's start.
    """
    count, start, begun_on, n_fields = 0, 0, line, 1
    i, size = 0, len(data)
    in_quote, at_field_start = False, True
    while i < size:
        byte = data[i]
        if in_quote:
            if byte == QUOTE:
                if i + 1 < size and data[i + 1] == QUOTE:
                    i += 1
                elif i + 1 == size and not final:
                    break  # the next byte decides
                else:
                    in_quote = False
            elif byte == LF:
                line += 1
            i += 1
            continue
        if byte in (CR, LF):
            if byte == CR and i + 1 == size and not final:
                break
            width = 2 if byte == CR and i + 1 < size and data[i + 1] == LF else 1
            if i > start:
                starts[count], ends[count], lines[count], fields[count] = start, i, begun_on, n_fields
                count += 1
            i += width
            line += 1
            start, begun_on, n_fields, at_field_start = i, line, 1, True
            continue
        if byte == COMMA:
            n_fields += 1
            at_field_start = True
        elif byte == QUOTE and at_field_start:
            in_quote = True
            at_field_start = False
        else:
            at_field_start = False
        i += 1
    if final and not in_quote and size > start:
        starts[count], ends[count], lines[count], fields[count] = start, size, begun_on, n_fields
        count += 1
        start, begun_on = size, line
    return count, start, begun_on, in_quote


class CsvFile:
    """One CSV file: its header, then its rows in batches.

    Raises FeedError, naming the file and the line, where the bytes are not in the encoding set or
    a quote is never closed.
    """

    def __init__(self, file: FeedFile, encoding: str, chunk: int = CHUNK) -> None:
        self.file = file
        self.encoding = encoding
        self.chunk = chunk
        self._bytes_before = 0
        with open(file.path, "rb") as stream:
            records = self._records(stream)
            self.header = self._header(next(records, None))

    def batches(self, wanted: list[str]) -> Iterator[RawBatch]:
        """The columns `wanted` of all rows, in file order, as text."""
        self._bytes_before = 0
        with open(self.file.path, "rb") as stream:
            first = True
            for data, starts, ends, lines, fields in self._records(stream):
                skip = 1 if first else 0
                first = False
                if len(starts) > skip:
                    yield self._batch(data, starts[skip:], ends[skip:], lines[skip:], fields[skip:], wanted)

    def _records(self, stream: BinaryIO) -> Iterator[tuple[np.ndarray, ...]]:
        """Chunks of whole records, decoded to UTF-8 (record offsets are of the decoded bytes)."""
        rest, line, final = b"", 1, False
        while not final:
            piece = stream.read(max(self.chunk, LONGEST_MARK))
            final = len(piece) < max(self.chunk, LONGEST_MARK)
            raw = rest + piece
            if line == 1 and not rest:
                raw = self._without_mark(raw)
            data = np.frombuffer(raw, np.uint8)
            room = int(np.count_nonzero(data == LF) + np.count_nonzero(data == CR)) + 1
            starts, ends, lines, fields = (np.empty(room, np.int64) for _ in range(4))
            count, used, next_line, open_quote = split_records(data, final, line, starts, ends, lines, fields)
            if (open_quote and final) or len(raw) - used > RECORD_LIMIT:
                raise FeedError(
                    f"{self.file.name} has a quote in the record of line {next_line} that is never closed",
                    "close it, or write quotes inside a field twice",
                )
            self._check_encoding(raw[:used], line)
            if count:
                yield data[:used], starts[:count], ends[:count], lines[:count], fields[:count]
            rest, line = raw[used:], next_line
            self._bytes_before += used

    def _without_mark(self, raw: bytes) -> bytes:
        """The bytes after a byte order mark; a mark of another encoding refuses the file."""
        own = codecs.BOM_UTF8 if self.encoding == "utf-8" else "\ufeff".encode("gb18030")
        if raw.startswith(own):
            self._bytes_before = len(own)
            return raw[len(own) :]
        if raw.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise self._other_encoding(1, 0)
        return raw

    def _check_encoding(self, raw: bytes, line: int) -> None:
        if raw.isascii():
            return
        try:
            text = raw.decode(self.encoding)
        except UnicodeDecodeError as error:
            raise self._other_encoding(line + raw.count(b"\n", 0, error.start), error.start) from None
        if self.encoding == "gb18030" and _is_utf8(raw, len(text)):
            first = next(i for i, byte in enumerate(raw) if byte > 127)
            raise self._other_encoding(line + raw.count(b"\n", 0, first), first)

    def _other_encoding(self, line: int, offset: int) -> FeedError:
        other = "gb18030" if self.encoding == "utf-8" else "utf-8"
        return FeedError(
            f"{self.file.name} is not in {self.encoding} (line {line}, byte {self._bytes_before + offset + 1})",
            f"set DUMBBELL_ENCODING={other} if that is what it is in, or convert it",
        )

    def _header(self, records: tuple[np.ndarray, ...] | None) -> list[str]:
        if records is None:
            return []
        data, starts, ends = records[:3]
        text = data[starts[0] : ends[0]].tobytes().decode(self.encoding)
        return [name.strip() for name in next(csv.reader(io.StringIO(text, newline="")))]

    def _batch(
        self,
        data: np.ndarray,
        starts: np.ndarray,
        ends: np.ndarray,
        lines: np.ndarray,
        fields: np.ndarray,
        wanted: list[str],
    ) -> RawBatch:
        whole = fields == len(self.header)
        broken = [
            (int(lines[i]), f"has {fields[i]} fields, the header has {len(self.header)}")
            for i in np.flatnonzero(~whole)
        ]
        if broken:
            good = np.flatnonzero(whole)
            raw = b"".join(_runs(data, starts, ends, good))
            lines = lines[good]
        else:
            raw = data[starts[0] :].tobytes()
        if self.encoding != "utf-8":
            raw = raw.decode(self.encoding).encode()
        if not len(lines):
            return RawBatch({name: pa.array([], pa.string()) for name in wanted}, lines, broken=broken)
        embedded = bool(len(lines) > 1 and np.any(np.diff(lines) > 1)) or QUOTE in data
        places = [str(i) for i in range(len(self.header))]
        chosen = {name: places[self.header.index(name)] for name in wanted}
        table = pa_csv.read_csv(
            pa.BufferReader(raw),
            read_options=pa_csv.ReadOptions(column_names=places, block_size=BLOCK),
            parse_options=pa_csv.ParseOptions(newlines_in_values=embedded),
            convert_options=pa_csv.ConvertOptions(
                include_columns=list(chosen.values()),
                column_types=dict.fromkeys(chosen.values(), pa.string()),
                strings_can_be_null=False,
            ),
        )
        if table.num_rows != len(lines):
            raise FeedError(
                f"{self.file.name} cannot be read as CSV after line {lines[0]}", "write it as RFC 4180 says"
            )
        columns = {name: table.column(place).combine_chunks() for name, place in chosen.items()}
        return RawBatch(columns, lines, broken=broken)


def _runs(data: np.ndarray, starts: np.ndarray, ends: np.ndarray, good: np.ndarray) -> Iterator[bytes]:
    """The bytes of the good records, as long runs of neighbours."""
    if not len(good):
        return
    for run in np.split(good, np.flatnonzero(np.diff(good) > 1) + 1):
        yield data[starts[run[0]] : ends[run[-1]]].tobytes()
        yield b"\n"


def _is_utf8(raw: bytes, gb_characters: int) -> bool:
    """Whether bytes that decode as GB18030 are UTF-8 all the same: valid, with several long characters."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return sum(map("\u07ff".__lt__, text[:100_000])) >= 3 and gb_characters > 0
