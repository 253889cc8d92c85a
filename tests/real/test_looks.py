from __future__ import annotations

import json

from benchmarks.looks import FILE, looked


def test_every_look_is_counted(tmp_path):
    file = tmp_path / "looks.json"
    file.write_text('{"lastfm": 3}\n')
    assert [looked("gowalla", file), looked("lastfm", file), looked("gowalla", file)] == [1, 4, 2]
    assert json.loads(file.read_text()) == {"gowalla": 2, "lastfm": 4}


def test_the_counts_are_committed_and_never_fall():
    counts = json.loads(FILE.read_text())
    assert counts["gowalla"] >= 2
    assert counts["lastfm"] >= 3
