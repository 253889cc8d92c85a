"""The offers of the months, with the conditions that say whom they are for."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from loaders.sample.calendar import Calendar
from loaders.sample.products import CHANNELS, channel_ids, product
from loaders.sample.tastes import INTERESTS

# offer, product, title, channels, days until start, days until end (None: open), priority, value, base acceptance
# (log odds), interest that likes it, need that drives it, audience, script, reason
_ROWS = (
    ("music-first", "music-box", "Music box, first month free", "app;web;sms;popup", -90, None, 60, 18, -2.6, "music",
     "", "",
     "Your first month of Music box is on us. Shall I switch it on?", "plays music on the way more than most"),
    ("cinema-first", "cinema-box", "Cinema box for half", "app;web;popup;chat", -60, None, 55, 26, -2.9, "video", "",
     "",
     "Cinema box costs half for three months.", "watches series and clips in the evening"),
    ("media-both", "media-all", "Music and cinema together", "app;web;hotline;store", -30, None, 50, 34, -3.3,
     "video", "",
     "arpu >= 12", "Music and cinema in one, for less than the two.", "uses both music and video"),
    ("sport-season", "sport-live", "The season, live", "app;sms;popup", -30, None, 65, 20, -2.8, "sport", "", "",
     "Every match of the season, live on your phone.", "follows the scores every week"),
    ("play-pass", "play-pass", "Play pass: 200 games", "app;popup;web", -45, None, 45, 14, -2.7, "games", "",
     "birth_year >= 1985", "Two hundred games for one price.", "plays several games"),
    ("guard", "family-guard", "Family guard", "app;web;hotline;store;chat", -120, None, 40, 12, -3.0, "family", "",
     "handset.os = android", "See that your children get home.", "has a family at heart"),
    ("cloud-start", "cloud-50", "Cloud 50, photos kept safe", "app;web;sms", -200, None, 35, 8, -2.7, "making", "", "",
     "Your photos are safe when the phone is gone.", "takes many pictures"),
    ("data-5-need", "data-5", "5 GB more, today", "app;sms;popup;chat", -365, None, 70, 6, -2.6, "", "data", "",
     "You have used most of your data. Five more gigabytes?", "runs out of data before the month ends"),
    ("data-20-need", "data-20", "20 GB more", "app;web;hotline", -365, None, 60, 11, -3.0, "", "data",
     'bill.mb > 3000 and handset.network in ("4g", "5g")', "Twenty gigabytes for the price of two coffees.",
         "uses a lot of data"),
    ("data-flat", "data-flat", "Data without end", "app;web;store;outbound", -40, None, 80, 30, -3.5, "video", "data",
     "plan.monthly_fee >= 9", "Never count gigabytes again.", "is among the heaviest users"),
    ("talk-500", "voice-500", "500 minutes more", "sms;hotline;store;outbound", -365, None, 40, 7, -2.9, "", "voice",
     "",
     "Five hundred minutes for your long calls.", "talks longer than the plan holds"),
    ("up-xl", "plan-xl", "Home XL at the price of L", "app;hotline;store;outbound;chat", -20, None, 75, 60, -3.2, "",
     "data",
     "plan.monthly_fee < 24", "Home XL for twelve months at the price of L.", "would pay less in Home XL"),
    ("stay-24", "contract-24", "Stay and save", "hotline;store;outbound;chat", -365, None, 85, 80, -2.9, "", "",
     "contract_until is empty or contract_until < today + 90", "Two years with us take a quarter off your bill.",
     "contract ends soon"),
    ("step-5g", "deal-5g", "Step up to 5G", "store;web;outbound;app", -15, None, 70, 70, -3.4, "making", "",
     "handset.network != 5g and handset.released_on < today - 365", "Your phone is due. Step up to 5G.",
     "handset is due for a change"),
    ("first-smart", "deal-budget", "Your first smartphone", "store;hotline;sms", -365, None, 50, 25, -2.8, "", "",
     "handset.os = basic and not kind = company", "We set it up with you in the store.", "still has a basic phone"),
    ("roam-summer", "roam-week", "A week away", "sms;app;web", -10, 40, 55, 9, -2.9, "travel", "",
     'city != "Vellmar Bay" or income_band >= 3', "A week abroad, calls and data included.", "travels now and then"),
)  # fmt: skip


@dataclass(frozen=True)
class Offers:
    """Arrays of one entry an offer; `interest` and `need` are -1 and "" where the offer appeals to none."""

    ids: tuple[str, ...]
    product: np.ndarray
    through: np.ndarray  # (offers, channels) bool
    starts: np.ndarray
    ends: np.ndarray
    priority: np.ndarray
    base: np.ndarray
    interest: np.ndarray
    need: tuple[str, ...]
    table: pa.Table

    def __len__(self) -> int:
        return len(self.ids)


def make_offers(calendar: Calendar, channels: int = len(CHANNELS)) -> Offers:
    """Sixteen offers; one ends within the months, one only in the far future, the others are open.

    `channels`: how many there are; an offer that goes through one of a kind goes through all of that kind.
    """
    columns = list(zip(*_ROWS, strict=True))
    of_kind = {kind: [c for c in channel_ids(channels) if c.split("-")[0] == kind] for kind in CHANNELS}
    through = [";".join(c for kind in text.split(";") for c in of_kind[kind]) for text in columns[3]]
    starts = np.array(columns[4])
    ends = np.array([10**6 if e is None else e for e in columns[5]])
    ends_on = calendar.dates(ends).to_pylist()
    ends_on[1] = dt.date(2099, 12, 31)
    table = pa.table(
        {
            "offer": list(columns[0]), "product": list(columns[1]), "title": list(columns[2]),
            "script": list(columns[12]), "reason": list(columns[13]), "channels": through,
            "starts_on": calendar.dates(starts), "ends_on": pa.array(ends_on, pa.date32()),
            "priority": list(columns[6]), "value": [float(v) for v in columns[7]],
            "audience": [a or None for a in columns[11]],
        }
    )  # fmt: skip
    return Offers(
        columns[0], np.array([product(p) for p in columns[1]]),
        np.array([[c in text.split(";") for c in CHANNELS] for text in columns[3]]),
        starts, ends, np.array(columns[6], np.float64), np.array(columns[8], np.float64),
        np.array([INTERESTS.index(i) if i else -1 for i in columns[9]]), columns[10], table,
    )  # fmt: skip
