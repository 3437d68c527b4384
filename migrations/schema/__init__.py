"""The versions of our own tables."""
