"""The home: one folder with everything that a run makes, one writer at a time."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from lake import publish
from lake.errors import DiskFull, HomeError, HomeHeld, SettingError, WrongKey
from lake.pseudonyms import Pseudonyms, make_key, read_key
from lake.runs import noting
from lake.settings import Settings
from lake.upgrade import FORMAT, STEPS, upgrade

DERIVED = ("ahead", "kept")
"""Folders of what is made again from the rest when it is missing: not saved, and gone once pseudonyms change."""
EMPTY = ("number.key", "lock", "runs.json")
"""What a folder may hold to be made a home."""


class Home:
    """Paths below one home folder, its format, its key, and the lock that writers take.

    HOME/format          the layout's version, and the check of the key
    HOME/lake/           Parquet tables (`lake.tables.Lake`)
    HOME/quarantine/     rows that were not taken
    HOME/neo4j/          the product's own server: data, configuration, password, log
    HOME/snapshots/      trained vectors, one folder each, `current` names one
    HOME/keys.json       API keys, hashed
    HOME/audit/          which key asked for whom, a file a day (mode 0600)
    HOME/ahead/          each customer's best apps, by position (`matching.ahead`)
    HOME/kept/           what matching starts from, as files that workers map (`matching.kept`; mode 0600)
    HOME/steps.json      what each step last ran on
    HOME/runs.json       the last run of each command, and how it ended
    HOME/unfinished.json what a killed `rekey`, `forget` or `restore` left to do (mode 0600)
    """

    def __init__(self, root: Path, key_file: Path | None = None) -> None:
        self.root = Path(root).absolute()
        self.key_file = Path(key_file).absolute() if key_file else self.root / "number.key"
        self.lake = self.root / "lake"
        self.quarantine = self.root / "quarantine"
        self.neo4j = self.root / "neo4j"
        self.snapshots = self.root / "snapshots"
        self.keys = self.root / "keys.json"
        self.steps = self.root / "steps.json"
        self.runs = self.root / "runs.json"
        self.unfinished = self.root / "unfinished.json"
        self.finishing = ""
        """The command that may use an unfinished home: the one that finishes it."""

    @classmethod
    def open(cls, settings: Settings, *, create: bool = False, finishing: str = "") -> Home:
        """The home that the settings name, for the command that may be `finishing` what it left undone.

        Raises HomeError where there is none and `create` is false, or another command has left it unfinished.
        """
        home = cls(settings.home, settings.key_file)
        home.finishing = finishing
        home.require_finished()
        marker = home.root / "format"
        if not marker.exists():
            if not create:
                raise HomeError(
                    f"there is no home in {settings.home}", "name one with --home, or fill it with `dumbbell load`"
                )
            if home.root.exists() and any(
                p.name not in ("number.key", "lock", "runs.json") for p in home.root.iterdir()
            ):
                raise HomeError(
                    f"{settings.home} holds other files and is no home", "name an empty or a new folder with --home"
                )
            home.root.mkdir(parents=True, exist_ok=True)
            home.write_text(marker, json.dumps({"format": FORMAT}))
        found = json.loads(marker.read_text()).get("format")
        if found != FORMAT:
            home._upgrade(found)
        home.check_period(settings)
        if publish.unfinished(home.root):  # a writer was killed while publishing, unless one is at it now
            with suppress(HomeHeld), home.writing("recovery"):
                pass
        return home

    def _upgrade(self, found: Any) -> None:
        """Bring an older home to this version's format. Raises HomeError for one of a newer version."""
        if found not in STEPS:
            raise HomeError(
                f"{self.root} has format {found}, this version reads {FORMAT} and older",
                "use the version that filled it, or load the feeds into a new home",
            )
        with self.writing("upgrade"):
            upgrade(self.root, self.write_text)

    def begun(self) -> dict[str, Any] | None:
        """What a command has begun and not ended: its facts, with its name as `command`; None where nothing is."""
        return json.loads(self.unfinished.read_text()) if self.unfinished.exists() else None

    def begin(self, command: str, **facts: Any) -> None:
        """Keep what is needed to finish a command that must not stay halfway; other commands are refused from now on.

        To be called, again with every change of the facts, by the one who holds the home for writing.
        """
        self.finishing = command
        self.write_text(self.unfinished, json.dumps({"command": command, **facts}), secret=True)

    def end(self) -> None:
        """Say that the command has ended; what was kept for it is overwritten first."""
        shred(self.unfinished)

    def require_finished(self) -> None:
        """Raise HomeError when a command was killed halfway, unless it is the one that is at work here."""
        found = self.begun()
        if found is not None and found["command"] != self.finishing:
            raise HomeError(
                f"{self.root} is halfway through `dumbbell {found['command']}`, which runs or was killed",
                f"wait for it, or run `dumbbell {found['command']}` again to finish it",
                code="home_unfinished",
            )

    def check_period(self, settings: Settings) -> None:
        """Raise SettingError when the settings' period is another than the one this home was filled with."""
        marker = self.root / "format"
        kept = json.loads(marker.read_text()).get("period", settings.period) if marker.exists() else settings.period
        if kept != settings.period:
            raise SettingError(
                f"setting DUMBBELL_PERIOD is {settings.period!r}, but {self.root.name} was filled with {kept!r}",
                f"set DUMBBELL_PERIOD={kept}, or load the feeds into a new home",
            )

    def keep_period(self, settings: Settings) -> None:
        """Fix the length of a period, with the first load."""
        marker = self.root / "format"
        facts = json.loads(marker.read_text())
        if "period" not in facts:
            self.write_text(marker, json.dumps({**facts, "period": settings.period}))

    def pseudonyms(self, *, create: bool = False) -> Pseudonyms:
        """The pseudonyms of this home's key; made with the first use when `create`.

        Raises WrongKey when the key differs from the one this home was filled with.
        """
        marker = self.root / "format"
        facts = json.loads(marker.read_text())
        if not self.key_file.exists():
            if "key_check" in facts or not create:
                raise WrongKey(f"there is no key for numbers at {self.key_file}", "name it with DUMBBELL_KEY_FILE")
            make_key(self.key_file)
        pseudonyms = Pseudonyms(read_key(self.key_file))
        known = "key_check" in facts
        if facts.setdefault("key_check", pseudonyms.check) != pseudonyms.check:
            raise WrongKey(
                f"the key in {self.key_file} is not the one {self.root.name} was filled with",
                "name the right one with DUMBBELL_KEY_FILE",
            )
        if create and not known:
            self.write_text(marker, json.dumps(facts))
        return pseudonyms

    @contextmanager
    def writing(self, command: str, *, wait: bool = False) -> Iterator[None]:
        """Hold the home for writing; the operating system lets go when the process ends, however it ends.

        What a killed writer had begun to publish is finished first.

        Raises HomeHeld, saying who holds it, unless `wait`.
        """
        path = self.root / "lock"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        with open(descriptor, "r+") as file:
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except OSError as error:
                    if error.errno not in (errno.EAGAIN, errno.EACCES):
                        raise
                    if not wait:
                        file.seek(0)
                        holder = file.read().strip() or "another command"
                        raise HomeHeld(
                            f"{self.root} is held by {holder}", "wait for it to end, or add --wait"
                        ) from None
                    time.sleep(0.2)
            file.seek(0)
            file.truncate()
            file.write(f"`dumbbell {command}` (process {os.getpid()})")
            file.flush()
            publish.recover(self.root)
            with noting(self.runs, command, self.write_text):
                yield

    def write_text(self, path: Path, text: str, *, secret: bool = False) -> None:
        """Write a small file beside and rename it into place; mode 0600 when it holds secrets."""
        beside = path.with_name(f".{path.name}.{os.getpid()}")
        path.parent.mkdir(parents=True, exist_ok=True)
        mode = 0o600 if secret else 0o644
        with enough_disk(path.parent), open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)


def shred(path: Path) -> None:
    """Overwrite a small file with zeros, to the disk, and take it away; absent is fine."""
    if path.exists():
        with open(path, "r+b") as file:
            file.write(b"\0" * path.stat().st_size)
            file.flush()
            os.fsync(file.fileno())
        path.unlink()


def as_filled(settings: Settings) -> Settings:
    """The settings with the period that the home was filled with, where none was set."""
    marker = settings.home / "format"
    if "period" in settings.model_fields_set or not marker.exists():
        return settings
    return settings.model_copy(update={"period": json.loads(marker.read_text()).get("period", settings.period)})


@contextmanager
def beside(path: Path) -> Iterator[Path]:
    """A path next to `path` to write to; renamed into place when the block ends well, gone when it does not.

    Raises DiskFull.
    """
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with enough_disk(path.parent):
            yield fresh
            os.replace(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)


@contextmanager
def enough_disk(folder: Path) -> Iterator[None]:
    """Turn the system's 'no space left' into DiskFull with what is free and what to do."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        free = shutil.disk_usage(folder).free // 10**6
        raise DiskFull(
            f"no space left for {folder} ({free} MB free)", "free some space and run the same command again"
        ) from error
