"""Writes that happen on both sides, while an endpoint's data moves from one to the other."""
