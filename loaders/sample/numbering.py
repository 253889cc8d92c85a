"""Invented numbers. Country code 999 belongs to no country, so none of them can be anybody's.

`999 1` and eight digits are the operator's, `999 2` those of other operators, `999 3` services.
Eight digits are a one-to-one shuffle of the position, so no two positions share a number.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

OWN, OTHER, SERVICE = 1, 2, 3
_SPACE = 10**8
_STEP = 38_196_601
"""Prime to 10^8, so that steps of it visit every number once."""

SHORT_SERVICES = ("1000", "1001", "112", "11833", "22122", "0800")
"""Short codes of hotlines; one begins with a zero, which has to be kept."""
SENDERS = ("HARLOBANK", "Parcelino", "CityWater", "TaxiVesper", "anonymous", "WITHHELD")
"""Callers that are no number: senders' names and withheld numbers."""


def digits(kind: int, position: np.ndarray, shift: int) -> np.ndarray:
    """Twelve-digit numbers as int64.

    >>> digits(OWN, np.array([0, 1, 2]), 5).tolist()
    [999100000005, 999138196606, 999176393207]
    """
    shuffled = (np.asarray(position, np.int64) * _STEP + shift) % _SPACE
    return 999_000_000_000 + kind * _SPACE + shuffled


def as_text(number: np.ndarray, style: str = "plain") -> pa.Array:
    """Numbers as text: `plain` 9991…, `plus` +9991…, `zeros` 009991…, `spaced` +999 1234-56789.

    >>> as_text(np.array([999100000005]), "spaced").to_pylist()
    ['+999 1000-00005']
    """
    plain = pa.array(number, pa.int64()).cast(pa.string())
    if style == "plain":
        return plain
    if style == "plus":
        return pc.binary_join_element_wise("+", plain, "")
    if style == "zeros":
        return pc.binary_join_element_wise("00", plain, "")
    parts = [pc.utf8_slice_codeunits(plain, a, b) for a, b in ((0, 3), (3, 7), (7, 12))]
    local = pc.binary_join_element_wise(parts[1], parts[2], "-")
    return pc.binary_join_element_wise(pc.binary_join_element_wise("+", parts[0], ""), local, " ")
