"""Table capture on PostgreSQL."""
