"""Who came back under another number: new numbers that talk with the contacts of customers who left.

`seen` tells when each number appears and disappears, `pasts` picks the leavers and customers to compare them with,
`profiles` who they talk to, `pairs` finds new numbers with shared contacts, `evidence` weighs each pair, `chance`
makes odds of it, `one_to_one` makes probabilities of all the odds together, and `build` writes `returning.parquet`.
"""
