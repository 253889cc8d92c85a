"""The feeds `users`, `cells`, `stores` and `questions`."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from loaders.sample.calendar import NEVER, Calendar
from loaders.sample.geography import CITY_NAMES, Geography
from loaders.sample.people import COMPANY, KINDS, People
from loaders.sample.streams import Streams

_BRANDS = ("Home", "Uni", "Biz", "Global")


def accounts(people: People, successors: np.ndarray) -> pa.Array:
    """One account a customer; a second number lies on the first one's, a returning customer opens a new one."""
    first = people.first_number.copy()
    first[successors] = successors
    text = pa.array(first + 1_000_000_000).cast(pa.string())
    return pc.binary_join_element_wise("A", pc.utf8_slice_codeunits(text, 1, 10), "")


def users_table(
    streams: Streams,
    calendar: Calendar,
    people: People,
    number: pa.Array,
    account: pa.Array,
    arpu: np.ndarray,
    sim: np.ndarray,
    person: np.ndarray,
    recycled: np.ndarray,
) -> pa.Table:
    """One row a customer, as known on the last day; a recycled number's second customer comes after the first.

    `person` (n,): position of the natural person, -1 where the operator does not know. A value in thirty is empty.
    """  # fmt: skip
    rng = streams("users")
    n = people.n
    left = people.until[:n] < calendar.days
    company = people.kind == COMPANY
    status = np.where(left, 2, np.where(rng.random(n) < 0.004, 1, 0))

    def gaps(values: np.ndarray, share: float = 1 / 30) -> pa.Array:
        return pa.array(values, mask=rng.random(n) < share)

    brand = np.where(
        company, 2, np.where(calendar.day_zero.year - people.birth_year < 26, 1, rng.choice([0, 3], n, p=[0.8, 0.2]))
    )
    star = np.clip(np.round(arpu / 9 + rng.normal(0, 0.7, n)), 0, 5).astype(int)
    table = pa.table(
        {
            "number": number,
            "activated_on": calendar.dates(people.since[:n]),
            "left_on": calendar.dates(np.where(left, people.until[:n], NEVER)),
            "status": pa.array(["active", "barred", "left"]).take(pa.array(status)),
            "kind": pa.array(KINDS).take(pa.array(people.kind)),
            "account": account,
            "birth_year": gaps(people.birth_year),
            "gender": pa.array(["m", "f"]).take(pa.array(people.female.astype(np.int8), mask=rng.random(n) < 1 / 20)),
            "income_band": gaps(people.income, 1 / 8),
            "city": pa.array(CITY_NAMES).take(pa.array(people.city, mask=rng.random(n) < 1 / 30)),
            "brand": pa.array(_BRANDS).take(pa.array(brand)),
            "star": gaps(star),
            "arpu": np.round(arpu, 2),
            "contract_until": calendar.dates(people.contract_until),
            "sim": pa.array(["2g", "3g", "4g", "5g"]).take(pa.array(sim)),
            "person": _persons(person),
            "consent": people.consent,
            "no_contact": people.no_contact,
        }
    )  # fmt: skip
    later = np.zeros(n, bool)
    later[recycled] = True
    return table.take(pa.array(np.r_[np.flatnonzero(~later), recycled]))


def _persons(person: np.ndarray) -> pa.Array:
    text = pa.array(person + 1_000_000_000, mask=person < 0).cast(pa.string())
    return pc.binary_join_element_wise("P", pc.utf8_slice_codeunits(text, 1, 10), "")


def cell_names(geography: Geography) -> pa.Array:
    return pa.array([f"cell{i + 1:05d}" for i in range(geography.cells)])


def cells_table(geography: Geography) -> pa.Table:
    return pa.table({"cell": cell_names(geography), "lat": geography.cell_lat, "lon": geography.cell_lon})


def stores_table(geography: Geography) -> pa.Table:
    city = geography.store_city
    count = np.arange(len(city)) - np.searchsorted(city, city)
    return pa.table(
        {
            "store": [f"store{i + 1:03d}" for i in range(len(city))],
            "name": [f"{CITY_NAMES[c]}, store {k + 1}" for c, k in zip(city.tolist(), count.tolist(), strict=True)],
            "lat": geography.store_lat,
            "lon": geography.store_lon,
        }
    )


# question, answer, wording, tags, offer
_QUESTIONS = (
    ("balance", "balance-app", "Your balance is on the first page of the My Home app.", "balance;app", ""),
    ("data-left", "data-left-app", "The app shows the data left; so does a text with DATA to 1000.", "data;app",
     "data-5-need"),
    ("data-slow", "data-slow-plan", "Beyond the plan's volume data is slowed down until the month ends.", "data;plan",
     "data-20-need"),
    ("data-slow", "data-slow-network",
     "A slow network can be a fault. Restart the phone, then tell us where you are.", "data;fault", ""),
    ("roaming-on", "roaming-on", "Roaming is switched on in the app under Travel.", "roaming", "roam-summer"),
    ("roaming-cost", "roaming-cost", "A week abroad costs 10 with the Roaming week.", "roaming;price", "roam-summer"),
    ("change-plan", "change-plan", "A plan can be changed once a month, in the app or in a store.", "plan", "up-xl"),
    ("which-plan", "which-plan", "Home L suits 6 GB a month, Home XL 15 GB.", "plan;advice", "up-xl"),
    ("contract-end", "contract-end", "Your contract's last day is on the bill, at the top.", "contract", "stay-24"),
    ("leave", "leave", "You can leave with a month's notice; may we ask why?", "contract;leaving", "stay-24"),
    ("sim-5g", "sim-5g", "For 5G you need a 5G SIM, which stores hand out for nothing.", "sim;5g", "step-5g"),
    ("lost-phone", "lost-phone", "Call 1000 from any phone; we lock the SIM at once.", "sim;lost", ""),
    ("pin", "pin", "After three wrong PINs the PUK helps; it is in the app.", "sim;pin", ""),
    ("bill-high", "bill-high", "Most high bills come from calls beyond the plan. Shall we look together?", "bill",
     "talk-500"),
    ("bill-pay", "bill-pay", "Bills are paid on the tenth, by the account you named.", "bill", ""),
    ("recharge", "recharge", "Recharge in the app, in shops, or with a voucher by 22122.", "prepaid", ""),
    ("dropped", "dropped", "Dropped calls at one place are a fault we want to know of: tell us the street.",
     "fault;calls", ""),
    ("music", "music", "Music box plays without using your data.", "service;music", "music-first"),
    ("cinema", "cinema", "Cinema box can be ended every month.", "service;video", "cinema-first"),
    ("children", "children", "Family guard shows when your children are home.", "service;family", "guard"),
    ("photos", "photos", "Cloud 50 saves pictures on its own.", "service;cloud", "cloud-start"),
    ("store-hours", "store-hours", "Stores are open from 9 to 19, Sundays not.", "store", ""),
    ("number-keep", "number-keep", "You keep your number when you come to us; it takes a day.", "number", ""),
    ("consent", "consent", "What we may do with your data you decide in the app under Privacy.", "privacy", ""),
)  # fmt: skip


def questions_table() -> pa.Table:
    """Two dozen questions; one of them has two answers."""
    columns = list(zip(*_QUESTIONS, strict=True))
    return pa.table(
        {
            "question": list(columns[0]),
            "answer": list(columns[1]),
            "text": list(columns[2]),
            "tags": list(columns[3]),
            "offer": [o or None for o in columns[4]],
        }
    )
