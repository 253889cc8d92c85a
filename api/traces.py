"""Traces of decisions made at the same moment are kept in one transaction; each answer waits for its own."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matching.decisions import Decisions
    from matching.match import Decision


class Traces:
    """Keeps decisions for the requests of one event loop.

    Requests that the loop finds ready together are decided one after the other; what they decided is written when the
    loop comes round again, once for all of them.
    """

    def __init__(self, decisions: Decisions) -> None:
        self._decisions = decisions
        self._waiting: list[Decision] = []
        self._written: asyncio.Future[None] | None = None

    async def keep(self, decisions: list[Decision]) -> None:
        """Return when the decisions are kept; raises what the writing of them raised."""
        loop = asyncio.get_running_loop()
        if self._written is None:
            self._waiting, self._written = [], loop.create_future()
            loop.call_soon(self._write)
        self._waiting += decisions
        await asyncio.shield(self._written)  # one caller who goes away takes nothing from the others

    def _write(self) -> None:
        waiting, written, self._written = self._waiting, self._written, None
        assert written is not None
        try:
            self._decisions.record_many(waiting)
        except Exception as error:  # noqa: BLE001  it belongs to those who wait
            written.set_exception(error)
            written.exception()  # asked for here, should nobody wait any more
        else:
            written.set_result(None)
