# SPDX-License-Identifier: MIT
"""What of sparse's complaints counts: those about our files, under both names that kbuild gives them; and silence."""

from __future__ import annotations

from pathlib import Path

import pytest
from sparse import Watch


class Build:
    """A module of two sources and a sample in a chroot, as if kbuild had compiled them."""

    def __init__(self, root: Path) -> None:
        self.folder = root / "build/module"
        self.files = ("main.c", "file.c", "samples/edu.c", "physbuf.h", "include/uapi/linux/physbuf.h")
        for name in self.files:
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("int x;\n" * 5)
        self.watch = Watch(self.folder, root)
        for source in self.folder.rglob("*.c"):
            source.with_suffix(".o").touch()

    def controls(self, prefix: str = "/build/module/") -> str:
        """What sparse says about the fault at the end of each source, when it works."""
        return "".join(
            f"{prefix}{name if prefix else Path(name).name}:{line}:67: warning: dereference of noderef expression\n"
            for name in self.files
            for line, text in enumerate((self.folder / name).read_text().splitlines(), 1)
            if "*fault; }" in text
        )


@pytest.fixture
def build(tmp_path: Path) -> Build:
    return Build(tmp_path)


@pytest.mark.parametrize("prefix", ["/build/module/", ""])
def test_clean(build: Build, prefix: str) -> None:
    assert len(build.controls(prefix).splitlines()) == 3
    assert build.watch.complaints(build.controls(prefix)) == []


@pytest.mark.parametrize(
    "name",
    ["/build/module/main.c", "main.c", "edu.c", "/build/module/samples/../physbuf.h", "./include/uapi/linux/physbuf.h"],
)
@pytest.mark.parametrize("severity", ["warning", "error"])
def test_our_files_count(build: Build, name: str, severity: str) -> None:
    complaint = f"{name}:3:9: {severity}: incorrect type in argument 1"
    assert build.watch.complaints(f"{build.controls()}{complaint}\n    expected void *\n") == [complaint]


def test_the_kernel_s_headers_do_not_count(build: Build) -> None:
    headers = (
        "./include/linux/mm.h",
        "/usr/src/linux-headers-7-common/include/linux/fs.h",
        "arch/x86/include/asm/io.h",
    )
    noise = "".join(f"{name}:3:9: error: Expected ; at end of declaration\n" for name in headers)
    assert build.watch.complaints(noise + build.controls()) == []


def test_silence_about_a_compiled_file_is_no_clean_bill(build: Build) -> None:
    without_main = "".join(line for line in build.controls().splitlines(keepends=True) if "main.c" not in line)
    [complaint] = build.watch.complaints(without_main)
    assert complaint.startswith("main.c: sparse does not find")
    (build.folder / "main.o").unlink()
    assert build.watch.complaints(without_main) == []


def test_the_compiler_does_not_see_the_control(build: Build) -> None:
    tail = (build.folder / "main.c").read_text().splitlines()[5:]
    assert [tail[1], tail[-1]] == ["#ifdef __CHECKER__", "#endif"]
