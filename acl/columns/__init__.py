"""Whole files of records of one length as Arrow columns, decoded with NumPy."""
