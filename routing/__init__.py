"""Stages, router, comparison, evidence and guardrails."""
