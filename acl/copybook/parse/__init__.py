"""From a copybook's text to its items: source lines, words, clauses, tree, places."""
