"""What componentize-py makes a component of: the author's `filter.py` behind the functions of the contract."""

import filter

from gischat_filter._component import guest_of

Guest = guest_of(filter)
