"""The 18 feeds, each column's rule declared once.

Validation, the lake's schemas, the generated documentation and the sample's check all read these
declarations; a rule that one column cannot express (two columns together) is in `loaders.rules`.
"""

from __future__ import annotations

from loaders.columns import Column, Feed, Type

__all__ = ["CALL_PARTIES", "FEEDS", "Column", "Feed"]


def _key(name: str, type_: Type = "id", **facts: object) -> Column:
    return Column(name, type_, required=True, key=True, **facts)  # type: ignore[arg-type]


def _must(name: str, type_: Type = "id", **facts: object) -> Column:
    return Column(name, type_, required=True, **facts)  # type: ignore[arg-type]


def _choice(name: str, *allowed: str, **facts: object) -> Column:
    return Column(name, "choice", allowed=allowed, **facts)  # type: ignore[arg-type]


def _count(name: str, **facts: object) -> Column:
    return Column(name, "integer", low=0, **facts)  # type: ignore[arg-type]


def _amount(name: str, **facts: object) -> Column:
    return Column(name, "decimal", low=0, **facts)  # type: ignore[arg-type]


def _megabytes() -> Column:
    """Up to what a sum in bytes has room for."""
    return _amount("mb", high=1e12, doc="10^6 bytes")


NETWORKS = ("2g", "3g", "4g", "5g")
LAT = _must("lat", "decimal", low=-90, high=90, doc="degrees north")
LON = _must("lon", "decimal", low=-180, high=180, doc="degrees east")

_ALL = (
    Feed(
        "users",
        (
            _key("number", "number"),
            Column("activated_on", "date", doc="required with `account`"),
            Column("left_on", "date"),
            _choice("status", "active", "barred", "left"),
            _choice("kind", "person", "company", "service", "machine", default="person"),
            Column("account", "hashed", doc="a new one on the same number is a new customer"),
            Column("birth_year", "integer", low=1850, high=2100),
            _choice("gender", "f", "m"),
            Column("income_band", "integer", low=1, high=5),
            Column("city", "text"),
            Column("brand", "text"),
            Column("star", "integer", low=0, high=5),
            Column("arpu", "decimal", doc="money"),
            Column("contract_until", "date"),
            _choice("sim", *NETWORKS),
            Column("person", "hashed", doc="the natural person behind several numbers"),
            Column("consent", "boolean", default=True, doc="false: never selected, listed or contacted"),
            Column("no_contact", "boolean", default=False),
        ),
        doc="customers, one row a number",
    ),
    Feed(
        "handsets",
        (
            _key("handset", "handset", doc="a TAC or a model id"),
            Column("brand", "text"),
            Column("model", "text"),
            Column("os", "text"),
            Column("os_version", "text"),
            _choice("network", *NETWORKS),
            _amount("screen_inches"),
            Column("price", "decimal", doc="money"),
            Column("released_on", "date"),
        ),
        doc="the catalogue of handsets",
    ),
    Feed(
        "user_handsets",
        (
            _key("number", "number"),
            _key("handset", "handset", of="handsets"),
            _key("since", "date"),
            Column("until", "date"),
        ),
        doc="who used which handset, and when",
    ),
    Feed(
        "apps",
        (
            _key("app"),
            _must("name", "text"),
            Column("category", "text"),
            Column("subcategory", "text"),
            Column("publisher", "text"),
            Column("os", "list", doc="empty: any"),
            Column("own", "boolean", doc="true for the operator's own"),
            Column("price", "decimal", doc="money"),
        ),
        doc="the catalogue of apps",
    ),
    Feed(
        "app_usage",
        (
            _must("number", "number"),
            _must("app", of="apps"),
            _must("at", "date or moment"),
            _count("sessions", default=1),
            _count("seconds"),
            _megabytes(),
        ),
        event=True,
        doc="use of apps",
    ),
    Feed(
        "web_visits",
        (
            _must("number", "number"),
            _must("at", "moment"),
            _must("url", "url", doc="host, or host and path; the query is dropped"),
            _megabytes(),
        ),
        event=True,
        doc="visits to hosts, to be translated by `url_rules`",
    ),
    Feed(
        "url_rules",
        (
            _key(
                "pattern",
                doc="a host, or `*.host` for the hosts below it, with or without a path prefix of whole segments; case "
                "of the host, scheme, port, a last dot and a last slash make no difference",
            ),
            Column("app", "id", of="apps"),
            Column("tag", "text"),
            Column("content", "text"),
        ),
        doc="what a host or path stands for; at least one of `app`, `tag`, `content`. Of the rules that hold for a "
        "visit the exact host's come first, then the longest wildcard's; then the longest path decides",
    ),
    Feed(
        "products",
        (
            _key("product"),
            _must("name", "text"),
            _choice("kind", "plan", "data_pack", "voice_pack", "service", "contract", "handset_deal", required=True),
            Column("monthly_fee", "decimal", doc="money"),
            _amount("minutes"),
            _megabytes(),
            _count("messages"),
            Column("extra_minute", "decimal", doc="money"),
            Column("extra_mb", "decimal", doc="money"),
            Column("extra_message", "decimal", doc="money"),
            _count("valid_days"),
            _count("contract_months"),
            _choice("needs_network", *NETWORKS),
            Column("needs_os", "text"),
            Column("excludes", "list", of="products", doc="products that cannot be held beside it"),
        ),
        doc="the catalogue of products",
    ),
    Feed(
        "subscriptions",
        (
            _key("number", "number"),
            _key("product", of="products"),
            _key("since", "date"),
            Column("until", "date"),
        ),
        doc="who holds which product, and when",
    ),
    Feed(
        "bills",
        (
            _key("number", "number"),
            _key("month", "month"),
            Column("fee", "decimal", doc="money"),
            _amount("minutes"),
            _megabytes(),
            _count("messages"),
            _count("complaints"),
            _count("dropped_calls"),
            _count("slow_sessions"),
            _count("roaming_days"),
            _count("days_on", doc="days with any activity"),
            Column("recharged", "decimal", doc="money"),
            Column("balance", "decimal", doc="money"),
        ),
        doc="a customer's month",
    ),
    Feed(
        "channels",
        (
            _key("channel"),
            _must("name", "text"),
            _choice("kind", "sms", "popup", "hotline", "store", "app", "web", "chat", "outbound", required=True),
            _count("daily_capacity"),
            Column("unit_cost", "decimal", doc="money"),
        ),
        doc="ways to reach a customer",
    ),
    Feed(
        "touches",
        (_must("number", "number"), _must("channel", of="channels"), _must("at", "moment")),
        event=True,
        doc="a customer used or visited a channel",
    ),
    Feed(
        "offers",
        (
            _key("offer"),
            _must("product", of="products"),
            _must("title", "text"),
            Column("script", "text"),
            Column("reason", "text"),
            _must("channels", "list", of="channels"),
            Column("starts_on", "date"),
            Column("ends_on", "date"),
            Column("priority", "integer", low=0, high=100),
            Column("value", "decimal", doc="money: margin of one acceptance"),
            Column("audience", "condition", doc="a condition; empty: all"),
        ),
        doc="what may be offered, through which channels, to whom",
    ),
    Feed(
        "responses",
        (
            _must("number", "number"),
            _must("offer", of="offers"),
            _must("channel", of="channels"),
            _must("at", "moment"),
            _choice("outcome", "shown", "accepted", "refused", "ignored", required=True),
            Column("decision", "id"),
            _count("position"),
            Column("probability", "decimal", low=0, high=1, doc="of having been shown"),
        ),
        event=True,
        doc="what customers answered",
    ),
    Feed(
        "calls",
        (
            _must("caller", "number", doc="alphanumeric or withheld: the call is counted and left out"),
            _must("callee", "number", doc="likewise"),
            _must("at", "moment"),
            Column("seconds", "integer", default=0, doc="below 0 is 0"),
            _choice("kind", "voice", "message", default="voice"),
            Column("answered", "boolean", doc="when absent: true when a message, or `seconds` > 0"),
            Column("cell", "id", of="cells", doc="of the reporting side"),
            _choice("record", "out", "in", doc="an out and an in within 5 s between the same parties are one call"),
            Column("call", "id", doc="parts with one id and the same parties are one call, their seconds added"),
        ),
        event=True,
        doc="calls and messages",
    ),
    Feed("cells", (_key("cell"), LAT, LON), doc="where the cells are"),
    Feed("stores", (_key("store"), _must("name", "text"), LAT, LON), doc="where the stores are"),
    Feed(
        "questions",
        (
            _key("question"),
            _key("answer"),
            Column("text", "text", doc="the answer's wording"),
            Column("tags", "list"),
            Column("offer", "id", of="offers"),
        ),
        doc="questions to customers and their answers",
    ),
)

FEEDS: dict[str, Feed] = {feed.name: feed for feed in _ALL}
"""All feeds by name, in the order of the specification."""

CALL_PARTIES = ("caller", "callee")
