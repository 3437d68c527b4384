"""Table capture on SQLite."""
