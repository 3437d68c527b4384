"""Records of a parcel service, written by hand: no codec of ours has a part in it."""

from __future__ import annotations

from decimal import Decimal

PARCEL = """\
       01  PARCEL.
           05  KIND                PIC X.
           05  PARCEL-ID           PIC 9(7)      COMP-3.
           05  WEIGHT              PIC S9(5)V99  COMP-3.
           05  DETAILS.
               10  RECEIVER        PIC X(12).
               10  FEE             PIC S9(3)V99.
           05  EVENT REDEFINES DETAILS.
               10  STATION         PIC X(5).
               10  SEEN            PIC 9(8).
               10  FILLER          PIC X(4).
"""
SEGMENTS = ("--segment", "KIND", "--when", "DETAILS=D,X", "--when", "EVENT=E")

PLAIN = """\
       01  DEPOT.
           05  CODE                PIC X(3).
           05  CITY                PIC X(8).
           05  BAYS                PIC 9(3).
"""
ROUTE = """\
       01  ROUTE.
           05  SIZE-IN-BYTES       PIC 9(3).
           05  STOPS               PIC 9.
           05  STOP OCCURS 0 TO 5 DEPENDING ON STOPS.
               10  DEPOT           PIC X(3).
               10  LOADS           PIC 9.
               10  LOAD OCCURS 0 TO 3 DEPENDING ON LOADS PIC X(2).
           05  DRIVER              PIC X(4).
"""


def packed(number: int, digits: int, *, signed: bool = True) -> bytes:
    """Give a packed decimal."""
    sign = "F" if not signed else "C" if number >= 0 else "D"
    return bytes.fromhex(f"{abs(number):0{digits}d}{sign}".rjust((digits + 2) // 2 * 2, "0"))


def zoned(number: int, digits: int) -> bytes:
    """Give a zoned decimal of EBCDIC with its sign in the last byte."""
    body = bytearray(f"{abs(number):0{digits}d}".encode("cp037"))
    body[-1] = body[-1] & 0x0F | (0xC0 if number >= 0 else 0xD0)
    return bytes(body)


def parcel(number: int) -> tuple[bytes, dict]:
    """Give one record, and its values."""
    cents = number * 37 - 500
    head = packed(number, 7, signed=False) + packed(cents, 7)
    values = {"PARCEL-ID": number, "WEIGHT": Decimal(cents).scaleb(-2)}
    if number % 3 == 0:
        body = f"S{number % 1000:<4}".encode("cp037") + f"{20200000 + number}".encode("cp037")
        event = {"STATION": f"S{number % 1000}", "SEEN": 20200000 + number}
        values = {"KIND": "E", **values, "DETAILS": None, "EVENT": event}
        return "E".encode("cp037") + head + body + b"\x40" * 4, values
    body = f"Zoë {number:<8}".encode("cp037") + zoned(-number % 1000, 5)
    details = {"RECEIVER": f"Zoë {number}", "FEE": Decimal(-number % 1000).scaleb(-2)}
    values = {"KIND": "D", **values, "DETAILS": details, "EVENT": None}
    return "D".encode("cp037") + head + body, values


def parcels(count: int) -> tuple[list[bytes], list[dict]]:
    """Give records, and their values."""
    both = [parcel(number) for number in range(1, count + 1)]
    return [body for body, _ in both], [values for _, values in both]


def route(stops: list[tuple[str, list[str]]], driver: str) -> tuple[str, dict]:
    """Give a record that says its own length twice, and its values."""
    inside = "".join(f"{depot}{len(loads)}{''.join(loads)}" for depot, loads in stops)
    text = f"{len(stops)}{inside}{driver}"
    values = {
        "SIZE-IN-BYTES": len(text) + 3,
        "STOPS": len(stops),
        "STOP": [{"DEPOT": depot, "LOADS": len(loads), "LOAD": loads} for depot, loads in stops],
        "DRIVER": driver,
    }
    return f"{len(text) + 3:03d}{text}", values


ROUTES = [
    route([], "ANNA"),
    route([("AMS", ["A1", "B2"]), ("PRG", [])], "BENO"),
    route([("LIS", ["C3"])] * 5, "CARL"),
]
