"""Spans of time in milliseconds, as all our times are."""

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
