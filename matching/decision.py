"""What is asked for a customer, and the answer: the words in which all of matching speaks."""

from __future__ import annotations

import datetime as dt
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from lake.pseudonyms import text_of
from matching.explore import First


@dataclass(frozen=True)
class MatchRequest:
    """What is asked: `user` is a pseudonym of 16 bytes, None for a number that cannot be known.

    `slots` places are to be filled: at most so many items, and of offers no two for one product or for products that
    exclude each other; of one category at most half, while there are others. `context_used`: apps used since the
    snapshot. `at` is when: UTC without an offset, None for now.
    """

    user: bytes | None = None
    kind: str = "app"
    k: int = 10
    channel: str | None = None
    slots: int | None = None
    context_used: Sequence[str] = ()
    at: dt.datetime | None = None


@dataclass(slots=True)  # not frozen, which would cost each answer 15 µs
class Item:
    """One item of a decision; `score` from 0 to 1 for apps, in mean margins for offers.

    `hours` are those at which to reach the customer, best first.
    """

    id: str
    score: float
    channel: str | None
    reason: str
    script: str | None
    path: list[dict[str, Any]]
    factors: dict[str, float] = field(default_factory=dict)
    hours: list[int] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "score": self.score,
            "channel": self.channel,
            "reason": self.reason,
            "script": self.script,
            "path": self.path,
        }


@dataclass(frozen=True)
class Decision:
    """The answer, and what led to it.

    `known` is false for a number that is no customer's, which gets fallback items. `removed` counts what each rule
    took away, `candidates` what there was before; `barred` says which offers, by rule. `first` says how the first offer
    was chosen where chance may choose.
    """

    id: str
    snapshot: str
    request: MatchRequest
    known: bool
    items: list[Item]
    nothing_because: str | None
    candidates: int
    removed: dict[str, int]
    first: First | None = None
    barred: dict[str, list[str]] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The answer of `POST /match`."""
        answer: dict[str, Any] = {
            "decision": self.id,
            "snapshot": self.snapshot,
            "known": self.known,
            "items": [item.to_json() for item in self.items],
        }
        if self.nothing_because is not None:
            answer["nothing_because"] = self.nothing_because
        return answer

    def trace(self) -> dict[str, Any]:
        """What `GET /decisions/{id}` shows: the request, what each rule removed, and the factors of each score."""
        request, answer = self.request, self.to_json()
        for item, shown in zip(self.items, answer["items"], strict=True):
            shown |= {"factors": item.factors, "hours": item.hours}
        if self.first is not None:
            answer["items"][0]["probability"] = self.first.probability
        return {
            **answer,
            "request": {
                "user": None if request.user is None else text_of(request.user),
                "kind": request.kind,
                "k": request.k,
                "channel": request.channel,
                "slots": request.slots,
                "used": list(request.context_used),
            },
            "candidates": self.candidates,
            "removed": self.removed,
            "barred": self.barred,
            "explored": self.first is not None and self.first.explored,
        }


def new_id() -> str:
    """A UUID of version 7 (RFC 9562): ids of one time stand together, where traces are kept and looked for."""
    drawn = os.urandom(10)
    return text_of(
        (time.time_ns() // 1_000_000).to_bytes(6, "big")
        + bytes((drawn[0] & 0x0F | 0x70, drawn[1], drawn[2] & 0x3F | 0x80))
        + drawn[3:]
    )
