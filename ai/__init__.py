"""One file an AI provider."""
