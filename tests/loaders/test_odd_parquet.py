"""Parquet as it should not be: each file is read, or refused with a sentence, and nothing of it is taken."""

from __future__ import annotations

import base64
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.parquet.encryption as pe
import pytest

from lake.errors import FeedError
from loaders.load import load

USERS = pa.table({"number": [str(n) for n in range(1000)], "city": ["Bonn"] * 1000})


class InMemory(pe.KmsClient):
    """Hands the data keys out as they are."""

    def __init__(self, _: pe.KmsConnectionConfig) -> None:
        pe.KmsClient.__init__(self)

    def wrap_key(self, key: bytes, _: str) -> bytes:
        return base64.b64encode(key)

    def unwrap_key(self, key: bytes, _: str) -> bytes:
        return base64.b64decode(key)


def encrypted(path: Path, *, plaintext_footer: bool) -> None:
    settings = pe.EncryptionConfiguration(
        footer_key="f", column_keys={"c": ["number"]}, plaintext_footer=plaintext_footer
    )
    properties = pe.CryptoFactory(InMemory).file_encryption_properties(pe.KmsConnectionConfig(), settings)
    with pq.ParquetWriter(path, USERS.schema, encryption_properties=properties) as writer:
        writer.write_table(USERS)


@pytest.mark.parametrize(
    ("plaintext_footer", "said"), [(False, "is encrypted: write it without"), (True, "cannot be read")]
)
def test_an_encrypted_file_is_refused(bench, plaintext_footer: bool, said: str) -> None:
    folder = bench.folder({"apps.csv": "app,name\na,A\n"})
    encrypted(folder / "users.parquet", plaintext_footer=plaintext_footer)
    with pytest.raises(FeedError, match=rf"users.parquet {said}"):
        load(folder, bench.home, bench.settings)
    assert bench.state() == {}


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"number\n1\n", "is no Parquet: name it .csv"),
        (b"", "cannot be read"),
        (b"PA", "cannot be read"),
        (b"PAR1" + bytes(100) + b"PAR1", "cannot be read"),
    ],
)
def test_what_is_no_parquet_is_refused(bench, raw: bytes, said: str) -> None:
    with pytest.raises(FeedError, match=rf"users.parquet {said}"):
        bench.load({"users.parquet": raw})
    assert bench.state() == {}


def test_columns_of_odd_types_that_the_feed_does_not_name_are_left_out(bench) -> None:
    odd = pa.table({"number": ["1"], "more": [{"a": [1]}], "map": pa.array([[("a", 1)]], pa.map_("string", "int8"))})
    report = bench.load({"users.parquet": odd})
    assert report.feeds["users"].taken == 1
    assert len(report.warnings) == 2


@pytest.mark.parametrize("city", [[{"a": 1}], [[["a"]]], pa.array([[("a", 1)]], pa.map_("string", "int8"))])
def test_a_type_that_is_no_text_is_refused_naming_file_and_column(bench, city: object) -> None:
    with pytest.raises(FeedError, match=r"users.parquet, column city has the type .*: write it as text"):
        bench.load({"users.parquet": pa.table({"number": ["1"], "city": city})})
    assert bench.state() == {}


def test_wrong_types_make_bad_values_not_errors(bench) -> None:
    table = pa.table({"number": ["1", "2"], "star": [True, False], "activated_on": [5, 6], "consent": [1.5, 2.0]})
    counts = bench.load({"users.parquet": table}).feeds["users"]
    assert (counts.taken, counts.quarantined, counts.values_dropped) == (2, 0, 6)
    counts = bench.load({"bills.parquet": pa.table({"number": [[1, 2], [3]], "month": ["2026-05"] * 2})}).feeds["bills"]
    assert (counts.taken, counts.quarantined) == (1, 1)


def test_no_rows_and_no_row_groups(bench) -> None:
    report = bench.load({"users.parquet": USERS.slice(0, 0), "apps.parquet": pa.table({"app": [], "name": []})})
    assert (report.feeds["users"].read, report.feeds["apps"].read) == (0, 0)
