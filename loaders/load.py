"""A feed folder into the lake, as one step: all of it, or nothing."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from lake import publish
from lake.home import Home, enough_disk
from lake.progress import working
from lake.pseudonyms import Pseudonyms
from lake.settings import Settings
from lake.tables import NUMBERS, Lake
from loaders import catalogues, customers, dangling, events, report, room
from loaders.feeds import FEEDS
from loaders.folder import Folder, look_into
from loaders.reading import Reading
from loaders.report import Counts, Report
from loaders.urls.stage import translate
from loaders.work import Work


def check(feeds_dir: Path, settings: Settings, pseudonyms: Pseudonyms) -> Report:
    """The report that loading a folder into an empty home would give; nothing is kept.

    Visits are read a second time and translated in the system's folder for temporary files. Raises FeedError like
    `load`.
    """
    folder = look_into(Path(feeds_dir))
    work = Work(settings, pseudonyms)
    _read(work, folder)
    if "web_visits" in folder.files:
        tried = _translated(folder, settings, pseudonyms)
        work.report.translation = tried.translation
        work.report.warnings = list(dict.fromkeys([*work.report.warnings, *tried.warnings]))
    return work.report


def _translated(folder: Folder, settings: Settings, pseudonyms: Pseudonyms) -> Report:
    """What a load of visits and rules alone would report."""
    visits = Folder({feed: folder.files[feed] for feed in ("web_visits", "url_rules") if feed in folder.files})
    with tempfile.TemporaryDirectory() as place, enough_disk(Path(place)):
        staging = publish.stage(Path(place))
        work = Work(settings, pseudonyms, Path(place), staging)
        _read(work, visits)
        translate(work, staging)
        return work.report


def load(feeds_dir: Path, home: Home, settings: Settings, *, strict: bool = False, free: int | None = None) -> Report:
    """Load a feed folder into the home's lake and quarantine; the caller holds the home for writing.

    `free` are the bytes that the home's disk has room for; None asks the system.

    Raises FeedError when a feed is refused or, with `strict`, any row is quarantined; DiskFull,
    SettingError (another period than the home's), WrongKey. Then nothing of the folder is taken.
    """
    folder = look_into(Path(feeds_dir))
    home.check_period(settings)
    pseudonyms = home.pseudonyms(create=True)
    with _staging(home) as staging:
        work = Work(settings, pseudonyms, home.root, staging, strict)
        _read(work, folder, free)
        translate(work, staging)
        work.inventory.write(staging)
        with working("finding all customers"):
            customers.take(work)
        publish.publish(home.root, staging, work.deletes)
    home.keep_period(settings)
    work.report.changed = bool(work.deletes) or any(counts.taken for counts in work.report.feeds.values())
    return work.report


def find_customers(home: Home, settings: Settings) -> None:
    """Find all customers of the lake's tables again, every month looked through; the caller holds the home."""
    Lake(home.lake).drop(NUMBERS)
    with _staging(home) as staging:
        work = Work(settings, home.pseudonyms(), home.root, staging)
        customers.take(work)
        publish.publish(home.root, staging, work.deletes)


@contextmanager
def _staging(home: Home) -> Iterator[Path]:
    """A folder to stage in. When the load fails it goes, unless publishing had begun: that is finished later."""
    with enough_disk(home.root):
        staging = publish.stage(home.root)
        try:
            yield staging
        except BaseException:
            if not publish.unfinished(home.root):
                shutil.rmtree(staging, ignore_errors=True)
            raise


def _read(work: Work, folder: Folder, free: int | None = None) -> None:
    """Read every feed of the folder: the columns of all files first, so that a refusal comes at once."""
    work.report.warnings += folder.warnings
    readings = {
        feed: [Reading(file, work.how, work.settings.encoding) for file in files]
        for feed, files in folder.files.items()
    }
    if work.root is not None:
        files = [file for of_feed in folder.files.values() for file in of_feed]
        room.require(work.root, files, work.inventory, graph=not work.settings.neo4j_uri, free=free)
    for feed, of_feed in readings.items():
        work.report.warnings += dict.fromkeys(warning for reading in of_feed for warning in reading.warnings())
        work.report.feeds[feed] = Counts()
        work.keep_aside(feed, of_feed)
        with working(f"loading {feed}") if work.staging else nullcontext():
            (events if FEEDS[feed].event else catalogues).take(work, FEEDS[feed], of_feed)
    known = set(folder.files) | {feed for feed in FEEDS if work.present(feed)}
    work.report.off = report.off(known)
    dangling.count(work, folder.files)
