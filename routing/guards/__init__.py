"""Handlers around handlers: what stands between a request and a replacement."""
