"""What is computed from events: windows, regions, features, labels. No clock, no I/O, no model."""
