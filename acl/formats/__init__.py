"""The forms that legacy records come in. One file a kind; ``kinds`` is their table."""
