# SPDX-License-Identifier: MIT
"""sparse, the kernel's own checker: kbuild runs it beside the compiler, and what it says about our files counts.

What it says about the kernel's headers does not: Debian's newest kernel may be newer than its sparse.
"""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["PACKAGE", "VARIABLES", "Watch"]

PACKAGE = "sparse"
# The first is what kbuild makes of C=1. Debian's headers lack the script by which newer kernels try sparse, and C=1 is
# taken back without it. The second: sparse goes silent after 100 warnings, which the headers alone could use up.
VARIABLES = ("KBUILD_CHECKSRC=1", "CF=-fmax-warnings=unlimited")

# A fault that the compiler does not see, as the last lines of each file. Where sparse does not find it, for instance
# because a header's syntax was new to it, its silence about the file means nothing.
CONTROL = """
#ifdef __CHECKER__
static int sparse_control(int __attribute__((noderef)) *fault) { return *fault; }
#endif
"""

_COMPLAINT = re.compile(r"^(\S+?):(\d+):\d+: (?:warning|error): .*", re.MULTILINE)


class Watch:
    """Over the sources below ``folder``, a copy that may be written to; ``root`` is the root of the build's chroot."""

    def __init__(self, folder: Path, root: Path) -> None:
        self._root = root
        self._folder = folder.resolve()
        self._sources = sorted(self._folder.rglob("*.c"))
        for source in self._sources:
            source.write_text(source.read_text() + CONTROL)

    def complaints(self, said: str) -> list[str]:
        """What sparse has against our files, out of what the build said; and the files it was blind for."""
        blind = {source for source in self._sources if source.with_suffix(".o").exists()}
        faults = []
        for match in _COMPLAINT.finditer(said):
            path = self._own(match[1])
            if path and "sparse_control" in path.read_text().splitlines()[int(match[2]) - 1]:
                blind.discard(path)
            elif path:
                faults.append(match[0])
        return faults + [f"{path.name}: sparse does not find the fault put there for it" for path in sorted(blind)]

    def _own(self, name: str) -> Path | None:
        """Our file of this name: kbuild uses full paths, from 6.13 on paths as seen from the folder of the sources."""
        folders = {self._root} if name.startswith("/") else {source.parent for source in self._sources}
        for folder in folders:
            path = (folder / name.lstrip("/")).resolve()
            if path.is_file() and path.is_relative_to(self._folder):
                return path
        return None
