"""The class that a filter is a subclass of."""

from collections.abc import Sequence
from typing import Any, ClassVar

from ._types import Message, Sender, Verdict, passed


class SettingsError(ValueError):
    """What is wrong with the settings of a filter, in words for the operator."""


class Filter:
    """A filter. Subclass it once in `filter.py`, and write `check` or `check_nickname` or both.

    An instance may be thrown away at any time and there may be several: what is to be remembered from one message to
    the next belongs in `store`. What `configure` makes of the settings may well stand in `self`.
    """

    name: ClassVar[str]
    version: ClassVar[str]
    kinds: ClassVar[Sequence[str]] = ("text",)
    """The kinds of message that it wants to see."""
    payload: ClassVar[bool] = False
    """Whether it wants `Message.payload`, which costs time."""

    def configure(self, settings: dict[str, Any]) -> None:
        """Called once, before any message. An error refuses the filter; a `SettingsError` says why."""

    def check(self, message: Message, sender: Sender) -> Verdict:
        """Says what is to be done with a message."""
        return passed()

    def check_nickname(self, nickname: str, room: str, sender: Sender) -> Verdict:
        """Says whether somebody may register a nickname in a room. `replace` is no answer here."""
        return passed()

    @classmethod
    def hooks(cls) -> list[str]:
        """The names of the functions that it wants called: those that it wrote."""
        written = {
            "check": cls.check is not Filter.check,
            "check-nickname": cls.check_nickname is not Filter.check_nickname,
        }
        return [hook for hook, is_written in written.items() if is_written]
