# SPDX-License-Identifier: MIT
"""How the build runs other programs and says what it is doing."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

__all__ = ["BuildError", "run", "step"]

SBIN = "/usr/sbin:/sbin"
PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None)


class BuildError(Exception):
    """What stopped the build, in one line that names the thing, the value and the remedy."""


def run(
    command: Sequence[str | Path],
    env: dict[str, str] | None = None,
    cwd: Path | None = None,
    stdin: IO[Any] | None = None,
    shown: Sequence[str] = (),
) -> str:
    """Run a program to its end and return its standard output.

    BuildError holds the last lines of a failed one, and ``shown`` in place of the command where that would say less.
    """
    environment = dict(os.environ if env is None else env)
    environment["PATH"] = f"{environment.get('PATH', '/usr/bin:/bin')}:{SBIN}"
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words,
            env=environment,
            cwd=cwd,
            stdin=stdin or subprocess.DEVNULL,
            capture_output=True,
            text=True,
            preexec_fn=_die_with_the_build,
        )
    except FileNotFoundError as error:
        raise BuildError(f"missing tool {words[0]}: {error.strerror}") from error
    if done.returncode:
        tail = "; ".join(line.strip() for line in (done.stderr or done.stdout).strip().splitlines()[-6:])
        raise BuildError(f"`{' '.join(shown or words)[:200]}` failed with status {done.returncode}: {tail}")
    return done.stdout


def _die_with_the_build() -> None:
    """A killed build leaves nothing behind that would work beside the next one."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


@contextmanager
def step(what: str) -> Iterator[None]:
    """Say what is being done, and how long it took."""
    sys.stderr.write(f"  {what} ...")
    sys.stderr.flush()
    start = time.monotonic()
    try:
        yield
    except BaseException:
        sys.stderr.write(" failed\n")
        raise
    sys.stderr.write(f" {time.monotonic() - start:.1f} s\n")
