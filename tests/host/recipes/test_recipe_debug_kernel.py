# SPDX-License-Identifier: MIT
"""The debug kernel: the module in the kernel's tree, and a configuration that arrives whole."""

from __future__ import annotations

from pathlib import Path

import pytest
from debug_kernel import CONFIG, add_module, check_config
from steps import BuildError

TOP = Path(__file__).resolve().parents[3]


@pytest.fixture
def linux(tmp_path: Path) -> Path:
    drivers = tmp_path / "linux/drivers/misc"
    drivers.mkdir(parents=True)
    (drivers / "Makefile").write_text("obj-$(CONFIG_IBM_ASM)\t\t+= ibmasm/\n")
    (drivers / "Kconfig").write_text('menu "Misc devices"\nsource "drivers/misc/lkdtm/Kconfig"\nendmenu\n')
    return tmp_path / "linux"


def test_the_module_is_in_the_tree_once(linux: Path) -> None:
    add_module(TOP / "module", linux)
    (linux / "drivers/misc/physbuf/gone.c").touch()
    add_module(TOP / "module", linux)
    drivers = linux / "drivers/misc"
    assert (drivers / "physbuf/Kconfig").read_bytes() == (TOP / "module/Kconfig").read_bytes()
    assert not (drivers / "physbuf/gone.c").exists()
    assert (drivers / "Makefile").read_text().count("physbuf/") == 1
    kconfig = (drivers / "Kconfig").read_text()
    assert kconfig.endswith('source "drivers/misc/physbuf/Kconfig"\nendmenu\n')
    assert kconfig.count("physbuf") == 1


def test_what_kconfig_dropped_is_named() -> None:
    wanted = "# what for\nCONFIG_A=y\nCONFIG_B=m\n# CONFIG_C is not set\n# CONFIG_D is not set\nCONFIG_E=y\n"
    got = "CONFIG_A=y\nCONFIG_B=y\nCONFIG_C=y\n# CONFIG_E is not set\nCONFIG_AA=y\n"
    with pytest.raises(BuildError, match=r"dropped CONFIG_B=m, # CONFIG_C is not set, CONFIG_E=y;"):
        check_config(wanted, got)


def test_all_there() -> None:
    check_config("CONFIG_A=y\n# CONFIG_C is not set\n# CONFIG_D is not set\n", "CONFIG_A=y\n# CONFIG_C is not set\n")


def test_the_kernel_watches_what_it_is_for() -> None:
    options = CONFIG.read_text().split()
    for option in (
        "KASAN",
        "UBSAN",
        "PROVE_LOCKING",
        "DEBUG_KMEMLEAK",
        "DEBUG_VM",
        "DEBUG_ATOMIC_SLEEP",
        "DMA_API_DEBUG",
    ):
        assert f"CONFIG_{option}=y" in options
