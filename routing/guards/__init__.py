"""Handlers around handlers: what stands between a request and a replacement."""

from .guarded import Guarding, guarded

__all__ = ["Guarding", "guarded"]
