"""The keyword table of a domain that nobody of ours knows."""

from __future__ import annotations

from stranglerfig.demo.data import Message
from stranglerfig.demo.rules import keyword_rules

MESSAGES = [
    Message("My card was stolen, block the card", "card_lost"),
    Message("I lost my card on holiday", "card_lost"),
    Message("Which exchange rate do you use?", "exchange_rate"),
    Message("the rate is wrong", "exchange_rate"),
]


def test_the_words_of_a_name_weigh_more_than_the_commonest():
    rules = keyword_rules(MESSAGES)
    assert ("card", "card_lost", 2) in rules
    assert ("lost", "card_lost", 2) in rules
    assert ("exchange", "exchange_rate", 2) in rules
    assert {weight for _, _, weight in rules} <= {1, 2}
    assert len(rules) == len({(word, category) for word, category, _ in rules})


def test_dull_words_are_nobodys():
    words = {word for word, _, _ in keyword_rules(MESSAGES)}
    assert not words & {"the", "my", "was", "you", "which", "on"}
    assert all(len(word) > 2 for word in words)


def test_the_same_messages_give_the_same_table():
    assert keyword_rules(MESSAGES) == keyword_rules(list(MESSAGES))
    assert keyword_rules([]) == []
