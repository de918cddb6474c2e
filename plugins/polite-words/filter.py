"""`polite-words`: masks or refuses the words of a list."""

from typing import Any

from gischat_filter import (
    Filter,
    Message,
    Pattern,
    Sender,
    SettingsError,
    Span,
    Verdict,
    fold,
    passed,
    regex,
    reject,
    replace,
)

LABELS = ["impolite"]


class PoliteWords(Filter):
    name = "polite-words"
    version = "0.1.0"

    def configure(self, settings: dict[str, Any]) -> None:
        self.action = settings.get("action", "replace")
        if self.action not in ("replace", "reject"):
            raise SettingsError(f'`action` must be "replace" or "reject", not {self.action!r}')
        self.reason = settings.get("reason", "Please keep it polite.")
        if not isinstance(self.reason, str):
            raise SettingsError("`reason` must be a string")
        words = settings.get("words", [])
        if not isinstance(words, list) or not all(isinstance(word, str) and word.strip() for word in words):
            raise SettingsError("`words` must be a list of words")
        self.pattern = Pattern.compile(expression(words)) if words else None

    def check(self, message: Message, sender: Sender) -> Verdict:
        found = self.pattern.find_all(message.folded) if self.pattern else []
        if not found:
            return passed()
        if self.action == "replace" and (masked := mask(message, found)) is not None:
            return replace(masked, labels=LABELS)
        return reject(self.reason, labels=LABELS)


def expression(words: list[str]) -> str:
    """Returns one expression for all words, longest first, so that `foo bar` takes precedence over `foo`."""
    folded = sorted({fold(word).strip() for word in words}, key=lambda word: (-len(word), word))
    return "|".join(boundary(word[0]) + regex.escape(word) + boundary(word[-1]) for word in folded)


def boundary(char: str) -> str:
    """Returns `\\b` next to a letter, and nothing next to punctuation, as in `c++`, where `\\b` would not match."""
    return r"\b" if char.isalnum() or char == "_" else ""


def mask(message: Message, found: list[Span]) -> str | None:
    """Masks the spans found in the folded text; None if the folded text is not aligned with the text."""
    text = list(message.text)
    if len(text) != len(message.folded):
        return None
    for span in found:
        # Folding may lengthen one part of a text and shorten another.
        if fold("".join(text[span.start : span.end])) != message.folded[span.start : span.end]:
            return None
        text[span.start : span.end] = "*" * (span.end - span.start)
    return "".join(text)
