"""A synthetic operator: a feed folder with known effects, and the truth about them beside it (docs/sample.md)."""

from loaders.sample.scale import Scale
from loaders.sample.write import write_sample

__all__ = ["Scale", "write_sample"]
