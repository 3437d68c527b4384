"""Reading a rule that says which branch of a REDEFINES holds: ``TYPE in ('P', 'E')``.

::

    rule  = all { "or" all }          all = not { "and" not }
    not   = [ "not" ] ( "(" rule ")" | test )
    test  = FIELD ( "=" | "!=" | "<>" ) literal
          | FIELD [ "not" ] "in" "(" literal { "," literal } ")"
          | CONDITION                                      (the name of a level 88)

A field is named by its path, or by its name where only one has it. A literal is a number, or text
in quotes. Spaces around texts do not count, as COBOL compares.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Final, NoReturn

from ....errors import ConfigError
from .rules import Both, Either, Field, Not, Rule, Test, bare

__all__ = ["parse_rule"]

_TOKEN: Final = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\")|(?P<number>[+-]?[0-9]+(?:\.[0-9]+)?(?![\w-]))"
    r"|(?P<mark><>|!=|==|[=(),])|(?P<name>[\w.#-]+))"
)

_MOST_JOINED: Final = 100
_MOST_TEXT: Final = 10_000


def parse_rule(
    text: str, find: Callable[[str], Field], conditions: Mapping[str, Field], place: str
) -> Rule:
    """Read a rule. ``find`` gives a field by name, ``conditions`` those that have a level 88.

    Raises ``ConfigError`` that names the place in the rule.
    """
    return _Parser(text, find, conditions, place).rule_whole()


class _Parser:
    def __init__(
        self, text: str, find: Callable[[str], Field], conditions: Mapping[str, Field], place: str
    ) -> None:
        self._text = text
        self._find = find
        self._conditions = conditions
        self._place = place
        self._depth = 0
        self._joined = 0
        if len(text) > _MOST_TEXT:
            self._wrong(f"at most {_MOST_TEXT} characters")
        self._tokens = list(self._split())
        self._at = 0

    def _split(self) -> Iterator[tuple[str, str]]:
        at = 0
        while self._text[at:].strip():
            found = _TOKEN.match(self._text, at)
            if found is None:
                self._wrong(f"{self._text[at:].strip()[:20]!r} cannot be read")
            at = found.end()
            kind = found.lastgroup or ""
            yield kind, found[kind]

    def rule_whole(self) -> Rule:
        rule = self._rule()
        if self._at < len(self._tokens):
            self._wrong(
                f"nothing belongs behind it, but {self._tokens[self._at][1]!r} stands there"
            )
        return rule

    def _rule(self) -> Rule:
        self._depth += 1
        if self._depth > 50:
            self._wrong("nested too deeply")
        rule = self._all()
        while self._word("or"):
            self._join()
            rule = Either(rule, self._all())
        self._depth -= 1
        return rule

    def _all(self) -> Rule:
        rule = self._not()
        while self._word("and"):
            self._join()
            rule = Both(rule, self._not())
        return rule

    def _join(self) -> None:
        # Each is a pair of brackets in the source that is made of it: Python takes 200.
        self._joined += 1
        if self._joined > _MOST_JOINED:
            self._wrong(f"at most {_MOST_JOINED} 'and' and 'or'; 'in' takes any number of values")

    def _not(self) -> Rule:
        if self._word("not"):
            return Not(self._primary())
        return self._primary()

    def _primary(self) -> Rule:
        if self._mark("("):
            rule = self._rule()
            self._expect(")")
            return rule
        kind, name = self._next("a field")
        if kind != "name":
            self._wrong(f"a field, where {name} stands")
        if name.upper() in self._conditions and not self._operator():
            return _condition(self._conditions[name.upper()], name.upper())
        return self._test(self._find(name))

    def _operator(self) -> bool:
        following = self._tokens[self._at][1].lower() if self._at < len(self._tokens) else ""
        return following in ("=", "==", "!=", "<>", "in")

    def _test(self, field: Field) -> Rule:
        if self._mark("=") or self._mark("=="):
            return Test(field, frozenset({self._literal(field)}))
        if self._mark("!=") or self._mark("<>"):
            return Not(Test(field, frozenset({self._literal(field)})))
        negated = self._word("not")
        if not self._word("in"):
            self._wrong(f"=, != or in behind {field.path}")
        self._expect("(")
        values = {self._literal(field)}
        while self._mark(","):
            values.add(self._literal(field))
        self._expect(")")
        test = Test(field, frozenset(values))
        return Not(test) if negated else test

    def _literal(self, field: Field) -> object:
        kind, text = self._next("a number, or text in quotes")
        if kind == "text":
            quote = text[0]
            literal: str | Decimal = text[1:-1].replace(quote * 2, quote)
        elif kind == "number":
            literal = Decimal(text)
        else:
            self._wrong(f"a number, or text in quotes, where {text} stands")
        try:
            return bare(field.literal(literal))
        except ValueError as error:
            self._wrong(f"for {field.path}: {error}")

    def _next(self, wanted: str) -> tuple[str, str]:
        if self._at >= len(self._tokens):
            self._wrong(f"{wanted} at its end")
        self._at += 1
        return self._tokens[self._at - 1]

    def _is(self, kind: str, text: str) -> bool:
        if self._at < len(self._tokens):
            found, value = self._tokens[self._at]
            if found == kind and value.lower() == text:
                self._at += 1
                return True
        return False

    def _word(self, word: str) -> bool:
        return self._is("name", word)

    def _mark(self, mark: str) -> bool:
        return self._is("mark", mark)

    def _expect(self, mark: str) -> None:
        if not self._mark(mark):
            self._wrong(f"{mark} is missing")

    def _wrong(self, expected: str) -> NoReturn:
        raise ConfigError(
            "a rule that cannot be read",
            place=self._place,
            value=self._text[:200],
            expected=expected,
            remedy="write NAME in ('A', 'B'), NAME = 'A', or the name of a level 88",
        )


def _condition(field: Field, name: str) -> Rule:
    """Give the rule that a level 88 is."""
    condition = next(one for one in field.conditions if one.name.upper() == name)
    values: set[object] = set()
    ranges: list[tuple[object, object]] = []
    for value in condition.values:
        try:
            if isinstance(value, tuple):
                low, high = value
                ranges.append((bare(field.literal(low)), bare(field.literal(high))))
            else:
                values.add(bare(field.literal(value)))
        except ValueError:
            continue  # a value that the field cannot hold: it never has it
    return Test(field, frozenset(values), tuple(ranges))
