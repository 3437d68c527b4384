"""Two answers to one request, held against each other field by field, and their noise."""
