"""Tests of the native harness."""

import unittest
from datetime import datetime, timezone

from gischat_filter import (
    Filter,
    Message,
    Pattern,
    PatternError,
    Sender,
    SettingsError,
    Span,
    Verdict,
    clock,
    log,
    passed,
    regex,
    reject,
    room,
    store,
)
from gischat_filter.testing import Harness, somebody


class Counter(Filter):
    name = "counter"
    version = "0.1.0"

    def configure(self, settings: dict[str, object]) -> None:
        if "most" not in settings:
            raise SettingsError("`most` is missing")
        self.most = settings["most"]

    def check(self, message: Message, sender: Sender) -> Verdict:
        log.info(f"{message.author} at {clock.now()}")
        return reject("slow down") if store.add(sender.address, 1, 10) > self.most else passed()


class Probe(Filter):
    """Runs a function instead of a check."""

    name = "probe"
    version = "0.1.0"
    run = staticmethod(lambda: None)

    def check(self, message: Message, sender: Sender) -> Verdict:
        Probe.found = type(self).run()
        return passed()


def within_a_check(function):
    Probe.run = staticmethod(function)
    harness = Harness(Probe)
    harness.in_room(2, ["jane", "bob"])
    harness.check("hello")
    return Probe.found


class TheHarness(unittest.TestCase):
    def test_later_additions_do_not_extend_a_counter(self):
        counter = Harness(Counter, {"most": 1}, fresh=True)
        self.assertEqual(counter.check("a"), passed())
        counter.advance(9.999)
        self.assertEqual(counter.check("b"), reject("slow down"))
        counter.advance(0.001)
        self.assertEqual(counter.check("c"), passed())

    def test_senders_are_distinguished_by_address(self):
        counter = Harness(Counter, {"most": 1})
        self.assertEqual(counter.check("a", somebody(address="x")), passed())
        self.assertEqual(counter.check("a", somebody(address="y")), passed())
        self.assertEqual(counter.check("a", somebody(address="x")), reject("slow down"))

    def test_the_clock_shows_the_time_of_the_message(self):
        counter = Harness(Counter, {"most": 1})
        counter.check("a", at=datetime(2026, 11, 23, 10, tzinfo=timezone.utc))
        self.assertEqual(counter.log, [(log.Level.INFO, "jane at 1795428000000")])

    def test_a_bad_setting_refuses_the_filter(self):
        with self.assertRaisesRegex(SettingsError, "`most` is missing"):
            Harness(Counter)

    def test_kinds_that_the_filter_did_not_ask_for_are_skipped(self):
        counter = Harness(Counter, {"most": 0})
        self.assertEqual(counter.check("a", kind="like"), passed())
        self.assertEqual(counter.check("a"), reject("slow down"))

    def test_only_overridden_hooks_are_called(self):
        self.assertEqual(Counter.hooks(), ["check"])
        self.assertEqual(Harness(Counter, {"most": 0}).check_nickname("bob"), passed())

    def test_the_room_is_known_only_within_a_check(self):
        self.assertEqual(within_a_check(lambda: (room.members(), room.names())), (2, ["bob", "jane"]))
        with self.assertRaisesRegex(RuntimeError, "Harness"):
            room.members()

    def test_values_and_counters_are_distinct(self):
        def both():
            store.set("a", b"1", 10)
            added = store.add("a", 5, 10)
            return added, store.get("a")

        self.assertEqual(within_a_check(both), (5, None))


class Patterns(unittest.TestCase):
    def test_spans_count_code_points(self):
        find_all = lambda: Pattern.compile("[ab]").find_all("a👍b")
        self.assertEqual(within_a_check(find_all), [Span(0, 1), Span(2, 3)])

    def test_replacements_may_refer_to_groups(self):
        swap = lambda: Pattern.compile(r"(?<one>\w+) (\w+)\z").replace_all("see you", "$2 ${one} $$")
        self.assertEqual(within_a_check(swap), "you see $")

    def test_syntax_that_the_relay_does_not_support_is_rejected(self):
        for expression in ["(?=a)", "(?<!a)", r"(a)\1", "(", "(?P<a>b)(?P=a)"]:
            with self.subTest(expression), self.assertRaises(PatternError):
                within_a_check(lambda: Pattern.compile(expression))

    def test_escaped_characters_match_literally(self):
        for text in ["c++", "(?=", "a b-c&d~e", "1.0", r"\1"]:
            with self.subTest(text):
                is_match = lambda: Pattern.compile(f"^{regex.escape(text)}$").is_match(text)
                self.assertTrue(within_a_check(is_match))
