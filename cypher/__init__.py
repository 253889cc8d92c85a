"""The marketers' templates: plain Cypher files with checked front matter, run read-only over the graph.

`catalogue.load()` reads and checks every `<group>/*.cypher`; `parameters` turns what a caller gives
into typed values; `run.run` answers under READ access, a time limit and a row cap; `output` writes
the answer as JSON, JSON lines, CSV or Arrow.
"""
