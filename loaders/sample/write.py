"""The order of the parts: the world first, then a month at a time, then what only the end knows."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from lake.errors import BadValue
from loaders.sample import audience, bills, habits, master, numbering, products, records, responses, truth, usage, web
from loaders.sample.adoption import Adoptions, taste_adoptions
from loaders.sample.apps import Apps, app_count, make_apps
from loaders.sample.calendar import Calendar
from loaders.sample.files import FeedFolder
from loaders.sample.geography import Geography, make_geography
from loaders.sample.handsets import Holdings, Models, holdings_table, make_holdings, make_models
from loaders.sample.leaders import Cascade, cascade_adoptions, make_cascades
from loaders.sample.lifecycle import Life, make_life
from loaders.sample.offers import Offers, make_offers
from loaders.sample.people import People, make_people
from loaders.sample.places import Places, bad_service, make_places
from loaders.sample.scale import Scale
from loaders.sample.streams import Streams
from loaders.sample.subscriptions import Ledger, add_cascades, first_subscriptions, order_packs, subscriptions_table
from loaders.sample.tastes import APPS, Tastes, make_tastes
from loaders.sample.ties import CALLS_A_MONTH, Ties, make_ties

SERVICES = 18
APP_USES_A_MONTH = 12.3
"""Rows of `app_usage` a customer and month, where the scale does not say."""
VERSION = 2
"""Of the mechanisms; another one means other bytes."""


@dataclass
class World:
    """Everything drawn before the first month. `text`: digits of every node, then of the services."""

    streams: Streams
    calendar: Calendar
    geography: Geography
    people: People
    ties: Ties
    places: Places
    bad_cells: np.ndarray
    life: Life
    models: Models
    holdings: Holdings
    system: np.ndarray
    tastes: Tastes
    apps: Apps
    adopted: Adoptions
    cascade: Cascade
    ledger: Ledger
    habits: habits.Habits
    offers: Offers
    thrifty: np.ndarray
    willing: np.ndarray
    policy: np.ndarray
    arpu: np.ndarray
    text: pa.Array
    account: pa.Array
    calls: float
    channels: int


def write_sample(
    dir: Path, users: int, months: int, seed: int, start: str = "2026-01", scale: Scale | None = None
) -> dict:
    """Write a synthetic operator as a feed folder, all 18 feeds, with what was planted under `dir/truth/`.

    `users`: customers (rows of the feed `users`); `months`: calendar months from `start`; `scale`: other sizes than
    the sample's own. The same arguments give the same bytes. The answer: `{"feeds": {feed: rows}, "users", "months",
    "seed", "start"}` and what of `scale` is given, kept also as `truth/sample.json`, the last file to appear; a
    folder that holds the sample asked for is left as it is.
    Raises BadValue for no user or no month, and where `dir` holds anything else.
    """
    if not 1 <= users <= 20_000_000:
        raise BadValue(f"{users} users were asked for", "ask for 1 to 20 million")
    calendar = Calendar(start, months)
    scale = scale or Scale()
    answer: dict[str, Any] = {"users": users, "months": months, "seed": seed, "start": start, **scale.given()}
    done = dir / "truth" / "sample.json"
    if done.exists():
        found = json.loads(done.read_text(encoding="utf-8"))
        facts = {name: value for name, value in found.items() if name not in ("feeds", "version")}
        if facts == answer and found.get("version") == VERSION:
            return {"feeds": found["feeds"], **facts}
    staging = dir / ".writing"
    if staging.exists():  # of a run that was killed
        shutil.rmtree(staging)
    if dir.exists() and any(dir.iterdir()):
        raise BadValue(f"{dir} is not empty", "name a new folder for the sample")
    try:
        folder = FeedFolder(staging)
        _write(make_world(Streams(seed), calendar, users, scale), folder)
        answer = {"feeds": dict(sorted(folder.rows.items())), **answer}
        text = json.dumps({**answer, "version": VERSION}, indent=1) + "\n"
        (staging / "truth" / done.name).write_text(text, encoding="utf-8")
        for path in sorted(staging.iterdir(), key=lambda p: (p.name == "truth", p.name)):
            path.rename(dir / path.name)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return answer


def _write(world: World, folder: FeedFolder) -> None:
    users, months = world.people.n, world.calendar.months
    _write_catalogue(world, folder)
    wanted, used = np.zeros(users), np.zeros(users)
    for month in range(months):
        _write_month(world, folder, month, wanted, used)
    _write_customers(world, folder)
    _write_truth(world, folder, wanted / months, used / months)


def make_world(streams: Streams, calendar: Calendar, users: int, scale: Scale) -> World:
    """Draw who there is, who knows whom, what befalls them and what they like."""
    geography = make_geography(streams, users)
    people = make_people(streams, calendar, geography, users)
    calls = scale.calls_per_month or CALLS_A_MONTH
    ties = make_ties(streams, calendar, people, calls)
    places = make_places(streams, geography, people)
    bad = bad_service(streams, geography, calendar.months)
    life = make_life(streams, calendar, people, ties, bad[places.rest])
    root = people.first_number
    places = Places(places.rest[root], places.work[root])
    models = make_models(streams, calendar)
    holdings = make_holdings(streams, calendar, people, life, models)
    system = models.system[holdings.model]
    age = calendar.day_zero.year - people.birth_year.astype(int)
    in_use = APPS if scale.app_uses_per_month is None else APPS * scale.app_uses_per_month / APP_USES_A_MONTH
    tastes = make_tastes(streams, people, age, system, geography.cities, in_use)
    apps = make_apps(streams, calendar, scale.apps or app_count(users))
    adopted = taste_adoptions(streams, calendar, people, tastes, apps, system)
    led = np.array([products.product(name) for name in products.LED_SERVICES])
    cascade = make_cascades(streams, calendar, people, ties, apps, system, led)
    adopted.append(cascade_adoptions(streams, calendar, cascade))
    ledger = first_subscriptions(streams, calendar, people, tastes)
    add_cascades(ledger, cascade)
    channels = scale.channels or len(products.CHANNELS)
    offers = make_offers(calendar, channels)
    rng = streams("world")
    thrifty = people.ordinary & (rng.random(users) < 0.07)
    band = np.searchsorted([25, 40, 60], age)
    policy = 0.02 * offers.priority + rng.normal(0, 0.5, (4, len(offers)))
    arpu = products.FEE[ledger.plan] + 2 * people.activity
    # numbers: customers, persons with other operators, services
    customers = numbering.digits(numbering.OWN, life.number_from, int(rng.integers(0, 10**8)))
    others = numbering.digits(numbering.OTHER, np.arange(people.nodes - users), int(rng.integers(0, 10**8)))
    lines = numbering.digits(numbering.SERVICE, np.arange(SERVICES - len(numbering.SHORT_SERVICES)), 4711)
    text = pa.concat_arrays([
        pa.array(np.r_[customers, others]).cast(pa.string()), pa.array(numbering.SHORT_SERVICES),
        pa.array(lines).cast(pa.string()),
    ])  # fmt: skip
    back = life.successor[(life.successor >= 0) & (life.successor < users)]
    return World(
        streams, calendar, geography, people, ties, places, bad, life, models, holdings, system, tastes, apps, adopted,
        cascade, ledger, habits.make_habits(streams, people, age, system), offers, thrifty,
        responses.openness(streams, people), policy.astype(np.float32)[band], arpu, text, master.accounts(people, back),
        calls, channels,
    )  # fmt: skip


def _write_catalogue(w: World, folder: FeedFolder) -> None:
    folder.whole("handsets", w.models.table)
    folder.whole("apps", w.apps.table)
    folder.whole("products", products.products_table())
    folder.whole("channels", products.channels_table(w.channels))
    folder.whole("offers", w.offers.table)
    folder.whole("cells", master.cells_table(w.geography))
    folder.whole("stores", master.stores_table(w.geography))
    folder.whole("questions", master.questions_table())
    folder.whole("url_rules", web.rules_table(w.streams, w.apps))


def _write_month(w: World, folder: FeedFolder, month: int, wanted: np.ndarray, used: np.ndarray) -> None:
    """One part of every monthly feed; adds to `wanted` and `used` mb."""
    n, low = w.people.n, int(w.calendar.first[month])
    own = w.text.slice(0, n)
    plain = numbering.as_text(own.cast(pa.int64()).to_numpy(), "plus")
    traffic = records.write_calls(
        w.streams, w.calendar, folder, month, w.ties, w.people, w.life, w.geography, w.places,
        master.cell_names(w.geography), w.text, SERVICES, w.calls,
    )  # fmt: skip
    volume = np.maximum(products.MB[w.ledger.plan], 500)
    cap = np.where(w.thrifty, 0.85 * volume, np.inf)
    want, mb = usage.write_usage(
        w.streams, w.calendar, folder, month, w.adopted, w.apps, w.people, w.life.rate[:, month], cap, plain
    )
    wanted += want
    used += mb
    held = w.ledger.held(low)
    plan = w.ledger.plan.copy()
    chance, ordered = order_packs(w.streams, w.calendar, month, w.ledger, w.people, want, w.thrifty)
    with folder.part("truth/data_packs", w.calendar.names[month], "parquet") as part:
        part.write(pa.table({"number": own, "chance": chance, "ordered": np.isin(np.arange(n), ordered)}))
    web.write_visits(w.streams, w.calendar, folder, month, w.people, w.adopted, w.apps, w.tastes, w.holdings, plain)
    trouble = w.life.trouble[:, month]
    habits.write_touches(w.streams, w.calendar, folder, month, w.people, w.habits, trouble, plain, w.channels)
    need = {
        "data": want / np.maximum(products.MB[plan], 400),
        "voice": traffic.seconds / 60 / np.maximum(products.MINUTES[plan], 40),
    }
    logit = responses.appeal(w.offers, w.tastes, need, w.willing)
    eligible = audience.eligible_offers(
        w.calendar, low, w.people, w.offers, w.models, w.holdings, plan, held, mb, w.arpu
    )
    shown, outcome = responses.show_and_answer(
        w.streams, w.calendar, month, w.people, w.habits, w.offers, eligible, held, logit, w.policy
    )
    responses.write_responses(w.calendar, folder, month, shown, outcome, w.offers, plain, w.channels)
    yes = outcome == 0
    user, taken, day = shown.user[yes], w.offers.product[shown.offer[yes]], shown.second[yes] // 86_400
    w.ledger.add(user, taken, day)
    stays = taken == products.product("contract-24")
    w.people.contract_until[user[stays]] = day[stays] + 730
    if month == w.calendar.months - 1:
        table = pa.table({"number": own, **{o: logit[:, j] for j, o in enumerate(w.offers.ids)}})
        folder.truth("offer_logit", table, "parquet")
    bills.write_bills(
        w.streams, w.calendar, folder, month, w.people, w.life, plan, traffic, mb, w.tastes.interest[:, 6], plain
    )


def _write_customers(w: World, folder: FeedFolder) -> None:
    n = w.people.n
    own = w.text.slice(0, n).cast(pa.int64()).to_numpy()
    rng = w.streams("persons")
    back = np.isin(np.arange(n), w.life.successor)
    several = (w.people.first_number != np.arange(n)) & ~back
    known = (rng.random(n) < 0.3) | several
    known[w.people.first_number[several]] = True
    person = np.where(known, np.where(back, np.arange(n), w.people.first_number), -1)
    network = w.models.network[np.where(w.holdings.next_model >= 0, w.holdings.next_model, w.holdings.model)]
    sim = np.where(rng.random(n) < 0.85, network, np.maximum(network - 1, 0))
    recycled = np.flatnonzero(w.life.number_from != np.arange(n))
    users = master.users_table(
        w.streams, w.calendar, w.people, numbering.as_text(own, "spaced"), w.account, w.arpu, sim, person, recycled
    )
    folder.whole("users", users)
    zeros = numbering.as_text(own, "zeros")
    folder.whole("user_handsets", holdings_table(w.streams, w.calendar, w.people, w.models, w.holdings, zeros))
    table = subscriptions_table(w.calendar, w.people, w.ledger, numbering.as_text(own, "plus"))
    folder.whole("subscriptions", table, "parquet")


def _write_truth(w: World, folder: FeedFolder, wanted: np.ndarray, used: np.ndarray) -> None:
    n = w.people.n
    own = w.text.slice(0, n)
    truth.write_people(folder, w.people, w.life, own, w.account, w.willing)
    truth.write_leaving(folder, w.calendar, w.people, w.life, own, w.account)
    truth.write_circles(folder, w.calendar, w.people, w.life, w.ties, own)
    truth.write_returning(folder, w.calendar, w.people, w.life, w.text)
    truth.write_leaders(folder, w.calendar, w.cascade, w.apps, own)
    truth.write_tastes(folder, w.tastes, w.apps, w.habits, own)
    cells = master.cell_names(w.geography)
    truth.write_places(folder, w.places, w.bad_cells, w.calendar.names, cells, own)
    truth.write_handsets(folder, w.calendar, w.holdings, w.models, w.life, own)
    truth.write_acceptance_model(folder, w.offers.table, w.offers.base, w.offers.interest, w.offers.need)
    bound = np.flatnonzero(w.thrifty & (used < 0.95 * wanted))
    folder.truth(
        "suppressed",
        pa.table({"number": own.take(pa.array(bound)), "mb_wanted": wanted[bound], "mb_used": used[bound]}),
    )
    folder.truth("services", pa.table({"number": w.text.slice(w.people.nodes, SERVICES)}))
