"""Who left without a word."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from lake.silence import gone_silent
from lake.tables import Lake

USERS = [bytes([n]) * 16 for n in range(4)]


def test_only_the_silent_of_whom_nothing_is_said(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    assert len(gone_silent(lake)) == 0
    lake.write(
        "customers",
        pa.table(
            {
                "user": pa.array(USERS, pa.binary()),
                "status": pa.array([None, None, "active", None], pa.string()),
                "left_on": pa.array([None, None, None, None], pa.date32()),
            }
        ),
    )
    rows = [(0, "2026-05"), (0, "2026-06"), (1, "2026-05"), (2, "2026-05")]  # the fourth never called
    lake.write(
        "circles",
        pa.table({"user": pa.array([USERS[n] for n, _ in rows], pa.binary()), "period": [p for _, p in rows]}),
    )
    assert gone_silent(lake).to_pylist() == [USERS[1]]
