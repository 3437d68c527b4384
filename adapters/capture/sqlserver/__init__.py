"""Table capture on SQL Server: the statements, to be reviewed and run by its own people."""
