"""`my-filter`: refuses messages that contain a word from its settings."""

from typing import Any

from gischat_filter import Filter, Message, Pattern, Sender, Verdict, fold, passed, regex, reject


class MyFilter(Filter):
    name = "my-filter"
    version = "0.1.0"

    def configure(self, settings: dict[str, Any]) -> None:
        self.reason = settings["reason"]
        self.pattern = Pattern.compile(rf"\b{regex.escape(fold(settings['word']))}\b")

    def check(self, message: Message, sender: Sender) -> Verdict:
        if self.pattern.is_match(message.folded):
            return reject(self.reason, labels=["word"])
        return passed()
