"""Regular expressions that the relay runs, at native speed and in linear time.

The syntax is that of the Rust crate `regex`: Unicode throughout, no look-around, no back-references.
"""

from dataclasses import dataclass

from ._host import HostPattern, host

_SPECIAL = frozenset("\\.+*?()|[]{}^$#&-~")


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a text, in code points, end exclusive: `text[span.start:span.end]`."""

    start: int
    end: int


class PatternError(ValueError):
    """The reason why an expression does not compile."""


class Pattern:
    """A compiled expression. Compile it in `configure`, not for each message."""

    __slots__ = ("_pattern",)

    def __init__(self, pattern: HostPattern) -> None:
        self._pattern = pattern

    @classmethod
    def compile(cls, expression: str) -> "Pattern":
        """Compiles an expression; raises a `PatternError`."""
        return cls(host().compile(expression))

    def is_match(self, text: str) -> bool:
        """Whether the text has a match."""
        return self._pattern.is_match(text)

    def find(self, text: str) -> Span | None:
        """The first match."""
        found = self._pattern.find(text)
        return None if found is None else Span(*found)

    def find_all(self, text: str) -> list[Span]:
        """All matches, in order and without overlaps; at most 1000."""
        return [Span(*found) for found in self._pattern.find_all(text)]

    def replace_all(self, text: str, replacement: str) -> str:
        """The text with each match replaced. `$1` and `$name` stand for groups, `$$` for `$`."""
        return self._pattern.replace_all(text, replacement)


def escape(text: str) -> str:
    """Escapes a text so that it matches literally. (`re.escape` escapes more than the relay allows.)"""
    return "".join(f"\\{char}" if char in _SPECIAL else char for char in text)
