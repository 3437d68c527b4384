"""Table capture: triggers of ours, the table they write to, and who takes from it."""
