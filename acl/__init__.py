"""The anti-corruption layer: pure, synchronous translation between records and operations."""
