"""A home in one file: a tar of everything but the graph's store, compressed with zstd, and back again.

    dumbbell.json    the first member: what this is, the home's format, how many bytes follow
    home/...         the files, the key for numbers among them as `home/number.key`
    checksums.json   the last member: size, SHA-256, mode and time of change of each file

The graph is not in it: it is made again from the lake, which holds what customers answered too. Without the last
member a file was cut short; nothing is put in place before every checksum has been verified.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa

from lake.errors import BadValue, DiskFull, HomeError
from lake.home import DERIVED, Home, beside, enough_disk
from lake.progress import track
from lake.upgrade import FORMAT

HEAD, TAIL, BELOW, KEY = "dumbbell.json", "checksums.json", "home/", "number.key"
KIND = "backup of a dumbbell home"
VERSION = 1
LEFT_OUT = ("neo4j", "lock", "runs.json", "unfinished.json", *DERIVED)
UNPACKED = ".restored"


def write(home: Home, file: Path) -> dict[str, int]:
    """Write the home to one file (mode 0600), beside first and renamed when whole. Returns `files` and `bytes`.

    For whoever holds the home alone. Raises DiskFull before anything is written where there is no room for it.
    """
    if not file.parent.is_dir():
        raise BadValue(f"there is no folder {file.parent}", "name a file in a folder that is there")
    files = dict(_files(home))
    total = sum(path.stat().st_size for path in files.values())
    _room(file.parent, total)
    head = {"is": KIND, "version": VERSION, "format": _format(home), "files": len(files), "bytes": total}
    checksums: dict[str, dict[str, Any]] = {}
    with beside(file.absolute()) as fresh:
        with (
            open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as raw,
            pa.CompressedOutputStream(raw, "zstd") as stream,
            tarfile.open(fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT) as tar,
        ):
            _add(tar, HEAD, head)
            for name, path in track(files.items(), "files", total=len(files)):
                checksums[name] = _add_file(tar, name, path)
            _add(tar, TAIL, checksums)
        with open(fresh, "rb") as written:
            os.fsync(written.fileno())
    return {"files": len(files), "bytes": total}


def clear(home: Home) -> None:
    """Take away what a restore has put into a home that was empty before."""
    for path in home.root.iterdir():
        if path.name not in LEFT_OUT and path != home.key_file:
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def is_empty(home: Home) -> bool:
    """Whether a backup can be restored here: there is nothing but perhaps the key for numbers, and our own marks."""
    if not home.root.exists():
        return True
    return all(path.name in ("lock", "runs.json") or path == home.key_file for path in home.root.iterdir())


def unpack(file: Path, home: Home) -> dict[str, int]:
    """Unpack and verify a backup beside the home's (empty) place. Returns `files` and `bytes`; `put_in_place` ends it.

    Raises HomeError (code `bad_backup`) where the file is no backup, is cut short, altered, or of a newer version, and
    DiskFull before anything is written where there is no room; then nothing is left of it.
    """
    folder = home.root / UNPACKED
    shutil.rmtree(folder, ignore_errors=True)
    try:
        with enough_disk(home.root):
            return _unpack(file, folder)
    except BaseException as error:
        shutil.rmtree(folder, ignore_errors=True)
        is_unreadable = isinstance(error, (tarfile.TarError, EOFError, ValueError, OSError, KeyError))
        if is_unreadable and getattr(error, "errno", None) is None:
            raise _bad(file, "is no backup of a home, or was cut short") from None
        raise


def put_in_place(home: Home) -> None:
    """Rename what was unpacked into the home; its key to where the settings want it."""
    folder = home.root / UNPACKED
    key = folder / KEY
    if key.exists():
        if home.key_file.exists() and home.key_file.read_bytes().strip() != key.read_bytes().strip():
            raise HomeError(
                f"there is another key for numbers at {home.key_file}",
                "name another file with DUMBBELL_KEY_FILE, or take it away",
                code="wrong_key",
            )
        home.write_text(home.key_file, key.read_text(), secret=True)
    for path in sorted(folder.iterdir() if folder.exists() else []):
        if path != key:
            os.replace(path, home.root / path.name)
    shutil.rmtree(folder, ignore_errors=True)


def _files(home: Home) -> Iterator[tuple[str, Path]]:
    """Every file of the home by its name in the backup, sorted; leftovers of killed writers apart."""
    for path in sorted(home.root.rglob("*")):
        name = path.relative_to(home.root)
        is_leftover = any(part.startswith((".staging-", ".contacts-", ".analyse-", ".past")) for part in name.parts)
        if name.parts[0] not in (*LEFT_OUT, KEY) and not is_leftover and path.is_file() and not path.is_symlink():
            yield f"{BELOW}{name.as_posix()}", path
    if home.key_file.exists():
        yield f"{BELOW}{KEY}", home.key_file


def _format(home: Home) -> int:
    return int(json.loads((home.root / "format").read_text())["format"])


def _room(folder: Path, total: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < total:
        raise DiskFull(
            f"{free // 10**6} MB are free in {folder}, and up to {total // 10**6} MB are needed",
            "free some space, or name another disk",
        )


def _add(tar: tarfile.TarFile, name: str, facts: Any) -> None:
    data = json.dumps(facts).encode()
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(data), 0o600
    tar.addfile(member, io.BytesIO(data))


def _add_file(tar: tarfile.TarFile, name: str, path: Path) -> dict[str, Any]:
    stat = path.stat()
    member = tarfile.TarInfo(name)
    member.size, member.mode, member.mtime = stat.st_size, stat.st_mode & 0o777, int(stat.st_mtime)
    with open(path, "rb") as file:
        reader = _Digesting(file)
        tar.addfile(member, reader)
    return {
        "bytes": stat.st_size,
        "sha256": reader.sha256.hexdigest(),
        "mode": member.mode,
        "changed_ns": stat.st_mtime_ns,
    }


class _Digesting(io.RawIOBase):
    """A file whose bytes are digested while they are read."""

    def __init__(self, file: io.BufferedReader) -> None:
        self.file = file
        self.sha256 = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self.file.read(size)
        self.sha256.update(data)
        return data


def _unpack(file: Path, folder: Path) -> dict[str, int]:
    digests: dict[str, str] = {}
    checksums: dict[str, dict[str, Any]] | None = None
    with (
        pa.OSFile(str(file), "rb") as raw,
        pa.CompressedInputStream(raw, "zstd") as stream,
        tarfile.open(fileobj=stream, mode="r|") as tar,
    ):
        head = _head(tar, file)
        _room(folder.parent, head["bytes"])
        folder.mkdir(parents=True)
        while (member := tar.next()) is not None:
            if member.name == TAIL:
                checksums = json.loads(_content(tar, member).read())
                break
            digests[member.name] = _unpack_one(tar, member, file, folder)
    if checksums is None:
        raise _bad(file, "was cut short")
    if {name: facts["sha256"] for name, facts in checksums.items()} != digests:
        raise _bad(file, "was altered: its checksums do not fit")
    for name, facts in checksums.items():
        path = folder / name.removeprefix(BELOW)
        path.chmod(facts["mode"])
        os.utime(path, ns=(facts["changed_ns"], facts["changed_ns"]))
    return {"files": len(digests), "bytes": head["bytes"]}


def _head(tar: tarfile.TarFile, file: Path) -> dict[str, Any]:
    member = tar.next()
    if member is None or member.name != HEAD:
        raise _bad(file, "is no backup of a home")
    head: dict[str, Any] = json.loads(_content(tar, member).read())
    if head.get("is") != KIND:
        raise _bad(file, "is no backup of a home")
    if head["version"] > VERSION or head["format"] > FORMAT:
        raise _bad(file, "was made by a newer version of dumbbell", "use that version, or a newer one")
    return head


def _unpack_one(tar: tarfile.TarFile, member: tarfile.TarInfo, file: Path, folder: Path) -> str:
    """One member below the folder; returns its digest. Only plain files below `home/` are taken."""
    name = PurePosixPath(member.name)
    parts = name.parts
    if len(parts) < 2 or parts[0] != "home" or ".." in parts or str(name) != member.name or not member.isreg():
        raise _bad(file, "holds something that no backup holds")
    path = folder.joinpath(*parts[1:])
    path.parent.mkdir(parents=True, exist_ok=True)
    total = hashlib.sha256()
    content = _content(tar, member)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as target:
        while data := content.read(1 << 20):
            total.update(data)
            target.write(data)
    return total.hexdigest()


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> Any:
    content = tar.extractfile(member)
    if content is None:
        raise tarfile.ReadError("no file")
    return content


def _bad(file: Path, found: str, remedy: str = "name a file that `dumbbell backup` wrote") -> HomeError:
    return HomeError(f"{file} {found}", remedy, code="bad_backup")
