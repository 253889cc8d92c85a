"""How large a sample is where the defaults will not do: what a real operator has more or less of."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from lake.errors import BadValue

LIMITS = {
    "apps": (60, 99_999),
    "calls_per_month": (0.1, 200.0),
    "app_uses_per_month": (0.1, 60.0),
    "channels": (8, 200),
}


@dataclass(frozen=True)
class Scale:
    """`None` is the sample's own measure. Nothing that is planted depends on these but how much of it is seen.

    Raises BadValue outside LIMITS.
    """

    apps: int | None = None
    """Apps of the catalogue."""
    calls_per_month: float | None = None
    """Call records a customer and month, about."""
    app_uses_per_month: float | None = None
    """Rows of `app_usage` a customer and month, about."""
    channels: int | None = None
    """Channels, of the same eight kinds."""

    def __post_init__(self) -> None:
        for name, value in self.given().items():
            low, high = LIMITS[name]
            if not low <= value <= high:
                raise BadValue(f"{value} is no size for {name.replace('_', ' ')}", f"ask for {low} to {high}")

    def given(self) -> dict[str, float]:
        """Those that are given, by name."""
        return {name: value for name, value in asdict(self).items() if value is not None}
