"""The only clock that a filter has."""

from ._host import host


def now() -> int:
    """The time at which the relay received the message being checked, in milliseconds since 1970-01-01T00:00:00Z.

    Outside of a check, the time at which the filter was loaded. The clock does not advance during a check.
    """
    return host().now()
