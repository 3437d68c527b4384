"""Runbooks and their runner; the versions of our own tables."""
