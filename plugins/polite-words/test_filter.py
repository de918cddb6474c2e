"""Native tests: `PYTHONPATH=../../sdk/python python3 -m unittest` in this folder."""

import unittest
from pathlib import Path

from filter import PoliteWords, expression
from gischat_filter import SettingsError, passed, replace
from gischat_filter.testing import Harness, failures


class TheFilter(unittest.TestCase):
    def test_the_golden_cases_are_true(self):
        self.assertEqual(failures(PoliteWords, Path(__file__).parent), [])

    def test_a_word_is_masked_in_the_text_as_it_was_sent(self):
        polite = Harness(PoliteWords, {"words": ["Heck"]})
        self.assertEqual(polite.check("What the HECK"), replace("What the ****", labels=["impolite"]))
        self.assertEqual(polite.check("What the check"), passed())

    def test_the_longest_words_come_first(self):
        self.assertEqual(expression(["foo", "Foo Bar", "foo"]), r"\bfoo bar\b|\bfoo\b")

    def test_bad_settings_refuse_the_filter(self):
        for settings in [{"words": "darn"}, {"words": [""]}, {"words": [1]}, {"action": "hide"}, {"reason": 1}]:
            with self.subTest(settings), self.assertRaises(SettingsError):
                Harness(PoliteWords, settings)


if __name__ == "__main__":
    unittest.main()
