"""Invented names: syllables put together, none of them twice."""

from __future__ import annotations

import numpy as np

_FIRST = ("Bra", "Cel", "Dov", "Eld", "Fir", "Gal", "Hov", "Ist", "Jun", "Kel", "Lor", "Mir", "Nax", "Orv", "Pel",
    "Quo",
          "Rad", "Sel", "Tov", "Urb", "Ves", "Wim", "Xan", "Yar", "Zel")  # fmt: skip
_MIDDLE = ("a", "e", "i", "o", "u", "ami", "eno", "ilu", "ora", "udi", "alo", "esi", "inu", "ore", "uma")
_LAST = (
    "bex",
    "dra",
    "fyn",
    "gul",
    "kto",
    "lim",
    "mera",
    "nvi",
    "pto",
    "quill",
    "rsk",
    "stra",
    "tiva",
    "vox",
    "wyn",
    "zu",
)
CAPACITY = len(_FIRST) * len(_MIDDLE) * len(_LAST)


def names(rng: np.random.Generator, size: int) -> list[str]:
    """`size` different names; past CAPACITY a number is added.

    >>> made = names(np.random.default_rng(0), 7000)
    >>> len(made) == len(set(made)) == 7000
    True
    """
    order = rng.permutation(CAPACITY)
    made = []
    for i in range(size):
        code = int(order[i % CAPACITY])
        first, code = _FIRST[code % len(_FIRST)], code // len(_FIRST)
        middle, last = _MIDDLE[code % len(_MIDDLE)], _LAST[code // len(_MIDDLE)]
        turn = i // CAPACITY
        made.append(first + middle + last + (f" {turn + 1}" if turn else ""))
    return made
