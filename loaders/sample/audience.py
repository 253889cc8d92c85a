"""Who may be shown which offer on a day: the generator's own reading of the conditions in `offers.py`."""

from __future__ import annotations

import numpy as np

from loaders.sample.calendar import NEVER, Calendar
from loaders.sample.geography import CITY_NAMES
from loaders.sample.handsets import Holdings, Models
from loaders.sample.offers import Offers
from loaders.sample.people import COMPANY, People
from loaders.sample.products import EXCLUDES, FEE, NEEDS_NETWORK, NEEDS_SYSTEM


def eligible_offers(
    calendar: Calendar,
    day: int,
    people: People,
    offers: Offers,
    models: Models,
    held_handsets: Holdings,
    plan: np.ndarray,
    held: np.ndarray,
    bill_mb: np.ndarray,
    arpu: np.ndarray,
) -> np.ndarray:
    """(n, offers) bool as of `day`: handset, audience, not held, nothing held that excludes it."""  # fmt: skip
    changed = (held_handsets.next_model >= 0) & (held_handsets.changed_on < day)
    model = np.where(changed, held_handsets.next_model, held_handsets.model)
    network, system = models.network[model], models.system[model]
    bounds = people.contract_until
    audience = {
        "media-both": arpu >= 12,
        "play-pass": people.birth_year >= 1985,
        "guard": system == 0,
        "data-20-need": (bill_mb > 3000) & (network >= 2),
        "data-flat": FEE[plan] >= 9,
        "up-xl": FEE[plan] < 24,
        "stay-24": (bounds == NEVER) | (bounds < day + 90),
        "step-5g": (network != 3) & (models.released[model] < day - 365),
        "first-smart": (system == 2) & (people.kind != COMPANY),
        "roam-summer": (people.city != CITY_NAMES.index("Vellmar Bay")) | (people.income >= 3),
    }
    table = np.ones((people.n, len(offers)), bool)
    for j, (offer, item) in enumerate(zip(offers.ids, offers.product.tolist(), strict=True)):
        if offer in audience:
            table[:, j] = audience[offer]
        blocked = EXCLUDES[item].copy()
        blocked[item] = True
        table[:, j] &= ~held[:, blocked].any(axis=1)
        table[:, j] &= (network >= NEEDS_NETWORK[item]) & NEEDS_SYSTEM[item][system]
    return table
