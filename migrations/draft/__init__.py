"""A first runbook for an endpoint, written from what it is."""
