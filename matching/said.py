"""What the lake says of customers and items, read for one snapshot and day: most of what a state is made of."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from embeddings.snapshot import Snapshot
from lake.settings import Settings
from lake.tables import Lake
from matching.arrays import Ragged
from matching.audience import load_audience
from matching.bars import Items, Rule, bind
from matching.catalogue import (
    Apps,
    Offers,
    Products,
    beside_of,
    categories_of,
    load_apps,
    load_categories,
    load_offers,
    load_products,
)
from matching.channels import Channels, load_channels
from matching.customers import Customers, Handsets, load_customers, load_handsets, load_held
from matching.days import Days
from matching.fatigue import History, load_history
from matching.persons import load_persons
from matching.propensity import Propensity, load_propensity
from matching.rules import Ruled
from matching.ties import Around, load_around, load_segments
from matching.vectors import Placed, load_vectors, place


@dataclass(frozen=True)
class LakeSaid:
    """What the lake says of a snapshot's customers and items on a day, but for `used` and contacts, in the order of
    `MatchState`; `segment` int32 (n + 1) is the lake's, and `propensity` is without its users."""

    customers: Customers
    handsets: Handsets
    channels: Channels
    apps: Apps
    products: Products
    offers: Offers
    placed: Placed
    propensity: Propensity | None
    held: Ragged
    categories: pa.Array
    segments: pa.Array
    segment: np.ndarray
    around_apps: Around
    around_products: Around
    history: History
    rules: tuple[Rule, ...]


def read_said(
    settings: Settings,
    lake: Lake,
    snapshot: Snapshot,
    rules: tuple[Ruled, ...],
    app_ids: pa.Array,
    used: Ragged,
    day: dt.date,
) -> LakeSaid:
    """Read all of it; `used` are the apps that customers use, by position in `app_ids`."""
    users = lake.read("customers", ["user"])["user"]
    days = Days(settings.zone)
    handsets = load_handsets(lake)
    customers = load_customers(lake, day, handsets)
    segments, segment = load_segments(lake, users)
    placed = place(snapshot, users, segments, segment)
    vectors = load_vectors(snapshot, placed)
    categories = load_categories(lake)
    app_category = categories_of(lake, "app", app_ids, categories)
    apps = load_apps(lake, app_ids, handsets, app_category)
    products = load_products(lake, vectors, handsets)
    product_category = categories_of(lake, "product", products.ids, categories)
    channels = load_channels(lake, users, day, days, settings.budgets)
    audience = load_audience(lake, customers, handsets, day)
    offers = load_offers(lake, vectors, products, channels.ids, audience, day)
    held = load_held(lake, users, products.ids, day)
    around = (customers.handset, len(handsets.ids), ~customers.off_net)
    learned = load_propensity(snapshot, lake, users, offers.ids, channels.ids, offers.prior, day, days)
    return LakeSaid(
        customers=customers,
        handsets=handsets,
        channels=channels,
        apps=apps,
        products=products,
        offers=offers,
        placed=placed,
        propensity=None if learned is None else replace(learned, users=snapshot.offer_users[:0]),
        held=held,
        categories=categories,
        segments=segments,
        segment=segment,
        around_apps=load_around(lake, "app", apps.ids, used, *around, app_category, categories, segments),
        around_products=load_around(
            lake, "product", products.ids, held, *around, product_category, categories, segments
        ),
        history=load_history(
            lake,
            users,
            {"app": apps.ids, "offer": offers.ids},
            load_persons(lake, customers.n),
            rules,
            day,
            days,
            beside_of(products, offers.product),
        ),
        rules=bind(
            rules, lake, customers, handsets, Items(apps.ids, offers.ids, products.ids.take(offers.product)), day
        ),
    )
