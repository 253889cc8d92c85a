"""What decisions write, as plain lists by position: a value of an array or of an Arrow column takes longer to read.

What is said in an answer is JSON already: steps of paths, and words as they stand inside a JSON text.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import orjson
import pyarrow as pa

from matching.evidence import Ties

IN_CATEGORY = '{"edge":"IN_CATEGORY"}'


@dataclass(frozen=True)
class Things:
    """Apps, or products.

    names     as customers read them
    nodes     each as the node of a path
    category  place of each in `Texts.category_words` and `category_steps`, -1 without
    share     of customers who use each, in percent
    users     as many customers as use each, as the node of a path
    """

    names: list[str]
    nodes: list[str]
    category: list[int]
    share: list[str]
    users: list[str]

    @classmethod
    def of(cls, label: str, ids: pa.Array, names: pa.Array, ties: Ties, customers: int) -> Things:
        """Of apps or products with these `ties`, of which shares are counted over so many `customers`."""
        share = ties.share.astype(np.float64)
        return cls(
            names=inside(names),
            nodes=[node(label, id) for id in inside(ids)],
            category=ties.category.tolist(),
            share=[tenth(value) for value in np.rint(share * 1000).astype(np.int64).tolist()],
            users=[f'{{"node":"User","count":{many:.0f}}}' for many in np.rint(share * customers).tolist()],
        )


@dataclass(frozen=True)
class Texts:
    """Identifiers and words; `channel_ids` and what is None are not inside a JSON text.

    `category_words` are categories as customers read them, `category_steps` the steps from each to an item of it; of
    no category, the last place, nothing.
    """

    apps: Things
    products: Things
    app_ids: list[str]
    offer_ids: list[str]
    offer_product: list[int]
    offer_reasons: list[str | None]
    offer_scripts: list[str]
    handset_ids: list[str]
    handset_names: list[str]
    channel_ids: list[str]
    category_words: list[str]
    category_steps: list[str]
    segments: list[str]


def steps_from(category: str) -> str:
    """The steps from a category to an item, without the item."""
    return f"{node('Category', category)},{IN_CATEGORY},"


def node(label: str, key: str) -> str:
    """A node of a path; `key` stands inside a JSON text."""
    return f'{{"node":"{label}","key":"{key}"}}'


def inside(texts: pa.Array | Iterable[str]) -> list[str]:
    """Texts as they stand between the quotes of JSON.

    >>> inside(['a "b"'])
    ['a \\\\"b\\\\"']
    """
    plain = texts.to_pylist() if isinstance(texts, pa.Array) else texts
    return [orjson.dumps(text).decode()[1:-1] for text in plain]


def tenth(value: int) -> str:
    """Whole tenths with one decimal.

    >>> tenth(25)
    '2.5'
    """
    return f"{value // 10}.{value % 10}"
