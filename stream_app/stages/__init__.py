"""The two pure steps: events to predictions, outcomes to corrections."""
