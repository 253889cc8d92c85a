"""How soon, and in how much memory, a quote that is never closed is refused in a large CSV; prints one line of JSON.

    python -m benchmarks.open_quote [--mb 2000]

Once where the quote opens on line 3, once where it opens in the last of the file's megabytes; and a file that is one
record without an end.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

CHECK = """
import resource, sys, time
from pathlib import Path
from lake.errors import FeedError
from lake.pseudonyms import Pseudonyms
from lake.settings import load_settings
from loaders.load import check
started = time.monotonic()
try:
    check(Path(sys.argv[1]), load_settings(), Pseudonyms(bytes(32)))
except FeedError as error:
    print(time.monotonic() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000, error, sep="\\t")
"""
HEADER = b"number,channel,at\n"
ROW = b"491511234567,sms,2026-05-10T10:00:00Z\n"
BLOCK = ROW * (10**6 // len(ROW))


def write(path: Path, mb: int, kind: str) -> None:
    with open(path, "wb") as file:
        file.write(HEADER + ROW)
        for block in range(mb):
            if block == (0 if kind == "early" else mb - 10):
                file.write(b'491511234567,sms,"2026-05-10T10:00:00Z\n' if kind != "no end" else b"")
            file.write(BLOCK if kind != "no end" else BLOCK.replace(b"\n", b"0"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mb", type=int, default=2000)
    options = parser.parse_args()
    facts: dict[str, Any] = {"benchmark": "open_quote", "mb": options.mb}
    for kind in ("early", "late", "no end"):
        with tempfile.TemporaryDirectory() as folder:
            write(Path(folder) / "touches.csv", options.mb, kind)
            done = subprocess.run([sys.executable, "-c", CHECK, folder], capture_output=True, text=True, check=True)
        seconds, peak, said = done.stdout.strip().split("\t")
        facts[kind] = {"seconds": round(float(seconds), 1), "peak_mb": round(float(peak)), "said": said}
    print(json.dumps(facts))


if __name__ == "__main__":
    main()
