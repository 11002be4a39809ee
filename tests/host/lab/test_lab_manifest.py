# SPDX-License-Identifier: MIT
"""The manifest: an image that is not the one it speaks of is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fake_board import REGIONS, make_image

from physbuf.regions import parse_regions
from physbuf_lab.errors import SetupError
from physbuf_lab.manifest import Manifest


@pytest.mark.parametrize("of", ["file", "folder"])
def test_an_image_or_its_folder(image: Path, of: str) -> None:
    manifest = Manifest(image if of == "file" else image.parent)
    manifest.check_image()
    assert manifest.image == image
    assert manifest.regions == REGIONS
    assert (manifest.kernel, manifest.inputs, manifest.physbuf) == ("6.12.1-test", "abcdef", "0.1.0")
    assert manifest.size == image.stat().st_size


def test_a_tampered_image(image: Path) -> None:
    content = bytearray(image.read_bytes())
    content[7] ^= 1
    image.write_bytes(content)
    manifest = Manifest(image)
    with pytest.raises(SetupError) as error:
        manifest.check_image()
    assert str(image) in str(error.value)
    assert manifest.sha256 in str(error.value)
    assert str(error.value).endswith("build the image again")


def test_an_image_that_is_gone(image: Path) -> None:
    manifest = Manifest(image)
    image.unlink()
    with pytest.raises(SetupError, match=f"cannot read the image {image}.*make image"):
        manifest.check_image()


def test_no_manifest(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=f"no manifest at {tmp_path}/manifest.json.*make image"):
        Manifest(tmp_path / "disk.img")


def test_a_cut_manifest(image: Path) -> None:
    path = image.with_name("manifest.json")
    path.write_text(path.read_text()[:-5])
    with pytest.raises(SetupError, match=f"{path} is not JSON"):
        Manifest(image)


@pytest.mark.parametrize("key", ["kernel", "inputs", "physbuf", "regions", "image"])
@pytest.mark.parametrize("broken", ["absent", "null"])
def test_a_manifest_that_lacks_something(image: Path, key: str, broken: str) -> None:
    path = image.with_name("manifest.json")
    manifest = json.loads(path.read_text())
    del manifest[key]
    if broken == "null" and key in ("regions", "image"):
        manifest[key] = None
    path.write_text(json.dumps(manifest))
    with pytest.raises(SetupError, match=f"{path} is not a physbuf manifest"):
        Manifest(image)


@pytest.mark.parametrize("spec", ["log@1+2", "", "log"])
def test_a_manifest_with_a_bad_region(image: Path, spec: str) -> None:
    path = image.with_name("manifest.json")
    manifest = json.loads(path.read_text())
    manifest["regions"][0]["spec"] = spec
    path.write_text(json.dumps(manifest))
    with pytest.raises(SetupError, match="is not a physbuf manifest"):
        Manifest(image)


def test_a_manifest_that_is_no_object(image: Path) -> None:
    image.with_name("manifest.json").write_text("[]")
    with pytest.raises(SetupError, match="is not a physbuf manifest"):
        Manifest(image)


def test_trials_leave_notebooks_and_what_does_not_survive_alone(tmp_path: Path) -> None:
    words = "log@0x30000000+64K,cache=wc boots@0x31002000+4K,role=state oops@reserve_mem:oops+4K"
    others = "frames@dma+64K scratch@pages+4K big@vmalloc+4K uart@regs:0x1000+4K edu@bar:0000:00:04.0:0"
    manifest = Manifest(make_image(tmp_path, parse_regions(f"{words} {others}")))
    assert len(manifest.regions) == 8
    assert [region.name for region in manifest.tried] == ["log", "oops"]
    manifest.check_tried()
    nothing = Manifest(make_image(tmp_path, parse_regions("boots@0x31002000+4K,role=state frames@dma+64K")))
    with pytest.raises(SetupError, match=r"only boots@0x31002000\+4K,role=state, frames@dma\+64K; add one"):
        nothing.check_tried()
