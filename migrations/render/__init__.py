"""A runbook and its run as a document for people who decide."""
