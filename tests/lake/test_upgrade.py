"""Homes of older formats are brought to the present one by whoever opens them, killed halfway or not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lake import upgrade
from lake.errors import HomeError, HomeHeld
from lake.home import Home
from lake.settings import Settings, load_settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """The settings of a home of format 1, with what its analysis had noted."""
    root = tmp_path / "home"
    (root / "lake").mkdir(parents=True)
    (root / "format").write_text(json.dumps({"format": 1, "period": "week"}))
    (root / "lake" / ".calls-inputs.json").write_text('{"version": 1}')
    return load_settings(home=root, period="week")


def test_an_older_home_is_upgraded_when_it_is_opened(settings: Settings) -> None:
    home = Home.open(settings)
    assert json.loads((home.root / "format").read_text()) == {"format": 2, "period": "week"}
    assert not (home.lake / ".calls-inputs.json").exists()
    Home.open(settings)


def test_a_killed_upgrade_is_done_again(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def dying(root: Path) -> None:
        upgrade.to_2(root)
        raise KeyboardInterrupt

    monkeypatch.setitem(upgrade.STEPS, 1, dying)
    with pytest.raises(KeyboardInterrupt):
        Home.open(settings)
    assert json.loads((settings.home / "format").read_text())["format"] == 1
    monkeypatch.undo()
    assert json.loads((Home.open(settings).root / "format").read_text())["format"] == 2


def test_it_waits_for_no_other_writer(settings: Settings) -> None:
    with Home(settings.home).writing("load"), pytest.raises(HomeHeld, match="dumbbell load"):
        Home.open(settings)
    Home.open(settings)


def test_there_is_a_step_from_every_older_format() -> None:
    assert list(upgrade.STEPS) == list(range(1, upgrade.FORMAT))


@pytest.mark.parametrize("format", [0, 3, None, "two"])
def test_a_home_of_another_format_is_refused(settings: Settings, format: object) -> None:
    (settings.home / "format").write_text(json.dumps({"format": format}))
    with pytest.raises(HomeError, match=rf"has format {format}, this version reads 2 and older"):
        Home.open(settings)
