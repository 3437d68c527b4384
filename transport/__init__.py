"""Pooled connections that adapters share."""
