"""Streaming detectors: rows in their order go in, findings come out. Pure, of fixed memory.

Not here: whether a finding calls for anything (policy.py), or reaches anybody.

- level.py: prices run away from the answers, in a market or one region
- error.py: answers get worse, whatever the reason
- units.py: a publisher sends a number in another unit
- rates.py: a field goes missing, events get refused
- categories.py: a text that was never there
- inputs.py: numbers are spread in another way
- volume.py: far fewer, or more, listings or sales than usual
- clock.py: a market's own time
- skew.py: a new champion is far from its holdout, on either side
"""
