"""Where the kit finds the relay: in a component behind its imports, in a native test in an emulation."""

from collections.abc import Sequence
from typing import Protocol


class HostPattern(Protocol):
    """A compiled expression of the host. Parts of a text are pairs of start and end."""

    def is_match(self, text: str) -> bool: ...
    def find(self, text: str) -> tuple[int, int] | None: ...
    def find_all(self, text: str) -> list[tuple[int, int]]: ...
    def replace_all(self, text: str, replacement: str) -> str: ...


class Host(Protocol):
    """What a filter may ask of the relay."""

    def write(self, level: int, text: str) -> None: ...
    def now(self) -> int: ...
    def get(self, key: str) -> bytes | None: ...
    def set(self, key: str, value: bytes, seconds: int) -> None: ...
    def add(self, key: str, amount: int, seconds: int) -> int: ...
    def compile(self, expression: str) -> HostPattern: ...
    def room_members(self) -> int: ...
    def room_names(self) -> Sequence[str]: ...


_host: Host | None = None


def enter(new: Host | None) -> Host | None:
    """Makes `new` the host, and gives the one before it."""
    global _host
    before, _host = _host, new
    return before


def host() -> Host:
    """The relay."""
    if _host is None:
        raise RuntimeError("there is no relay here: in a test, use gischat_filter.testing.Harness")
    return _host
