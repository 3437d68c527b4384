"""``fig acl decode`` and ``fig acl encode``: one message through its mapping."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import msgspec

from .acl_message import fixture_argument, message, message_options
from .screen import Screen

__all__ = ["decode", "encode"]


@click.command()
@fixture_argument
@message_options
@click.pass_obj
def decode(screen: Screen, fixture: str, reply: bool, mapping: str, encoding: str) -> None:
    """Print the payload that a recorded message means, as JSON."""
    found = message(screen.workspace, fixture, mapping, encoding, reply=reply)
    opened = found.opened
    if reply:
        payload = opened.mapping.decode_reply(found.record)
        body = opened.operation.output.encode(payload)
    else:
        payload = opened.mapping.decode_request(found.record)
        body = opened.operation.input.encode(payload)
    click.echo(msgspec.json.format(body, indent=2))


@click.command()
@fixture_argument
@click.argument("payload", type=click.Path(path_type=Path, exists=True, allow_dash=True))
@message_options
@click.pass_obj
def encode(
    screen: Screen, fixture: str, payload: Path, reply: bool, mapping: str, encoding: str
) -> None:
    """Write PAYLOAD (a JSON file, - for standard input) as legacy's bytes.

    A request is the recorded one with what the payload says otherwise; an answer (--reply) is
    written anew, as the answer to the recorded request.
    """
    found = message(screen.workspace, fixture, mapping, encoding, reply=False)
    opened = found.opened
    with click.open_file(str(payload), "rb") as stream:
        text = stream.read()
    if reply:
        values = opened.operation.output.decode(text)
        body = opened.mapping.encode_reply(values, found.request)
    else:
        values = opened.operation.input.decode(text)
        body = opened.mapping.encode_request(values, found.request)
    sys.stdout.buffer.write(body)
