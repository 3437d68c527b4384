"""Who was right where the two sides differ: labels, rules, outcomes, a judge, people."""
