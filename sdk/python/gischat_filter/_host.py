"""The kit's access to the relay: the imports of a component, or an emulation in a native test."""

from collections.abc import Sequence
from typing import Protocol


class HostPattern(Protocol):
    """A compiled expression of the host. Spans are pairs of start and end."""

    def is_match(self, text: str) -> bool: ...
    def find(self, text: str) -> tuple[int, int] | None: ...
    def find_all(self, text: str) -> list[tuple[int, int]]: ...
    def replace_all(self, text: str, replacement: str) -> str: ...


class Host(Protocol):
    """The functions of the relay that a filter may call."""

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
    """Makes `new` the current host and returns the previous one."""
    global _host
    before, _host = _host, new
    return before


def host() -> Host:
    """Returns the current host."""
    if _host is None:
        raise RuntimeError("there is no relay here: in a test, use gischat_filter.testing.Harness")
    return _host
