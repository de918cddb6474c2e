"""The base class of filters."""

from collections.abc import Sequence
from typing import Any, ClassVar

from ._types import Message, Sender, Verdict, passed


class SettingsError(ValueError):
    """The reason why a filter's settings are invalid, in words for the operator."""


class Filter:
    """A filter. Subclass it once in `filter.py`, and override `check`, `check_nickname` or both.

    Instances may be discarded at any time, and several may run concurrently: state that must last from one message to
    the next belongs in `store`. `self` may hold what `configure` computes from the settings.
    """

    name: ClassVar[str]
    version: ClassVar[str]
    kinds: ClassVar[Sequence[str]] = ("text",)
    """The kinds of message that it checks."""
    payload: ClassVar[bool] = False
    """Whether it needs `Message.payload`, which costs time."""

    def configure(self, settings: dict[str, Any]) -> None:
        """Called once, before any message. Raise a `SettingsError` for bad settings; any error prevents loading."""

    def check(self, message: Message, sender: Sender) -> Verdict:
        """Returns the verdict on a message."""
        return passed()

    def check_nickname(self, nickname: str, room: str, sender: Sender) -> Verdict:
        """Returns the verdict on the registration of a nickname in a room. `replace` is not allowed here."""
        return passed()

    @classmethod
    def hooks(cls) -> list[str]:
        """The names of the functions that the relay calls: those that the subclass overrides."""
        overridden = {
            "check": cls.check is not Filter.check,
            "check-nickname": cls.check_nickname is not Filter.check_nickname,
        }
        return [hook for hook, is_overridden in overridden.items() if is_overridden]
