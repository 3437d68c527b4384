"""The journal and every other table of ours."""
