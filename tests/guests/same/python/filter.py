"""The same filter as in `../rust` and `../javascript`. Uses every feature of the contract."""

from typing import Any

from gischat_filter import (
    Filter,
    Message,
    Pattern,
    Sanction,
    Sender,
    Verdict,
    clock,
    hold,
    passed,
    reject,
    replace,
    room,
    shadow,
    store,
)


class Same(Filter):
    name = "same"
    version = "0.1.0"
    kinds = ("text", "like")

    def configure(self, settings: dict[str, Any]) -> None:
        self.settings = settings
        self.words = Pattern.compile(rf"\b(?:{'|'.join(settings['words']).lower()})\b")
        self.addresses = Pattern.compile(r"\b(\w)\w*@(\w+\.\w+)")
        self.mentions = Pattern.compile(r"@\w+")

    def check(self, message: Message, sender: Sender) -> Verdict:
        if sender.trusted:
            return passed(labels=["trusted"])
        if found := self.words.find(message.folded):
            word = message.folded[found.start : found.end]
            return reject(f"“{word}” is no word for {message.room}.", labels=["word"], sanction=Sanction("mute", 60))
        hour = clock.now() // 3_600_000 % 24
        if hour >= self.settings["closes"]:
            return hold(f"It is {hour} o'clock.")
        settled = sender.seconds_connected >= self.settings["settles"] and sender.refused == 0
        if "https://" in message.text and not sender.registered and sender.accepted == 0 and not settled:
            return shadow(labels=["newcomer"])
        if self.addresses.is_match(message.text):
            return replace(self.addresses.replace_all(message.text, "${1}…@$2"), labels=["address"])
        text = self.without_mentions_of_nobody(message.text)
        if text != message.text:
            return replace(text, labels=["mention"])
        return self.again(message, sender) or passed(
            labels=["crowd"] if room.members() >= self.settings["crowd"] else []
        )

    def check_nickname(self, nickname: str, room: str, sender: Sender) -> Verdict:
        if nickname in self.settings["reserved"] and not sender.trusted:
            return reject(f"Nobody is {nickname} of {room}.")
        return passed()

    def again(self, message: Message, sender: Sender) -> Verdict | None:
        """The verdict on a text that this address has just sent."""
        last, folded = f"last {sender.address}", message.folded.encode()
        is_again = store.get(last) == folded
        store.set(last, folded, 60)
        if not is_again:
            return None
        times = store.add(f"times {sender.address} {message.folded}", 1, 60) + 1
        if times > self.settings["most"]:
            return reject(f"This was said {times} times.", labels=["again"])
        return passed(labels=["again"])

    def without_mentions_of_nobody(self, text: str) -> str:
        names = room.names()
        clear, end = "", 0
        for span in self.mentions.find_all(text):
            name = text[span.start + 1 : span.end]
            clear += text[end : span.start] + ("@" if name in names else "") + name
            end = span.end
        return clear + text[end:]
