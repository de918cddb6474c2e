"""The types that the relay and a filter exchange: the interface `types` of the contract."""

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
    """The name that the message is sent under."""
    kind: str
    """The kind: `text`, or another one that the filter asked for."""
    text: str
    """The text as it was sent, or as an earlier filter replaced it. Empty for kinds without text."""
    folded: str
    """The text in a form for comparison; see `fold`."""
    avatar: str | None
    """The file name of the sender's avatar."""
    payload: str | None
    """The whole message as JSON, if the filter asked for it."""
    at: int
    """When the relay received it, in milliseconds since 1970-01-01T00:00:00Z."""


@dataclass(frozen=True, slots=True)
class Sender:
    """The sender of a message."""

    connection: int | None
    """The number of its connection, never reused while the relay runs; None for a message without a connection."""
    address: str
    """An opaque token for its address: the same address has the same token while the relay runs."""
    registered: bool
    """Whether it sends under a nickname that it registered."""
    seconds_connected: int
    """How long it has been connected, in whole seconds; 0 without a connection."""
    accepted: int
    """How many messages on this connection were accepted before this one."""
    refused: int
    """How many messages on this connection were refused before this one."""
    trusted: bool
    """Whether a moderator trusts it."""


@dataclass(frozen=True, slots=True)
class Pass:
    """Pass the message on to the next filter."""

    name: ClassVar[str] = "pass"


@dataclass(frozen=True, slots=True)
class Replace:
    """Pass it on with this text instead of its own."""

    text: str
    name: ClassVar[str] = "replace"


@dataclass(frozen=True, slots=True)
class Hold:
    """Hold it for a moderator."""

    name: ClassVar[str] = "hold"


@dataclass(frozen=True, slots=True)
class Shadow:
    """Show it only to its sender, without saying so."""

    name: ClassVar[str] = "shadow"


@dataclass(frozen=True, slots=True)
class Reject:
    """Refuse it and tell its sender why."""

    name: ClassVar[str] = "reject"


Action: TypeAlias = Pass | Replace | Hold | Shadow | Reject


@dataclass(frozen=True, slots=True)
class Sanction:
    """A proposed sanction against the sender. The relay applies it if the filter enforces."""

    kind: str
    """`warn`, `mute`, `kick` or `ban`."""
    seconds: int = 0
    """The duration in seconds; 0 for a sanction without a duration."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A filter's verdict on a message. Made by the functions below."""

    action: Action
    reason: str | None = None
    """The reason that the sender sees: one sentence."""
    labels: tuple[str, ...] = ()
    """Labels for moderators, such as `advertising`."""
    sanction: Sanction | None = None


def passed(*, labels: Iterable[str] = ()) -> Verdict:
    """Passes the message on, with optional labels for moderators. (`pass` is a keyword.)"""
    return Verdict(Pass(), labels=tuple(labels))


def replace(text: str, reason: str | None = None, *, labels: Iterable[str] = ()) -> Verdict:
    """Passes the message on with this text instead of its own."""
    return Verdict(Replace(text), reason, tuple(labels))


def hold(reason: str | None = None, *, labels: Iterable[str] = (), sanction: Sanction | None = None) -> Verdict:
    """Holds the message for a moderator."""
    return Verdict(Hold(), reason, tuple(labels), sanction)


def shadow(*, labels: Iterable[str] = (), sanction: Sanction | None = None) -> Verdict:
    """Shows the message only to its sender, without saying so."""
    return Verdict(Shadow(), None, tuple(labels), sanction)


def reject(reason: str, *, labels: Iterable[str] = (), sanction: Sanction | None = None) -> Verdict:
    """Refuses the message and tells its sender why."""
    return Verdict(Reject(), reason, tuple(labels), sanction)


def fold(text: str) -> str:
    """Folds a text like `Message.folded`, except for disguises: NFKC, then case folding."""
    # Decomposed first, because the iota below a Greek vowel folds to a separate letter.
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKD", text).casefold())
