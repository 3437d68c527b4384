"""What steps of a runbook do: one act a file."""
