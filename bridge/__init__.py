"""The long-running daemon that takes deliveries from sources through all of this."""
