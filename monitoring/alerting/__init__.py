"""From what was found to somebody who knows: one alert for each cause, told once, ended when gone.

Raised (pure, but for the last two):
- causes.py: every cause there is, what it does, what to do
- limits.py: the thresholds, of alerting.toml
- raising.py: findings, decisions and answers as alerts
- machines.py, fields.py: is a worker well, have a publisher's fields changed; scrapes.py: what a
  worker tells
- book.py: what is open, acknowledged, snoozed, resolved, folded from `housing.alerts`
- rounds.py: what is new, worse, or gone in this round
- gathering.py, looker.py: asks workers and archive, and has it judged

Told:
- notices.py, outbox.py: what a receiver is told, and what it is owed; pure
- sinks.py, notifier.py, topic.py: log, webhook, mail; at least once each

Not here: what is found (detectors/), whether a model is retrained (policy.py).
"""
