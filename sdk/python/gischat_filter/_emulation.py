"""An emulated relay for native tests: a clock that the test advances, a store in memory, and a log that is a list."""

import re
from collections.abc import Sequence
from itertools import islice

from .log import Level
from .regex import PatternError

# Syntax that Python's `re` supports and the relay does not. Escaped characters are skipped.
_FOREIGN = re.compile(r"\\[1-9]|\\.|(?P<foreign>\(\?(?:<?[=!]|P=|>|\())", re.DOTALL)
_GROUP = re.compile(r"\$(?:\$|\{(?P<braced>[^}]*)\}|(?P<bare>[0-9A-Za-z_]+))")


class EmulatedPattern:
    """An expression run by Python's `re`.

    It behaves almost like the relay's: `\\p{...}` is not supported, `\\w` and `\\b` do not treat combining marks as
    letters, and the running time may be more than linear. The golden cases, which the relay runs, are authoritative.
    """

    def __init__(self, expression: str) -> None:
        for found in _FOREIGN.finditer(expression):
            if found["foreign"] or found[0][1:].isdigit():
                raise PatternError(f"the relay's expressions have no look-around and no back-references: {found[0]}")
        # The relay also accepts `(?<name>` and `\z`.
        translated = re.sub(r"(\\.)|\(\?<(?=[A-Za-z_])", lambda m: m[1] or "(?P<", expression, flags=re.DOTALL)
        translated = re.sub(r"\\(.)", lambda m: r"\Z" if m[1] == "z" else m[0], translated, flags=re.DOTALL)
        try:
            self._pattern = re.compile(translated)
        except re.error as error:
            raise PatternError(str(error)) from None

    def is_match(self, text: str) -> bool:
        return self._pattern.search(text) is not None

    def find(self, text: str) -> tuple[int, int] | None:
        found = self._pattern.search(text)
        return None if found is None else found.span()

    def find_all(self, text: str) -> list[tuple[int, int]]:
        return [found.span() for found in islice(self._pattern.finditer(text), 1_000)]

    def replace_all(self, text: str, replacement: str) -> str:
        def expand(found: re.Match[str]) -> str:
            def group(reference: re.Match[str]) -> str:
                if reference[0] == "$$":
                    return "$"
                name = reference["braced"] or reference["bare"] or ""
                try:
                    return found[int(name) if name.isdecimal() else name] or ""
                except IndexError:
                    return ""

            return _GROUP.sub(group, replacement)

        return self._pattern.sub(expand, text)


class Emulation:
    """The emulated relay. Its store has no bounds."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.lines: list[tuple[Level, str]] = []
        self.members = 0
        self.names: list[str] = []
        self.checking = False
        self._store: dict[str, tuple[bytes | int, int]] = {}

    def write(self, level: int, text: str) -> None:
        self.lines.append((Level(level), text))

    def now(self) -> int:
        return self.at

    def get(self, key: str) -> bytes | None:
        value = self._unexpired(key)
        return value if isinstance(value, bytes) else None

    def set(self, key: str, value: bytes, seconds: int) -> None:
        self._store[key] = (bytes(value), self.at + seconds * 1_000)

    def add(self, key: str, amount: int, seconds: int) -> int:
        number = self._unexpired(key)
        if isinstance(number, int):
            self._store[key] = (number + amount, self._store[key][1])
            return number + amount
        self._store[key] = (amount, self.at + seconds * 1_000)
        return amount

    def compile(self, expression: str) -> EmulatedPattern:
        return EmulatedPattern(expression)

    def room_members(self) -> int:
        return self.members if self.checking else 0

    def room_names(self) -> Sequence[str]:
        return sorted(self.names) if self.checking else []

    def _unexpired(self, key: str) -> bytes | int | None:
        value, expires_at = self._store.get(key, (None, 0))
        return value if expires_at > self.at else None
