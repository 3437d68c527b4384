"""Masking: what of a payload may leave, and for whom."""
