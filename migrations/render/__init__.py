"""The document of a runbook, for those who decide about it."""
