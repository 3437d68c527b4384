"""Files of records: where one ends and the next begins."""
