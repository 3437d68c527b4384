"""One file a legacy protocol."""
