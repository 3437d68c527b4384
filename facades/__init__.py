"""The interfaces that we serve."""
