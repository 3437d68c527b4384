"""Table capture on MariaDB and MySQL."""
