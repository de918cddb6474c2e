"""The kit for gischat-relay filters. Start at `Filter`; the contract is `sdk/wit/filter.wit`."""

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
