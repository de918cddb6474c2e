"""The room of the message being checked, as it was when the message arrived. Empty outside of a check."""

from ._host import host


def members() -> int:
    """The number of connections."""
    return host().room_members()


def names() -> list[str]:
    """The registered nicknames, sorted."""
    return list(host().room_names())
