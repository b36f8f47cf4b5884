"""Market data from files, and the instruments that it is about.

From the bottom up: `refusals` words what is wrong, `reading` opens CSV and Parquet,
`stamps` and `numbers` give columns their types, `checks` looks at every bar, `span`
reads a range of time, `files` puts them together, `yamlfile` reads YAML and knows
where each value stands, `instruments` names what is traded.
"""

from __future__ import annotations

from holdfast_adapters.data.files import load_bars
from holdfast_adapters.data.instruments import instruments_for, load_instruments

__all__ = ["instruments_for", "load_bars", "load_instruments"]
