"""Words of titles, in any script, as a few codes each: what an app without users is told by, beside its category.

A title is brought to one form (NFKC, case folded) and cut into words: runs of letters, marks and digits. Scripts that
are written without spaces (Chinese, Japanese, Thai, Lao, Khmer, Burmese) give pairs of neighbouring characters instead.
Words of a single title tell nothing of any other and get no code.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable

import numpy as np

MOST_WORDS = 4000
"""Words that get a code, those of the most titles."""
FEWEST_TITLES = 2
WORDS = 8
"""Codes of one title, its rarest known words."""
UNSPACED = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Burmese
    (0x1780, 0x17FF),  # Khmer
    (0x3005, 0x3007),
    (0x3040, 0x30FF),  # Hiragana, Katakana
    (0x3400, 0x4DBF),  # Chinese characters, and their extensions
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x20000, 0x3FFFF),
)


def tokens(text: str) -> list[str]:
    """The words of a text in order; pairs of characters where its script has no spaces.

    >>> tokens("Fussball-LIVE 2 für Köln")
    ['fussball', 'live', '2', 'für', 'köln']
    >>> tokens("ＴＶ天气预报 app")
    ['tv', '天气', '气预', '预报', 'app']
    """
    found: list[str] = []
    word, unspaced = "", False
    for char in unicodedata.normalize("NFKC", text).casefold() + " ":
        is_part = unicodedata.category(char)[0] in "LMN"
        is_mark = unicodedata.category(char)[0] == "M"
        kind = unspaced if is_mark and word else _unspaced(char)
        if word and (not is_part or kind != unspaced):
            found += _pairs(word) if unspaced else [word]
            word = ""
        if is_part:
            word, unspaced = word + char, kind
    return found


def encode_titles(titles: Iterable[str | None]) -> tuple[np.ndarray, int]:
    """Codes (r, `WORDS`) int32 of the words of each title, -1 for none, and how many words have a code.

    >>> codes, words = encode_titles(["Chess live", "Live news", None])
    >>> codes[:, 0].tolist(), words
    ([0, 0, -1], 1)
    """
    each = [sorted(set(tokens(title or ""))) for title in titles]
    counts = Counter(word for words in each for word in words)
    known = sorted((word for word in counts if counts[word] >= FEWEST_TITLES), key=lambda word: (-counts[word], word))
    code = {word: place for place, word in enumerate(known[:MOST_WORDS])}
    codes = np.full((len(each), WORDS), -1, np.int32)
    for row, words in enumerate(each):
        rarest = sorted((code[word] for word in words if word in code), reverse=True)[:WORDS]
        codes[row, : len(rarest)] = rarest
    return codes, len(code)


def _pairs(word: str) -> list[str]:
    return [word[at : at + 2] for at in range(max(1, len(word) - 1))]


def _unspaced(char: str) -> bool:
    point = ord(char)
    return point > 0xDFF and any(low <= point <= high for low, high in UNSPACED)
