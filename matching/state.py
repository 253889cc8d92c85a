"""Everything a decision needs, in memory: `MatchState.load` reads the lake and the snapshot once."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
import pyarrow as pa

from embeddings.snapshot import Snapshot
from lake.clock import today as today_of
from lake.errors import BadValue, UnknownName
from lake.home import Home
from lake.settings import Settings
from lake.tables import Lake
from lake.use import APP_USE
from matching.apart import make_apart
from matching.arrays import Ragged
from matching.audience import load_audience
from matching.bars import Items, Rule, bind, load_rules
from matching.catalogue import (
    Apps,
    Offers,
    Products,
    categories_of,
    load_apps,
    load_categories,
    load_offers,
    load_products,
)
from matching.channels import Channels, load_channels
from matching.coarse import Coarse
from matching.customers import Customers, Handsets, load_customers, load_handsets, load_held
from matching.evidence import Ties
from matching.fatigue import History, load_history
from matching.kept import FEWEST, Kept
from matching.ondisk import read_when_asked
from matching.persons import load_persons
from matching.propensity import Propensity, load_propensity
from matching.quiet import Quiet, quiet_of
from matching.rank import warm_up
from matching.rules import Ruled
from matching.ties import Around, load_around, load_contacts, load_segments, load_used
from matching.vectors import Placed, Vectors, load_vectors, place

Kind = Literal["app", "offer"]
KINDS = ("app", "offer")
TABLES = (
    "answers",
    "apps",
    "bills",
    "categories",
    "channel_use",
    "channels",
    "circles",
    "customers",
    "fits",
    "handsets",
    "offers",
    "products",
    "responses",
    "segments",
    "subscriptions",
    "user_handsets",
    *APP_USE,
)
"""The tables of the lake that a state is made of, but for contacts."""


@dataclass(frozen=True)
class Texts:
    """Identifiers and words by position."""

    app_ids: list[str]
    app_names: list[str]
    product_ids: list[str]
    product_names: list[str]
    offer_ids: list[str]
    offer_reasons: list[str | None]
    offer_scripts: list[str | None]
    handset_ids: list[str]
    handset_names: list[str]
    channel_ids: list[str]
    categories: list[str]
    segments: list[str]


@dataclass(frozen=True)
class MatchState:
    """Arrays by position: customers (the last position is an unknown number), apps, products, offers, channels.

    It does not change once loaded and may be read by any number of threads; what customers answer after it was
    loaded is kept in `matching.answered.Answered`.
    """

    today: dt.date
    snapshot_id: str
    customers: Customers
    handsets: Handsets
    channels: Channels
    apps: Apps
    products: Products
    offers: Offers
    vectors: Vectors
    propensity: Propensity | None
    used: Ragged
    held: Ragged
    categories: pa.Array
    segments: pa.Array
    app_ties: Ties
    product_ties: Ties
    history: History
    quiet: Quiet | None
    rules: tuple[Rule, ...]

    @classmethod
    def load(
        cls,
        home: Home,
        settings: Settings,
        lake: Lake,
        snapshot: Snapshot,
        *,
        today: dt.date | None = None,
        fewest: int = FEWEST,
        apart: bool = True,
    ) -> MatchState:
        """Read the lake and map a snapshot.

        `today` is the clock's day unless the settings name one. From `fewest` customers on, what the lake says is kept
        in files (`matching.kept`), made where it is due in a process of its own if `apart`. Raises NotReady where
        nothing has been loaded, and SettingError for a rule that cannot be used.
        """
        rules = load_rules(settings.rules, lake)
        day = today_of(settings, lake, clock=True) if today is None else today
        kept = Kept(home, lake, fewest)
        told = [snapshot.id, day, settings.rules, settings.budgets]
        if apart and kept.is_worthwhile and not kept.path("state", TABLES, told).exists():
            with kept.alone("apart"):
                if not kept.path("state", TABLES, told).exists():
                    make_apart(home, settings, snapshot, day, fewest)
        app_ids = pa.array(snapshot.apps, pa.string())
        used = kept.part(
            "used", ("customers", *APP_USE), snapshot.apps, lambda: load_used(lake, app_ids, kept.customers)
        )
        said = kept.part("state", TABLES, told, lambda: _said(settings, lake, snapshot, rules, used, day))
        who = said.customers
        contacts = kept.part(
            "contacts",
            ("customers", "contacts"),
            settings.keep_periods,
            lambda: load_contacts(lake, settings, who.consent, who.off_net),
        )
        learned = said.propensity
        state = cls(
            today=day,
            snapshot_id=snapshot.id,
            customers=who,
            handsets=said.handsets,
            channels=said.channels,
            apps=said.apps,
            products=said.products,
            offers=said.offers,
            vectors=load_vectors(snapshot, said.placed),
            propensity=None if learned is None else replace(learned, users=read_when_asked(snapshot.offer_users)),
            used=used,
            held=said.held,
            categories=said.categories,
            segments=said.segments,
            app_ties=said.around_apps.ties(used, contacts, who.handset, said.segment),
            product_ties=said.around_products.ties(said.held, contacts, who.handset, said.segment),
            history=said.history,
            quiet=quiet_of(rules, settings.zone),
            rules=said.rules,
        )
        warm_up()
        return state

    def items(self, kind: Kind) -> pa.Array:
        """Identifiers of all apps, or of all offers, by position."""
        return self.apps.ids if kind == "app" else self.offers.ids

    def places(self, kind: Kind) -> dict[str, int]:
        """Position of each identifier of `items(kind)`."""
        return self._app_places if kind == "app" else self._offer_places

    @cached_property
    def texts(self) -> Texts:
        """What decisions write, as plain lists: a value of an Arrow column takes longer to read."""
        return Texts(
            app_ids=self.apps.ids.to_pylist(),
            app_names=self.apps.names.to_pylist(),
            product_ids=self.products.ids.to_pylist(),
            product_names=self.products.names.to_pylist(),
            offer_ids=self.offers.ids.to_pylist(),
            offer_reasons=self.offers.reasons.to_pylist(),
            offer_scripts=self.offers.scripts.to_pylist(),
            handset_ids=self.handsets.ids.to_pylist(),
            handset_names=self.handsets.names.to_pylist(),
            channel_ids=self.channels.ids.to_pylist(),
            categories=self.categories.to_pylist(),
            segments=self.segments.to_pylist(),
        )

    @cached_property
    def coarse(self) -> Coarse:
        """The apps' vectors in 8 bits."""
        return Coarse.of(self.vectors.apps)

    @cached_property
    def _app_places(self) -> dict[str, int]:
        return {item: i for i, item in enumerate(self.apps.ids.to_pylist())}

    @cached_property
    def _offer_places(self) -> dict[str, int]:
        return {item: i for i, item in enumerate(self.offers.ids.to_pylist())}

    @cached_property
    def counted(self) -> int:
        """Customers that shares are counted over: all of the own network."""
        return int((~self.customers.off_net).sum())

    def channel(self, name: str | None) -> int:
        """Position of a channel, -1 for None. Raises UnknownName, listing the channels there are."""
        if name is None:
            return -1
        known = self.channels.ids.to_pylist()
        if name not in known:
            raise UnknownName(f"there is no channel {name!r}", f"the channels are {', '.join(known) or '(none)'}")
        return known.index(name)


@dataclass(frozen=True)
class _Said:
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


def _said(
    settings: Settings, lake: Lake, snapshot: Snapshot, rules: tuple[Ruled, ...], used: Ragged, day: dt.date
) -> _Said:
    users = lake.read("customers", ["user"])["user"]
    handsets = load_handsets(lake)
    customers = load_customers(lake, day, handsets)
    segments, segment = load_segments(lake, users)
    placed = place(snapshot, users, segments, segment)
    vectors = load_vectors(snapshot, placed)
    categories = load_categories(lake)
    app_category = categories_of(lake, "app", vectors.app_ids, categories)
    apps = load_apps(lake, vectors, handsets, app_category)
    products = load_products(lake, vectors, handsets)
    product_category = categories_of(lake, "product", products.ids, categories)
    channels = load_channels(lake, users, day, settings.budgets)
    audience = load_audience(lake, customers, handsets, day)
    offers = load_offers(lake, vectors, products, channels.ids, audience, day)
    held = load_held(lake, users, products.ids, day)
    around = (customers.handset, len(handsets.ids), ~customers.off_net)
    learned = load_propensity(snapshot, lake, users, offers.ids, channels.ids, offers.prior, day)
    return _Said(
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
            lake, users, {"app": apps.ids, "offer": offers.ids}, load_persons(lake, customers.n), rules, day
        ),
        rules=bind(
            rules, lake, customers, handsets, Items(apps.ids, offers.ids, products.ids.take(offers.product)), day
        ),
    )


def check_kind(kind: str) -> Kind:
    """The kind, or BadValue."""
    if kind not in KINDS:
        raise BadValue(f"kind is {kind!r}", "it should be app or offer")
    return kind  # type: ignore[return-value]


def check_k(k: int) -> int:
    """k, or BadValue where it is below 1 or no whole number."""
    if isinstance(k, bool) or not isinstance(k, int) or k < 1:
        raise BadValue(f"k is {k!r}", "it should be a whole number from 1")
    return k
