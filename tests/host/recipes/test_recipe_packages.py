# SPDX-License-Identifier: MIT
"""Debian packages: which mirror, and what a missing tool or a missing package is called."""

from __future__ import annotations

import subprocess
from pathlib import Path

import packages
import pytest
from packages import Archive, Deb, make_merged_usr, mirrors, require, unpack
from steps import BuildError

MAIN = "http://mirror.test/debian/"
SECURITY = "http://mirror.test/security/"
LISTED = f"""\
http://other.test/tools/ stable Tools
{SECURITY} bookworm-security Debian
http://second.test/security/ bookworm-security Debian
http://mirror.test/updates/ bookworm-updates Debian
{MAIN} bookworm Debian
http://second.test/debian/ bookworm Debian
http://unsigned.test/ bookworm
"""


def test_the_environment_names_the_mirrors(monkeypatch: pytest.MonkeyPatch) -> None:
    def apt(*_: object) -> str:
        raise AssertionError("apt is asked although a mirror is named")

    monkeypatch.setattr(packages, "run", apt)
    monkeypatch.setenv("PHYSBUF_DEBIAN_MIRROR", MAIN)
    monkeypatch.delenv("PHYSBUF_DEBIAN_SECURITY_MIRROR", raising=False)
    assert mirrors() == (MAIN, None)
    monkeypatch.setenv("PHYSBUF_DEBIAN_SECURITY_MIRROR", SECURITY)
    assert mirrors() == (MAIN, SECURITY)


@pytest.mark.usefixtures("no_mirror_named")
@pytest.mark.parametrize(
    ("listed", "found"),
    [
        (LISTED, (MAIN, SECURITY)),
        (f"{MAIN} bookworm Debian\n", (MAIN, None)),
    ],
)
def test_else_the_hosts_own(monkeypatch: pytest.MonkeyPatch, listed: str, found: tuple[str, str | None]) -> None:
    monkeypatch.setattr(packages, "run", lambda command: listed)
    monkeypatch.setattr(packages, "_host_release", lambda: "bookworm")
    assert mirrors() == found


@pytest.mark.usefixtures("no_mirror_named")
@pytest.mark.parametrize("listed", ["", f"{SECURITY} bookworm-security Debian\n", f"{MAIN} sid Debian\n"])
def test_no_mirror_at_all(monkeypatch: pytest.MonkeyPatch, listed: str) -> None:
    monkeypatch.setattr(packages, "run", lambda command: listed)
    monkeypatch.setattr(packages, "_host_release", lambda: "bookworm")
    with pytest.raises(BuildError, match="names no Debian mirror; set PHYSBUF_DEBIAN_MIRROR"):
        mirrors()


def test_the_sources_are_signed_and_of_the_suite(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(packages, "mirrors", lambda: (MAIN, SECURITY))
    Archive(tmp_path, "trixie")._write_configuration()
    signed = f"[signed-by={packages.KEYRING}]"
    assert (tmp_path / "sources.list").read_text().splitlines() == [
        f"deb {signed} {MAIN} trixie main",
        f"deb {signed} {MAIN} trixie-updates main",
        f"deb {signed} {SECURITY} trixie-security main",
    ]
    monkeypatch.setattr(packages, "mirrors", lambda: (MAIN, None))
    Archive(tmp_path, "trixie")._write_configuration()
    assert "security" not in (tmp_path / "sources.list").read_text()


def test_a_private_apt_touches_nothing_of_the_host(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(packages, "mirrors", lambda: (MAIN, None))
    archive = Archive(tmp_path, "trixie")
    archive._write_configuration()
    configuration = (tmp_path / "apt.conf").read_text()
    for line in configuration.splitlines():
        if line.startswith("Dir::"):
            assert f'"{tmp_path}' in line or '"/dev/null"' in line, line
    assert archive._env["APT_CONFIG"] == str(tmp_path / "apt.conf")


def fake_apt(monkeypatch: pytest.MonkeyPatch, answers: dict[str, str]) -> list[tuple[str, ...]]:
    called: list[tuple[str, ...]] = []

    def run(command: tuple[str, ...], **_: object) -> str:
        called.append(command)
        return next((answer for words, answer in answers.items() if words in " ".join(command)), "")

    monkeypatch.setattr(packages, "run", run)
    return called


def test_the_closure_is_what_apt_would_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    archives = tmp_path / "archives"
    archives.mkdir()
    plan = (
        "Inst libc6 (2.41-12+deb13u3 Debian:13.6/stable [amd64])\n"
        "Inst tzdata [2025a] (1:2025b-4 Debian:13.6/stable, Debian-Security:13 [all]) []\n"
        "Conf libc6 (2.41-12+deb13u3 Debian:13.6/stable [amd64])\n"
    )
    called = fake_apt(monkeypatch, {"--simulate": plan.replace(" [2025a]", "")})
    (archives / "libc6_2.41-12+deb13u3_amd64.deb").touch()
    with pytest.raises(BuildError, match=r"apt did not deliver .*tzdata_1%3a2025b-4_all\.deb"):
        Archive(tmp_path, "trixie").closure(["busybox"])
    (archives / "tzdata_1%3a2025b-4_all.deb").touch()
    found = Archive(tmp_path, "trixie").closure(["busybox"])
    assert [(deb.name, deb.version) for deb in found] == [("libc6", "2.41-12+deb13u3"), ("tzdata", "1:2025b-4")]
    assert all(deb.path.is_file() for deb in found)
    assert any("--download-only" in command for command in called)


def test_a_metapackage_stands_for_what_it_depends_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shown = "metapackage\n  Suggests: linux-image-x\n  Depends: initramfs\n  Depends: linux-image-6.12-cloud\n"
    fake_apt(monkeypatch, {"depends": shown})
    archive = Archive(tmp_path, "trixie")
    assert archive.dependency("linux-image-cloud-amd64", "linux-image-") == "linux-image-6.12-cloud"
    with pytest.raises(BuildError, match=r"package linux-image-cloud-amd64 of trixie does not depend on any zfs-\*"):
        archive.dependency("linux-image-cloud-amd64", "zfs-")


def test_missing_tools_are_named_with_their_packages() -> None:
    require({"sh": "dash"})
    with pytest.raises(BuildError) as error:
        require({"sh": "dash", "no-such-a": "package-z", "no-such-b": "package-a", "no-such-c": "package-z"})
    assert str(error.value) == (
        "missing tool no-such-a, no-such-b, no-such-c; install it with: apt-get install package-a package-z"
    )


def test_a_tool_of_the_administrator_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BuildError):
        require({"own-tool": "own"})
    (tmp_path / "own-tool").write_text("#!/bin/sh\n")
    (tmp_path / "own-tool").chmod(0o755)
    require({"own-tool": "own", "ldconfig": "libc-bin"})  # which is in /usr/sbin


@pytest.fixture
def deb(tmp_path: Path) -> Deb:
    """A package with a program, a library below /lib and a manual page."""
    tree = tmp_path / "deb"
    for name in ("usr/bin/tool", "lib/thing.so", "usr/share/man/man1/tool.1"):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(name)
    (tree / "DEBIAN").mkdir()
    (tree / "DEBIAN").chmod(0o755)
    (tree / "DEBIAN/control").write_text(
        "Package: tool\nVersion: 1\nArchitecture: all\nMaintainer: Nobody <nobody@example.org>\nDescription: a tool\n"
    )
    path = tmp_path / "tool_1_all.deb"
    subprocess.run(["dpkg-deb", "-b", tree, path], check=True, capture_output=True)
    return Deb("tool", "1", path)


def test_packages_are_unpacked_into_a_merged_usr(deb: Deb, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    unpack([deb], tree, ["usr/share/man/*"])
    assert (tree / "lib").is_symlink()
    assert (tree / "usr/lib/thing.so").read_text() == "lib/thing.so"
    assert (tree / "usr/bin/tool").is_file()
    assert not (tree / "usr/share/man/man1").exists()
    make_merged_usr(tree)  # once more does no harm


def test_a_damaged_package_stops_the_build(deb: Deb, tmp_path: Path) -> None:
    deb.path.write_bytes(deb.path.read_bytes()[:-40])
    with pytest.raises(BuildError):
        unpack([deb], tmp_path / "tree")
