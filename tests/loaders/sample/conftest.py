"""One small sample for all tests of it, and its feeds as frames with numbers in one form."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from loaders.sample import write_sample

Read = Callable[[str], pl.DataFrame]


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """3,000 customers, 5 months."""
    folder = tmp_path_factory.mktemp("sample") / "feeds"
    write_sample(folder, users=3000, months=5, seed=11)
    return folder


@pytest.fixture(scope="session")
def read(sample: Path) -> Read:
    """A feed or a table of the truth (`truth/leavers`) as text columns; `part` names the month of a part."""

    def one(path: Path) -> pl.DataFrame:
        frame = pl.read_csv(path, infer_schema=False) if path.suffix == ".csv" else pl.read_parquet(path)
        if frame.width and "at" in frame.columns and frame["at"].dtype == pl.Datetime:
            frame = frame.with_columns(pl.col("at").dt.strftime("%Y-%m-%dT%H:%M:%S"))
        frame = frame.with_columns(pl.all().cast(pl.String), part=pl.lit(path.stem))
        for name in {"number", "caller", "callee"} & set(frame.columns):
            frame = frame.with_columns(pl.col(name).str.replace_all(r"[ +-]", "").str.replace(r"^00(999)", "$1"))
        return frame

    def table(name: str) -> pl.DataFrame:
        folder = sample / name
        files = sorted(folder.iterdir()) if folder.is_dir() else sorted(folder.parent.glob(f"{folder.name}.*"))
        return pl.concat([one(path) for path in files])

    return table


@pytest.fixture(scope="session")
def contacts(read: Read) -> pl.DataFrame:
    """Distinct parties by customer and month: `number, part, size`."""
    calls = read("calls").filter((pl.col("seconds") != "0") | (pl.col("kind") == "message"))
    own = read("users").select("number").unique()
    both = pl.concat(
        [
            calls.select(pl.col("caller").alias("number"), pl.col("callee").alias("other"), "part"),
            calls.select(pl.col("callee").alias("number"), pl.col("caller").alias("other"), "part"),
        ]
    )
    return both.join(own, on="number", how="semi").group_by("number", "part").agg(size=pl.col("other").n_unique())
