"""Traces of decisions made at the same moment are kept in one transaction; each answer waits for its own."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matching.decision import Decision
    from matching.decisions import Decisions
    from matching.written import Written


class Traces:
    """Keeps decisions for the requests of one event loop.

    Requests that the loop finds ready together are decided one after the other; what they decided is written when the
    loop comes round again, once for all of them.
    """

    def __init__(self, decisions: Decisions) -> None:
        self._decisions = decisions
        self._waiting: list[tuple[Sequence[Decision | Written], asyncio.Future[None]]] = []

    async def keep(self, decisions: Sequence[Decision | Written]) -> None:
        """Return when the decisions are kept; raises what the writing of them raised."""
        loop = asyncio.get_running_loop()
        if not self._waiting:
            loop.call_soon(self._write)
        kept: asyncio.Future[None] = loop.create_future()  # of its own: who goes away takes nothing from the others
        self._waiting.append((decisions, kept))
        await kept

    def _write(self) -> None:
        waiting, self._waiting = self._waiting, []
        failed = None
        try:
            self._decisions.record_many([decision for decisions, _ in waiting for decision in decisions])
        except Exception as error:  # noqa: BLE001  it belongs to those who wait
            failed = error
        for _, kept in waiting:
            if kept.done():  # cancelled: nobody waits any more
                continue
            if failed is None:
                kept.set_result(None)
            else:
                kept.set_exception(failed)
