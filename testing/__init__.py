"""Contract suites that every adapter, provider and store passes; they ship for yours."""
