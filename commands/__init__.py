"""The groups of the ``fig`` command, loaded when they are called."""
