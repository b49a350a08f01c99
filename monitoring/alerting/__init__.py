"""From what was found to somebody who knows: one alert for each cause, told once, ended when it is gone.

- causes.py: every cause there is, what it does, what to do
- raising.py: findings, decisions and answers as alerts; pure
- book.py: what is open, acknowledged, snoozed, resolved: folded from `housing.alerts`; pure
- rounds.py: what a watcher tells in this round: what is new, worse, or gone; pure
- limits.py: the thresholds, of alerting.toml

Not here: what is found (detectors/), whether a model is retrained (policy.py).
"""
