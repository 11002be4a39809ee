# SPDX-License-Identifier: MIT
"""The target suite's own compiler, kernel headers and Python, unpacked beside the build and run in a chroot.

The kernel's build tools and the C library of the target are newer than the host's, so compiling happens inside: in
namespaces of its own, as root directly, as an ordinary user through a user namespace.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from packages import Archive, Deb, unpack
from sources import copy_sources
from steps import BuildError, run

__all__ = ["Toolchain"]

# What every build needs, to which a job adds its own.
PACKAGES = ("bash", "coreutils", "dash", "findutils", "gcc", "grep", "libc6-dev", "make", "mawk", "sed")
# What the packages' maintainer scripts would have linked.
LINKS = {"usr/bin/sh": "dash", "usr/bin/awk": "mawk", "usr/bin/cc": "gcc"}
# pip wants to load these even without a network; the package's maintainer script would have written them.
CERTIFICATES = "etc/ssl/certs/ca-certificates.crt"
LEAVE_OUT = ("usr/share/doc/*", "usr/share/man/*", "usr/share/locale/*")
WORK = Path("build")

# Only the nodes that a compiler needs, never the whole of /dev, and all unmounted in the end: in a chroot "/" is no
# mount of its own and cannot be made private, so mounts may be seen outside; no later cleanup may find them.
_ENTER = """
mount --make-rprivate / 2>/dev/null || :
tree=$0
leave() {
    for place in proc dev/null dev/zero dev/random dev/urandom; do umount "$tree/$place" 2>/dev/null; done
}
trap leave EXIT
mkdir -p "$tree/dev/shm"
for node in null zero random urandom; do
    : >>"$tree/dev/$node" && mount --bind "/dev/$node" "$tree/dev/$node" || exit
done
mount -t proc proc "$tree/proc" || exit
chroot "$tree" /usr/bin/env -i PATH=/usr/bin:/usr/sbin LC_ALL=C.UTF-8 HOME=/tmp \\
    SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-0}" sh -c 'cd "$0" && exec "$@"' "$@"
"""


class Toolchain:
    """A tree to compile in; ``work`` is the folder inside that sources are copied to."""

    def __init__(self, tree: Path) -> None:
        self.tree = tree
        self.work = tree / WORK

    def unpack(self, archive: Archive, packages: Iterable[str], foreign: Iterable[Deb] = ()) -> None:
        """Make the tree from a job's packages and all they need; a broken attempt leaves no finished mark.

        ``foreign`` packages, of another architecture for instance, are unpacked beside them as they are.
        """
        debs = [*archive.closure([*PACKAGES, *packages]), *foreign]
        wanted = f"{LINKS}\n" + "".join(f"{deb.path.name}\n" for deb in debs)
        mark = self.tree / "unpacked"
        if mark.is_file() and mark.read_text() == wanted:
            return
        if self.tree.exists():
            shutil.rmtree(self.tree)
        unpack(debs, self.tree, LEAVE_OUT)
        for link, to in LINKS.items():
            if not (self.tree / link).is_symlink():
                (self.tree / link).symlink_to(to)
        for folder in ("dev", "etc/ssl/certs", "proc", "tmp"):
            (self.tree / folder).mkdir(parents=True, exist_ok=True)
        authorities = sorted((self.tree / "usr/share/ca-certificates").rglob("*.crt"))
        (self.tree / CERTIFICATES).write_bytes(b"".join(path.read_bytes() for path in authorities))
        mark.write_text(wanted)

    def copy_in(self, *sources: Path) -> None:
        """Lay fresh copies of source folders into the work folder."""
        shutil.rmtree(self.work, ignore_errors=True)
        self.work.mkdir()
        for source in sources:
            copy_sources(source, self.work / source.name)

    def run(self, *command: str, folder: str = "") -> str:
        """Run a program inside, in a folder below the work folder; BuildError when it fails."""
        namespaces = ["--mount", "--propagation", "unchanged", "--pid", "--fork", "--kill-child"]
        if os.geteuid():
            namespaces.insert(0, "--map-root-user")
        try:
            return run(
                ["unshare", *namespaces, "sh", "-c", _ENTER, self.tree, f"/{WORK / folder}", *command],
                shown=["toolchain:", *command],
            )
        except BuildError as error:
            if "unshare failed" in str(error):
                raise BuildError(f"{error}; run as root, or allow user namespaces on this host") from error
            raise
