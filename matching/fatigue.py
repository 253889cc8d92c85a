"""What past answers forbid: items that were refused or accepted, and more contacts than a person should have.

A decision is a contact once any answer names it, on whatever channel; answers without a decision are one contact a day
and channel. An item rests for a while after a refusal or acceptance, and for longer once it was refused several times.
All of it counts for the natural person behind several numbers.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lake.tables import Lake
from matching.answered import PAUSING, Answered, Said
from matching.arrays import Ragged, positions
from matching.days import Days
from matching.parameters import Fatigue, Paused
from matching.persons import Persons
from matching.rules import Ruled

KINDS = ("app", "offer")


@dataclass(frozen=True)
class Events:
    """Past events of each customer, person-wide: those of customer u are at `starts[u]:starts[u + 1]`.

    starts  int64 (n + 2)
    items   int32: place of the item, 0 for contacts
    ids     uint64: what tells events apart (`matching.identity`)
    days    int64: day of each, in days since 1970
    """

    starts: np.ndarray
    items: np.ndarray
    ids: np.ndarray
    days: np.ndarray

    @classmethod
    def of(
        cls, n: int, persons: Persons, rows: np.ndarray, items: np.ndarray, ids: np.ndarray, days: np.ndarray
    ) -> Events:
        """From events in any order, each once a person, the last day of equal ones; negative rows or items go."""
        known = (rows >= 0) & (items >= 0)
        place, rows = persons.spread(rows[known])
        items, ids, days = items[known][place], ids[known][place], days[known][place]
        order = np.lexsort((-days, ids, items, rows))
        rows, items, ids, days = rows[order], items[order], ids[order], days[order]
        once = np.ones(len(rows), bool)
        once[1:] = (rows[1:] != rows[:-1]) | (items[1:] != items[:-1]) | (ids[1:] != ids[:-1])
        starts = np.zeros(n + 2, np.int64)
        np.cumsum(np.bincount(rows[once], minlength=n + 1), out=starts[1:])
        return cls(starts, items[once].astype(np.int32), ids[once], days[once])

    def row(self, user: int) -> slice:
        return slice(int(self.starts[user]), int(self.starts[user + 1]))


@dataclass(frozen=True)
class History:
    """What the lake's answers forbid, and what is needed to go on counting.

    paused    by kind: Ragged (n + 1) of items that rest, by position
    tired     bool (n + 1): has had all the contacts that `limit` allows
    refusals  by kind: every refusal ever
    contacts  those of the last days that `limit` looks back
    limit     the rule `fatigue`, None where it is switched off
    pause     the rule `paused`
    beside    Ragged (offers): offers that rest when one is accepted, as its product will be held
    """

    today: dt.date
    persons: Persons
    paused: dict[str, Ragged]
    tired: np.ndarray
    refusals: dict[str, Events]
    contacts: Events
    limit: Fatigue | None
    pause: Paused
    beside: Ragged


def load_history(
    lake: Lake,
    users: pa.ChunkedArray,
    items: dict[str, pa.Array],
    persons: Persons,
    rules: tuple[Ruled, ...],
    today: dt.date,
    days: Days,
    beside: Ragged,
) -> History:
    """Answers of the lake, from the feed `responses` and from `answers`, by the clock of `days`; `items` are the
    identifiers of each kind, `beside` as in `History`."""
    told = {rule.name: rule.settings for rule in rules}
    limit, pause = told["fatigue"], told["paused"]
    assert isinstance(limit, Fatigue)
    assert isinstance(pause, Paused)
    n = len(users)
    answers = [_answers(lake, name) for name in ("responses", "answers") if lake.has(name)]
    contacts = _contacts(answers, users, persons, days, _first(today, limit.days))
    refusals = {kind: _refusals(answers, kind, users, ids, persons, days) for kind, ids in items.items()}
    paused = {}
    for kind, ids in items.items():
        lately = _lately(answers, kind, days.begins(_first(today, pause.days)))
        user, item = positions(lately["user"], users), positions(lately["item"], ids)
        known = (user >= 0) & (item >= 0)
        place, rows = persons.spread(user[known])
        item = item[known][place]
        if kind == "offer":
            said_yes = np.asarray(pc.equal(lately["outcome"], "accepted"), bool)[known][place]
            row, other = beside.pairs(item[said_yes])
            rows, item = np.append(rows, rows[said_yes][row]), np.append(item, other)
        often, often_item = _often(refusals[kind], n, pause, today)
        paused[kind] = Ragged.of(np.append(rows, often), np.append(item, often_item), rows=n + 1)
    tired = np.diff(contacts.starts) >= limit.contacts if limit.enabled else np.zeros(n + 1, bool)
    return History(today, persons, paused, tired, refusals, contacts, limit if limit.enabled else None, pause, beside)


def since_load(
    history: History, kind: str, ids: dict[str, int], position: int, said: list[Said]
) -> tuple[np.ndarray, bool]:
    """What a person may not be shown by what was said since the lake was read, and whether no contact is left.

    `ids` are the places of the kind's items, `position` is one of the person's numbers, and `said` what each said.
    """
    today, limit, pause = history.today, history.limit, history.pause
    tired = bool(history.tired[position])
    if not said:
        return np.array([], np.int64), tired
    if limit is not None and not tired:
        lately = {id for each in said for id, day in each.contacts.items() if (today - day).days < limit.days}
        lately.update(history.contacts.ids[history.contacts.row(position)].tolist())
        tired = len(lately) >= limit.contacts
    rest = {
        i for each in said for (of, i), day in each.paused.items() if of == kind and (today - day).days < pause.days
    }
    held = {i for each in said for (of, i), day in each.accepted.items() if (today - day).days < pause.days}
    beside = {int(i) for item in held if kind == "offer" and item in ids for i in history.beside.row(ids[item])}
    for item in {i for each in said for of, i in each.refused if of == kind and i in ids} - rest:
        days = {id: day for each in said for id, day in each.refused.get((kind, item), {}).items()}
        events = history.refusals[kind]
        at = events.row(position)
        here = events.items[at] == ids[item]
        last = max(days.values())
        if here.any():
            last = max(last, dt.date(1970, 1, 1) + dt.timedelta(days=int(events.days[at][here].max())))
        times = len(days.keys() | set(events.ids[at][here].tolist()))
        if times >= pause.refusals and (today - last).days < pause.longer_days:
            rest.add(item)
    return np.array(sorted(beside | {ids[item] for item in rest if item in ids}), np.int64), tired


def said_by(
    answered: Answered | None, history: History, keys: np.ndarray, position: int, user: bytes | None
) -> list[Said]:
    """What all numbers of a person said: `keys` S16 (n) are all pseudonyms, `user` is that of `position`."""
    if answered is None or user is None:
        return []
    numbers = [user]
    if history.persons.place[position] >= 0:
        numbers = [bytes(keys[i]).ljust(16, b"\0") for i in history.persons.numbers_of(position).tolist()]
    return [said for number in numbers if (said := answered.of_user(number)) is not None]


def _answers(lake: Lake, name: str) -> ibis.Table:
    """The columns that count, the same of feed and answers: `user, kind, item, outcome, at, decision, channel`."""
    table = lake.scan(name)
    if name == "responses":
        table = table.mutate(kind=ibis.literal("offer"), item=table.offer)
    missing = {c: ibis.null(str) for c in ("decision", "channel") if c not in table.columns}
    table = table.mutate(**missing) if missing else table
    return table.select("user", "kind", "item", "outcome", "at", "decision", "channel")


def _contacts(
    answers: list[ibis.Table], users: pa.ChunkedArray, persons: Persons, clock: Days, since: dt.date
) -> Events:
    rows, ids, days = [np.zeros(0, np.int64)], [np.zeros(0, np.uint64)], [np.zeros(0, np.int64)]
    for table in answers:
        some = table.filter(table["at"] >= clock.begins(since))
        some = some.mutate(local=clock.local(some["at"]))
        told = ibis.coalesce(some.channel, "") + " " + some["local"].strftime("%Y-%m-%d")
        some = some.mutate(id=ibis.coalesce(some.decision, told).hexdigest("sha256").left(16))
        some = some.group_by("user", "id").agg(day=some["local"].max().date())
        _collect(some.to_pyarrow(), users, rows, ids, days)
    row = np.concatenate(rows)
    return Events.of(len(users), persons, row, np.zeros_like(row), np.concatenate(ids), np.concatenate(days))


def _refusals(
    answers: list[ibis.Table], kind: str, users: pa.ChunkedArray, items: pa.Array, persons: Persons, clock: Days
) -> Events:
    rows, ids, days = [np.zeros(0, np.int64)], [np.zeros(0, np.uint64)], [np.zeros(0, np.int64)]
    item = [np.zeros(0, np.int64)]
    for table in answers:
        refused = table.filter(table.outcome == "refused", table.kind == kind)
        told = refused["at"].strftime("%Y-%m-%d %H:%M:%S")
        some = refused.mutate(id=ibis.coalesce(refused.decision, told).hexdigest("sha256").left(16))
        found = some.group_by("user", "item", "id").agg(last=some["at"].max())
        found = found.mutate(day=clock.local(found["last"]).date()).to_pyarrow()
        _collect(found, users, rows, ids, days)
        item.append(positions(found["item"], items))
    return Events.of(len(users), persons, *(np.concatenate(part) for part in (rows, item, ids, days)))


def _collect(table: pa.Table, users: pa.ChunkedArray, rows: list, ids: list, days: list) -> None:
    rows.append(positions(table["user"], users))
    ids.append(_numbers(table["id"]))
    days.append(np.asarray(table["day"].cast(pa.date32()).cast(pa.int32()), np.int64))


def _lately(answers: list[ibis.Table], kind: str, since: dt.datetime) -> pa.Table:
    """`user, item, outcome` of what was refused or accepted since."""
    none = pa.schema([("user", pa.binary()), ("item", pa.string()), ("outcome", pa.string())]).empty_table()
    found = [
        t.filter(t.kind == kind, t.outcome.isin(PAUSING), t["at"] >= since)
        .select("user", "item", "outcome")
        .to_pyarrow()
        for t in answers
    ]
    return pa.concat_tables([none, *found], promote_options="permissive")


def _often(refusals: Events, n: int, pause: Paused, today: dt.date) -> tuple[np.ndarray, np.ndarray]:
    """(customers, items) refused as often as makes an item rest for longer, and that still do."""
    rows = np.repeat(np.arange(n + 1), np.diff(refusals.starts))
    first = np.flatnonzero(np.append(True, (rows[1:] != rows[:-1]) | (refusals.items[1:] != refusals.items[:-1])))
    if not len(rows):
        return rows, rows
    times = np.diff(np.append(first, len(rows)))
    last = np.maximum.reduceat(refusals.days, first)
    still = (times >= pause.refusals) & ((today - dt.date(1970, 1, 1)).days - last < pause.longer_days)
    return rows[first[still]], refusals.items[first[still]].astype(np.int64)


def _first(today: dt.date, days: int) -> dt.date:
    """The first of the last so many days, today included."""
    return today - dt.timedelta(days=days - 1)


def _numbers(column: pa.ChunkedArray) -> np.ndarray:
    """Text of 16 hexadecimal digits as uint64."""
    text = np.asarray(pc.cast(column.combine_chunks(), pa.string()).to_numpy(zero_copy_only=False), "S16")
    digits = text.view(np.uint8).reshape(-1, 16).astype(np.uint64)
    digits = (digits & np.uint64(15)) + np.uint64(9) * (digits >> np.uint64(6))
    return np.bitwise_or.reduce(digits << np.arange(60, -1, -4, dtype=np.uint64), axis=1)
