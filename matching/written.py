"""Decisions as the bytes that go out and that are kept, and the latest of them, kept to be said again.

A decision on apps for a customer who said nothing since the state was loaded depends on the state and on what was asked
alone: the next one is the same but for its id and time.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

from matching.ahead import LENGTH, Ahead
from matching.answered import Answered
from matching.decision import Decision, MatchRequest, new_id
from matching.explore import Explore
from matching.match import Circumstances, ask, decide, meet
from matching.state import MatchState, check_k

MOST = 4096
"""Decisions kept to be said again: 8 kB each."""
Key = tuple[int, int, int | None, str | None, bool, bytes | None]


@dataclass(slots=True)
class Written:
    """A decision's `id`, how many `items` it has, and the rest of its answer and of its trace: JSON after the id."""

    id: str
    items: int
    _answer: bytes
    _trace: bytes

    @classmethod
    def of(cls, decision: Decision) -> Written:
        return cls(decision.id, len(decision.items), decision.answer().encode(), decision.told().encode())

    def answer(self) -> bytes:
        """The answer of `POST /match`."""
        return b'{"decision":"%b",%b' % (self.id.encode(), self._answer)

    def trace(self, at: bytes) -> bytes:
        """What `GET /decisions/{id}` shows of a decision made `at`, a moment in ISO 8601."""
        return b'{"decision":"%b","at":"%b",%b' % (self.id.encode(), at, self._trace)

    def again(self) -> Written:
        """The same under an id of its own."""
        return Written(new_id(), self.items, self._answer, self._trace)


class Latest:
    """The latest decisions on one state of customers who said nothing since, by what was asked. Safe to share between
    threads."""

    def __init__(self, ahead: Ahead, most: int = MOST) -> None:
        self.ahead = ahead
        self._most = most
        self._kept: dict[Key, Written] = {}
        self._lock = threading.Lock()

    def key(self, state: MatchState, request: MatchRequest, met: Circumstances) -> Key | None:
        """What a decision is kept by; None where it depends on more, or several customers are one position."""
        if state is not self.ahead.state or request.kind != "app" or request.context_used:
            return None
        if check_k(request.k) > LENGTH:
            return None
        if met.said or met.position == state.customers.n:
            return None
        no_room = None if met.full is None else met.full.tobytes()
        return met.position, request.k, request.slots, request.channel, met.quiet, no_room

    def again(self, key: Key) -> Written | None:
        """What was decided last, under an id of its own; None where that is not known."""
        with self._lock:
            if (found := self._kept.pop(key, None)) is None:
                return None
            self._kept[key] = found  # the last to go
        return found.again()

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
    met = meet(state, request, answered)
    key = None if latest is None else latest.key(state, request, met)
    if latest is not None and key is not None and (known := latest.again(key)) is not None:
        return known
    asked = ask(state, request, met)
    made = Written.of(decide(state, asked, None if latest is None else latest.ahead, explore))
    if latest is not None and key is not None:
        latest.keep(key, made)
    return made
