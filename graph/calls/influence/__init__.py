"""Influence over the call graph: whom to tell of an offer first, so that most hear of it and follow.

`network` holds who influences whom and how likely, `weights` reads that off calls and past adoptions, `reverse_sets`
samples who could have reached a customer, `cover` picks seeds, `imm` says how many samples make that pick nearly the
best one, `cascades` simulates what follows, and `seeds` is the whole of it for the lake.
"""
