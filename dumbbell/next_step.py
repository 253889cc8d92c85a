"""What is due in a home, as a command."""

from __future__ import annotations

from lake.errors import NotReady
from lake.home import Home
from lake.tables import Lake
from lake.use import APP_USE

TO_MATCH = ("apps", *APP_USE, "products", "subscriptions", "offers")
"""Tables that bring something to match customers with."""


def nothing_to_match(lake: Lake) -> str:
    """Why nobody can be matched with anything in this lake; empty where somebody can."""
    if not lake.has("customers") or not lake.scan("customers").filter(lambda row: ~row.off_net).count().execute():
        return "there is no customer to match with anything"
    if any(lake.has(name) and lake.scan(name).count().execute() for name in TO_MATCH):
        return ""
    return f"there is nothing to match customers with ({', '.join(TO_MATCH)})"


def require_something_to_match(lake: Lake) -> None:
    """Raises NotReady where no customer, or neither an app nor a product nor an offer, was ever loaded."""
    if why := nothing_to_match(lake):
        raise NotReady(why, "load what is missing, then run `dumbbell embed`")


def next_step(home: Home, lake: Lake, done: set[str]) -> str:
    """The command to run next, after the steps in `done`."""
    if not lake.has("customers"):
        return "dumbbell load FEEDS"
    if lake.has("calls") and "analyse" not in done:
        return "dumbbell analyse"
    if nothing_to_match(lake):
        return "dumbbell template list"
    if not (home.snapshots / "current").exists():
        return "dumbbell embed"
    return "dumbbell serve"
