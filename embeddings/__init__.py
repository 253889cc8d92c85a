"""Vectors of customers, apps and products, learned from the lake, measured, and written as a snapshot."""

import lake  # noqa: F401  (before torch: it says how OpenMP's threads wait, which is read once)
