"""Steps between the versions of an operation: inputs go up, replies come down."""

from .versions import Versions, load_versions

__all__ = ["Versions", "load_versions"]
