"""Where customers are: cells of work and rest, the nearest stores, and how far they move.

`cells` adds up a period's records by customer and cell, `anchors` picks the cells that stand for a customer, `movement`
measures the radius, and `build` makes `places.parquet` of it.
"""
