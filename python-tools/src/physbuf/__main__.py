# SPDX-License-Identifier: MIT
"""``python -m physbuf``."""

from .cli import main

raise SystemExit(main())
