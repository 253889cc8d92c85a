"""What the routes share: the home, the graph, the keys, and the matching state that is taken up while serving."""

from __future__ import annotations

import datetime as dt
import gc
import threading
import time

from api import logs, metrics
from api.audit import Audit
from api.keys import KeyStore
from api.likeness import Likeness
from api.limits import Limits
from api.rules import Rules
from api.stamp import Stamp, stamp
from api.sweep import Sweep
from api.traces import Traces
from cypher.catalogue import Template, load
from embeddings.snapshot import Snapshot, current_id
from graph.calls.influence.seeds import Reach
from graph.calls.influence.seeds import read as read_reach
from graph.store import Store
from lake.clock import today
from lake.errors import DiskFull, EngineError, HomeError, NotReady, SettingError
from lake.home import Home
from lake.pseudonyms import Pseudonyms
from lake.settings import Settings
from lake.tables import Lake
from matching.ahead import Ahead
from matching.answered import Answered
from matching.answers import Answers
from matching.days import Days
from matching.decision import Decision, MatchRequest
from matching.decisions import Decisions
from matching.explore import Explore
from matching.kept import code
from matching.match import match
from matching.state import TABLES as STATE_TABLES
from matching.state import MatchState
from matching.unread import of_strangers, unread_since
from matching.written import Latest, Written, write

TABLES = (*STATE_TABLES, "contacts")
"""Tables of the lake whose change makes the state be loaded anew, beside a new snapshot and a new day."""

REACH = ("contacts", "customers", "app_usage", "web_use", "subscriptions")
"""Tables that the influence network is made from."""

POLL_S = 0.05
"""How often a worker looks whether another one recorded an answer."""

OVERLAP = dt.timedelta(seconds=10)
"""Answers are asked for again from so long before the last ones: clocks and commits are not in step."""


class Service:
    """One worker's view of the home. `start` loads and watches, `stop` ends the watching."""

    def __init__(self, home: Home, settings: Settings, store: Store) -> None:
        self.home = home
        self.settings = settings
        self.store = store
        self.lake = Lake(home.lake)
        self.keys = KeyStore(home)
        self.limits = Limits(home, settings.rate, settings.burst)
        self.audit = Audit(home, settings.audit_days)
        self.catalogue: dict[str, Template] = load()
        self.pseudonyms: Pseudonyms = home.pseudonyms()
        self.answers = Answers(store)
        self.days = Days(settings.zone)
        self.answered = Answered(self.days, settings.today)
        self.explore = Explore(settings.explore) if settings.explore else None
        self.decisions = Decisions(home)
        self.traces = Traces(self.decisions)
        self.likeness = Likeness(home)
        self.ahead: Ahead | None = None
        self._latest: Latest | None = None
        self._sweep: Sweep | None = None
        self._rules = Rules(settings)
        self._state: MatchState | None = None
        self._loaded_from: tuple[object, ...] | None = None
        self._bell = home.root / "answered"
        self._rung: Stamp | None = None
        self._heard_until: dt.datetime | None = None
        self._unread_since: dt.datetime | None = None
        self._reach: dict[str, tuple[str, Reach]] = {}
        self._reading = threading.Lock()
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def state(self) -> MatchState:
        """What matching decides from. Raises NotReady before there is a load and a snapshot."""
        if self._state is None:
            raise NotReady(
                "nothing can be matched yet: there is no snapshot",
                "run `dumbbell run FEEDS` on feeds that hold apps, products or offers",
            )
        return self._state

    def channels(self) -> list[str]:
        """The names of the operator's channels; before a state is loaded, as the lake has them."""
        if self._state is not None:
            return self._state.texts.channel_ids
        lake = Lake(self.home.lake)
        names: list[str] = lake.read("channels", ["channel"])["channel"].to_pylist() if lake.has("channels") else []
        return names

    def reach(self, weights: str) -> Reach:
        """The call graph ready for seeds, kept until its inputs change. Raises NotReady without contacts."""
        print_ = f"{self.lake.fingerprint(REACH)} {self.today()}"
        with self._reading:
            known = self._reach.get(weights)
            if known is None or known[0] != print_:
                # A lake of its own: its connection is not shared between threads.
                known = (print_, read_reach(Lake(self.home.lake), self.settings, weights))  # type: ignore[arg-type]
                self._reach[weights] = known
        return known[1]

    def today(self) -> dt.date:
        return today(self.settings, self.lake, clock=True)

    def now(self) -> dt.datetime:
        """The moment (UTC), on the day that is today to matching."""
        moment = dt.datetime.now(dt.UTC).replace(tzinfo=None)
        if self.settings.today is None:
            return moment
        return self.days.on(self.settings.today, self.days.at(moment).time())

    def start(self) -> None:
        """Load what there is and watch for what is new; drop traces that are past their time."""
        self.decisions.prune()
        self.look()
        self._thread = threading.Thread(target=self._watch, name="watch", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        if self._thread is not None:
            self._thread.join()
        if self._sweep is not None:
            self._sweep.stop()
        gc.unfreeze()  # libraries say of what is left at the end that it leaked

    def look(self) -> None:
        """Take up a new snapshot, lake or day, and answers recorded elsewhere; keep the old where that fails."""
        try:
            self._take_up()
        except Exception as error:  # noqa: BLE001  a lake that is being published is whole a second later
            metrics.SWAPS.labels("failed").inc()
            logs.failure("the matching state could not be loaded", error)
        self.hear()

    def _take_up(self) -> None:
        if self._rules.changed():
            self._take_rules()
        snapshot = current_id(self.home)
        told = self.settings.rules, self.settings.budgets
        found = (snapshot, self.lake.fingerprint(TABLES), self.today(), told)
        if snapshot is None or found == self._loaded_from:
            return
        started = time.monotonic()
        unread = unread_since(self.lake, self.today())
        state = MatchState.load(
            self.home, self.settings, self.lake, Snapshot.current(self.home), today=self.settings.today
        )
        _rehearse(state)
        gc.unfreeze()
        gc.collect()
        gc.freeze()  # names and texts by the ten thousand: looking through them again would hold up answers
        self._unread_since = unread if self._state is None else self._unread_since
        self._state = state
        self._loaded_from = found
        self._list(state, f"{code()} {found} {self.settings.timezone}")
        metrics.SWAPS.labels("done").inc()
        metrics.LOADED_AT.set_to_current_time()
        logs.event("the matching state was loaded", snapshot=snapshot, seconds=round(time.monotonic() - started, 2))

    def _take_rules(self) -> None:
        """Take the rules and budgets of a file that was changed; those that cannot be used leave the former in force,
        until it is changed again."""
        try:
            self.settings = self._rules.read(self.lake)
        except SettingError as error:
            metrics.SWAPS.labels("failed").inc()
            logs.failure("the rules could not be taken up, the former are in force", error, why=str(error))

    def _list(self, state: MatchState, identity: str) -> None:
        """Have lists of apps made ahead of a new state; without room for them, decisions do without."""
        former = self._sweep
        self.ahead = self._latest = self._sweep = None
        if former is not None:
            former.stop()
        try:
            self.ahead = Ahead(self.home, state, identity)
            self._latest = Latest(self.ahead)
            self._sweep = Sweep(self.ahead)
        except DiskFull as error:
            logs.failure("lists cannot be made ahead", error)

    def match(self, request: MatchRequest) -> Decision:
        """Decide with what is in force now."""
        if (sweep := self._sweep) is not None:
            sweep.asked()
        return match(self.state, request, self.answered, self.ahead, self.explore)

    def write(self, request: MatchRequest) -> Written:
        """The same as bytes, said again where nothing changed since."""
        if (sweep := self._sweep) is not None:
            sweep.asked()
        return write(self.state, request, self.answered, self._latest, self.explore)

    def ring(self) -> None:
        """Tell the other workers that an answer was recorded."""
        self._bell.touch()

    def hear(self) -> None:
        """Take answers in force that other workers, or other hosts, recorded. The graph may be away."""
        since = self._unread_since if self._heard_until is None else self._heard_until - OVERLAP
        asked_at = dt.datetime.now(dt.UTC).replace(tzinfo=None)
        try:
            table = self.answers.all() if since is None else self.answers.since(since)
        except EngineError as error:
            logs.failure("answers could not be read from the graph", error)
            return
        if self._heard_until is None:
            self.answered = Answered.of(table, self.days, self.settings.today)
            if (others := of_strangers(self.lake)) is not None:
                self.answered.take(others)
        else:
            self.answered.take(table)
        self._heard_until = asked_at

    def _settle(self) -> None:
        """Keep the log of traces short; what cannot be done now is tried again, and must not end the watching."""
        try:
            self.decisions.settle()
        except HomeError as error:
            logs.failure("the log of traces could not be settled", error)

    def _watch(self) -> None:
        looked = time.monotonic()
        while not self._over.wait(POLL_S):
            rung = stamp(self._bell)
            if time.monotonic() - looked >= 1.0:
                self._rung, looked = rung, time.monotonic()
                self.look()
                self._settle()
            elif rung != self._rung:
                self._rung = rung
                self.hear()


def _rehearse(state: MatchState) -> None:
    """Decide a few times, so that no customer waits for what is compiled or read at first use."""
    first = state.customers.users[:1].tobytes().ljust(16, b"\0") or None
    for user in (None, first):
        for kind in ("app", "offer"):
            match(state, MatchRequest(user=user, kind=kind))
