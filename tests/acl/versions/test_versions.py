"""Old inputs go up to the latest version, its replies come down to theirs."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stranglerfig.acl.versions.versions import Versions, load_versions
from stranglerfig.errors import ConfigError, ContractError

FIRST = """
name = "order.check"
version = 1
effect = "read"
[input.id]
type = "text"
tag = "pii.id"
[input.kind]
type = "text"
enum = ["P", "F"]
[input.cents]
type = "integer"
unit = "cent"
[input.day]
type = "text"
required = false
[input.fax]
type = "text"
required = false
[input.street]
type = "text"
required = false
[input."items[].sku"]
type = "text"
[input."items[].count"]
type = "integer"
required = false
[input."words[]"]
type = "text"
required = false
[output.decision]
type = "text"
enum = ["J", "N", "?"]
[output.score]
type = "integer"
[output."reasons[]"]
type = "text"
required = false
"""
SECOND = """
name = "order.check"
version = 2
effect = "read"
[input.customer.id]
type = "text"
tag = "pii.id"
[input.customer.kind]
type = "text"
enum = ["person", "firm"]
[input.amount]
type = "decimal"
unit = "EUR"
[input.day]
type = "date"
required = false
[input.channel]
type = "text"
enum = ["web", "old"]
[input.address]
type = "group"
required = false
[input.address.street]
type = "text"
[input.address.country]
type = "text"
[input."lines[]"]
type = "group"
[input."lines[].article.sku"]
type = "text"
[input."lines[].article.count"]
type = "integer"
[input."tags[]"]
type = "text"
[output.decision]
type = "text"
enum = ["approve", "refuse", "refer"]
[output.score]
type = "decimal"
[output."why[].text"]
type = "text"
[output."why[].rule"]
type = "integer"
"""
THIRD = (
    SECOND.replace("version = 2", "version = 3")
    .replace("[input.channel]", "[input.source]")
    .replace("[output.score]", '[output.model]\ntype = "text"\n[output.score]')
)
UP = """
operation = "order.check"
fields = [
  { src = "id", dst = "customer.id" },
  { src = "kind", dst = "customer.kind", as = "code(kind)" },
  { src = "cents", dst = "amount", as = "py:prices:cents" },
  { src = "day", dst = "day" },
  { dst = "channel", value = "old" },
  { src = "street", dst = "address.street", as = "text(trim) | text(max=40)" },
  { dst = "address.country", value = "CH" },
  { src = "items[].sku", dst = "lines[].article.sku" },
  { src = "items[].count", dst = "lines[].article.count", else = 1 },
  { src = "words[]", dst = "tags[]" },
]
ignore = { fax = "nobody reads it" }
reply = [
  { src = "decision", dst = "decision", as = "code(decision)" },
  { src = "score", dst = "score", else = 0 },
  { src = "why[].text", dst = "reasons[]" },
]
reply_ignore = { "why[].rule" = "new in 2" }
[codes]
kind = { P = "person", F = "firm" }
decision = { J = "approve", N = "refuse", "?" = "refer" }
"""
NEXT = """
operation = "order.check"
same = true
fields = [{ src = "channel", dst = "source" }]
reply_ignore = { model = "new in 3" }
"""
PRICES = """
from datetime import date
from decimal import Decimal

class Cents:
    def decode(self, text):
        return Decimal(text) / 100
    def encode(self, value):
        return str(int(value * 100))

def cents(arguments, codes):
    return Cents()
"""
INPUT = {
    "id": "7",
    "kind": "P",
    "cents": 1250,
    "day": "2024-02-29",
    "fax": None,
    "street": "Weg 1",
    "items": [{"sku": "a", "count": 2}, {"sku": "b"}],
    "words": ["x"],
}
REPLY = {
    "decision": "refer",
    "model": "m",
    "score": Decimal("0.50"),
    "why": [{"text": "t", "rule": 1}, {"text": "u", "rule": 2}],
}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lay(tmp_path_factory.mktemp("versions"))


def lay(root: Path, **changed: str) -> Path:
    folder = root / "operations"
    folder.mkdir(exist_ok=True)
    files = {"1": FIRST, "2": SECOND, "3": THIRD, "1-2": UP, "2-3": NEXT}
    for name, text in files.items():
        (folder / f"order.check@{name}.toml").write_text(changed.get(f"v{name}", text))
    return root


@pytest.fixture(autouse=True, scope="module")
def prices(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("prices")
    (folder / "prices.py").write_text(PRICES)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        yield


@pytest.fixture(scope="module")
def versions(root: Path) -> Versions:
    return load_versions(root, "order.check@1")


def test_an_old_input_goes_up_through_all_versions(versions: Versions):
    assert versions.numbers == (1, 2, 3)
    assert versions.latest.id == "order.check@3"
    assert versions.upcast(INPUT) == {
        "customer": {"id": "7", "kind": "person"},
        "amount": Decimal("12.5"),
        "day": date(2024, 2, 29),
        "source": "old",
        "address": {"street": "Weg 1", "country": "CH"},
        "lines": [{"article": {"sku": "a", "count": 2}}, {"article": {"sku": "b", "count": 1}}],
        "tags": ["x"],
    }


def test_what_is_absent_stays_absent_with_its_group_and_a_needed_list_is_empty(versions: Versions):
    found = versions.upcast({"id": "7", "kind": "F", "cents": 1, "items": []})
    assert found["address"] is None
    assert found["day"] is None
    assert found["lines"] == []
    assert found["tags"] == []


def test_a_reply_comes_down_to_the_version_that_was_spoken(versions: Versions):
    whole = {**REPLY, "score": Decimal(1)}
    assert versions.downcast(whole) == {"decision": "?", "score": 1, "reasons": ["t", "u"]}
    assert versions.downcast(REPLY)["score"] == 0  # a half is no integer: else
    assert versions.downcast(REPLY, 2) == {k: v for k, v in REPLY.items() if k != "model"}
    assert versions.downcast(REPLY, 3) == REPLY


def test_an_input_may_come_in_any_version(versions: Versions):
    second = versions.upcast(INPUT)
    second["channel"] = second.pop("source")
    assert versions.upcast(second, 2) == versions.upcast(INPUT)
    assert versions.upcast(versions.upcast(INPUT), 3) == versions.upcast(INPUT, 1)
    with pytest.raises(ContractError, match="no such version"):
        versions.upcast(INPUT, 4)


def test_what_does_not_fit_its_own_version_is_named_in_it(versions: Versions):
    with pytest.raises(ContractError) as caught:
        versions.upcast({**INPUT, "items": [{"sku": 1}]})
    assert caught.value.place == "order.check@1 input: items[0].sku"
    with pytest.raises(ContractError) as caught:
        versions.upcast({**INPUT, "day": "29.02.2024"})
    assert caught.value.place == "order.check@1-2.toml: fields row 4: day → day"
    assert caught.value.expected == "a day as YYYY-MM-DD"
    with pytest.raises(ContractError) as caught:
        versions.downcast({**REPLY, "decision": "maybe"})
    assert caught.value.place == "order.check@3 output: decision"


def test_the_way_up_begins_where_a_caller_speaks(root: Path):
    assert load_versions(root, "order.check@2").numbers == (2, 3)
    latest = load_versions(root, "order.check@3")
    assert latest.numbers == (3,)
    assert latest.downcast(REPLY) == REPLY


def test_the_digest_changes_with_every_step(tmp_path: Path, versions: Versions):
    same = load_versions(lay(tmp_path), "order.check@1")
    other = lay(tmp_path, **{"v1-2": UP.replace('value = "CH"', 'value = "DE"')})
    assert same.digest == versions.digest
    assert load_versions(other, "order.check@1").digest != versions.digest
    assert load_versions(other, "order.check@3").digest != versions.digest


TEXTS = st.text(max_size=3)
INPUTS = st.fixed_dictionaries(
    {
        "id": TEXTS,
        "kind": st.sampled_from(["P", "F"]),
        "cents": st.integers(),
        "items": st.lists(
            st.fixed_dictionaries({"sku": TEXTS}, optional={"count": st.none() | st.integers()})
        ),
    },
    optional={
        "day": st.none() | st.dates().map(str),
        "fax": st.none() | TEXTS,
        "street": st.none() | TEXTS,
        "words": st.none() | st.lists(TEXTS),
    },
)


@given(INPUTS)
def test_every_old_input_becomes_one_of_the_latest(versions: Versions, payload):
    found = versions.upcast(payload)
    versions.latest.check_input(found)
    assert found["customer"]["id"] == payload["id"]  # type: ignore[index]
    assert [one["article"]["sku"] for one in found["lines"]] == [  # type: ignore[attr-defined]
        one["sku"] for one in payload["items"]
    ]
    assert (found["address"] is None) == (payload.get("street") is None)


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("v1-2", '"order.check"', '"order.chek"', "for another operation"),
        ("v1-2", 'ignore = { fax = "nobody reads it" }', "", "fax is neither carried nor ignored"),
        ("v1-2", '"nobody reads it"', '" "', "no reason"),
        ("v1-2", "{ fax =", "{ fux =", "did you mean 'fax'"),
        ("v1-2", "{ fax =", '{ id = "no", fax =', "id is carried as well"),
        ("v1-2", '{ dst = "channel", value = "old" },', "", "needs channel, and no row feeds it"),
        ("v1-2", 'value = "old"', 'value = "fax"', "value does not fit channel"),
        ("v1-2", ', value = "old"', "", "needs a src or a value"),
        ("v1-2", 'value = "old"', 'value = "old", src = "fax"', "needs a src or a value"),
        ("v1-2", '{ src = "id",', '{ src = "ident",', "has no 'ident'"),
        ("v1-2", 'dst = "customer.id"', 'dst = "customer.idd"', "did you mean 'customer.id'"),
        ("v1-2", 'dst = "customer.id"', 'dst = "day"', "fed by row 1 already"),
        ("v1-2", ", else = 1", "", "items[].count may be absent, and lines[].article.count is needed"),
        ("v1-2", ", else = 1", ', else = "x"', "else does not fit"),
        ("v1-2", ', as = "code(kind)"', "", "customer.kind has no P, F"),
        ("v1-2", 'F = "firm"', 'F = "shop"', "values of customer.kind in table kind, not shop"),
        ("v1-2", ', F = "firm"', "", "F in table kind, or else"),
        ("v1-2", '"code(kind)"', '"code(knd)"', "did you mean kind"),
        ("v1-2", '"code(kind)"', '"date(YYYYMMDD)"', "a converter that gives text"),
        ("v1-2", '"code(kind)"', '"coda(kind)"', "no such part"),
        ("v1-2", '"code(kind)"', '"split(,)"', "no split or join"),
        ("v1-2", '"code(kind)"', '"text(trim"', "bracket"),
        ("v1-2", ', as = "py:prices:cents"', "", "the unit is cent, then EUR"),
        ("v1-2", '"?" = "refer"', 'X = "refer", "?" = "refer"', "values of decision in table decision, not X"),
        ("v1-2", '"?" = "refer" }', '"?" = "refer" }\nother = { a = "b" }', "no row reads"),
        ("v1-2", 'src = "street", dst = "address.street", as = "text(trim) | text(max=40)"', 'src = "items[].sku", dst = "address.street"', "another number of lists"),
        ("v1-2", '{ src = "items[].sku"', '{ src = "words[]"', "is filled from words[] and from items[]"),
        ("v1-2", 'src = "words[]", dst = "tags[]"', 'src = "words[]", dst = "lines[].article.count"', "fed"),
        ("v1-2", '{ src = "words[]", dst = "tags[]" },', "", "needs tags[], and no row feeds it"),
        ("v1-2", '{ src = "words[]", dst = "tags[]" },', '{ dst = "tags[]", value = "x" },', "how many entries tags[] has"),
        ("v1-2", '{ dst = "address.country", value = "CH" }', '{ src = "fax", dst = "address.country" }', "address may be there without all"),
        ("v1-2", '{ dst = "address.country", value = "CH" }', '{ src = "id", dst = "address.country" }', "address may be there without all"),
        ("v1-2", "reply_ignore", "reply_ignored", "unknown key"),
        ("v1-2", '{ src = "day", dst', '{ scr = "day", dst', "did you mean 'src'"),
        ("v2-3", "same = true", "", "needs customer.id, and no row feeds it"),
        ("v2-3", 'reply_ignore = { model = "new in 3" }', "", "model is neither carried nor ignored"),
        ("v2-3", '{ src = "channel", dst = "source" }', '{ src = "customer", dst = "customer", as = "text" }', "is of groups"),
    ],
)  # fmt: skip
def test_a_step_that_is_not_total_is_not_loaded(tmp_path: Path, file, old, new, message):
    text = {"v1-2": UP, "v2-3": NEXT}[file]
    assert old in text
    with pytest.raises(ConfigError) as caught:
        load_versions(lay(tmp_path, **{file: text.replace(old, new)}), "order.check@1")
    assert message in str(caught.value)
    assert f"order.check@{file[1:]}.toml" in str(caught.value)


def test_else_stands_for_what_the_target_does_not_take_also_where_values_move(tmp_path: Path):
    more = SECOND.replace("version = 2", "version = 3").replace('"refer"]', '"refer", "wait"]')
    step = """
operation = "order.check"
same = true
reply = [{ src = "decision", dst = "decision", else = "refer" }]
"""
    versions = load_versions(lay(tmp_path, v3=more, **{"v2-3": step}), "order.check@2")
    reply = {"decision": "wait", "score": 1, "why": []}
    assert versions.downcast(reply)["decision"] == "refer"
    assert versions.downcast({**reply, "decision": "approve"})["decision"] == "approve"
    silent = step.replace(', else = "refer"', "")
    with pytest.raises(ConfigError, match="decision has no wait"):
        load_versions(lay(tmp_path, v3=more, **{"v2-3": silent}), "order.check@2")


def test_whole_groups_move_under_another_name(tmp_path: Path):
    moved = SECOND.replace("version = 2", "version = 3").replace("address", "home")
    moved = moved.replace("lines[]", "rows[]").replace("article.", "")
    step = """
operation = "order.check"
same = true
fields = [
  { src = "address", dst = "home" },
  { src = "lines[].article", dst = "rows[]" },
]
"""
    first = step.replace('"lines[].article", dst = "rows[]"', '"lines[]", dst = "rows[]"')
    root = lay(tmp_path, v3=moved, **{"v2-3": first})
    with pytest.raises(ConfigError, match="needs rows"):
        load_versions(root, "order.check@2")
    root = lay(tmp_path, v3=moved, **{"v2-3": step})
    second = {
        "customer": {"id": "7", "kind": "firm"},
        "amount": 1,
        "channel": "web",
        "address": {"street": "Weg 1", "country": "CH"},
        "lines": [{"article": {"sku": "a", "count": 2}}],
        "tags": [],
    }
    found = load_versions(root, "order.check@2").upcast(second)
    assert found["home"] == second["address"]
    assert found["rows"] == [{"sku": "a", "count": 2}]


def test_there_is_one_way_up_and_it_goes_up(tmp_path: Path):
    root = lay(tmp_path)
    (root / "operations/order.check@1-3.toml").write_text(UP)
    with pytest.raises(ConfigError, match="several ways up"):
        load_versions(root, "order.check@1")
    (root / "operations/order.check@3-2.toml").write_text(NEXT)
    with pytest.raises(ConfigError, match="not a step"):
        load_versions(root, "order.check@3")


def test_a_list_of_groups_becomes_one_of_values_and_back(tmp_path: Path):
    spread = SECOND.replace("version = 2", "version = 3")
    spread = spread.replace('[input."tags[]"]', '[input."tags[].word"]')
    spread = spread.replace('[input."lines[]"]\ntype = "group"\n', "")
    spread = spread.replace('[input."lines[].article.sku"]', '[input."skus[]"]')
    spread = spread.replace('[input."lines[].article.count"]', "[input.count]")
    step = """
operation = "order.check"
same = true
fields = [
  { src = "tags[]", dst = "tags[].word" },
  { src = "lines[].article.sku", dst = "skus[]" },
  { dst = "count", value = 0 },
]
ignore = { "lines[].article.count" = "nobody counts" }
"""
    second = {
        "customer": {"id": "7", "kind": "firm"},
        "amount": 1,
        "channel": "web",
        "lines": [{"article": {"sku": "a", "count": 2}}, {"article": {"sku": "b", "count": 2}}],
        "tags": ["x", "y"],
    }
    versions = load_versions(lay(tmp_path, v3=spread, **{"v2-3": step}), "order.check@2")
    found = versions.upcast(second)
    assert found["tags"] == [{"word": "x"}, {"word": "y"}]
    assert found["skus"] == ["a", "b"]
    assert found["count"] == 0


def test_codes_may_stand_in_a_file_and_the_digest_has_them_and_own_converters(
    tmp_path: Path, versions: Versions, monkeypatch: pytest.MonkeyPatch
):
    text = UP.replace('kind = { P = "person", F = "firm" }', 'kind = { file = "kinds.csv" }')
    root = lay(tmp_path, **{"v1-2": text})
    (root / "kinds.csv").write_text("code,value\nP,person\nF,firm\n")
    first = load_versions(root, "order.check@1")
    assert first.upcast(INPUT) == versions.upcast(INPUT)
    (root / "kinds.csv").write_text("code,value\nP,firm\nF,person\n")
    assert load_versions(root, "order.check@1").digest != first.digest
    (root / "kinds.csv").write_text("code,value\nP,person\n")
    with pytest.raises(ConfigError, match="F in table kind"):
        load_versions(root, "order.check@1")
    monkeypatch.setattr("stranglerfig.acl.versions.step.source_of", lambda module: module.encode())
    (root / "kinds.csv").write_text("code,value\nP,person\nF,firm\n")
    assert load_versions(root, "order.check@1").digest != first.digest
