"""The door to an outside provider: what leaves is masked, what comes back is unmasked."""

from __future__ import annotations

import asyncio

import msgspec

from ..acl.masking.ledger import Ledger, Vault
from ..acl.masking.mask import Mask
from ..acl.masking.unmask import tokens_in, unmask
from ..errors import NotAsked, ReplacementError, ReplacementUnavailable, StoreError
from ..model import Intent, Payload, Reply, Request
from ..ports import Handler
from ..telemetry import log

__all__ = ["CONTEXT", "STRANGERS", "masked"]

CONTEXT = ("locale", "timezone", "currency", "channel")
"""What of a request's context leaves: what names nobody."""

STRANGERS = "unknown_tokens"
"""In a reply's ``usage``: how many tokens in it were not handed out for its request."""


def masked(handler: Handler, mask: Mask, vault: Vault | None = None) -> Handler:
    """Wrap a handler that is outside of this house.

    It gets the masked payload, and neither record, key, provenance nor what of the context names
    somebody. Its reply is unmasked with the tokens of this request, and of its conversation where
    the policy has tokens of that scope; all others stay as they are, and are counted. Raises what
    the handler raises, and ``ReplacementError`` where masking failed: then nothing has left.
    """
    if mask.scopes and vault is None:
        raise ValueError(f"{mask.title} needs a vault for tokens of a {min(mask.scopes)}")

    async def handle(request: Request) -> Reply:
        ledger = Ledger(request.tenant, request.context.get("conversation", ""))
        payload = await _masked(request, mask, ledger, vault)
        reply = await handler(_leaving(request, payload))
        if not isinstance(reply, Reply) or reply.payload is None:
            return reply
        return await _unmasked(reply, mask, ledger, vault)

    return handle


def _leaving(request: Request, payload: Payload) -> Request:
    """Give the request that leaves. Named one by one: what is added to requests stays here.

    Its id is as good as an idempotency key, which may be made of legacy's own.
    """
    return Request(
        id=request.id,
        operation=request.operation,
        version=request.version,
        source=request.source,
        payload=payload,
        tenant=request.tenant,
        context={name: request.context[name] for name in CONTEXT if name in request.context},
        deadline=request.deadline,
        trace=request.trace,
        shadow=request.shadow,
    )


async def _masked(request: Request, mask: Mask, ledger: Ledger, vault: Vault | None) -> Payload:
    try:
        payload = mask.apply(request.payload, ledger)
        if ledger.wanted and vault is not None:
            await asyncio.to_thread(ledger.settle, vault)
            payload = mask.apply(request.payload, ledger)
    except StoreError as error:
        raise NotAsked(
            f"cannot be masked, as the vault failed: {error.message}", place=error.place
        ) from error
    except (TypeError, ValueError) as error:
        # The error's words may hold the value.
        raise ReplacementError(
            "cannot be masked", place=mask.title, value=type(error).__name__
        ) from None
    if ledger.wanted:
        raise ReplacementError("cannot be masked: tokens are missing", place=mask.title)
    return payload


def _told(reply: Reply, ledger: Ledger) -> Reply:
    """Unmask what it would do: it is held against what legacy did, which no token stands in."""
    if not reply.intents:
        return reply
    found = [(one.kind, unmask(one.payload, ledger)) for one in reply.intents]
    intents = [Intent(kind=kind, payload=it) for kind, it in found if isinstance(it, dict)]
    return msgspec.structs.replace(reply, intents=tuple(intents))


async def _unmasked(reply: Reply, mask: Mask, ledger: Ledger, vault: Vault | None) -> Reply:
    try:
        if vault is not None and "conversation" in mask.scopes and ledger.conversation:
            told = [reply.payload, *(one.payload for one in reply.intents)]
            await asyncio.to_thread(ledger.recall, vault, tokens_in(told))
        payload = unmask(reply.payload, ledger)
        reply = _told(reply, ledger)
    except StoreError as error:
        raise ReplacementUnavailable(
            f"its answer cannot be unmasked, as the vault failed: {error.message}",
            place=error.place,
        ) from error
    except ValueError as error:
        raise ReplacementError(
            "its answer cannot be unmasked", place=mask.title, expected=str(error)
        ) from None
    if not isinstance(payload, dict):
        return reply  # whoever holds answers against the contract says what is wrong with it
    if not ledger.strangers:
        return msgspec.structs.replace(reply, payload=payload)
    log.info(
        "%s: %d unknown tokens in the answer of %s",
        mask.title,
        ledger.strangers,
        reply.produced_by,
    )
    usage = {**reply.usage, STRANGERS: float(ledger.strangers)}
    return msgspec.structs.replace(reply, payload=payload, usage=usage)
