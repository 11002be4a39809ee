# SPDX-License-Identifier: MIT
"""The lab's side of physbuf: boards, reset types, trials, verdicts and evidence."""

__version__ = "0.1.0"
