"""Effects that answers have: told as intents in shadow, and held against what legacy did."""
