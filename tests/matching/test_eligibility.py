"""The rules against a slow reading of the same tables, one customer and one item at a time."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest

from embeddings.snapshot import Snapshot
from lake.home import Home
from lake.settings import load_settings
from lake.tables import Lake
from matching.decision import MatchRequest
from matching.eligibility import Block, eligible, explain
from matching.match import match
from matching.state import MatchState
from tests.matching.conftest import BINARY, MOMENT, TEXT, TODAY, table, user
from tests.matching.random_operator import random_operator

INBOUND = {"store", "web"}
NETWORKS = ["2g", "3g", "4g", "5g"]


class Slow:
    """Rows of the lake as dictionaries, and what they allow."""

    def __init__(self, lake: Lake) -> None:
        def by(name: str, key: str) -> dict:
            return {row[key]: row for row in lake.read(name).to_pylist()}

        self.customers, self.handsets, self.apps = by("customers", "user"), by("handsets", "handset"), by("apps", "app")
        self.products, self.offers = by("products", "product"), by("offers", "offer")
        self.channels = {row["channel"]: row["kind"] for row in lake.read("channels").to_pylist()}
        self.phone = {row["user"]: row["handset"] for row in lake.read("user_handsets").to_pylist()}
        self.used = {(row["user"], row["app"]) for row in lake.read("app_usage").to_pylist()}
        self.held: dict = {}
        for row in lake.read("subscriptions").to_pylist():
            if row["until"] is None or row["until"] > TODAY:
                self.held.setdefault(row["user"], set()).add(row["product"])

    def person(self, who: bytes) -> bool:
        c = self.customers[who]
        return c["consent"] and c["status"] not in ("left", "barred") and not (c["left_on"] and c["left_on"] < TODAY)

    def os(self, who: bytes) -> str | None:
        os = self.handsets.get(self.phone.get(who), {}).get("os")
        return os.lower() if os else None

    def app(self, who: bytes, app: str) -> bool:
        systems = self.apps.get(app, {}).get("os") or []
        runs = not systems or self.os(who) is None or self.os(who) in systems
        return self.person(who) and (who, app) not in self.used and runs

    def offer(self, who: bytes, offer: str) -> bool:
        o, c = self.offers[offer], self.customers[who]
        p, held = self.products[o["product"]], self.held.get(who, set())
        barred = set(p["excludes"] or []) | {
            q for q, row in self.products.items() if p["product"] in (row["excludes"] or [])
        }
        phone = self.handsets.get(self.phone.get(who), {})
        channels = [ch for ch in o["channels"] if not c["no_contact"] or self.channels[ch] in INBOUND]
        audience = {
            None: True,
            "city = Bonn": c["city"] == "Bonn",
            "handset.os = android": phone.get("os") == "android",
            "bill.mb > 5": False,
        }[o["audience"]]
        newest = [NETWORKS.index(able) for able in (phone.get("network"), c["sim"]) if able]
        needs = NETWORKS.index(p["needs_network"]) if p["needs_network"] else 0
        dates = (o["starts_on"] is None or o["starts_on"] <= TODAY) and (o["ends_on"] is None or o["ends_on"] >= TODAY)
        needed = [each.strip().lower() for each in (p["needs_os"] or "").split(";")]
        system = needed == [""] or self.os(who) is None or self.os(who) in needed
        beside = p["product"] not in held and not barred & held
        return (
            self.person(who)
            and bool(channels)
            and audience
            and min(newest, default=9) >= needs
            and dates
            and system
            and beside
        )


@pytest.mark.parametrize("seed", range(6))
def test_the_rules_allow_exactly_what_a_slow_reading_allows(tmp_path, seed):
    state, users = random_operator(tmp_path, seed)
    slow = Slow(Lake(tmp_path / f"home{seed}" / "lake"))
    rows = np.array([state.customers.position(u) for u in users])
    for kind, allowed in (("app", slow.app), ("offer", slow.offer)):
        mask = eligible(state, Block(kind, rows))
        wanted = [[allowed(u, item) for item in state.items(kind).to_pylist()] for u in users]
        assert mask.tolist() == wanted
        assert 0.02 < mask.mean() < 0.95  # neither empty nor everything


@pytest.mark.parametrize("seed", range(3))
def test_nothing_that_is_not_allowed_is_ever_shown(tmp_path, seed):
    state, users = random_operator(tmp_path, seed)
    slow = Slow(Lake(tmp_path / f"home{seed}" / "lake"))
    for u in users:
        for kind, allowed in (("app", slow.app), ("offer", slow.offer)):
            decision = match(state, MatchRequest(u, kind, 100))
            shown = [item.id for item in decision.items]
            assert sorted(shown) == [i for i in state.items(kind).to_pylist() if allowed(u, i)]
            assert sum(decision.removed.values()) + len(shown) == decision.candidates
            assert bool(shown) == (decision.nothing_because is None)


def test_the_order_of_the_rules_does_not_matter(tmp_path):
    state, users = random_operator(tmp_path, 1)
    rows = np.array([state.customers.position(u) for u in users])
    before = {kind: eligible(state, Block(kind, rows)) for kind in ("app", "offer")}
    state = replace(state, rules=state.rules[::-1])
    for kind, mask in before.items():
        assert (eligible(state, Block(kind, rows)) == mask).all()
        assert (explain(state, Block(kind, rows))[0] == mask).all()


def test_answers_of_the_feed_and_of_earlier_loads_pause_items(load, lake):
    def at(days: int) -> dt.datetime:
        return dt.datetime.combine(TODAY - dt.timedelta(days=days), dt.time(23))

    lake.write_partition(
        "responses",
        "month",
        "2026-05",
        table(
            {"user": BINARY, "offer": TEXT, "channel": TEXT, "at": MOMENT, "outcome": TEXT},
            (user(0), "o1", "sms", at(89), "refused"),
            (user(0), "o2", "sms", at(90), "refused"),
            (user(2), "o1", "sms", at(3), "ignored"),
        ),
    )
    lake.write(
        "answers",
        table(
            {"user": BINARY, "kind": TEXT, "item": TEXT, "at": MOMENT, "outcome": TEXT},
            (user(0), "app", "game", at(1), "refused"),
            (user(1), "offer", "o2", at(1), "accepted"),
        ),
    )
    state = load()
    offers = eligible(state, Block("offer", np.array([0, 1, 2])))
    assert offers.tolist() == [[False, True, False], [False, False, False], [True, False, False]]
    assert eligible(state, Block("app", np.array([0])))[0].tolist() == [True, False, False, False, True]


def test_silence_counts_as_leaving_only_where_nothing_is_said(load, lake):
    periods = [(user(i), p) for i in range(5) for p in ("2026-04", "2026-05") if i not in (0, 2) or p == "2026-04"]
    lake.write("circles", table({"user": BINARY, "period": TEXT}, *periods))
    state = load()
    assert state.customers.left.tolist() == [False, False, True, False, False, True, False, False]


def test_without_users_feed_every_number_is_a_customer(tmp_path):
    """Only calls were handed in: nothing to show, and it is said."""
    from tests.matching.conftest import write_small_snapshot

    settings = load_settings(home=tmp_path / "home", today=TODAY)
    home = Home.open(settings, create=True)
    lake = Lake(home.lake)
    import pyarrow as pa

    lake.write("customers", pa.table({"user": pa.array([user(0), user(2)], BINARY), "off_net": [False, False]}))
    write_small_snapshot(home)
    state = MatchState.load(home, settings, lake, Snapshot.current(home))
    state.vectors.segment[0] = 1  # the snapshot's second segment
    decision = match(state, MatchRequest(user(0), "offer", 3))
    assert (decision.items, decision.nothing_because) == ([], "there are no offers to choose from")
    assert [i.id for i in match(state, MatchRequest(user(0), "app", 9)).items] == [
        "game",
        "chat",
        "news",
        "radio",
        "maps",
    ]
