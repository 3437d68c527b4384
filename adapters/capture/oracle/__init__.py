"""Table capture on Oracle: the statements, to be reviewed and run by its own people."""
