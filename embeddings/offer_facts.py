"""What is known of an offer before anybody answered it, and the acceptance that a table of weights expects from it.

Facts are its product, that product's kind and network, the channels it goes through, the words of its title, and
amounts: fee, megabytes and minutes of the product, margin of one acceptance. Facts of a sort that an offer has several
of (channels, words) count 1 / √(how many). The table of weights, `(fact, value, weight, mean, spread)`, is learned by
`embeddings.unshown`; whoever serves reads it from the snapshot, so an offer that came since is told from it too.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from embeddings.text import tokens
from lake.tables import Lake

OFFER, SEGMENT = "offer", "segment"
"""The fact that every offer has, whose weight is the level of all; and that of how readily a segment says yes."""
VALUES = ("kind", "needs_network")
AMOUNTS = ("monthly_fee", "mb", "minutes", "value")
MOST_UNLIKE = 3.0
"""No amount counts as farther from the mean than so many standard deviations."""
FACTS = pa.schema({"at": pa.int32(), "fact": pa.string(), "value": pa.string(), "amount": pa.float64()})
WEIGHTS = pa.schema(
    {
        "fact": pa.string(),
        "value": pa.string(),
        "weight": pa.float64(),
        "mean": pa.float64(),
        "spread": pa.float64(),
    }
)
"""Of an amount `weight` counts a standard deviation, of (amount - `mean`) / `spread`; both are null for other facts."""


def read_facts(lake: Lake, offers: pa.Array) -> pa.Table:
    """Facts `(at, fact, value, amount)` of the lake's `offers` (o), `at` their place; amounts are logarithms."""
    rows: list[tuple[int, str, str, float]] = []
    place = {offer: at for at, offer in enumerate(offers.to_pylist())}
    table = lake.read("offers").to_pylist() if lake.has("offers") else []
    products = {row["product"]: row for row in lake.read("products").to_pylist()} if lake.has("products") else {}
    for offer in sorted((row for row in table if row["offer"] in place), key=lambda row: place[row["offer"]]):
        at, product = place[offer["offer"]], products.get(offer["product"], {})
        rows.append((at, OFFER, "", 1.0))
        rows.append((at, "product", str(offer["product"]), 1.0))
        rows += [(at, name, str(product[name]), 1.0) for name in VALUES if product.get(name) is not None]
        for fact, several in (("channel", offer.get("channels")), ("word", tokens(offer.get("title") or ""))):
            once = sorted(set(several or ()))
            rows += [(at, fact, value, 1 / np.sqrt(len(once))) for value in once]
        for name in AMOUNTS:
            amount = offer.get(name) if name == "value" else product.get(name)
            if amount is not None and np.isfinite(amount):
                rows.append((at, name, "", float(np.log1p(max(amount, 0.0)))))
    return pa.table([list(column) for column in zip(*rows, strict=True)] if rows else [[]] * 4, schema=FACTS)


def no_weights() -> pa.Table:
    """What a snapshot says where facts do not tell more than the mean of the other offers."""
    return WEIGHTS.empty_table()


def levels(weights: pa.Table, known: pa.Table, offers: int) -> np.ndarray:
    """Log-odds (offers,) of acceptance by the facts of each, of anybody.

    >>> rows = [(0, "offer", "", 1.0), (1, "offer", "", 1.0), (1, "kind", "plan", 1.0)]
    >>> known = pa.Table.from_pylist([dict(zip(FACTS.names, row)) for row in rows], schema=FACTS)
    >>> told = [{"fact": "offer", "value": "", "weight": -2.0}, {"fact": "kind", "value": "plan", "weight": 0.5}]
    >>> levels(pa.Table.from_pylist(told, schema=WEIGHTS), known, 2).tolist()
    [-2.0, -1.5]
    """
    row = pc.fill_null(pc.index_in(keys(known), value_set=keys(weights)), -1).to_numpy()
    some = row >= 0
    column = {name: weights[name].to_numpy()[row[some]] for name in ("weight", "mean", "spread")}
    counts = counted_as(known["amount"].to_numpy()[some], column["mean"], column["spread"])
    return np.bincount(known["at"].to_numpy()[some], counts * column["weight"], offers)


def readiness(weights: pa.Table, segments: pa.Array) -> np.ndarray:
    """Log-odds (s + 1,) that each of `segments` adds; 0 for one that nothing is known of, and last, for anybody."""
    told = weights.filter(pc.equal(weights["fact"], SEGMENT))
    row = pc.fill_null(pc.index_in(segments, value_set=told["value"].combine_chunks()), -1).to_numpy()
    return np.append(np.append(told["weight"].to_numpy(), 0.0)[row], 0.0)


def expected(weights: pa.Table, known: pa.Table, offers: int, segments: pa.Array) -> np.ndarray:
    """Acceptance (s + 1, offers) by the facts of each offer, in each of `segments`; the last row is of anybody."""
    return 1 / (1 + np.exp(-levels(weights, known, offers)[None] - readiness(weights, segments)[:, None]))


def keys(table: pa.Table) -> pa.Array:
    """Fact and value of each row as one text."""
    joined = pc.binary_join_element_wise(table["fact"], table["value"], "=")
    return joined.combine_chunks() if isinstance(joined, pa.ChunkedArray) else joined


def counted_as(amount: np.ndarray, mean: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Amounts in standard deviations; as they are where there is no spread."""
    plain = np.isnan(spread)
    far = (amount - np.where(plain, 0, mean)) / np.where(plain, 1, spread)
    return np.where(plain, amount, np.clip(far, -MOST_UNLIKE, MOST_UNLIKE))
