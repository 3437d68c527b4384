"""Asking a side whether it has a write of which nobody knows."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Mapping
from typing import Final, cast

from ... import registry
from ...errors import ConfigError, FigError
from ...model import Request, Side
from ...route_settings import Dual

__all__ = ["Lookup", "load_lookups", "look_up"]

Lookup = Callable[[Request], object]
"""Says of a request whether a side has it: True, False, or None where it cannot tell.

It may be a coroutine function; another one is called in a thread. The request's
``idempotency_key`` is that which the side was given."""

_PATIENCE: Final = 30.0


def load_lookups(dual: Dual, place: str) -> dict[Side, Lookup]:
    """Import the look-ups of an endpoint. Raises ``ConfigError`` where one cannot be."""
    found: dict[Side, Lookup] = {}
    for name, target in dual.lookup.items():
        at = f"{place}.lookup.{name}"
        part = registry.find("providers", target, place=at) if target.startswith("py:") else None
        if not callable(part):
            raise ConfigError(
                "nothing that can be asked",
                place=at,
                value=target,
                expected="py:package.module:function",
            )
        found[Side(name)] = cast("Lookup", part)
    return found


async def look_up(
    lookups: Mapping[Side, Lookup], side: Side, request: Request | None
) -> tuple[bool | None, str]:
    """Ask a side; give what it says (None: nothing), and why it says nothing."""
    lookup = lookups.get(side)
    if lookup is None:
        return None, f"nothing says how {side} is asked"
    if request is None:
        return None, "the record fits no request by which it could be looked up"
    try:
        async with asyncio.timeout(_PATIENCE):
            said = await _called(lookup, request)
    except TimeoutError:
        return None, f"{side} did not say within {_PATIENCE:g} s"
    except FigError as error:
        return None, str(error)
    except Exception as error:  # noqa: BLE001 - it is another's function
        return None, f"the look-up raised {type(error).__name__}"
    if said is True or said is False:
        return said, ""
    return None, f"{side} cannot tell" if said is None else f"the look-up gave {said!r}"


async def _called(lookup: Lookup, request: Request) -> object:
    if inspect.iscoroutinefunction(lookup):
        return await lookup(request)
    said = await asyncio.to_thread(lookup, request)
    return await said if inspect.isawaitable(said) else said
