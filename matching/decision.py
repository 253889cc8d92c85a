"""What is asked for a customer, and the answer: the words in which all of matching speaks."""

from __future__ import annotations

import datetime as dt
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from lake.pseudonyms import text_of
from matching.explore import First


@dataclass(slots=True)  # not frozen, which would cost each answer 3 µs; nor are those below
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


@dataclass(slots=True)
class Item:
    """One item of a decision, as it is written: JSON objects without their braces.

    said  what the answer says: `id`, `score` (from 0 to 1 for apps, in mean margins for offers), `channel`, `reason`,
          `script`, `path`
    more  what the trace says besides: `factors` of the score, `hours` at which to reach the customer, best first

    Each of these is an attribute too, read from there.
    """

    said: str
    more: str

    @classmethod
    def of(cls, **values: Any) -> Item:
        """From the values of all attributes."""
        more = {name: values.pop(name) for name in ("factors", "hours")}
        return cls(json(values)[1:-1], json(more)[1:-1])

    def __getattr__(self, name: str) -> Any:
        values = orjson.loads(f"{{{self.said},{self.more}}}")
        if name not in values:
            raise AttributeError(name)
        return values[name]


@dataclass(slots=True)
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

    def answer(self) -> str:
        """The answer of `POST /match` in JSON, from what comes after the decision's id."""
        return self._saying(",".join([f"{{{item.said}}}" for item in self.items])) + "}"

    def told(self) -> str:
        """What `GET /decisions/{id}` shows, likewise: the request too, what each rule removed, the factors."""
        items = [f"{{{item.said},{item.more}}}" for item in self.items]
        if self.first is not None:
            items[0] = f'{items[0][:-1]},"probability":{self.first.probability}}}'
        request = self.request
        rest = {
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
        return f"{self._saying(','.join(items))},{json(rest)[1:]}"

    def to_json(self) -> dict[str, Any]:
        """The answer as values."""
        values: dict[str, Any] = orjson.loads(f'{{"decision":"{self.id}",{self.answer()}')
        return values

    def trace(self) -> dict[str, Any]:
        """What is told as values."""
        values: dict[str, Any] = orjson.loads(f'{{"decision":"{self.id}",{self.told()}')
        return values

    def _saying(self, items: str) -> str:
        known, why = "true" if self.known else "false", self.nothing_because
        because = "" if why is None else f',"nothing_because":{json(why)}'
        return f'"snapshot":"{self.snapshot}","known":{known},"items":[{items}]{because}'


def json(value: Any) -> str:
    """A value in JSON."""
    return orjson.dumps(value).decode()


def each_json(values: list[float]) -> list[str]:
    """Each number in JSON.

    >>> each_json([0.5, 2.0])
    ['0.5', '2.0']
    """
    return json(values)[1:-1].split(",")


def new_id() -> str:
    """A UUID of version 7 (RFC 9562): ids of one time stand together, where traces are kept and looked for."""
    drawn = os.urandom(10)
    return text_of(
        (time.time_ns() // 1_000_000).to_bytes(6, "big")
        + bytes((drawn[0] & 0x0F | 0x70, drawn[1], drawn[2] & 0x3F | 0x80))
        + drawn[3:]
    )
