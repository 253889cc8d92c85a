"""Pseudonyms: one AES block a number, stable, and back again only with the key."""

from __future__ import annotations

import hashlib
import uuid

import numpy as np
import pyarrow as pa
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from lake.errors import WrongKey
from lake.pseudonyms import Pseudonyms, from_text, to_text

KEY = bytes(range(32))
OURS = Pseudonyms(KEY)
NUMBER = st.from_regex(r"[0-9]{1,15}", fullmatch=True)


def block(plain: bytes) -> bytes:
    encryptor = Cipher(algorithms.AES(KEY), modes.ECB()).encryptor()
    return encryptor.update(plain) + encryptor.finalize()


@given(st.lists(st.one_of(st.none(), NUMBER), max_size=10))
def test_a_column_equals_one_block_a_number(numbers: list[str | None]) -> None:
    found = OURS.of_numbers(pa.array(numbers, pa.string()))
    assert found.type == pa.binary()
    assert found.to_pylist() == [None if n is None else block(n.encode().ljust(16, b"\0")) for n in numbers]
    padded = np.frombuffer(b"".join((n or "").encode().ljust(16, b"\0") for n in numbers), np.uint8).reshape(-1, 16)
    assert OURS.of_blocks(padded, np.array([n is None for n in numbers], bool)).equals(found)


@given(st.lists(NUMBER, min_size=1, max_size=10))
def test_only_the_key_leads_back(numbers: list[str]) -> None:
    column = OURS.of_numbers(pa.array(numbers))
    assert OURS.numbers_of(column) == numbers
    with pytest.raises(WrongKey):
        Pseudonyms(bytes(32)).numbers_of(column)
    assert not set(column.to_pylist()) & set(Pseudonyms(bytes(32)).of_numbers(pa.array(numbers)).to_pylist())


def test_texts_are_hashed_first() -> None:
    found = OURS.of_texts(pa.array(["Konto 1", None])).to_pylist()
    assert found == [block(hashlib.sha256(b"Konto 1").digest()[:16]), None]


def test_as_text_a_pseudonym_is_a_uuid() -> None:
    column = OURS.of_numbers(pa.array(["110", None]))
    text, nothing = to_text(column).to_pylist()
    assert (str(uuid.UUID(text)), from_text(text), nothing) == (text, column[0].as_py(), None)
    for wrong in ("", "110", "{" + text[1:-1] + "}", text[:-1] + "x", text.replace("-", "")):
        with pytest.raises(ValueError):
            from_text(wrong)


def test_a_key_has_32_bytes() -> None:
    with pytest.raises(WrongKey, match="32 bytes, this one 16"):
        Pseudonyms(bytes(16))
