"""Customers as callers name them: a number in a body, or a pseudonym anywhere."""

from __future__ import annotations

import pyarrow as pa

from api.problems import NumberInAddress
from lake.errors import BadValue
from lake.pseudonyms import Pseudonyms, from_text
from loaders.numbers import GOOD, normalise


def user_of_number(number: str, pseudonyms: Pseudonyms, country: str) -> bytes:
    """The pseudonym (16 bytes) of a number as people write it, by the feeds' rule.

    Raises BadValue, without repeating it, for what is no number.
    """
    blocks, status = normalise(pa.array([number], pa.string()), country)
    if status[0] != GOOD:
        raise BadValue("`number` is not a telephone number", "send up to 15 digits; +, spaces and -./() may be in it")
    return pseudonyms.of_blocks(blocks, status != GOOD)[0].as_py()


def users_of_numbers(numbers: list[str], pseudonyms: Pseudonyms, country: str) -> list[bytes]:
    """The pseudonyms of numbers. Raises BadValue, naming the place on the list alone, where one is no number."""
    blocks, status = normalise(pa.array(numbers, pa.string()), country)
    wrong = [i for i, found in enumerate(status.tolist()) if found != GOOD]
    if wrong:
        raise BadValue(
            f"`numbers` has no telephone number in place {wrong[0] + 1}",
            "send up to 15 digits each; +, spaces and -./() may be in it",
        )
    found: list[bytes] = pseudonyms.of_blocks(blocks, status != GOOD).to_pylist()
    return found


def user_of_text(text: str, field: str = "user") -> bytes:
    """The 16 bytes of a pseudonym in a body. Raises BadValue naming the field."""
    try:
        return from_text(text)
    except ValueError:
        raise BadValue(f"`{field}` is not a pseudonym", "send 36 characters, or a number as `number`") from None


def user_in_address(text: str) -> str:
    """A pseudonym in a URL, in lower case. Raises NumberInAddress for anything else."""
    try:
        from_text(text)
    except ValueError:
        raise NumberInAddress(
            "the address names no pseudonym of 36 characters",
            "a number never goes into an address: send it in a body, or ask `dumbbell pseudonym` for its pseudonym",
        ) from None
    return text.lower()
