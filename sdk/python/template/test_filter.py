"""Native tests: `python3 -m unittest` in this folder, with the kit on PYTHONPATH or installed."""

import unittest
from pathlib import Path

from filter import MyFilter
from gischat_filter import Reject, passed
from gischat_filter.testing import Harness, failures


class TheFilter(unittest.TestCase):
    def test_the_golden_cases_are_true(self):
        self.assertEqual(failures(MyFilter, Path(__file__).parent), [])

    def test_the_word_is_refused(self):
        filter = Harness(MyFilter, {"word": "spam", "reason": "No."})
        self.assertEqual(filter.check("Spam!").action, Reject())
        self.assertEqual(filter.check("ham"), passed())


if __name__ == "__main__":
    unittest.main()
