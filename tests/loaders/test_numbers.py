"""Number normalisation: the specification's cases, every country's example, and a plain oracle."""

from __future__ import annotations

import phonenumbers
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loaders.numbers import EMPTY, GOOD, LETTER, NO_DIGITS, TOO_LONG, normalise


def one(text: str | None, country: str = "") -> tuple[str, int]:
    blocks, status = normalise(pa.array([text], pa.string()), country)
    return blocks[0].tobytes().rstrip(b"\0").decode(), int(status[0])


@pytest.mark.parametrize(
    ("text", "country", "digits"),
    [
        ("+49 (151) 123-45.67/8", "", "4915112345678"),
        ("0049151123456", "", "49151123456"),
        ("00123456", "", "00123456"),  # 00 before only 6 digits is no prefix
        ("001234567", "", "1234567"),
        ("0151 12345", "", "015112345"),
        ("0151 12345", "DE", "4915112345"),
        ("0151/12345", "AT", "4315112345"),
        ("06 1234 5678", "IT", "390612345678"),  # no trunk prefix in Italy: the zero belongs to the number
        ("8 (800) 555-35-35", "RU", "78005553535"),
        ("8005553535", "RU", "78005553535"),  # an 8 that belongs to the number stays
        ("110", "DE", "110"),
        ("011000", "DE", "011000"),  # up to 6 digits stay as given
        ("+110", "DE", "110"),
        ("+4915112345", "AT", "4915112345"),
        ("123456789012345", "", "123456789012345"),
        ("00123456789012345", "", "123456789012345"),
        ("\u00a0+49 151 1", "", "491511"),
    ],
)
def test_a_number_is_normalised(text: str, country: str, digits: str) -> None:
    assert one(text, country) == (digits, GOOD)


@pytest.mark.parametrize(
    ("text", "country", "status"),
    [
        ("1234567890123456", "", TOO_LONG),
        ("123456789012345", "DE", TOO_LONG),
        ("49151x", "", LETTER),
        ("+49+151", "", LETTER),
        ("٤٩", "", LETTER),
        ("*100#", "", LETTER),
        ("", "", EMPTY),
        (None, "", EMPTY),
        ("-", "", NO_DIGITS),
        ("+", "", NO_DIGITS),
    ],
)
def test_a_bad_number_says_why(text: str | None, country: str, status: int) -> None:
    assert one(text, country) == ("", status)


@pytest.mark.parametrize("country", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_national_form_is_read_as_phonenumbers_reads_it(country: str) -> None:
    for kind in (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE):
        example = phonenumbers.example_number_for_type(country, kind)
        if example is None:
            continue
        national = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.NATIONAL)
        if len(phonenumbers.normalize_digits_only(national)) <= 6:
            continue
        parsed = phonenumbers.parse(national, country)
        assert one(national, country)[0] == phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)[1:]


def plain(text: str) -> tuple[str, int]:
    """The rule without a country, a character at a time."""
    kept = "".join(c for c in text if c not in " -./()\t")
    digits = kept.removeprefix("+")
    if any(c not in "0123456789" for c in digits):
        return "", LETTER
    if not digits:
        return "", NO_DIGITS if text else EMPTY
    if not kept.startswith("+") and digits.startswith("00") and len(digits) - 2 > 6:
        digits = digits[2:]
    return (digits, GOOD) if len(digits) <= 15 else ("", TOO_LONG)


@given(st.lists(st.text("0012345+ -./()x", max_size=22), max_size=8))
def test_whole_columns_equal_the_plain_rule(texts: list[str]) -> None:
    blocks, status = normalise(pa.array(texts, pa.string()))
    found = [(row.tobytes().rstrip(b"\0").decode(), int(code)) for row, code in zip(blocks, status, strict=True)]
    assert found == [plain(text) for text in texts]


@given(st.from_regex(r"\+[1-9][0-9]{6,13}", fullmatch=True), st.data())
def test_separators_do_not_matter(text: str, data: st.DataObject) -> None:
    spread = text[0] + "".join(c + data.draw(st.sampled_from(["", " ", "-", "/", ") ("])) for c in text[1:])
    assert one(spread) == one(text) == one(text.replace("+", "00"))


def test_a_slice_of_a_column_is_read_from_its_own_place() -> None:
    column = pa.array(["1", "22", None, "333"])
    assert [b.tobytes().rstrip(b"\0") for b in normalise(column.slice(1, 3))[0]] == [b"22", b"", b"333"]
