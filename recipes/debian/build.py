# SPDX-License-Identifier: MIT
"""Build a board's firmware image from Debian packages: a bootable disk image and its manifest.

Needs neither root nor emulation of the target. Reads PHYSBUF_REGIONS, PHYSBUF_DEBIAN_MIRROR and
PHYSBUF_DEBIAN_SECURITY_MIRROR. Exit status: 0 built or up to date, 2 set-up or build failure, 130 interrupted.
"""

from __future__ import annotations

import argparse
import errno
import fcntl
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from boards import BOARDS, SAME_IMAGE
from image import PRODUCTS, TOP, Job, digest_of, inputs_key, make
from packages import require
from steps import BuildError

from physbuf.errors import PhysbufError
from physbuf.regions import parse_regions


def main() -> int:
    """Build unless what is there was built from the same inputs."""
    options = _arguments()
    try:
        job = _job(options)
        job.check()
        require(job.tools())
        with _one_at_a_time(job.work):
            _build(job, options.out, options.update)
    except (BuildError, PhysbufError) as error:
        print(f"recipes/debian: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        remedy = "; free some space and run again" if error.errno in (errno.ENOSPC, errno.EDQUOT) else ""
        print(f"recipes/debian: {error.filename or ''}: {error.strerror}{remedy}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("recipes/debian: interrupted; nothing was published", file=sys.stderr)
        return 130
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--board", choices=sorted([*BOARDS, *SAME_IMAGE]), default="qemu-x86_64", help="default %(default)s"
    )
    parser.add_argument("--out", type=Path, help="folder for disk.img and manifest.json (default out/image/BOARD)")
    parser.add_argument("--work", type=Path, default=TOP / "build/debian", help="cache: packages, toolchains")
    parser.add_argument("--regions", default=os.environ.get("PHYSBUF_REGIONS") or None,
                        help="the regions to reserve (PHYSBUF_REGIONS; default: the board's)")  # fmt: skip
    parser.add_argument("--arguments", help="the kernel's other boot arguments (default: the board's)")
    parser.add_argument("--no-reservation", action="store_true",
                        help="leave the reservation out of the boot loader, to test what happens then")  # fmt: skip
    parser.add_argument("--suite", help="Debian suite (default: the board's)")
    parser.add_argument("--kernel-tree", type=Path, metavar="DIR",
                        help="a kernel of your own: DIR/boot/vmlinuz-RELEASE, with the board's drivers built in, and "
                        "DIR/usr/lib/modules/RELEASE with physbuf.ko")  # fmt: skip
    parser.add_argument("--update", action="store_true", help="look for newer packages although nothing else changed")
    options = parser.parse_args()
    options.board = SAME_IMAGE.get(options.board, options.board)
    options.out = options.out or Path(os.path.relpath(TOP / "out/image" / options.board))
    return options


def _job(options: argparse.Namespace) -> Job:
    """What is asked for: the board's own, but for what an option says."""
    board = BOARDS[options.board]
    changed = {name: getattr(options, name) for name in ("suite", "arguments") if getattr(options, name) is not None}
    return Job(
        board=replace(board, **changed),
        regions=parse_regions(board.regions if options.regions is None else options.regions),
        work=options.work.resolve(),
        reservation=not options.no_reservation,
        kernel_tree=options.kernel_tree,
    )


def _build(job: Job, out: Path, update: bool) -> None:
    key = inputs_key(job)
    if not update and _is_finished(out, key):
        print(f"recipes/debian: {out}/disk.img is up to date", file=sys.stderr)
        return
    print(f"recipes/debian: building {out}/disk.img from Debian {job.board.suite}", file=sys.stderr)
    _refuse_foreign(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    prefix = f".physbuf-image.{out.name}."
    for killed in out.parent.glob(f"{prefix}*"):
        shutil.rmtree(killed)
    with tempfile.TemporaryDirectory(prefix=prefix, dir=out.parent) as temporary:
        finished = make(job, key, Path(temporary))
        _publish(finished, out)


def _is_finished(out: Path, key: str) -> bool:
    try:
        manifest = json.loads((out / "manifest.json").read_text())
        files = {"disk.img": manifest["image"]["sha256"], **manifest["image"]["beside"]}
        return bool(manifest["inputs"] == key) and all(digest_of(out / name) == files[name] for name in files)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _refuse_foreign(out: Path) -> None:
    """The folder is replaced as a whole: nobody else's files may be in it."""
    if not out.exists():
        return
    foreign = sorted({path.name for path in out.iterdir()} - PRODUCTS) if out.is_dir() else [out.name]
    if foreign:
        raise BuildError(f"--out {out} holds {foreign[0]!r}, which is no part of an image; name another folder")


def _publish(finished: Path, out: Path) -> None:
    """Swap the finished folder in; in between there is none, never half of one."""
    if out.exists():
        out.rename(finished.with_name("previous"))
    finished.rename(out)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


@contextmanager
def _one_at_a_time(work: Path) -> Iterator[None]:
    """Two builds share the toolchain's tree: the second waits."""
    work.mkdir(parents=True, exist_ok=True)
    with (work / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _interrupt)
    sys.exit(main())
