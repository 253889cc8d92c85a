"""Which edges the lake's tables ask for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from graph.calls.returning.build import SURE
from graph.geodesic import nearest
from graph.questions import has, of_answers
from graph.tags import tags_of_apps, tags_of_users
from graph.wanted import Wanted, rows_in
from lake.tables import Lake
from lake.use import APP_USE, app_use

Ends = tuple[str, str]


@dataclass(frozen=True)
class Edges:
    """One type between two labels: the tables it is made from, and how.

    The first two columns of `wanted` are the ends' keys, the others properties; a table is sorted by the first, an
    expression (of what may not fit into memory) is read in ranges of it. `part` names it in the state of the graph.
    `identity` are the properties that tell parallel edges apart, `only` a condition on `r` (with `parameters`) where
    edges of the type belong to others too.
    """

    part: str
    type: str
    start: str
    end: str
    inputs: tuple[str, ...]
    wanted: Callable[[Lake], pa.Table | ibis.Table]
    identity: tuple[str, ...] = ()
    only: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    partition: str | None = None
    """The one partition of `inputs` that it is made from."""
    enough: Callable[[Iterable[object]], bool] = all
    """Whether all inputs are needed, or `any` of them will do."""
    rows_each: int = 1
    """Rows of the inputs that one edge is made of, at least."""

    def asked(self, lake: Lake) -> Wanted:
        """The wanted edges; none where an input that is needed is missing."""
        if not self.enough(lake.has(name) for name in self.inputs):
            return Wanted(self.none())
        rows = self.wanted(lake)
        if isinstance(rows, pa.Table):
            return Wanted(rows, rows.num_rows)
        return Wanted(rows, self.most(lake), (*rows.columns[:2], *self.identity))

    def most(self, lake: Lake) -> int:
        """How many there may be: the rows of the inputs."""
        return rows_in(lake, self.inputs, self.partition) // self.rows_each

    def none(self) -> pa.Table:
        """No edges, as a table."""
        kinds = {"since": pa.date32()}
        ends = [("start", pa.binary() if self.start == "User" else pa.string()), ("end", pa.string())]
        return pa.schema(ends + [(name, kinds.get(name, pa.string())) for name in self.identity]).empty_table()


def columns_of(table: str, *columns: str) -> Callable[[Lake], pa.Table]:
    """Columns of a table as they are, rows that lack an end left out."""

    def wanted(lake: Lake) -> pa.Table:
        found = lake.read(table, list(columns)).select(list(columns))
        whole = pc.and_(pc.is_valid(found[columns[0]]), pc.is_valid(found[columns[1]]))
        return found.filter(whole).sort_by([(columns[0], "ascending"), (columns[1], "ascending")])

    return wanted


def one_by_one(table: str, key: str, column: str) -> Callable[[Lake], pa.Table]:
    """An edge for each entry of a list column."""

    def wanted(lake: Lake) -> pa.Table:
        scanned = lake.scan(table)
        pairs = scanned.select(key, other=scanned[column].unnest()).filter(ibis._.other.notnull()).distinct()
        return pairs.order_by(key, "other").to_pyarrow()

    return wanted


def app_totals(lake: Lake) -> ibis.Table:
    """One row a user and app over all time; megabytes to six decimals, so that the order of adding does not show."""
    use = app_use(lake)
    moments, number = "timestamp(6)", "int64"
    return use.group_by("user", "app").agg(
        sessions=use.sessions.sum().cast(number),
        seconds=use.seconds.sum().cast(number),
        mb=use.mb.sum().cast("float64").round(6),
        first_at=use["at"].min().cast(moments),
        last_at=use["at"].max().cast(moments),
    )


def feed_responses(lake: Lake) -> ibis.Table:
    """One row an answer of the feed; `feed_row` tells them apart: a digest of the answer, numbered among equal ones."""
    answers = lake.scan("responses")
    ends, facts = ["user", "offer"], ["outcome", "channel", "at", "decision", "position", "probability"]
    text = ibis.literal("|").join([answers[name].cast("string").fill_null("") for name in facts])
    told = answers.select(*ends, *facts, text=text)
    numbered = told.mutate(times=ibis.row_number().over(group_by=[*ends, "text"], order_by="text"))
    keyed = numbered.mutate(feed_row=(numbered.text + "|" + numbered.times.cast("string")).hexdigest("md5"))
    return keyed.select(*ends, *facts, "feed_row")


def fits(item_kind: str) -> Callable[[Lake], pa.Table]:
    """The bar between segments and items of one kind."""

    def wanted(lake: Lake) -> pa.Table:
        table = lake.read("fits")
        return table.filter(pc.equal(table["item_kind"], item_kind)).select(
            ["segment", "item", "score", "lift", "channel"]
        )

    return wanted


def in_category(item_kind: str) -> Callable[[Lake], pa.Table]:
    def wanted(lake: Lake) -> pa.Table:
        table = lake.read("categories")
        return table.filter(pc.equal(table["item_kind"], item_kind)).select(["item", "category"])

    return wanted


def nearest_store(lake: Lake) -> pa.Table:
    """The nearest store of each cell, and the metres to it (whole ones)."""
    cells, stores = lake.read("cells").sort_by("cell"), lake.read("stores").sort_by("store")
    if not (cells.num_rows and stores.num_rows):
        return pa.table({"cell": [], "store": [], "metres": []}, schema=NEAREST)
    found, distance = nearest(*(t[c].to_numpy() for t in (cells, stores) for c in ("lat", "lon")))
    columns = [cells["cell"], stores["store"].take(pa.array(found)), pa.array(np.rint(distance).astype(np.int64))]
    return pa.table(columns, schema=NEAREST)


NEAREST = pa.schema([("cell", pa.string()), ("store", pa.string()), ("metres", pa.int64())])


def calls_of(period: str) -> Callable[[Lake], ibis.Table]:
    """Ties of one period, each once, from the smaller pseudonym."""

    def wanted(lake: Lake) -> ibis.Table:
        ties = lake.scan("contacts", period)
        facts = [name for name in ties.columns if name not in ("user", "contact", "period")]
        once = ties.filter(ties.user < ties.contact)
        return once.select("user", "contact", *facts, period=ibis.literal(period)).select(
            "user", "contact", "period", *facts
        )

    return wanted


def same_as(lake: Lake) -> pa.Table:
    """From a customer who left to the number that they have now, where that is sure."""
    found = lake.read("returning", ["user", "candidate", "score"])
    return found.filter(pc.greater_equal(found["score"], SURE)).sort_by(
        [("user", "ascending"), ("candidate", "ascending")]
    )


CALLS = "calls "
"""What the parts of calls are called before their period."""


def calls_part(period: str) -> Edges:
    """`CALLS` of one period."""
    return Edges(
        f"{CALLS}{period}",
        "CALLS",
        "User",
        "User",
        ("contacts",),
        calls_of(period),
        ("period",),
        "r.period = $period",
        {"period": period},
        period,
        rows_each=2,  # a tie is in `contacts` from both ends
    )


EDGES = (
    Edges("held_by", "HELD_BY", "User", "Person", ("customers",), columns_of("customers", "user", "person")),
    Edges(
        "uses_handset",
        "USES_HANDSET",
        "User",
        "Handset",
        ("user_handsets",),
        columns_of("user_handsets", "user", "handset", "since", "until"),
        ("since",),
    ),
    Edges("uses_app", "USES_APP", "User", "App", APP_USE, app_totals, enough=any),
    Edges(
        "subscribes",
        "SUBSCRIBES",
        "User",
        "Product",
        ("subscriptions",),
        columns_of("subscriptions", "user", "product", "since", "until"),
        ("since",),
    ),
    Edges(
        "reached_by",
        "REACHED_BY",
        "User",
        "Channel",
        ("channel_use",),
        columns_of("channel_use", "user", "channel", "touches", "hours", "last_at", "rank"),
    ),
    Edges(
        "responded",
        "RESPONDED",
        "User",
        "Offer",
        ("responses",),
        feed_responses,
        ("feed_row",),
        "r.feed_row IS NOT NULL",
    ),
    Edges("works_near", "WORKS_NEAR", "User", "Cell", ("places",), columns_of("places", "user", "work_cell")),
    Edges("rests_near", "RESTS_NEAR", "User", "Cell", ("places",), columns_of("places", "user", "rest_cell")),
    Edges("same_as", "SAME_AS", "User", "User", ("returning",), same_as),
    Edges("in_segment", "IN_SEGMENT", "User", "Segment", ("segments",), columns_of("segments", "user", "segment")),
    Edges("app_category", "IN_CATEGORY", "App", "Category", ("categories",), in_category("app")),
    Edges("product_category", "IN_CATEGORY", "Product", "Category", ("categories",), in_category("product")),
    Edges("fits_category", "FITS", "Segment", "Category", ("fits",), fits("category")),
    Edges("fits_app", "FITS", "Segment", "App", ("fits",), fits("app")),
    Edges("fits_product", "FITS", "Segment", "Product", ("fits",), fits("product")),
    Edges("of", "OF", "Offer", "Product", ("offers",), columns_of("offers", "offer", "product")),
    Edges("through", "THROUGH", "Offer", "Channel", ("offers",), one_by_one("offers", "offer", "channels")),
    Edges("excludes", "EXCLUDES", "Product", "Product", ("products",), one_by_one("products", "product", "excludes")),
    Edges("user_tags", "TAGGED", "User", "Tag", ("web_use",), tags_of_users),
    Edges("app_tags", "TAGGED", "App", "Tag", ("url_rules",), tags_of_apps),
    Edges("answer_tags", "TAGGED", "Answer", "Tag", ("questions",), of_answers("tags", "tag")),
    Edges("has", "HAS", "Question", "Answer", ("questions",), has),
    Edges("suggests", "SUGGESTS", "Answer", "Offer", ("questions",), of_answers("offer", "offer")),
    Edges("nearest", "NEAREST", "Cell", "Store", ("cells", "stores"), nearest_store),
)
