"""Plans, packs, services, contracts and handset deals; the offers made of them; channels."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

PLAN, DATA, VOICE, SERVICE, CONTRACT, DEAL = "plan", "data_pack", "voice_pack", "service", "contract", "handset_deal"

# product, name, kind, fee, minutes, mb, messages, extra minute, extra mb, days, months, network, system, excludes
_ROWS = (
    ("plan-s", "Home S", PLAN, 5, 60, 500, 50, 0.12, 0.02, 0, 0, "", "", ""),
    ("plan-m", "Home M", PLAN, 9, 150, 2000, 100, 0.1, 0.015, 0, 0, "", "", ""),
    ("plan-l", "Home L", PLAN, 15, 400, 6000, 200, 0.08, 0.01, 0, 0, "", "", ""),
    ("plan-xl", "Home XL", PLAN, 24, 1000, 15000, 500, 0.05, 0.008, 0, 0, "", "", ""),
    ("plan-max", "Home Max", PLAN, 38, 3000, 40000, 1000, 0.0, 0.005, 0, 0, "4g", "", ""),
    ("plan-student", "Campus", PLAN, 8, 100, 8000, 100, 0.1, 0.01, 0, 0, "", "", ""),
    ("plan-office", "Office", PLAN, 29, 2000, 10000, 500, 0.04, 0.01, 0, 0, "", "", ""),
    ("plan-prepaid", "Pay as you go", PLAN, 0, 0, 0, 0, 0.15, 0.03, 0, 0, "", "", ""),
    ("data-1", "1 GB more", DATA, 3, 0, 1000, 0, 0, 0, 30, 0, "3g", "", ""),
    ("data-5", "5 GB more", DATA, 7, 0, 5000, 0, 0, 0, 30, 0, "3g", "", "data-flat"),
    ("data-20", "20 GB more", DATA, 15, 0, 20000, 0, 0, 0, 30, 0, "4g", "", "data-flat"),
    ("data-flat", "Data without end", DATA, 25, 0, 100000, 0, 0, 0, 30, 0, "4g", "", "data-5;data-20"),
    ("data-weekend", "Weekend data", DATA, 2, 0, 2000, 0, 0, 0, 3, 0, "3g", "", ""),
    ("voice-100", "100 minutes more", VOICE, 3, 100, 0, 0, 0, 0, 30, 0, "", "", ""),
    ("voice-500", "500 minutes more", VOICE, 9, 500, 0, 0, 0, 0, 30, 0, "", "", "voice-flat"),
    ("voice-flat", "Talk without end", VOICE, 14, 10000, 0, 0, 0, 0, 30, 0, "", "", "voice-500"),
    ("tone", "Waiting tunes", SERVICE, 1, 0, 0, 0, 0, 0, 0, 0, "", "", ""),
    ("mailbox-plus", "Mailbox plus", SERVICE, 1.5, 0, 0, 0, 0, 0, 0, 0, "", "", ""),
    ("shield", "Spam shield", SERVICE, 1, 0, 0, 0, 0, 0, 0, 0, "", "", ""),
    ("music-box", "Music box", SERVICE, 5, 0, 3000, 0, 0, 0, 0, 0, "3g", "android;ios", "media-all"),
    ("cinema-box", "Cinema box", SERVICE, 8, 0, 8000, 0, 0, 0, 0, 0, "4g", "android;ios", "media-all"),
    ("media-all", "Music and cinema", SERVICE, 11, 0, 10000, 0, 0, 0, 0, 0, "4g", "android;ios",
     "music-box;cinema-box"),
    ("sport-live", "Sport live", SERVICE, 6, 0, 4000, 0, 0, 0, 0, 0, "4g", "android;ios", ""),
    ("play-pass", "Play pass", SERVICE, 4, 0, 2000, 0, 0, 0, 0, 0, "4g", "android;ios", ""),
    ("family-guard", "Family guard", SERVICE, 3, 0, 0, 0, 0, 0, 0, 0, "3g", "android", ""),
    ("cloud-50", "Cloud 50", SERVICE, 2, 0, 0, 0, 0, 0, 0, 0, "3g", "android;ios", "cloud-200"),
    ("cloud-200", "Cloud 200", SERVICE, 5, 0, 0, 0, 0, 0, 0, 0, "3g", "android;ios", "cloud-50"),
    ("roam-week", "Roaming week", SERVICE, 10, 60, 2000, 50, 0, 0, 7, 0, "", "", ""),
    ("contract-12", "12 months", CONTRACT, 0, 0, 0, 0, 0, 0, 0, 12, "", "", "contract-24"),
    ("contract-24", "24 months", CONTRACT, 0, 0, 0, 0, 0, 0, 0, 24, "", "", "contract-12"),
    ("deal-budget", "First smartphone", DEAL, 6, 0, 0, 0, 0, 0, 0, 24, "", "basic", "deal-top"),
    ("deal-5g", "Step up to 5G", DEAL, 14, 0, 0, 0, 0, 0, 0, 24, "4g", "android", "deal-top"),
    ("deal-top", "Top model", DEAL, 28, 0, 0, 0, 0, 0, 0, 24, "4g", "ios;android", "deal-5g;deal-budget"),
)  # fmt: skip

PLANS = tuple(i for i, row in enumerate(_ROWS) if row[2] == PLAN)
SERVICES = tuple(i for i, row in enumerate(_ROWS) if row[2] == SERVICE and row[0] != "roam-week")
LED_SERVICES = ("tone", "mailbox-plus", "shield")
"""What leaders lead: excluded by nothing, for every handset."""
IDS = tuple(row[0] for row in _ROWS)
FEE = np.array([row[3] for row in _ROWS], np.float64)
MINUTES = np.array([row[4] for row in _ROWS], np.float64)
MB = np.array([row[5] for row in _ROWS], np.float64)
EXTRA_MINUTE = np.array([row[7] for row in _ROWS], np.float64)
EXTRA_MB = np.array([row[8] for row in _ROWS], np.float64)
VALID_DAYS = np.array([row[9] for row in _ROWS])
_NETWORK = {"": 0, "2g": 0, "3g": 1, "4g": 2, "5g": 3}
NEEDS_NETWORK = np.array([_NETWORK[row[11]] for row in _ROWS])
NEEDS_SYSTEM = np.array(
    [[not row[12] or name in row[12].split(";") for name in ("android", "ios", "basic")] for row in _ROWS]
)
EXCLUDES = np.array(
    [[other[0] in row[13].split(";") or row[0] in other[13].split(";") for other in _ROWS] for row in _ROWS]
)


def product(name: str) -> int:
    """Position of a product.

    >>> product("plan-s"), IDS[product("tone")]
    (0, 'tone')
    """
    return IDS.index(name)


def products_table() -> pa.Table:
    """The feed `products`; a number that does not apply is empty."""
    columns = list(zip(*_ROWS, strict=True))

    def given(values: tuple) -> list:
        return [v or None for v in values]

    return pa.table(
        {
            "product": list(columns[0]), "name": list(columns[1]), "kind": list(columns[2]),
            "monthly_fee": [float(v) for v in columns[3]],
            "minutes": given(columns[4]), "mb": given(columns[5]), "messages": given(columns[6]),
            "extra_minute": [float(v) if v else None for v in columns[7]],
            "extra_mb": [float(v) if v else None for v in columns[8]],
            "extra_message": [0.08 if kind == PLAN else None for kind in columns[2]],
            "valid_days": given(columns[9]), "contract_months": given(columns[10]),
            "needs_network": given(columns[11]), "needs_os": given(columns[12]), "excludes": given(columns[13]),
        }
    )  # fmt: skip


CHANNELS = ("app", "web", "sms", "popup", "hotline", "store", "chat", "outbound")


def channel_ids(count: int = len(CHANNELS)) -> list[str]:
    """The channels: the eight kinds, then second ones of each kind, third ones, up to `count`.

    >>> channel_ids(10)[7:]
    ['outbound', 'app-2', 'web-2']
    """
    kinds = len(CHANNELS)
    return [CHANNELS[i % kinds] + (f"-{i // kinds + 1}" if i >= kinds else "") for i in range(count)]


def channel_of(kind: np.ndarray, user: np.ndarray, count: int) -> np.ndarray:
    """The channel of a kind that a customer uses, always the same one: a position in `channel_ids`."""
    kinds = len(CHANNELS)
    variants = (count - kind + kinds - 1) // kinds
    return kind + kinds * (user % variants)


def channels_table(count: int = len(CHANNELS)) -> pa.Table:
    """The feed `channels`; those without a daily capacity have no bound."""
    titles = ["My Home app", "Website", "Text message", "Pop-up", "Service hotline", "Stores", "Chat", "Calling out"]
    kinds = len(CHANNELS)
    again = np.arange(count) % kinds
    capacity = pa.array([None, None, 20000, 50000, 600, 300, 800, 200], pa.int64())
    return pa.table(
        {
            "channel": channel_ids(count),
            "name": [titles[i % kinds] + (f" {i // kinds + 1}" if i >= kinds else "") for i in range(count)],
            "kind": [CHANNELS[i] for i in again],
            "daily_capacity": capacity.take(pa.array(again)),
            "unit_cost": np.array([0.0, 0.0, 0.01, 0.002, 1.2, 2.5, 0.4, 1.8])[again],
        }
    )
