"""What relay and filter tell each other: the interface `types` of the contract."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, TypeAlias


@dataclass(frozen=True, slots=True)
class Message:
    """A message on its way to a room."""

    id: str
    """Its own id, a UUID."""
    room: str
    """The name of its room."""
    author: str
    """The name that it is sent under."""
    kind: str
    """What it is: `text`, or one of the other kinds that the filter asked for."""
    text: str
    """The words as they were sent, or as a filter before this one replaced them. Empty for kinds without words."""
    folded: str
    """The words in the form that they are best compared in, see `fold`."""
    avatar: str | None
    """The file name of the sender's avatar."""
    payload: str | None
    """All of the message as JSON, if the filter asked for it."""
    at: int
    """When the relay got it, in milliseconds since 1970-01-01T00:00:00Z."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends a message."""

    connection: int | None
    """A number for its connection, never used again while the relay runs; None for a message without one."""
    address: str
    """Stands for its address: the same text for the same address while the relay runs, and of no other use."""
    registered: bool
    """Whether it speaks under a nickname that it registered."""
    seconds_connected: int
    """For how many whole seconds it has been connected; 0 without a connection."""
    accepted: int
    """How many of its messages were let through before this one, on this connection."""
    refused: int
    """How many were not."""
    trusted: bool
    """Whether a moderator trusts it."""


@dataclass(frozen=True, slots=True)
class Pass:
    """The message goes on to the next filter."""

    name: ClassVar[str] = "pass"


@dataclass(frozen=True, slots=True)
class Replace:
    """It goes on with this text."""

    text: str
    name: ClassVar[str] = "replace"


@dataclass(frozen=True, slots=True)
class Hold:
    """It is kept back until a moderator has looked at it."""

    name: ClassVar[str] = "hold"


@dataclass(frozen=True, slots=True)
class Shadow:
    """It is shown to its sender alone, who is not told."""

    name: ClassVar[str] = "shadow"


@dataclass(frozen=True, slots=True)
class Reject:
    """It is refused and its sender told why."""

    name: ClassVar[str] = "reject"


Action: TypeAlias = Pass | Replace | Hold | Shadow | Reject


@dataclass(frozen=True, slots=True)
class Sanction:
    """A consequence for the sender, which the relay's moderators may let happen."""

    kind: str
    """`warn`, `mute`, `kick` or `ban`."""
    seconds: int = 0
    """For how long; 0 for what has no duration."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a filter says of a message. The functions below make one."""

    action: Action
    reason: str | None = None
    """For the sender: one sentence."""
    labels: tuple[str, ...] = ()
    """For moderators: what the message is, such as `advertising`."""
    sanction: Sanction | None = None


def passed(*, labels: Iterable[str] = ()) -> Verdict:
    """Nothing is to be done; `labels` still tell moderators something. (`pass` is a word of the language.)"""
    return Verdict(Pass(), labels=tuple(labels))


def replace(text: str, reason: str | None = None, *, labels: Iterable[str] = ()) -> Verdict:
    """The message goes on with this text."""
    return Verdict(Replace(text), reason, tuple(labels))


def hold(reason: str | None = None, *, labels: Iterable[str] = (), sanction: Sanction | None = None) -> Verdict:
    """The message is kept back until a moderator has looked at it."""
    return Verdict(Hold(), reason, tuple(labels), sanction)


def shadow(*, labels: Iterable[str] = (), sanction: Sanction | None = None) -> Verdict:
    """The message is shown to its sender alone, who is not told."""
    return Verdict(Shadow(), None, tuple(labels), sanction)


def reject(reason: str, *, labels: Iterable[str] = (), sanction: Sanction | None = None) -> Verdict:
    """The message is refused and its sender told why."""
    return Verdict(Reject(), reason, tuple(labels), sanction)


def fold(text: str) -> str:
    """The form that `Message.folded` has of a text without disguises: Unicode's NFKC, then case folding."""
    # Decomposed first, for the iota below a Greek vowel folds to a letter of its own.
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKD", text).casefold())
