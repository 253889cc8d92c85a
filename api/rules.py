"""Rules and budgets of a `dumbbell.toml` that changes while it is served."""

from __future__ import annotations

from api.stamp import stamp
from lake.settings import TOML, Settings, load_settings
from lake.tables import Lake
from matching.bars import load_rules
from matching.channels import check_budgets


class Rules:
    """Says when the file changed, and what settings hold then; nothing but rules and budgets is taken from it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._known = self._seen = stamp(TOML)

    def changed(self) -> bool:
        """Whether the file is another one than was last taken, or came, or went; to be asked now and then, by one
        thread. What is being written must not be taken, an empty file least: it has to look alike at two calls."""
        before, self._seen = self._seen, stamp(TOML)
        if self._seen == self._known or self._seen != before:
            return False
        self._known = self._seen
        return True

    def read(self, lake: Lake) -> Settings:
        """The settings with the rules and budgets that the file, and the environment, say now. Raises SettingError for
        some that cannot be used."""
        fresh = load_settings(home=self._settings.home)
        load_rules(fresh.rules, lake)
        if lake.has("channels"):
            check_budgets(fresh.budgets, lake.read("channels", ["channel"])["channel"].to_pylist())
        return self._settings.model_copy(update={"rules": fresh.rules, "budgets": fresh.budgets})
