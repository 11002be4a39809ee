# SPDX-License-Identifier: MIT
"""The board's root file system: what it knows of its regions, and in which order its initial RAM disk loads modules."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import rootfs
from steps import BuildError

from physbuf.regions import parse_regions
from physbuf.reservation import module_parameter

DEPENDS = """\
kernel/drivers/virtio/virtio_pci.ko.xz: kernel/drivers/virtio/virtio_ring.ko.xz kernel/drivers/virtio/virtio.ko.xz
kernel/drivers/virtio/virtio.ko.xz:
kernel/drivers/virtio/virtio_ring.ko.xz: kernel/drivers/virtio/virtio.ko.xz
kernel/drivers/block/virtio-blk.ko.xz: kernel/drivers/virtio/virtio_ring.ko.xz kernel/drivers/virtio/virtio.ko.xz
kernel/drivers/ata/ahci.ko.xz: kernel/drivers/ata/libahci.ko.xz
kernel/drivers/ata/libahci.ko.xz:
kernel/drivers/nvme/nvme.ko.xz:
kernel/fs/squashfs/squashfs.ko.xz:
"""


@pytest.fixture
def modules(tmp_path: Path) -> Path:
    folder = tmp_path / "6.12.1"
    folder.mkdir()
    (folder / "modules.dep").write_text(DEPENDS)
    (folder / "modules.builtin").write_text("kernel/drivers/scsi/sd_mod.ko\n")
    return folder


def names(modules: Path) -> list[str]:
    paths = rootfs.drivers(modules)
    assert all(path.is_relative_to(modules) for path in paths)
    return [rootfs._module_name(path) for path in paths]


def test_each_module_comes_behind_what_it_needs(modules: Path) -> None:
    assert names(modules) == [
        "virtio",
        "virtio_ring",
        "virtio_pci",
        "virtio_blk",
        "squashfs",
        "libahci",
        "ahci",
        "nvme",
    ]


def test_a_kernel_without_drivers_for_other_disks(modules: Path) -> None:
    (modules / "modules.dep").write_text(DEPENDS.replace("nvme.ko", "other.ko").replace("/ahci.ko", "/other2.ko"))
    assert names(modules) == ["virtio", "virtio_ring", "virtio_pci", "virtio_blk", "squashfs"]


def test_a_kernel_without_a_module_that_is_needed(modules: Path) -> None:
    (modules / "modules.dep").write_text(DEPENDS.replace("virtio-blk.ko", "other.ko"))
    with pytest.raises(BuildError, match=r"^the kernel 6\.12\.1 has no module virtio_blk$"):
        rootfs.drivers(modules)


def test_the_board_knows_its_regions(tmp_path: Path) -> None:
    regions = parse_regions("log@0x30000000+16M legacy@0x31000000+1536K")
    (tmp_path / "etc").mkdir()
    for _ in range(2):
        rootfs.install_regions(
            tmp_path, {"regions": [region.as_dict() for region in regions]}, module_parameter(regions)
        )
    manifest = json.loads((tmp_path / "etc/physbuf/manifest.json").read_text())
    assert [region["spec"] for region in manifest["regions"]] == [str(region) for region in regions]
    options = (tmp_path / "etc/modprobe.d/physbuf.conf").read_text()
    command, module, parameter = options.split()  # modprobe splits at white space, too
    assert (command, module) == ("options", "physbuf")
    assert parse_regions(parameter.removeprefix("regions=")) == regions


def test_a_module_without_a_parameter_has_no_options(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    rootfs.install_regions(tmp_path, {}, "")
    assert not list(tmp_path.rglob("physbuf.conf"))


def test_the_device_rules_end_with_the_modules_own(tmp_path: Path, recipe: Path) -> None:
    (tmp_path / "etc").mkdir()
    module = recipe.parents[1] / "module"
    rootfs.install_device_rules(tmp_path, module)
    assert (tmp_path / "etc/mdev.conf").read_text().endswith((module / "mdev.conf").read_text())
    rules = "60-physbuf.rules"
    assert (tmp_path / "usr/lib/udev/rules.d" / rules).read_text() == (module / rules).read_text()
