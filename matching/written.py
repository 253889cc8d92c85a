"""Decisions as the bytes that go out and that are kept, and the latest of them, kept to be said again.

A decision from a list made ahead depends on the state and on what was asked alone: while the list holds, the next one
is the same but for its id and time.
"""

from __future__ import annotations

import datetime as dt
import threading
from dataclasses import dataclass, replace

import orjson

from matching.ahead import Ahead
from matching.answered import Answered
from matching.decision import Decision, MatchRequest, new_id
from matching.explore import Explore
from matching.match import Asked, ask, decide
from matching.state import MatchState

MOST = 4096
"""Decisions kept to be said again: 8 kB each."""
Key = tuple[int, int, int | None, str | None]


@dataclass(frozen=True)
class Written:
    """A decision's `id`, how many `items` it has, and the rest of its answer and of its trace: JSON after the id."""

    id: str
    items: int
    _answer: bytes
    _trace: bytes

    @classmethod
    def of(cls, decision: Decision) -> Written:
        answer, trace = decision.to_json(), decision.trace()
        del answer["decision"], trace["decision"]
        rest = (orjson.dumps(each, option=orjson.OPT_SERIALIZE_NUMPY)[1:] for each in (answer, trace))
        return cls(decision.id, len(decision.items), *rest)

    def answer(self) -> bytes:
        """The answer of `POST /match`, as `Decision.to_json` has it."""
        return b'{"decision":"%b",%b' % (self.id.encode(), self._answer)

    def trace(self, at: dt.datetime) -> bytes:
        """What `GET /decisions/{id}` shows of a decision made `at`, as `Decision.trace` has it."""
        return b'{"decision":"%b","at":"%b",%b' % (
            self.id.encode(),
            at.isoformat(timespec="seconds").encode(),
            self._trace,
        )


class Latest:
    """The latest decisions from the lists of one state, by what was asked. Safe to share between threads."""

    def __init__(self, ahead: Ahead, most: int = MOST) -> None:
        self.ahead = ahead
        self._most = most
        self._kept: dict[Key, Written] = {}
        self._lock = threading.Lock()

    def key(self, state: MatchState, asked: Asked) -> Key | None:
        """What a decision is kept by; None where a list does not answer, or several customers are one position."""
        request, stranger = asked.request, asked.position >= state.customers.n
        if asked.block.kind != "app" or request.context_used or stranger:
            return None
        if not self.ahead.covers(state, asked.block, asked.wanted):
            return None
        return asked.position, request.k, request.slots, request.channel

    def again(self, key: Key) -> Written | None:
        """What was decided last, under an id of its own; None where that is not known."""
        with self._lock:
            if (found := self._kept.pop(key, None)) is None:
                return None
            self._kept[key] = found  # the last to go
        return replace(found, id=new_id())

    def keep(self, key: Key, made: Written) -> None:
        with self._lock:
            self._kept[key] = made
            if len(self._kept) > self._most:
                del self._kept[next(iter(self._kept))]


def write(
    state: MatchState,
    request: MatchRequest,
    answered: Answered | None = None,
    latest: Latest | None = None,
    explore: Explore | None = None,
) -> Written:
    """What `matching.match.match` decides, written; said again where that was decided before and still holds."""
    asked = ask(state, request, answered)
    key = None if latest is None else latest.key(state, asked)
    if latest is None or key is None:
        return Written.of(decide(state, asked, None if latest is None else latest.ahead, explore))
    found = latest.again(key)
    if found is None:
        found = Written.of(decide(state, asked, latest.ahead, explore))
        latest.keep(key, found)
    return found
