"""Tags: what visits, apps and answers stand for, in the operator's own words.

A tag and a content of `url_rules` with the same text are one node; its `kinds` say what the text is used as.
"""

from __future__ import annotations

import ibis
import polars as pl
import pyarrow as pa

from lake.tables import Lake

TEXTS = ("tag", "content")
SCHEMA = pa.schema([("tag", pa.string()), ("kinds", pa.list_(pa.string()))])


def tags(lake: Lake) -> pa.Table:
    """Every tag and content that a rule, and every tag that an answer names, with its kinds in order."""
    found = [pl.DataFrame(schema={"tag": pl.String, "kind": pl.String})]
    if lake.has("url_rules"):
        rules = lake.read("url_rules", [*TEXTS])
        found += [pl.DataFrame({"tag": pl.from_arrow(rules[kind])}).with_columns(kind=pl.lit(kind)) for kind in TEXTS]
    if lake.has("questions"):
        named = pl.DataFrame({"tag": pl.from_arrow(lake.read("questions", ["tags"])["tags"])})
        found.append(named.explode("tag").with_columns(kind=pl.lit("tag")))
    named = pl.concat([frame.cast(pl.String) for frame in found]).drop_nulls("tag").unique()
    return named.group_by("tag").agg(kinds=pl.col("kind").sort()).sort("tag").to_arrow().cast(SCHEMA).combine_chunks()


def tags_of_users(lake: Lake) -> ibis.Table:
    """One row a user and text over all time; a visit whose tag and content are one text counts once."""
    use = lake.scan("web_use")
    facts = ["user", "visits", "mb", "first_at", "last_at"]
    tagged = use.filter(use.tag.notnull()).select(*facts, tag=use.tag)
    other = use.filter(use.content.notnull() & (use.tag.isnull() | (use.tag != use.content)))
    both = ibis.union(tagged, other.select(*facts, tag=other.content))
    return both.group_by("user", "tag").agg(
        visits=both.visits.sum().cast("int64"),
        mb=both.mb.sum().cast("float64").round(6),
        first_at=both.first_at.min().cast("timestamp(6)"),
        last_at=both.last_at.max().cast("timestamp(6)"),
    )


def tags_of_apps(lake: Lake) -> pa.Table:
    """Apps and the tags and contents that a rule gives together."""
    rules = pl.DataFrame(lake.read("url_rules", ["app", *TEXTS]))
    pairs = pl.concat([rules.select("app", tag=pl.col(text)) for text in TEXTS]).drop_nulls().unique()
    schema = pa.schema([("app", pa.string()), ("tag", pa.string())])
    return pairs.sort("app", "tag").to_arrow().cast(schema).combine_chunks()
