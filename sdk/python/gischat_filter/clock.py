"""The only clock."""

from ._host import host


def now() -> int:
    """When the relay got the message that is being checked, in milliseconds since 1970-01-01T00:00:00Z; outside of a
    check, when the filter was loaded. It does not go on during a check."""
    return host().now()
