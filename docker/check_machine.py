"""What `make install` looks at first, with nothing but Python's own library: the Python and the free disk.

Exit status 1, and a sentence on stderr that says what to do, when the install could not end well.
"""

import platform
import shutil
import sys

OLDEST, NEWEST = (3, 11), (3, 13)
NEEDED_GB = 8
"""The installed packages take about 7 GB, most of it torch; Neo4j's jars in the user's cache 0.2 GB."""


def problem_with_python(version, implementation):
    """A sentence when the locked packages do not fit this Python, else an empty text."""
    if implementation == "CPython" and OLDEST <= tuple(version[:2]) <= NEWEST:
        return ""
    return (
        f"this is {implementation} {version[0]}.{version[1]}, and the packages are locked for "
        f"CPython 3.{OLDEST[1]} to 3.{NEWEST[1]}: name one with `make PYTHON=python3.{NEWEST[1]} install`"
    )


def problem_with_disk(free_bytes):
    """A sentence when the install does not fit into what is free, else an empty text."""
    if free_bytes >= NEEDED_GB * 10**9:
        return ""
    return (
        f"{free_bytes / 10**9:.1f} GB are free in this folder and the install needs about {NEEDED_GB} GB: "
        "free some space, or clone to a larger disk"
    )


def main():
    problems = [
        problem_with_python(sys.version_info, platform.python_implementation()),
        problem_with_disk(shutil.disk_usage(".").free),
    ]
    for problem in filter(None, problems):
        sys.stderr.write(f"dumbbell cannot be installed: {problem}\n")
    return 1 if any(problems) else 0


if __name__ == "__main__":
    sys.exit(main())
