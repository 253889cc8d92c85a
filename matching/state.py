"""Everything a decision needs, in memory: `MatchState.load` reads the lake and the snapshot once."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

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
from matching.bars import Rule, load_rules
from matching.catalogue import Apps, Offers, Products
from matching.channels import Channels
from matching.coarse import Coarse
from matching.customers import Customers, Handsets
from matching.days import Days
from matching.decision import json
from matching.evidence import Ties
from matching.fatigue import History
from matching.kept import FEWEST, Kept
from matching.newcomers import candidates, extend, with_new
from matching.ondisk import read_when_asked
from matching.propensity import Propensity
from matching.quiet import Quiet, quiet_of
from matching.rank import warm_up
from matching.said import read_said
from matching.texts import Texts, Things, inside, steps_from
from matching.ties import load_contacts, load_used
from matching.uptake import Uptake
from matching.vectors import Vectors, load_vectors

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
OF_NEW_APPS = ("apps", "categories", "fits", "segments")
"""Those that tell of apps which came after the snapshot."""


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
    uptake: Uptake
    used: Ragged
    held: Ragged
    categories: pa.Array
    segments: pa.Array
    app_ties: Ties
    product_ties: Ties
    history: History
    quiet: Quiet | None
    days: Days
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
        told = [snapshot.id, day, settings.rules, settings.budgets, settings.timezone]
        if apart and kept.is_worthwhile and not kept.path("state", TABLES, told).exists():
            with kept.alone("apart"):
                if not kept.path("state", TABLES, told).exists():
                    make_apart(home, settings, snapshot, day, fewest)
        app_ids = candidates(snapshot, lake)
        used = kept.part(
            "used", ("customers", *APP_USE), app_ids.to_pylist(), lambda: load_used(lake, app_ids, kept.customers)
        )
        said = kept.part("state", TABLES, told, lambda: read_said(settings, lake, snapshot, rules, app_ids, used, day))
        who = said.customers
        contacts = kept.part(
            "contacts",
            ("customers", "contacts"),
            settings.keep_periods,
            lambda: load_contacts(lake, settings, who.consent, who.off_net),
        )
        learned = said.propensity
        vectors = load_vectors(snapshot, said.placed)
        if len(app_ids) > vectors.learned:
            apps, around = said.apps.category, said.around_apps
            more = kept.part(
                "newcomers", OF_NEW_APPS, snapshot.id, lambda: extend(vectors, apps, around, said.segments)
            )
            vectors = with_new(vectors, app_ids, more)
        state = cls(
            today=day,
            snapshot_id=snapshot.id,
            customers=who,
            handsets=said.handsets,
            channels=said.channels,
            apps=said.apps,
            products=said.products,
            offers=said.offers,
            vectors=vectors,
            propensity=None if learned is None else replace(learned, users=read_when_asked(snapshot.offer_users)),
            uptake=Uptake.of(snapshot.uptake),
            used=used,
            held=said.held,
            categories=said.categories,
            segments=said.segments,
            app_ties=said.around_apps.ties(used, contacts, who.handset, said.segment),
            product_ties=said.around_products.ties(said.held, contacts, who.handset, said.segment),
            history=said.history,
            quiet=quiet_of(rules, settings.zone),
            days=Days(settings.zone),
            rules=said.rules,
        )
        warm_up()
        return state

    def items(self, kind: Kind) -> pa.Array:
        """Identifiers of all apps, or of all offers, by position."""
        return self.apps.ids if kind == "app" else self.offers.ids

    def ties(self, kind: Kind) -> Ties:
        """What lies around customers: apps, or the products of offers."""
        return self.app_ties if kind == "app" else self.product_ties

    def places(self, kind: Kind) -> dict[str, int]:
        """Position of each identifier of `items(kind)`."""
        return self._app_places if kind == "app" else self._offer_places

    @cached_property
    def texts(self) -> Texts:
        """What decisions write."""
        categories = inside(self.categories)
        return Texts(
            apps=Things.of("App", self.apps.ids, self.apps.names, self.app_ties, self.counted),
            products=Things.of("Product", self.products.ids, self.products.names, self.product_ties, self.counted),
            app_ids=inside(self.apps.ids),
            offer_ids=inside(self.offers.ids),
            offer_product=self.offers.product.tolist(),
            offer_reasons=[None if own is None else inside([own])[0] for own in self.offers.reasons.to_pylist()],
            offer_scripts=[json(script) for script in self.offers.scripts.to_pylist()],
            handset_ids=inside(self.handsets.ids),
            handset_names=inside(self.handsets.names),
            channel_ids=self.channels.ids.to_pylist(),
            category_words=[name.replace("_", " ") for name in categories] + [""],
            category_steps=[steps_from(name) for name in categories] + [""],
            segments=inside(self.segments),
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
        known = self.texts.channel_ids
        if name not in known:
            raise UnknownName(f"there is no channel {name!r}", f"the channels are {', '.join(known) or '(none)'}")
        return known.index(name)

    def is_quiet(self, moment: dt.datetime | None) -> bool:
        """Whether it is an hour at which nobody is approached."""
        return self.quiet is not None and self.quiet.at(moment)


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
