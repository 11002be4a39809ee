# SPDX-License-Identifier: MIT
"""The image itself: its manifest, its boot loaders' configuration, and that it can be made again."""

from __future__ import annotations

import hashlib
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .conftest import BUILD, TOP, build

IMAGE = TOP / "out/image/qemu-x86_64"


@pytest.fixture
def manifest() -> Any:
    return json.loads((IMAGE / "manifest.json").read_text())


def on_the_boot_partition(path: str) -> str:
    """A file of the image's FAT partition, which begins at 1 MiB."""
    command = ["mtype", "-i", f"{IMAGE / 'disk.img'}@@1M", f"::{path}"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_the_manifest_says_what_the_image_is(manifest: Any) -> None:
    assert manifest["image"]["sha256"] == hashlib.sha256((IMAGE / "disk.img").read_bytes()).hexdigest()
    regions = ["log@0x30000000+16M", "legacy@0x31000000+1536K", "boots@0x31180000+4K,role=state"]
    assert [region["spec"] for region in manifest["regions"]] == regions
    assert manifest["module_parameter"] == ";".join(regions)
    assert manifest["architecture"] == "amd64"
    assert manifest["kernel"].startswith("6.12.")
    assert manifest["packages"]["busybox-static"]
    assert manifest["physbuf"]


def test_each_boot_loader_has_the_reservation_in_its_own_spelling() -> None:
    syslinux = on_the_boot_partition("syslinux/syslinux.cfg")
    grub = on_the_boot_partition("grub.cfg")
    assert "memmap=16M$0x30000000 memmap=1536K$0x31000000 memmap=4K$0x31180000" in syslinux
    assert r"memmap=16M\$0x30000000 memmap=1536K\$0x31000000 memmap=4K\$0x31180000" in grub


def built(out: Path) -> Any:
    done = build(out)
    assert done.returncode == 0, done.stderr
    return json.loads((out / "manifest.json").read_text())


def test_the_same_inputs_make_the_same_image(manifest: Any, tmp_path: Path) -> None:
    again = built(tmp_path / "again")
    if again["packages"] != manifest["packages"]:  # Debian has moved on since the image was built
        manifest = built(tmp_path / "once-more")
    assert again["packages"] == manifest["packages"]
    assert again["image"]["sha256"] == manifest["image"]["sha256"]


@pytest.mark.parametrize(("sent", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 130), (signal.SIGKILL, -9)])
def test_an_interrupted_build_leaves_nothing_that_looks_finished(tmp_path: Path, sent: int, status: int) -> None:
    out = tmp_path / "image"
    with subprocess.Popen([sys.executable, BUILD, "--out", out], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        said = ""
        while "unpacking the kernel" not in said:
            said += process.stderr.read(1)
        process.send_signal(sent)
        said += process.stderr.read()
    assert process.returncode == status, said
    assert not out.exists()
    assert "Traceback" not in said
    if sent != signal.SIGKILL:
        assert list(tmp_path.iterdir()) == []


def test_regions_that_make_no_sense_are_refused_before_anything_is_made(tmp_path: Path) -> None:
    done = build(tmp_path / "image", PHYSBUF_REGIONS="log@0x30000100+16M")
    assert done.returncode == 2
    (line,) = done.stderr.strip().splitlines()
    assert "0x30000100" in line
    assert not (tmp_path / "image").exists()
