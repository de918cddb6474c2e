"""A key-value store that outlives instances.

All instances of a filter share one store; filters do not see each other's. The store is bounded: when it is full, the
entries that expire first are removed.
"""

from ._host import host


def get(key: str) -> bytes | None:
    """The value of a key; None if the key is missing, has expired, or is a counter written by `add`."""
    return host().get(key)


def set(key: str, value: bytes, seconds: int) -> None:
    """Sets a key to a value that expires after `seconds`."""
    host().set(key, value, seconds)


def add(key: str, amount: int, seconds: int) -> int:
    """Adds `amount` to the counter at a key and returns the sum. A missing key counts as 0.

    The key expires `seconds` after its first addition; later additions do not extend that.
    """
    return host().add(key, amount, seconds)
