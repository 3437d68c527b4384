"""Mappings: total, two-way translations between legacy's records and operations."""

from .mapping import CompiledMapping, load_mapping

__all__ = ["CompiledMapping", "load_mapping"]
