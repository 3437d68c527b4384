"""XML for mappings: element trees out of a schema, and compiled reading, writing and patching."""
