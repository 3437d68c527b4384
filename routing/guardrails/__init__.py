"""Guardrails: what is measured while traffic moves, and what each test says of it."""
