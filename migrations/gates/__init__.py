"""What steps of a runbook wait for: one gate a file."""
