"""The entry point for componentize-py: exports the author's `filter.py` as the functions of the contract."""

import filter

from gischat_filter._component import guest_of

Guest = guest_of(filter)
