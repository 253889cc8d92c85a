"""What is due in a home, and whether anybody can be matched with anything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from dumbbell.next_step import nothing_to_match, require_something_to_match
from lake.errors import NotReady
from lake.tables import Lake


@pytest.mark.parametrize(
    ("off_net", "apps", "why"),
    [
        ([False], ["maps"], ""),
        ([False], [], "nothing to match customers with"),  # a feed with a header alone
        ([True], ["maps"], "no customer"),
        ([], ["maps"], "no customer"),
    ],
)
def test_nobody_is_matched_where_a_feed_holds_no_row(
    tmp_path: Path, off_net: list[bool], apps: list[str], why: str
) -> None:
    lake = Lake(tmp_path)
    lake.write("customers", pa.table({"off_net": pa.array(off_net, pa.bool_())}))
    lake.write("apps", pa.table({"app": pa.array(apps, pa.string())}))
    assert (why in nothing_to_match(lake)) if why else nothing_to_match(lake) == ""


def test_an_empty_lake_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NotReady, match="no customer"):
        require_something_to_match(Lake(tmp_path))


def test_a_home_without_anything_to_match_runs_and_is_well(dumbbell: Any, wiped: Any, tmp_path: Path) -> None:
    (tmp_path / "feeds").mkdir()
    (tmp_path / "feeds" / "users.csv").write_text("number,city\n+4915110000001,Alm\n")
    (tmp_path / "feeds" / "apps.csv").write_text("app,name\n")
    ran = dumbbell("run", tmp_path / "feeds", "--json", home=tmp_path / "home")
    assert ran.status == 0, ran
    assert "switched off" in ran.json["embed"]["off"]
    doctor = dumbbell("doctor", "--json", home=tmp_path / "home")
    assert doctor.status == 0, doctor
    assert "nothing to match" in doctor.json["checks"][-1]["found"]
