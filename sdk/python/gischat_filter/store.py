"""What a filter remembers from one message to the next. All its instances share it, and no other filter sees it.

It is bounded: when it is full, what is nearest to its end goes.
"""

from ._host import host


def get(key: str) -> bytes | None:
    """The value of a key; None when there is none, or its time is up. A number of `add` is no value."""
    return host().get(key)


def set(key: str, value: bytes, seconds: int) -> None:
    """Sets the value of a key for so many seconds."""
    host().set(key, value, seconds)


def add(key: str, amount: int, seconds: int) -> int:
    """Adds to the number of a key, which is 0 when there is none, and gives the sum. The key is kept for so many
    seconds from its first number on; later additions do not prolong that."""
    return host().add(key, amount, seconds)
