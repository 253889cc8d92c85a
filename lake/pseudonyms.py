"""Pseudonyms: one AES-256 block per number, whole columns at a time.

The block is the number's digits in ASCII, padded with NUL to 16 bytes, encrypted under the home's
key. No dictionary and no join: any worker, in any order, gives the same pseudonym; only a holder
of the key can go back. Binary (16 bytes) in Parquet, a UUID's 36 characters in text.
"""

from __future__ import annotations

import hashlib
import os
import uuid
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

from lake.errors import WrongKey

BLOCK = 16
HEX = np.frombuffer(b"".join(b"%02x" % byte for byte in range(256)), np.uint8).reshape(256, 2)
HEX_AT = [i for i in range(36) if i not in (8, 13, 18, 23)]


class Pseudonyms:
    """Turns columns of normalised numbers into pseudonyms under one key (32 bytes).

    >>> p = Pseudonyms(bytes(32))
    >>> column = p.of_numbers(pa.array(["4915112345678", None, "110"]))
    >>> to_text(column)[2].as_py() == to_text(p.of_numbers(pa.array(["110"])))[0].as_py()
    True
    """

    def __init__(self, key: bytes) -> None:
        if len(key) != 32:
            raise WrongKey(f"a key for numbers has 32 bytes, this one {len(key)}", "name the right DUMBBELL_KEY_FILE")
        self._cipher = Cipher(AES(key), ECB())  # noqa: S305  one block a number: equal numbers must agree
        self.check = hashlib.sha256(b"dumbbell key check" + key).hexdigest()[:16]

    def _encrypt(self, blocks: bytes) -> bytes:
        encryptor = self._cipher.encryptor()
        return encryptor.update(blocks) + encryptor.finalize()

    def of_numbers(self, digits: pa.Array | pa.ChunkedArray) -> pa.Array:
        """Column of normalised digit strings (nulls allowed, at most 15 digits) to binary pseudonyms."""
        column = digits.combine_chunks() if isinstance(digits, pa.ChunkedArray) else digits
        padded = pc.ascii_rpad(pc.fill_null(column.cast(pa.string()), ""), BLOCK, padding="\0")
        return _binary(self._encrypt("".join(padded.to_pylist()).encode("ascii")), pc.is_null(column))

    def of_blocks(self, blocks: np.ndarray, is_null: np.ndarray) -> pa.Array:
        """Normalised digits already padded with NUL, (n, 16) uint8, to binary pseudonyms; null where `is_null` (n,)."""
        return _binary(self._encrypt(np.ascontiguousarray(blocks).tobytes()), pa.array(is_null, pa.bool_()))

    def of_texts(self, texts: pa.Array | pa.ChunkedArray) -> pa.Array:
        """Column of any texts (`person`, `account`): the block over the first 16 bytes of their SHA-256."""
        column = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
        hashed = b"".join(hashlib.sha256((t or "").encode()).digest()[:BLOCK] for t in column.to_pylist())
        return _binary(self._encrypt(hashed), pc.is_null(column))

    def changed(self, column: pa.Array | pa.ChunkedArray, new: Pseudonyms) -> pa.Array:
        """Binary pseudonyms under this key as those of the same numbers and texts under another; null stays null."""
        array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
        blocks = pc.fill_null(array, bytes(BLOCK)).cast(pa.binary(BLOCK))
        start = blocks.offset * BLOCK
        held = blocks.buffers()[1].to_pybytes()[start : start + len(blocks) * BLOCK] if len(blocks) else b""
        decryptor = self._cipher.decryptor()
        return _binary(new._encrypt(decryptor.update(held) + decryptor.finalize()), pc.is_null(array))

    def of_former(self, numbers: pa.Array, accounts: pa.Array) -> pa.Array:
        """Pseudonyms of customers who held a number before its present one, from those of number and account.

        The block is that of the number's digits and that of the account, each bit the difference of the two: an
        account may have several numbers. Neither column may have nulls.
        """
        decryptor = self._cipher.decryptor()
        number, account = (
            np.frombuffer(decryptor.update(b"".join(column.to_pylist())), np.uint8) for column in (numbers, accounts)
        )
        return _binary(self._encrypt((number ^ account).tobytes()), pc.is_null(numbers))

    def numbers_of(self, pseudonyms: pa.Array) -> list[str]:
        """The way back, for the approved export alone. Raises WrongKey when a block is not a number."""
        decryptor = self._cipher.decryptor()
        plain = decryptor.update(b"".join(pseudonyms.to_pylist())) + decryptor.finalize()
        numbers = [plain[i : i + BLOCK].rstrip(b"\0") for i in range(0, len(plain), BLOCK)]
        if not all(n.isdigit() for n in numbers):
            raise WrongKey("a pseudonym does not decrypt to a number", "name the key this home was filled with")
        return [n.decode() for n in numbers]


def _binary(blocks: bytes, is_null: pa.BooleanArray) -> pa.Array:
    fixed = pa.FixedSizeBinaryArray.from_buffers(pa.binary(BLOCK), len(is_null), [None, pa.py_buffer(blocks)])
    return pc.if_else(is_null, pa.scalar(None, pa.binary()), fixed.cast(pa.binary()))


def to_text(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Binary pseudonyms as 36 lower-case characters; null stays null."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    present = array.drop_null().cast(pa.binary(BLOCK))
    blocks = np.frombuffer(present.buffers()[1] or b"", np.uint8)[present.offset * BLOCK :][: len(present) * BLOCK]
    text = np.full((len(present), 36), ord("-"), np.uint8)
    text[:, HEX_AT] = HEX[blocks].reshape(len(present), 2 * BLOCK)
    is_there = array.is_valid().to_numpy(zero_copy_only=False)
    offsets = np.concatenate([[0], np.cumsum(is_there)]).astype(np.int64) * 36
    bitmap = np.packbits(is_there, bitorder="little")
    buffers = [pa.py_buffer(bitmap), pa.py_buffer(offsets), pa.py_buffer(text)]
    return pa.Array.from_buffers(pa.large_string(), len(array), buffers).cast(pa.string())


def text_of(user: bytes) -> str:
    """One pseudonym of 16 bytes, or fewer where trailing zeros are left out, as 36 characters.

    >>> text_of(bytes(range(15)))
    '00010203-0405-0607-0809-0a0b0c0d0e00'
    """
    hex = user.hex().ljust(2 * BLOCK, "0")
    return f"{hex[:8]}-{hex[8:12]}-{hex[12:16]}-{hex[16:20]}-{hex[20:]}"


def from_text(text: str) -> bytes:
    """One pseudonym of 36 characters as its 16 bytes. Raises ValueError for any other text."""
    if len(text) != 36:
        raise ValueError("a pseudonym has 36 characters")
    return uuid.UUID(text).bytes


def read_key(path: Path) -> bytes:
    """The key in a file of 64 hexadecimal characters."""
    try:
        return bytes.fromhex(path.read_text(encoding="ascii").strip())
    except (ValueError, UnicodeDecodeError):
        raise WrongKey(f"{path} holds no key for numbers", "it should hold 64 hexadecimal characters") from None


def make_key(path: Path) -> bytes:
    """Write a new random key with mode 0600; an existing file is never overwritten."""
    key = os.urandom(32)
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(key.hex() + "\n")
    return key
