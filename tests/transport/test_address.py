"""Addresses taken apart, without giving their credentials away."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stranglerfig.errors import ConfigError
from stranglerfig.transport.address import Address


@pytest.mark.parametrize(
    ("text", "authority", "target", "shown"),
    [
        ("http://Host/a/b?wsdl", "host", "/a/b?wsdl", "http://host/a/b?wsdl"),
        ("https://host", "host", "/", "https://host/"),
        ("https://host:443/x", "host", "/x", "https://host/x"),
        ("http://host:443/x", "host:443", "/x", "http://host:443/x"),
        ("http://[::1]:8080/", "[::1]:8080", "/", "http://[::1]:8080/"),
    ],
)
def test_parts(text, authority, target, shown):
    address = Address.parse(text)
    assert (address.authority, address.target, str(address)) == (authority, target, shown)
    assert address.path == target.partition("?")[0]


@pytest.mark.parametrize(
    "text",
    ["", "host/x", "ftp://h/", "http:///x", "http://h:port/", "http://h/a b", "http://h/\u00fc"],
)
def test_what_is_not_an_address_is_named_with_its_place(text):
    with pytest.raises(ConfigError) as caught:
        Address.parse(text, "fig.toml: legacy.claims.address")
    assert caught.value.place == "fig.toml: legacy.claims.address"


@given(
    user=st.text("abc%40", min_size=1), password=st.from_regex(r"S[a-z0-9]{6,20}", fullmatch=True)
)
@pytest.mark.parametrize("rest", ["@host/x", "@host/a b", "@:x/", "@"])
def test_credentials_never_show(user, password, rest):
    try:
        shown = repr(Address.parse(f"http://{user}:{password}{rest}"))
    except ConfigError as error:
        shown = f"{error} {error.as_dict()} {error.__cause__}"
    assert password not in shown
