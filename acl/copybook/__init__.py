"""COBOL copybooks: what they say, and the bytes that they describe."""
