"""What a filter for gischat-relay is written with. See `Filter`; `sdk/wit/filter.wit` is the contract behind it."""

from . import clock, log, regex, room, store
from ._filter import Filter, SettingsError
from ._types import (
    Action,
    Hold,
    Message,
    Pass,
    Reject,
    Replace,
    Sanction,
    Sender,
    Shadow,
    Verdict,
    fold,
    hold,
    passed,
    reject,
    replace,
    shadow,
)
from .regex import Pattern, PatternError, Span

__all__ = [
    "Action",
    "Filter",
    "Hold",
    "Message",
    "Pass",
    "Pattern",
    "PatternError",
    "Reject",
    "Replace",
    "Sanction",
    "Sender",
    "SettingsError",
    "Shadow",
    "Span",
    "Verdict",
    "clock",
    "fold",
    "hold",
    "log",
    "passed",
    "regex",
    "reject",
    "replace",
    "room",
    "shadow",
    "store",
]
