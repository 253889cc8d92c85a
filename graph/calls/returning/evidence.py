"""What speaks for a pair of a leaver and a new number, as logarithms of likelihood ratios.

Let p(c) be how much the leaver talks to contact c (the chance of any contact in 30 days, as a share of all their
contacts), b(c) the contact's share of everybody's contacts, s of the candidate's contacts the leaver's and e not, and
r(c) the leaver's events a day with c.

whom      sum over shared c of log(p(c) / b(c)): the contacts are the leaver's, against anybody's
share     log B(s + 1, e + 1): s old and e new contacts, any share of old ones as likely
missing   sum over missing c of log(1 - K (1 - exp(-r(c) T(c)))): not heard of in the T days that both were there,
          although a share K of contacts is kept
overlap   minus the weeks that the new number was there before the leaver's last contact
gap       -log(1 + weeks between them)

A contact that may have a new number itself is one with probability q (`sure`): p becomes q p + (1 - q) b, and K q K.
Contacts of other networks cannot be seen with a candidate of another network and count for nothing there.
"""

from __future__ import annotations

import math

import numba
import numpy as np

FEATURES = ("whom", "share", "missing", "overlap", "gap")
KEPT_SHARE = 0.5
"""K: that of half of the contacts."""
USUAL_DAYS = 30.0
WEEK = 7.0


@numba.njit(cache=True)
def weigh(
    left: np.ndarray,
    right: np.ndarray,
    starts: np.ndarray,
    contact: np.ndarray,
    rate: np.ndarray,
    sure: np.ndarray,
    end: np.ndarray,
    new_starts: np.ndarray,
    new_contact: np.ndarray,
    first: np.ndarray,
    until: np.ndarray,
    own: np.ndarray,
    on_net: np.ndarray,
    last: np.ndarray,
    contacts: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """(features, m) evidence of pairs, and (m,) shared contacts, those that are so with probability .5 or more.

    Of leavers: compressed rows with `rate` and `sure`, `end`. Of candidates: compressed rows, `first` and `until` when
    they are watched, `own` whether they are of the own network. By position: `on_net`, `last` day, `contacts`.
    """
    evidence = np.zeros((5, left.shape[0]))
    shared = np.zeros(left.shape[0], np.int32)
    everybody, ours = 0.0, 0.0
    for c in range(contacts.shape[0]):
        everybody += contacts[c]
        ours += contacts[c] * on_net[c]
    for k in range(left.shape[0]):
        i, v = left[k], right[k]
        total = 0.0
        for e in range(starts[i], starts[i + 1]):
            if own[v] or on_net[contact[e]]:
                total += sure[e] * (1.0 - math.exp(-rate[e] * USUAL_DAYS))
        whom, missing, old = 0.0, 0.0, 0.0
        new = new_starts[v]
        for e in range(starts[i], starts[i + 1]):
            c = contact[e]
            if not (own[v] or on_net[c]):
                continue
            while new < new_starts[v + 1] and new_contact[new] < c:
                new += 1
            if new < new_starts[v + 1] and new_contact[new] == c:
                usual = (1.0 - math.exp(-rate[e] * USUAL_DAYS)) / total
                anybody = max(contacts[c], 1.0) / (everybody if own[v] else ours)
                whom += math.log(sure[e] * usual / anybody + 1.0 - sure[e])
                old += sure[e]
                shared[k] += sure[e] >= 0.5
            else:
                days = min(until[v], last[c]) - first[v]
                if days > 0:
                    missing += math.log(1.0 - sure[e] * KEPT_SHARE * (1.0 - math.exp(-rate[e] * days)))
        many = new_starts[v + 1] - new_starts[v]
        evidence[0, k] = whom
        evidence[1, k] = math.lgamma(old + 1.0) + math.lgamma(many - old + 1.0) - math.lgamma(many + 2.0)
        evidence[2, k] = missing
        evidence[3, k] = min(first[v] - end[i], 0.0) / WEEK
        evidence[4, k] = -math.log(1.0 + max(first[v] - end[i], 0.0) / WEEK)
    return evidence, shared
