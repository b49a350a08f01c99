"""Keeps what was published, and judges it. Knows the contract only: no model, no feature code."""
