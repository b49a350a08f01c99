"""The ops page: one page that says whether it is healthy, what broke, since when, and what to press.

- known.py: what the archive tells, taken in as it grows; the one module that reads
- figures.py: sums over any stretch of days; verdict.py: the first line; both pure
- sections.py, truth.py, operations.py, marks.py: what stands below it, as tables and charts
  (tables.py, charts.py); pure
- actions.py: what a button writes; pure. guard.py: who may look and press
- app.py: addresses; command.py: `python -m monitoring page`

Not here: what is counted in a day (rollup.py), what is decided (policy.py), when an alert is
raised (alerting/).
"""
