"""A file that is not what it was when its reading began refuses the load, and nothing is taken."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lake.errors import FeedError, FileChanged
from loaders.load import load

ROWS = "number\n" + "".join(f"{n}\n" for n in range(100, 400))


def grow(path: Path) -> None:
    with open(path, "ab") as file:
        file.write(b"2\n")


def shrink(path: Path) -> None:
    os.truncate(path, 20)


def replace(path: Path) -> None:
    beside = path.with_name("other")
    beside.write_bytes(path.read_bytes())
    facts = path.stat()
    os.utime(beside, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    os.replace(beside, path)


def touch(path: Path) -> None:
    os.utime(path, ns=(0, 0))


@pytest.mark.parametrize("form", ["csv", "parquet"])
@pytest.mark.parametrize(
    ("do", "said"),
    [(grow, "grew"), (shrink, "shrank"), (replace, "was replaced"), (touch, "changed"), (os.unlink, "disappeared")],
)
@pytest.mark.parametrize("moment", ["loaders.rows.check", "loaders.folder.FeedFile.sha256"])
def test_a_file_that_changes_refuses_the_load(
    bench, monkeypatch: pytest.MonkeyPatch, form: str, do: Callable, said: str, moment: str
) -> None:
    folder = bench.folder({"apps.csv": "app,name\na,A\n"})
    path = folder / f"users.{form}"
    if form == "csv":
        path.write_text(ROWS)
    else:
        pq.write_table(pa.table({"number": ROWS.split()[1:]}), path, row_group_size=100)
    done = []

    def once(file: object) -> None:
        if getattr(file, "path", None) == path and not done:
            done.append(do(path))

    if moment == "loaders.rows.check":
        from loaders import rows

        judge = rows.check
        monkeypatch.setattr(moment, lambda feed, file, *rest: (judge(feed, file, *rest), once(file))[0])
    else:
        from loaders.folder import FeedFile

        digest = FeedFile.__dict__["sha256"].func
        monkeypatch.setattr(moment, property(lambda file: (once(file), digest(file))[1]))
    with pytest.raises(FileChanged, match=rf"^users.{form} {said} while it was read: load again when it is") as caught:
        load(folder, bench.home, bench.settings)
    assert caught.value.code == "file_changed"
    assert bench.state() == {}


def test_a_file_without_permission_is_refused_and_named(bench, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = bench.folder({"users.csv": ROWS})
    (folder / "users.csv").chmod(0)
    if os.access(folder / "users.csv", os.R_OK):
        pytest.skip("this user reads files of any mode")
    with pytest.raises(FeedError, match=r"users.csv cannot be read .PermissionError."):
        load(folder, bench.home, bench.settings)
