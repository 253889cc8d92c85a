"""What was planted, written beside the feeds: nothing here may be read by a method, only by its test."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from lake.periods import next_period
from loaders.sample.apps import Apps
from loaders.sample.calendar import NEVER, Calendar
from loaders.sample.files import FeedFolder
from loaders.sample.habits import Habits
from loaders.sample.handsets import Holdings, Models
from loaders.sample.leaders import Cascade
from loaders.sample.lifecycle import Life
from loaders.sample.people import FAKES, People
from loaders.sample.places import Places
from loaders.sample.products import CHANNELS, IDS
from loaders.sample.responses import MODEL
from loaders.sample.tastes import INTERESTS, NICHES, Tastes
from loaders.sample.ties import Ties


def write_people(
    folder: FeedFolder, people: People, life: Life, number: pa.Array, account: pa.Array, willing: np.ndarray
) -> None:
    """`customers`: community, household, roles; `persons`: numbers of one person; `fakes`; `recycled`; `silent`."""
    n = people.n
    second = np.where(people.second[:n] >= 0, people.second[:n], 0)
    folder.truth(
        "customers",
        pa.table(
            {
                "number": number,
                "account": account,
                "community": people.community[:n],
                "second_community": pa.array(second, mask=people.second[:n] < 0),
                "bridge": people.bridge,
                "household": people.household,
                "silent": people.silent,
                "idle": people.idle,
                "reception": people.reception,
                "openness": willing,
            }
        ),
        "parquet",
    )
    came_back = np.isin(np.arange(n), life.successor)
    other = np.flatnonzero((people.first_number != np.arange(n)) & ~came_back)
    folder.truth("persons", _pairs(number, other, people.first_number[other], "number", "first_number"))
    fake = np.flatnonzero(people.fake)
    folder.truth(
        "fakes", pa.table({"number": _at(number, fake), "kind": pa.array(FAKES).take(pa.array(people.fake[fake]))})
    )
    again = np.flatnonzero(life.number_from != np.arange(n))
    folder.truth(
        "recycled",
        pa.table(
            {
                "number": _at(number, again),
                "former_account": _at(account, life.number_from[again]),
                "account": _at(account, again),
            }
        ),
    )


def write_leaving(
    folder: FeedFolder, calendar: Calendar, people: People, life: Life, number: pa.Array, account: pa.Array
) -> None:
    """`leavers`, up to two months beyond the feeds; `stay_shrinkers`; `dips`; `returning`."""
    gone = life.leavers
    months = [*calendar.names, next_period(calendar.names[-1])]
    months.append(next_period(months[-1]))
    until = np.where(people.until[gone] < calendar.days, people.until[gone], NEVER)
    signs = life.sign_months[gone]
    begin = np.maximum(life.leave_month[gone] - signs, 0)
    trouble = life.trouble_from[gone]
    names = pa.array(months)
    folder.truth(
        "leavers",
        pa.table(
            {
                "number": _at(number, gone),
                "account": _at(account, gone),
                "month": names.take(pa.array(life.leave_month[gone])),
                "left_on": calendar.dates(until),
                "sign_months": signs,
                "shrinks_from": names.take(pa.array(begin, mask=signs == 0)),
                "trouble_from": names.take(pa.array(np.maximum(trouble, 0), mask=trouble < 0)),
                "decides": life.decides[gone],
                "moves_less": life.moves_less[gone],
                "cheaper_handset": life.cheaper[gone],
                "follows_contacts": life.follows[gone],
            }
        ),
    )
    stay = np.flatnonzero(life.stay_shrink_from >= 0)
    back = life.stay_shrink_to[stay]
    folder.truth(
        "stay_shrinkers",
        pa.table(
            {
                "number": _at(number, stay),
                "from": names.take(pa.array(life.stay_shrink_from[stay])),
                "back_from": names.take(pa.array(back, mask=back >= calendar.months)),
            }
        ),
    )
    user, month = np.nonzero(life.dip)
    folder.truth("dips", pa.table({"number": _at(number, user), "month": names.take(pa.array(month))}), "parquet")


def write_circles(
    folder: FeedFolder, calendar: Calendar, people: People, life: Life, ties: Ties, number: pa.Array
) -> None:
    """`circles`: how many ties every leaver and stay-shrinker has alive in each month, called or not."""
    n = people.n
    shown = np.flatnonzero((life.leave_month >= 0) | (life.stay_shrink_from >= 0))
    columns = {}
    for month, name in enumerate(calendar.names):
        alive = ties.alive(month)
        low, high = calendar.bounds[month], calendar.bounds[month + 1]
        there = (people.since < high) & (people.until > low)
        alive &= there[ties.a] & there[ties.b]
        own = alive & (ties.b < n)
        size = np.bincount(ties.a[alive], minlength=n) + np.bincount(ties.b[own], minlength=n)
        columns[name] = size[shown]
    folder.truth("circles", pa.table({"number": _at(number, shown), **columns}), "parquet")


def write_returning(folder: FeedFolder, calendar: Calendar, people: People, life: Life, everybody: pa.Array) -> None:
    """`returning`: the number left, the new one, whether it is the operator's own, and the first day it can call."""
    old = np.flatnonzero(life.successor >= 0)
    new = life.successor[old]
    folder.truth(
        "returning",
        pa.table(
            {
                "number": _at(everybody, old),
                "new_number": _at(everybody, new),
                "on_net": new < people.n,
                "from": calendar.dates(people.since[new]),
            }
        ),
    )


def write_leaders(folder: FeedFolder, calendar: Calendar, cascade: Cascade, apps: Apps, number: pa.Array) -> None:
    """`leaders` (and decoys) with what they adopted; `adopters` with whom they followed, or shared a taste with."""
    size = len(apps)
    names = pa.array([*apps.ids, *IDS])
    kind = pa.array(["app", "product"])
    role = pa.array(["leader", "decoy"])
    is_decoy = np.isin(cascade.lead_user, cascade.decoy)

    def items(leads: np.ndarray) -> pa.Array:
        return names.take(pa.array(cascade.lead_item[leads] + np.where(cascade.lead_product[leads], size, 0)))

    leads = np.arange(len(cascade.lead_user))
    folder.truth(
        "leaders",
        pa.table(
            {
                "number": _at(number, cascade.lead_user),
                "role": role.take(pa.array(is_decoy.astype(np.int8))),
                "item_kind": kind.take(pa.array(cascade.lead_product.astype(np.int8))),
                "item": items(leads),
                "on": calendar.dates(cascade.lead_day),
            }
        ),
    )
    lead = cascade.lead
    folder.truth(
        "adopters",
        pa.table(
            {
                "leader": _at(number, cascade.lead_user[lead]),
                "role": role.take(pa.array(is_decoy[lead].astype(np.int8))),
                "item_kind": kind.take(pa.array(cascade.lead_product[lead].astype(np.int8))),
                "item": items(lead),
                "number": _at(number, cascade.user),
                "after": _at(number, cascade.source),
                "hop": cascade.hop,
                "on": calendar.dates(cascade.day),
            }
        ),
        "parquet",
    )


def write_tastes(folder: FeedFolder, tastes: Tastes, apps: Apps, habits: Habits, number: pa.Array) -> None:
    """`tastes`: interests and favourite niches; `app_niches`; `habits`: channels in order, favourite hours."""
    columns = {name: tastes.interest[:, i] for i, name in enumerate(INTERESTS)}
    niches = [pa.array(tastes.niche[:, i]) for i in range(tastes.niche.shape[1])]
    for i, values in enumerate(niches):
        columns[f"niche_{i + 1}"], columns[f"weight_{i + 1}"] = values, tastes.weight[:, i]
    folder.truth("tastes", pa.table({"number": number, **columns}), "parquet")
    folder.truth(
        "app_niches",
        pa.table(
            {
                "app": apps.ids,
                "niche": apps.niche,
                "interest": [INTERESTS[g // NICHES] for g in apps.niche],
                "popularity": apps.popularity,
                "released_day": pa.array(apps.released, mask=apps.released < 0),
            }
        ),
    )
    order = habits.order()
    ids = pa.array(CHANNELS)
    folder.truth(
        "habits",
        pa.table(
            {
                "number": number,
                **{f"channel_{i + 1}": ids.take(pa.array(order[:, i])) for i in range(3)},
                **{f"share_{i + 1}": np.take_along_axis(habits.share, order, axis=1)[:, i] for i in range(3)},
                "hour": habits.hour,
                "second_hour": habits.second_hour,
            }
        ),
        "parquet",
    )


def write_places(
    folder: FeedFolder, places: Places, bad: np.ndarray, months: list[str], cells: pa.Array, number: pa.Array
) -> None:
    """`places`: the cells where customers rest and work; `bad_cells`: cell and month."""
    folder.truth(
        "places",
        pa.table({"number": number, "rest_cell": _at(cells, places.rest), "work_cell": _at(cells, places.work)}),
        "parquet",
    )
    cell, month = np.nonzero(bad)
    folder.truth("bad_cells", pa.table({"cell": _at(cells, cell), "month": pa.array(months).take(pa.array(month))}))


def write_handsets(
    folder: FeedFolder, calendar: Calendar, held: Holdings, models: Models, life: Life, number: pa.Array
) -> None:
    """`handset_changes` with the true monthly chance; `handset_propensity` of everybody."""
    moved = np.flatnonzero(held.next_model >= 0)
    tac = pa.array(models.tac)
    folder.truth(
        "handset_changes",
        pa.table(
            {
                "number": _at(number, moved),
                "on": calendar.dates(held.changed_on[moved]),
                "from_handset": _at(tac, held.model[moved]),
                "to_handset": _at(tac, held.next_model[moved]),
                "before_leaving": life.cheaper[moved],
            }
        ),
    )
    folder.truth("handset_propensity", pa.table({"number": number, "a_month": held.propensity}), "parquet")


def write_acceptance_model(
    folder: FeedFolder, offers_table: pa.Table, base: np.ndarray, interest: np.ndarray, need: tuple[str, ...]
) -> None:
    """`acceptance_model`: the parameters all offers share; `offer_model`: base log odds, interest and need of each."""
    folder.truth("acceptance_model", pa.table({"parameter": list(MODEL), "value": list(MODEL.values())}))
    folder.truth(
        "offer_model",
        pa.table(
            {
                "offer": offers_table["offer"],
                "base": base,
                "interest": [INTERESTS[i] if i >= 0 else None for i in interest.tolist()],
                "need": [n or None for n in need],
            }
        ),
    )


def _at(values: pa.Array, rows: np.ndarray) -> pa.Array:
    return values.take(pa.array(rows))


def _pairs(number: pa.Array, left: np.ndarray, right: np.ndarray, first: str, second: str) -> pa.Table:
    return pa.table({first: _at(number, left), second: _at(number, right)})
