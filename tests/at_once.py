"""Works that are done at the same moment, each in a thread with connections of its own."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from django.db import connections

from connect.kit.errors import DomainError

T = TypeVar("T")


def at_once(works: Sequence[Callable[[], Any]]) -> list[Any]:
    """Do all of them, and return what each returned or raised, in their order."""
    gate = threading.Barrier(len(works))
    results: list[Any] = [None] * len(works)

    def one(number: int, work: Callable[[], Any]) -> None:
        try:
            gate.wait(timeout=30)
            results[number] = work()
        except Exception as error:
            results[number] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=one, args=pair) for pair in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
        assert not thread.is_alive(), "a work never came to its end"
    return results


def together(*works: Callable[[], T]) -> list[T]:
    """Do all of them, and return what each returned, in their order. Raises what the first that failed raised."""
    results = at_once(works)
    for result in results:
        if isinstance(result, Exception):
            raise result
    return results


def outcomes(results: Sequence[Any]) -> Counter[str]:
    """How many were done, and how many were refused in which way; an unexpected failure with its text."""
    return Counter(_outcome(result) for result in results)


def _outcome(result: Any) -> str:
    if isinstance(result, DomainError):
        return type(result).__name__
    return f"{type(result).__name__}: {result}" if isinstance(result, Exception) else "done"
