"""The doors of a workspace: what stands between a payload and whoever is to get it."""

from __future__ import annotations

from collections.abc import Callable

from . import registry
from .acl.masking.compile import compile_mask
from .acl.masking.keys import Keyring, load_keys, no_keys
from .acl.masking.ledger import Vault
from .acl.masking.mask import Mask
from .acl.masking.policy import DESTINATIONS, Destination, Policy, load_policy
from .acl.operations.operation import Operation
from .config import Workspace
from .errors import FigError, ReplacementUnavailable
from .model import Reply, Request
from .ports import Handler
from .routing.masked import masked
from .store.database import Database
from .store.vault import StoreVault

__all__ = ["Door", "Masking", "is_outside"]

Door = Callable[[Handler], Handler]
"""What stands before a replacement: requests pass through it, and answers."""


def is_outside(workspace: Workspace, name: str) -> bool:
    """Say whether a replacement's provider hands requests to somebody outside of this house.

    It does unless it says that it does not: its class has ``outside = False``, or a function
    ``outside(options)`` that gives False for these options. Raises ``ConfigError`` and
    ``MissingExtra`` where it cannot be imported.
    """
    one = workspace.replacement[name]
    place = workspace.place("replacement", name)
    part = registry.find("providers", one.provider, place=f"{place}.provider")
    said = getattr(part, "outside", True)
    return (said(one.options) if callable(said) else said) is not False


class Masking:
    """A workspace's masking: its policy, its keys and its vault. Raises ``ConfigError``.

    Keys are read when something needs them.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self.policy: Policy = load_policy(workspace.root)
        self._vault: Vault | None = None

    def keys(self) -> Keyring | None:
        """Give the keys, None where there are none. Raises ``ConfigError``."""
        file = self.policy.keys
        return load_keys(self._workspace.path(file) if file else None)

    def needed_keys(self) -> Keyring | None:
        """Give the keys; None where there are none and none is needed. Raises ``ConfigError``."""
        found = self.keys()
        for destination in DESTINATIONS:
            if found is None and self.policy.needs_keys(destination):
                raise no_keys(f"{self.policy.place}.{destination}", "")
        return found

    def mask(self, operation: Operation, destination: Destination, side: str = "input") -> Mask:
        """Compile what leaves of an operation's payloads. Raises ``ConfigError``."""
        contract = operation.input if side == "input" else operation.output
        keys = self.keys() if self.policy.needs_keys(destination) else None
        return compile_mask(contract, self.policy, destination, keys)

    def vault(self) -> StoreVault:
        """Give the vault in the workspace's store. Raises ``ConfigError``, ``MissingExtra``."""
        keys = self.keys()
        if keys is None:
            raise no_keys(self.policy.place, "the vault")
        return StoreVault(Database(self._workspace.store_url), keys)

    def door(self, name: str, operation: Operation) -> tuple[Door, str]:
        """Give the door to a replacement for an operation, and what of it decides answers.

        Raises ``ConfigError`` where something would leave that must not. A provider that cannot be
        imported has a closed door: legacy answers, as long as nobody knows where it would lead.
        """
        try:
            outside = is_outside(self._workspace, name)
        except FigError as error:
            return _closed(error), ""
        if not outside:
            return lambda handler: handler, ""
        mask = self.mask(operation, "provider")
        if mask.scopes and self._vault is None:
            self._vault = self.vault()
        vault = self._vault
        return lambda handler: masked(handler, mask, vault), mask.digest


def _closed(error: FigError) -> Door:
    async def refuse(request: Request) -> Reply:
        del request
        raise ReplacementUnavailable(
            error.message,
            place=error.place,
            value=error.value,
            expected=error.expected,
            remedy=error.remedy,
        )

    return lambda _: refuse
