"""The processors this installation knows, by name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from payments.clients.pay_by_bank import PayByBankProcessor, collection_account
from payments.clients.processor import Processor
from payments.clients.sandbox import SandboxProcessor
from payments.domain import method_types
from payments.domain.errors import SandboxInLive

_PROCESSORS: dict[str, Processor] = {
    SandboxProcessor.name: SandboxProcessor(),
    PayByBankProcessor.name: PayByBankProcessor(),
}


def register(processor: Processor) -> None:
    """Make a processor known under its name. A name is stored with every charge, so it can never change hands."""
    if processor.name in _PROCESSORS:
        raise ValueError(f"a processor named {processor.name!r} is registered already")
    _PROCESSORS[processor.name] = processor


def name_for(method_type: str = method_types.CARD, *, livemode: bool) -> str:
    """Which processor takes this type of payment method in an environment.

    Raises `SandboxInLive` for a live card, because only the sandbox is installed, and `PayByBankUnavailable` in a live
    environment without an account to collect to.
    """
    if method_type == method_types.PAY_BY_BANK:
        collection_account(livemode=livemode)
        return PayByBankProcessor.name
    if livemode:
        raise SandboxInLive
    return SandboxProcessor.name


def get(name: str) -> Processor:
    """The processor of that name; raises LookupError for one that is not installed here."""
    try:
        return _PROCESSORS[name]
    except KeyError:
        raise LookupError(f"no processor named {name!r}; installed: {', '.join(sorted(_PROCESSORS))}") from None


@contextmanager
def replaced(name: str, processor: Processor) -> Iterator[Processor]:
    """Let `processor` answer for `name` inside the block: for tests that need a processor with books."""
    before = _PROCESSORS.get(name)
    _PROCESSORS[name] = processor
    try:
        yield processor
    finally:
        if before is None:
            del _PROCESSORS[name]
        else:
            _PROCESSORS[name] = before
