"""Edited pictures: numbers as they are printed, both ways."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from ...generate import Function
from .codepage import CodePage, unfit
from .editing import parts, print_through, slots
from .leaf import Lane, Scalar, Views, parted
from .zoned import OVERPUNCHED, SIGNS, expectation, numeral, overpunches, scaled

__all__ = ["Edited"]

_SWAPPED: Final = str.maketrans(".,", ",.")
_ANY: Final = "$€£¥¤"
_MARK: Final = 0xE000
_PLAIN: Final = re.compile(r"([+-]?)(Z*9*)(\.?)((?<=\.)[9Z]+|)([+-]?)")
_FIXED: Final = {**SIGNS, "s": ""}
_POINT: Final = {".": ""}


class Edited:
    """A numeric-edited item: ``symbols`` is its picture, expanded.

    Written as COBOL's MOVE edits: see ``editing``. Read from all that this writes, and from what
    others put there: spaces on either side, a point wherever it stands. ``comma``: it prints ``,``
    for ``.`` and the other way round; ``currency`` is the sign that it prints for ``$``.
    """

    numeric = True

    def __init__(
        self,
        page: CodePage,
        symbols: str,
        *,
        scale: int,
        signed: bool = False,
        blank_when_zero: bool = False,
        shared: bool = False,
        comma: bool = False,
        currency: str = "$",
    ) -> None:
        if not page.numeric:
            raise unfit(page.name)
        self._symbols = parts(symbols)
        self.size = sum(len(one) for one in self._symbols if one not in "SVP")
        self._page = page
        self._scale = scale
        self._shared = shared and page.single
        self._comma = comma
        self._currency = currency
        self._signed = signed or any(one in ("+", "-", "CR", "DB") for one in self._symbols)
        self._punches = overpunches(page) if "S" in symbols else {}
        self._over = {both: letter for letter, both in reversed(self._punches.items())}
        self._blank_when_zero = blank_when_zero
        places = slots(self._symbols)
        self._digits = len(places)
        self._expected = expectation(self._digits, scale, signed=self._signed)
        # Zero prints as nothing where no digit has to be printed.
        self._vanishes = blank_when_zero or "9" not in self._symbols
        self._hides = _hidden(self._symbols, places)
        self._templates: dict[tuple[int, bool], tuple[tuple[str, int, int], ...]] = {}
        self._pattern = self._printed()
        self.lane: Lane = "text" if self._shared else "bytes"
        self.zero: Scalar = Decimal(0).scaleb(-scale) if scale > 0 else 0
        self.empty = page.blank * self.size
        self.initial = self.write(0)

    # Reading.

    def _printed(self) -> re.Pattern[str]:
        """Give the pattern of all that is read: sign, digits, places after the point, sign."""
        marks = "".join({one for one in self._symbols if one in ("/", "B", ",")} | {","})
        inner = "0-9" + re.escape(marks.replace("B", " "))
        money = f"[{re.escape(_ANY + self._currency)}]? *" if "$" in self._symbols else ""
        front = f" *([+-]?) *{money}([+-]?) *" if money else " *([+-]?)() *"
        point = r"(?:\.([0-9/ ]*))?" if self._scale > 0 else "()"
        return re.compile(front + rf"\**([{inner}]*){point} *([+-]|CR|DB)? *")

    def read(self, raw: bytes) -> Scalar:
        """Give the number. Raises ``ValueError``."""
        return self.printed(self._page.text(raw))

    def printed(self, text: str) -> Scalar:
        """Give the number that a text is. Raises ``ValueError``."""
        if "\0" in text:
            text = text.replace("\0", " ")
        sign = ""
        if self._punches:
            sign, text = self._unpunched(text)
        if "0" in self._symbols:
            text = self._without_zeros(text)
        if self._comma:
            text = text.translate(_SWAPPED)
        found = self._pattern.fullmatch(text)
        if found is None:
            return self._nothing(text)
        first, second, whole, places, last = found.groups()
        if not whole and not places:
            return self._nothing(text)
        marks = [one for one in (first, second, last) if one]
        if marks:
            if len(marks) > 1 or sign:
                raise ValueError("more than one sign")
            sign = "" if marks[0] == "+" else "-"
        if sign and not self._signed:
            raise ValueError("a minus, where the picture has no sign")
        return self._number(sign, whole, places)

    def _number(self, sign: str, whole: str, places: str | None) -> Scalar:
        if not whole.isdecimal():
            whole = "".join(one for one in whole if one not in ",/ ")
            if not whole and not places:
                raise ValueError("no digits")
        if self._scale <= 0 or (places is None and "V" in self._symbols):
            return scaled(sign + whole, self._scale)
        places = (places or "").replace("/", "").replace(" ", "")
        if len(places) > self._scale:
            raise ValueError(f"more than {self._scale} places after the point")
        return scaled(sign + whole + places.ljust(self._scale, "0"), self._scale)

    def _nothing(self, text: str) -> Scalar:
        if self._vanishes and not text.strip(" *."):
            return self.zero
        blank = not text.strip(" *.")
        raise ValueError("no digits" if blank else "not a number as the picture prints it")

    def _unpunched(self, text: str) -> tuple[str, str]:
        """Take an overpunched sign off the last digit."""
        kept = text.rstrip(" ")
        sign, digit = self._punches.get(kept[-1:], ("", ""))
        return (sign, kept[:-1] + digit) if digit else ("", text)

    def _without_zeros(self, text: str) -> str:
        """Take out the zeros that the picture puts in, where the text has its form."""
        kept, at = [], 0
        for symbol in self._symbols:
            if symbol in "SVP":
                continue
            part = text[at : at + len(symbol)]
            at += len(symbol)
            if symbol == "0":
                if part not in ("0", " ", "*"):
                    return text
                continue
            kept.append(part)
        return "".join(kept)

    # Writing.

    def put(self, value: object) -> str:
        """Give the number as the picture prints it."""
        negative, digits = parted(value, self._scale, self._digits, self._expected)
        if negative and not self._signed:
            raise ValueError(self._expected)
        zeros = self._digits - len(digits.lstrip("0"))
        if zeros == self._digits and self._blank_when_zero:
            return " " * self.size
        key = (min(self._hides, zeros), negative)
        if zeros == self._digits and self._vanishes:
            key = (self._digits, negative)
        template = self._templates.get(key)
        if template is None:
            template = self._templates[key] = self._template(*key)
        text = "".join([literal or digits[start:end] for literal, start, end in template])
        return self._punched(text, negative=negative) if self._punches else text

    def _punched(self, text: str, *, negative: bool) -> str:
        """Put the sign over the last digit."""
        if not text[-1].isdecimal():
            return text
        return text[:-1] + self._over["-" if negative else "", text[-1]]

    def _template(self, zeros: int, negative: bool) -> tuple[tuple[str, int, int], ...]:
        """Give what is printed where the first ``zeros`` digits are: texts, and runs of digits."""
        marks = "".join(chr(_MARK + at) for at in range(zeros, self._digits))
        text = print_through(self._symbols, "0" * zeros + marks, negative=negative)
        if self._currency != "$":
            text = text.replace("$", self._currency)
        if self._comma:
            text = text.translate(_SWAPPED)
        found: list[tuple[str, int, int]] = []
        for mark, one in re.findall("([\ue000-\uf8ff]+)|([^\ue000-\uf8ff]+)", text):
            first = ord(mark[0]) - _MARK if mark else 0
            found.append((one, first, first + len(mark)))
        return tuple(found)

    def write(self, value: object) -> bytes:
        """Give the bytes of what ``put`` gives."""
        try:
            return self._page.bytes(self.put(value))
        except UnicodeEncodeError:
            raise ValueError(f"{self._page.name} has no sign of the picture") from None

    def source(self, function: Function, views: Views, at: int) -> str:
        """Cut a plain picture's digits; any other is read from its text."""
        if not self._shared:
            return ""
        plain = self._plain()
        if plain is None:
            return f"{function.constant(self.printed)}({views.text(at, at + self.size)})"
        front, whole, point, places, back = (len(one) for one in plain.groups())
        sign, punched = "", bool(self._punches)
        if front or back:
            where = at if front else at + self.size - 1
            sign = f"{function.constant(_FIXED)}[{views.digit(where)}]"
        elif punched:
            last = views.digit(at + self.size - 1)
            sign = f"(w := {function.constant(OVERPUNCHED)}[{last}])[0]"
        start = at + front
        end = start + whole
        # Digits that are suppressed are blank.
        suppressed = ".lstrip('s')" if "Z" in self._symbols else ""
        found = [views.digits(start, end - (punched and not places)) + suppressed]
        if point:
            found.append(f"{function.constant(_POINT)}[{views.text(end, end + 1)}]")
        if places:
            end += point
            found.append(views.digits(end, end + places - punched))
        if punched:
            found.append("w[1]")
        return numeral(function, sign, " + ".join(found), self._scale)

    def _plain(self) -> re.Match[str] | None:
        """Give the parts of a picture that is nothing but digits, a point and a sign."""
        if self._comma or (self._scale < 0 or "P" in self._symbols):
            return None
        return _PLAIN.fullmatch("".join(self._symbols).replace("S", "").replace("V", ""))


def _hidden(symbols: tuple[str, ...], places: list[int]) -> int:
    """Give how many leading digits can be suppressed: those before the first 9 and the point."""
    found = 0
    for at in places:
        if symbols[at] == "9" or any(one in ("V", ".") for one in symbols[:at]):
            break
        found += 1
    return found
