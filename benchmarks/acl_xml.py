"""What a SOAP message costs on its way to canonical and back, beside zeep.

Run it alone: ``python benchmarks/acl_xml.py``. The message is an order of 52 leaves (22 of order,
customer and addresses, five lines of six each) in about 2.7 KB. Ours goes from bytes to the payload
of an operation through a compiled mapping, with all its checks (totality, types, bounds, codes),
and back from a payload to an envelope. zeep's goes from the same bytes through lxml to its objects
(``element.parse``, the cheapest way it has; ``process_reply`` is shown beside it), and from the
same values to the bytes of an envelope (``create_message``; building and rendering the element
alone is shown beside it). ``first`` is ours with a head that nobody has sent before, which is read
from a tree; ``checked`` is ours with ``validate = true``, against the XML Schema.

Ways are measured in short turns within each repeat, of which the best counts; ratios are taken
within a repeat, and medians over the repeats. The last line is JSON; the exit status is 1 where a
goal was missed.
"""

from __future__ import annotations

import argparse
import gc
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from itertools import count
from pathlib import Path
from types import SimpleNamespace

from lxml import etree

GOALS = {"decode_per_zeep": 7.0, "encode_per_zeep": 8.0}

NS = "urn:bench:orders"
ADDRESS = ("street", "houseNumber", "postalCode", "city", "country")
WSDL = f"""<?xml version="1.0" encoding="utf-8"?>
<wsdl:definitions targetNamespace="{NS}" xmlns:t="{NS}"
  xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/"
  xmlns:xs="http://www.w3.org/2001/XMLSchema">
<wsdl:types><xs:schema targetNamespace="{NS}" elementFormDefault="qualified">
<xs:complexType name="Address"><xs:sequence>
  {"".join(f'<xs:element name="{name}" type="xs:string"/>' for name in ADDRESS)}
</xs:sequence></xs:complexType>
<xs:complexType name="Customer"><xs:sequence>
  <xs:element name="customerNumber" type="xs:string"/>
  <xs:element name="name" type="xs:string"/>
  <xs:element name="email" type="xs:string" minOccurs="0"/>
  <xs:element name="dateOfBirth" type="xs:date" minOccurs="0"/>
  <xs:element name="segment" type="xs:string"/>
</xs:sequence></xs:complexType>
<xs:complexType name="Line"><xs:sequence>
  <xs:element name="position" type="xs:int"/>
  <xs:element name="sku" type="xs:string"/>
  <xs:element name="description" type="xs:string"/>
  <xs:element name="quantity" type="xs:int"/>
  <xs:element name="pricePerUnit" type="xs:decimal"/>
  <xs:element name="requestedDeliveryDate" type="xs:date"/>
</xs:sequence></xs:complexType>
<xs:complexType name="Order"><xs:sequence>
  <xs:element name="orderNumber" type="xs:string"/>
  <xs:element name="placed" type="xs:date"/>
  <xs:element name="channel" type="xs:string"/>
  <xs:element name="currency" type="xs:string"/>
  <xs:element name="total" type="xs:decimal"/>
  <xs:element name="discount" type="xs:decimal" minOccurs="0"/>
  <xs:element name="note" type="xs:string" minOccurs="0"/>
  <xs:element name="customer" type="t:Customer"/>
  <xs:element name="billingAddress" type="t:Address"/>
  <xs:element name="shippingAddress" type="t:Address"/>
  <xs:element name="line" type="t:Line" maxOccurs="unbounded"/>
</xs:sequence></xs:complexType>
<xs:element name="SubmitOrder" type="t:Order"/>
<xs:element name="SubmitOrderResponse" type="t:Order"/>
</xs:schema></wsdl:types>
<wsdl:message name="In"><wsdl:part name="p" element="t:SubmitOrder"/></wsdl:message>
<wsdl:message name="Out"><wsdl:part name="p" element="t:SubmitOrderResponse"/></wsdl:message>
<wsdl:portType name="P"><wsdl:operation name="Submit">
  <wsdl:input message="t:In"/><wsdl:output message="t:Out"/>
</wsdl:operation></wsdl:portType>
<wsdl:binding name="B" type="t:P">
  <soap:binding transport="http://schemas.xmlsoap.org/soap/http"/>
  <wsdl:operation name="Submit"><soap:operation soapAction="urn:submit"/>
    <wsdl:input><soap:body use="literal"/></wsdl:input>
    <wsdl:output><soap:body use="literal"/></wsdl:output>
  </wsdl:operation>
</wsdl:binding>
<wsdl:service name="S"><wsdl:port name="P" binding="t:B">
  <soap:address location="http://127.0.0.1:1/"/>
</wsdl:port></wsdl:service>
</wsdl:definitions>"""

# Legacy's place, ours, its converter, the field's table.
FIELDS = [
    ("orderNumber", "order", "text", 'type = "text"\nmax_length = 20'),
    ("placed", "placed", "date(YYYY-MM-DD)", 'type = "date"'),
    ("channel", "channel", "code(channel)", 'type = "text"\nenum = ["web", "phone"]'),
    ("currency", "currency", "text", 'type = "text"\nenum = ["EUR", "USD"]'),
    ("total", "total", "decimal(2)", 'type = "decimal"\nmin = "0.00"'),
    ("discount", "discount", "decimal(2)", 'type = "decimal"\nrequired = false'),
    ("note", "note", "text", 'type = "text"\nrequired = false'),
    ("customer.customerNumber", "customer.number", "text", 'type = "text"'),
    ("customer.name", "customer.name", "text", 'type = "text"\ntag = "pii.name"'),
    ("customer.email", "customer.email", "text", 'type = "text"\nrequired = false'),
    (
        "customer.dateOfBirth",
        "customer.born",
        "date(YYYY-MM-DD)",
        'type = "date"\nrequired = false',
    ),
    ("customer.segment", "customer.segment", "code(segment)", 'type = "text"'),
    *(
        (f"{theirs}Address.{name}", f"{ours}.{name}", "text", 'type = "text"')
        for theirs, ours in (("billing", "billing"), ("shipping", "shipping"))
        for name in ADDRESS
    ),
    ("line[].position", "lines[].position", "integer", 'type = "integer"\nmin = 1'),
    ("line[].sku", "lines[].sku", "text", 'type = "text"\nmax_length = 20'),
    ("line[].description", "lines[].text", "text", 'type = "text"'),
    ("line[].quantity", "lines[].quantity", "integer", 'type = "integer"\nmin = 1'),
    ("line[].pricePerUnit", "lines[].price", "decimal(2)", 'type = "decimal"'),
    ("line[].requestedDeliveryDate", "lines[].due", "date(YYYY-MM-DD)", 'type = "date"'),
]
CODES = (
    '[codes]\nchannel = { W = "web", P = "phone" }\nsegment = { P = "private", B = "business" }\n'
)
VALUES = {
    "orderNumber": "ORD-2026-000117",
    "placed": date(2026, 11, 20),
    "channel": "W",
    "currency": "EUR",
    "total": Decimal("1312.50"),
    "discount": Decimal("12.50"),
    "note": "Please ring twice & wait at the side door",
    "customer": {
        "customerNumber": "00441122",
        "name": "Anna Maria Mustermann",
        "email": "anna.mustermann@example.org",
        "dateOfBirth": date(1980, 2, 29),
        "segment": "P",
    },
    "billingAddress": dict(
        zip(ADDRESS, ("Lange Straße", "12a", "10115", "Berlin", "DE"), strict=True)
    ),
    "shippingAddress": dict(zip(ADDRESS, ("Am Hof", "3", "80331", "München", "DE"), strict=True)),
    "line": [
        {
            "position": n,
            "sku": f"SKU-{n:06}",
            "description": f"Article number {n}, blue",
            "quantity": n,
            "pricePerUnit": Decimal("12.50"),
            "requestedDeliveryDate": date(2026, 12, n),
        }
        for n in range(1, 6)
    ],
}


def workspace(folder: Path, *, validate: bool):
    from stranglerfig.acl.mapping.mapping import load_mapping
    from stranglerfig.acl.operations.operation import load_operation

    (folder / "operations").mkdir(exist_ok=True)
    (folder / "order.wsdl").write_text(WSDL, "utf-8")
    head = 'name = "order.submit"\nversion = 1\neffect = "read"\nowner = "bench"\n'
    head += 'domain = "orders"\ndescription = "An order."\n'
    tables = [
        f'[{side}."{ours}"]\n{table}\n'
        for side in ("input", "output")
        for _, ours, _, table in FIELDS
    ]
    (folder / "operations/order.submit@1.toml").write_text(head + "\n".join(tables), "utf-8")
    there = "\n".join(f'  {{ src = "{a}", dst = "{b}", as = "{c}" }},' for a, b, c, _ in FIELDS)
    back = "\n".join(f'  {{ src = "{b}", dst = "{a}", as = "{c}" }},' for a, b, c, _ in FIELDS)
    (folder / "map.toml").write_text(
        f'operation = "order.submit@1"\nfrom.kind = "soap"\nfrom.schema = "order.wsdl"\n'
        f'from.element = "{{{NS}}}SubmitOrder"\nfrom.answer = "{{{NS}}}SubmitOrderResponse"\n'
        f"from.validate = {str(validate).lower()}\n"
        f"fields = [\n{there}\n]\nreply = [\n{back}\n]\n{CODES}",
        "utf-8",
    )
    return load_mapping(folder / "map.toml", load_operation(folder, "order.submit@1"), folder)


def ways(folder: Path) -> dict[str, Callable[[], object]]:
    import zeep

    from stranglerfig.model import Record

    mapping, checked = workspace(folder, validate=False), workspace(folder, validate=True)
    client = zeep.Client(str(folder / "order.wsdl"))
    binding = client.service._binding  # noqa: SLF001 - what a call of zeep's does
    operation = binding._operations["Submit"]  # noqa: SLF001
    element = client.get_element(f"{{{NS}}}SubmitOrder")
    parser = etree.XMLParser(resolve_entities=False)

    def zeep_encode() -> bytes:
        return etree.tostring(client.create_message(client.service, "Submit", **VALUES))

    def zeep_render() -> bytes:
        node = etree.Element("Body")
        element.render(node, element(**VALUES))
        return etree.tostring(node)

    body = zeep_encode()
    answer = body.replace(b":SubmitOrder ", b":SubmitOrderResponse ")
    answer = answer.replace(b":SubmitOrder>", b":SubmitOrderResponse>")

    reply = SimpleNamespace(
        status_code=200, content=answer, encoding="utf-8", headers={"Content-Type": "text/xml"}
    )

    record = Record(source="bench", position="1", kind="soap", body=body)
    payload = mapping.decode_request(record)
    assert payload == checked.decode_request(record)
    written = mapping.encode_reply(payload, record)
    back = Record(source="bench", position="2", kind="soap", body=written)
    assert mapping.decode_reply(back) == payload
    theirs = element.parse(etree.fromstring(body, parser)[0][0], client.wsdl.types)
    assert len(payload["lines"]) == len(theirs.line) == 5
    assert payload["lines"][4]["price"] == theirs.line[4].pricePerUnit
    print(f"{len(body)} bytes from zeep, {len(written)} from us")
    number = count()

    def first() -> object:
        told = b"<!--%d-->" % next(number)
        return mapping.decode_request(
            Record(source="bench", position="3", kind="soap", body=told + body)
        )

    return {
        "decode": lambda: mapping.decode_request(record),
        "decode first": first,
        "decode checked": lambda: checked.decode_request(record),
        "zeep parse": lambda: element.parse(
            etree.fromstring(body, parser)[0][0], client.wsdl.types
        ),
        "zeep process_reply": lambda: binding.process_reply(client, operation, reply),
        "encode": lambda: mapping.encode_reply(payload, record),
        "zeep create_message": zeep_encode,
        "zeep render": zeep_render,
    }


def turn(way: Callable[[], object], seconds: float) -> float:
    """Give the microseconds of a call, in processor time, from a turn of about that length.

    Turns are as long for all: where the machine is shared, a longer one is interrupted more often.
    """
    calls = 0
    began = now = time.thread_time()
    while now - began < seconds:
        way()
        calls += 1
        now = time.thread_time()
    return (now - began) / calls * 1e6


def repeat(each: dict[str, Callable[[], object]], slices: int, seconds: float) -> dict[str, float]:
    best = dict.fromkeys(each, float("inf"))
    for _ in range(slices):
        for name in random.sample(list(each), len(each)):
            best[name] = min(best[name], turn(each[name], seconds))
    return best


def report(repeats: list[dict[str, float]]) -> bool:
    def ratio(peer: str, ours: str) -> float:
        return statistics.median(run[peer] / run[ours] for run in repeats)

    for name in repeats[0]:
        print(f"{name:22}{statistics.median(run[name] for run in repeats):9.1f} us")
    ratios = {
        "decode_per_zeep": ratio("zeep parse", "decode"),
        "decode_per_zeep_process_reply": ratio("zeep process_reply", "decode"),
        "decode_first_per_zeep": ratio("zeep parse", "decode first"),
        "decode_checked_per_zeep": ratio("zeep parse", "decode checked"),
        "encode_per_zeep": ratio("zeep create_message", "encode"),
        "encode_per_zeep_render": ratio("zeep render", "encode"),
    }
    ratios = {name: round(value, 2) for name, value in ratios.items()}
    met = all(ratios[name] >= goal for name, goal in GOALS.items())
    print(json.dumps({"benchmark": "acl_xml", "ratios": ratios, "goals": GOALS, "met": met}))
    return met


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--repeats", type=int, default=5)
    arguments.add_argument("--slices", type=int, default=20, help="turns of each way in a repeat")
    arguments.add_argument("--seconds", type=float, default=0.005, help="of a turn")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        each = ways(Path(folder))
        for way in each.values():
            turn(way, given.seconds)
        gc.collect()
        gc.freeze()
        repeats = [repeat(each, given.slices, given.seconds) for _ in range(given.repeats)]
    return 0 if report(repeats) else 1


if __name__ == "__main__":
    sys.exit(main())
