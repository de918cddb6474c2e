"""The room of the message that is being checked, as it was when the message came. Empty outside of a check."""

from ._host import host


def members() -> int:
    """How many connections it has."""
    return host().room_members()


def names() -> list[str]:
    """The registered nicknames, sorted."""
    return list(host().room_names())
