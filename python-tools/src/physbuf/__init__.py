# SPDX-License-Identifier: MIT
"""RAM that survives a reboot: regions, digests and the record log.

Names are loaded at first use: the builds import only ``regions`` and ``reservation``, without the compiled extension.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .errors import PhysbufError
    from .log import LogReader, LogWriter, Record, Report, format_log
    from .region import Region

__all__ = [
    "LogReader",
    "LogWriter",
    "PhysbufError",
    "Record",
    "Region",
    "Report",
    "format_log",
]
__version__ = "0.1.0"

_HOME = {
    "LogReader": "log",
    "LogWriter": "log",
    "PhysbufError": "errors",
    "Record": "log",
    "Region": "region",
    "Report": "log",
    "format_log": "log",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'physbuf' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_HOME[name]}", __name__), name)
