"""Regular expressions that the relay runs, at full speed and never in more than linear time.

Their syntax is that of Rust's crate `regex`: Unicode throughout, no look-around, no back-references.
"""

from dataclasses import dataclass

from ._host import HostPattern, host

_SIGNS = frozenset("\\.+*?()|[]{}^$#&-~")


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a text, in code points, end exclusive: `text[span.start:span.end]`."""

    start: int
    end: int


class PatternError(ValueError):
    """What is wrong with an expression."""


class Pattern:
    """A compiled expression. Compile in `configure`, not for each message."""

    __slots__ = ("_pattern",)

    def __init__(self, pattern: HostPattern) -> None:
        self._pattern = pattern

    @classmethod
    def compile(cls, expression: str) -> "Pattern":
        """Compiles an expression; raises a `PatternError`."""
        return cls(host().compile(expression))

    def is_match(self, text: str) -> bool:
        """Whether it occurs in a text."""
        return self._pattern.is_match(text)

    def find(self, text: str) -> Span | None:
        """Where it occurs first."""
        found = self._pattern.find(text)
        return None if found is None else Span(*found)

    def find_all(self, text: str) -> list[Span]:
        """Where it occurs, in order and without overlaps, at most a thousand times."""
        return [Span(*found) for found in self._pattern.find_all(text)]

    def replace_all(self, text: str, replacement: str) -> str:
        """The text with each occurrence replaced; `$1` or `$name` stand for groups, `$$` for `$`."""
        return self._pattern.replace_all(text, replacement)


def escape(text: str) -> str:
    """An expression for this text itself. (`re.escape` escapes more than the relay's expressions allow.)"""
    return "".join(f"\\{sign}" if sign in _SIGNS else sign for sign in text)
