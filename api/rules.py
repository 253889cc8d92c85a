"""Rules and budgets of a `dumbbell.toml` that changes while it is served."""

from __future__ import annotations

from pathlib import Path

from lake.settings import TOML, Settings, load_settings
from lake.tables import Lake
from matching.bars import load_rules
from matching.channels import check_budgets


class Rules:
    """Says when the file changed, and what settings hold then; nothing but rules and budgets is taken from it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._known = _print()

    def changed(self) -> bool:
        """Whether the file is another one than at the last call; a file that came or went is."""
        before, self._known = self._known, _print()
        return self._known != before

    def read(self, lake: Lake) -> Settings:
        """The settings with the rules and budgets that the file, and the environment, say now. Raises SettingError for
        some that cannot be used."""
        fresh = load_settings(home=self._settings.home)
        load_rules(fresh.rules, lake)
        if lake.has("channels"):
            check_budgets(fresh.budgets, lake.read("channels", ["channel"])["channel"].to_pylist())
        return self._settings.model_copy(update={"rules": fresh.rules, "budgets": fresh.budgets})


def _print() -> tuple[int, int] | None:
    try:
        found = Path(TOML).stat()
    except FileNotFoundError:
        return None
    return found.st_mtime_ns, found.st_size
