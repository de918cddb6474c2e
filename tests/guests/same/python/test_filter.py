"""Native tests: `PYTHONPATH=../../../../sdk/python python3 -m unittest` in this folder."""

import unittest
from pathlib import Path

from filter import Same
from gischat_filter.testing import failures


class TheFilter(unittest.TestCase):
    def test_the_golden_cases_are_true(self):
        self.assertEqual(failures(Same, Path(__file__).parent.parent), [])


if __name__ == "__main__":
    unittest.main()
