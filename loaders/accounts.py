"""Customers who follow each other on one number: `account` in the feed `users`.

The table `users` has one row a number and account. Of a number's accounts the one that was activated last is the
current customer, whatever came first; each other one is a former customer, until the day that the next was activated:

- A row of a known account replaces that account's row: a former customer can be corrected.
- Two accounts of a number that were activated on one day are one customer: the later row counts.
- A row without an account is about the current customer, whose account and activation it keeps.
- The first account that comes for a number without one is that of the customer who is there.
- An account has one time on a number: one that comes back, after another, is there from its new activation on.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl
import pyarrow as pa

from lake import successions
from lake.pseudonyms import Pseudonyms

KEY = ["user", "account"]


def rounds(rows: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Rows in order, parted so that no number has rows with and without an account in one part."""
    without = pl.col("account").is_null()
    turn = (without != without.shift()).fill_null(False).cum_sum().over("user")
    if rows.get_column("account").null_count() in (0, rows.height):
        yield rows
        return
    turns = rows.with_columns(turn=turn)
    for _, part in sorted(turns.partition_by("turn", maintain_order=True, as_dict=True).items()):
        yield part.drop("turn")


def known(rows: pl.DataFrame, state: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows of one round and the table they are laid over, with the accounts that each knows of the other."""
    now = state.drop_nulls("account").sort("activated_on").unique("user", keep="last")
    told = rows.join(
        now.select("user", now="account", since="activated_on"), on="user", how="left", maintain_order="left"
    )
    without = pl.col("account").is_null()
    told = told.with_columns(
        account=pl.coalesce("account", "now"),
        activated_on=pl.when(without).then(pl.coalesce("since", "activated_on")).otherwise("activated_on"),
    )
    came = rows.drop_nulls("account").sort("activated_on", maintain_order=True).unique("user", keep="first")
    bare = state.join(came.select("user", first="account"), on="user", how="left", maintain_order="left")
    bare = bare.with_columns(account=pl.coalesce("account", "first"))
    return told.select(rows.columns), bare.select(state.columns)


def standing(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows that no later row of the same number replaces: one with the same account, or of the same day."""
    numbered = rows.with_row_index("place")
    last = [numbered.unique(names, keep="last").select("place") for names in (KEY, ["user", "activated_on"])]
    return numbered.join(last[0].join(last[1], on="place"), on="place", how="semi").sort("place").drop("place")


def customers(users: pl.DataFrame, pseudonyms: Pseudonyms) -> tuple[pl.DataFrame, pa.Table]:
    """The table `users` with former customers under pseudonyms of their own, and the table of successions.

    A former customer has left, at the latest on the day before the next one's activation.
    """
    followed = (
        users.filter(pl.col("account").is_not_null() & (pl.len().over("user") > 1))
        .sort("user", "activated_on")
        .with_columns(until=pl.col("activated_on").shift(-1).over("user"))
        .drop_nulls("until")
    )
    if not followed.height:
        return users, successions.SCHEMA.empty_table()
    numbers, accounts = (followed.get_column(name).to_arrow() for name in KEY)
    followed = followed.with_columns(former=pl.Series(pseudonyms.of_former(numbers, accounts)))
    left = pl.min_horizontal("left_on", pl.col("until").dt.offset_by("-1d"))
    former = followed.with_columns(user="former", status=pl.lit("left"), left_on=left)
    current = users.join(followed.select(KEY), on=KEY, how="anti", nulls_equal=True)
    told = followed.select("user", "former", "until").to_arrow().cast(successions.SCHEMA)
    return pl.concat([current, former.select(users.columns)]), told.combine_chunks()
