# SPDX-License-Identifier: MIT
"""The compiled extension (build_native.py)."""

from typing import Any

ffi: Any
lib: Any
