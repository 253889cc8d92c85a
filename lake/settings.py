"""Settings: `DUMBBELL_*` variables, then `dumbbell.toml`, then the defaults; a variable wins."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from lake.errors import SettingError

TOML = "dumbbell.toml"


class Settings(BaseSettings):
    """Every setting of the product, typed. Read once with `load_settings`; frozen afterwards."""

    model_config = SettingsConfigDict(
        env_prefix="DUMBBELL_", toml_file=TOML, extra="forbid", frozen=True, env_ignore_empty=True
    )

    home: Path = Field(Path("home"), description="the folder that holds everything a run makes")
    key_file: Path | None = Field(None, description="where the key for numbers lies, when not in the home")
    country: str = Field("", description="ISO code (DE) of numbers given without a calling code; empty: none")
    timezone: str = Field("UTC", description="of moments given without an offset, and of days and periods")
    encoding: Literal["utf-8", "gb18030"] = Field("utf-8", description="of CSV feeds")
    today: dt.date | None = Field(None, description="the day that 'past' and 'last three months' are seen from")
    period: Literal["month", "week"] = Field("month", description="length of a period; fixed at a home's first load")
    keep_periods: int = Field(6, ge=1, description="periods of CALLS kept in the graph; the lake keeps all")
    neo4j_uri: str = Field("", description="a server to use instead of the product's own")
    neo4j_user: str = Field("neo4j", description="user on that server")
    neo4j_password: SecretStr = Field(SecretStr(""), description="password on that server")
    tls_cert: Path | None = Field(None, description="certificate to serve with (PEM)")
    tls_key: Path | None = Field(None, description="its private key (PEM)")
    rules: dict[str, Any] = Field(default_factory=dict, description="who may be shown what, by rule")
    budgets: dict[str, Annotated[float, Field(ge=0)]] = Field(
        default_factory=dict, description="what contacts through each channel may cost a day"
    )
    explore: float = Field(0.0, ge=0, le=0.2, description="share of decisions whose first offer is left to chance")
    rate: float = Field(5_000, ge=0, description="requests a second that each API key may make; 0: no limit")
    burst: int = Field(10_000, ge=1, description="requests that each API key may make at once")
    audit_days: int = Field(365, ge=1, description="days that the log of which key asked for whom is kept")

    @field_validator("timezone")
    @classmethod
    def _known_timezone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError("no such timezone; a name like Europe/Berlin would work") from error
        return value

    @field_validator("encoding", mode="before")
    @classmethod
    def _lower_encoding(cls, value: Any) -> Any:
        return value.lower().replace("utf8", "utf-8") if isinstance(value, str) else value

    @field_validator("country")
    @classmethod
    def _known_country(cls, value: str) -> str:
        import phonenumbers

        if value and value.upper() not in phonenumbers.SUPPORTED_REGIONS:
            raise ValueError("no such country; a two-letter code like DE would work")
        return value.upper()

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


def load_settings(**overrides: Any) -> Settings:
    """Read the settings; `overrides` (from command-line flags) win over variables and file.

    Raises SettingError, naming the setting, what was found and what would work.
    """
    try:
        return Settings(**{name: value for name, value in overrides.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else "?"
        shown = "(hidden)" if "password" in name else repr(first.get("input"))
        raise SettingError(
            f"setting DUMBBELL_{name.upper()} is {shown}", f"{first['msg'].removeprefix('Value error, ')}"
        ) from None
    except SettingsError as error:  # a variable that should be JSON
        raise SettingError(f"a DUMBBELL_ variable cannot be read ({error})", "write it as JSON") from None
    except ValueError as error:  # a dumbbell.toml that does not parse
        raise SettingError(f"{TOML} cannot be read ({error})", "mend the file, or take it away") from None
