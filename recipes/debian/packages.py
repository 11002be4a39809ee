# SPDX-License-Identifier: MIT
"""Debian packages without installing them: the dependency closure of a few names, unpacked into a tree.

apt and dpkg-deb do the work, with a private state beside the build; neither root nor the host's package database is
touched. The mirror is the host's own, so that a proxy or a company's mirror keeps working.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from steps import BuildError, run

__all__ = ["Archive", "Deb"]

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
EMPTY = Path("/dev/null")
# sid has neither updates nor security fixes beside it; bullseye's name packages that are gone.
WITHOUT_FIXES = ("bullseye", "sid")

# Inst libc6 (2.41-12+deb13u3 Debian:13.6/stable [amd64])
_INSTALL = re.compile(r"^Inst (\S+) \((\S+) .*\[(\w+)\]\)", re.MULTILINE)


@dataclass(frozen=True)
class Deb:
    """One package file of a closure."""

    name: str
    version: str
    path: Path


class Archive:
    """A Debian suite as seen by a private apt in ``state``."""

    def __init__(self, state: Path, suite: str, arch: str = "amd64") -> None:
        self.state = state
        self.suite = suite
        self.arch = arch
        self._env = {**os.environ, "APT_CONFIG": str(state / "apt.conf"), "LC_ALL": "C.UTF-8"}

    def update(self) -> None:
        """Fetch the package lists; BuildError when the mirror cannot be reached."""
        self._write_configuration()
        self._apt("apt-get", "update", "-q", "-o", "APT::Update::Error-Mode=any")

    def closure(self, names: Iterable[str]) -> list[Deb]:
        """Download the named packages and all they depend on; what is there already is kept."""
        install = ["install", "--no-install-recommends", *names]
        planned = self._apt("apt-get", "--simulate", "-qq", *install)
        self._apt("apt-get", "-y", "-q", "--download-only", *install)
        return [self._deb(*match.groups()) for match in _INSTALL.finditer(planned)]

    def alone(self, name: str) -> Deb:
        """Download one package without its dependencies."""
        shown = self._apt("apt-cache", "show", "--no-all-versions", name)
        fields = dict(line.split(": ", 1) for line in shown.splitlines() if ": " in line)
        self._apt("apt-get", "download", "-q", name, cwd=self._debs)
        return self._deb(name, fields["Version"], fields["Architecture"])

    def dependencies(self, name: str) -> list[str]:
        """The packages that ``name`` itself depends on."""
        lines = (line.strip().partition(": ") for line in self._apt("apt-cache", "depends", name).splitlines())
        return [package for what, _, package in lines if what == "Depends"]

    def dependency(self, name: str, prefix: str) -> str:
        """The package starting with ``prefix`` that ``name`` depends on: what a metapackage stands for."""
        for package in self.dependencies(name):
            if package.startswith(prefix):
                return package
        raise BuildError(f"package {name} of {self.suite} does not depend on any {prefix}*")

    @property
    def _debs(self) -> Path:
        return self.state / "archives"

    def _deb(self, name: str, version: str, arch: str) -> Deb:
        path = self._debs / f"{name}_{version.replace(':', '%3a')}_{arch}.deb"
        if not path.is_file():
            raise BuildError(f"apt did not deliver {path}; run again, or remove {self.state} first")
        return Deb(name, version, path)

    def _apt(self, *command: str, cwd: Path | None = None) -> str:
        return run(command, env=self._env, cwd=cwd)

    def _write_configuration(self) -> None:
        for folder in ("archives/partial", "lists/partial"):
            (self.state / folder).mkdir(parents=True, exist_ok=True)
        (self.state / "status").touch()
        (self.state / "sources.list").write_text("".join(f"{line}\n" for line in self._sources()))
        (self.state / "apt.conf").write_text(
            f'Dir::State "{self.state}";\n'
            f'Dir::State::status "{self.state}/status";\n'
            f'Dir::State::lists "{self.state}/lists";\n'
            f'Dir::Cache "{self.state}";\n'
            f'Dir::Cache::archives "{self._debs}/";\n'
            f'Dir::Etc::sourcelist "{self.state}/sources.list";\n'
            f'Dir::Etc::sourceparts "{EMPTY}";\n'
            f'Dir::Etc::preferences "{EMPTY}";\n'
            f'Dir::Etc::preferencesparts "{EMPTY}";\n'
            f'APT::Architecture "{self.arch}";\n'
            f'APT::Architectures {{ "{self.arch}"; }};\n'
            'APT::Sandbox::User "root";\n'
            'APT::Keep-Downloaded-Packages "true";\n'
            'Acquire::Retries "3";\n'
            'Acquire::Languages "none";\n'
            'Debug::NoLocking "true";\n'
        )

    def _sources(self) -> list[str]:
        mirror, security = mirrors()
        signed = f"[signed-by={KEYRING}]"
        if self.suite in WITHOUT_FIXES:
            return [f"deb [signed-by={KEYRING} check-valid-until=no] {mirror} {self.suite} main"]
        lines = [f"deb {signed} {mirror} {suite} main" for suite in (self.suite, f"{self.suite}-updates")]
        if security:
            lines.append(f"deb {signed} {security} {self.suite}-security main")
        return lines


def mirrors() -> tuple[str, str | None]:
    """The Debian mirror and the security mirror: from the environment, else as the host's own apt is set up."""
    named = os.environ.get("PHYSBUF_DEBIAN_MIRROR")
    if named:
        return named, os.environ.get("PHYSBUF_DEBIAN_SECURITY_MIRROR")
    listed = run(["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(ORIGIN)", "Created-By: Packages"])
    main = security = None
    for line in listed.splitlines():
        uri, release, *_ = line.split()
        if release.endswith("-security"):
            security = security or uri
        elif release == _host_release():
            main = main or uri
    if not main:
        raise BuildError("this host's apt names no Debian mirror; set PHYSBUF_DEBIAN_MIRROR to one")
    return main, security


def _host_release() -> str:
    for line in Path("/etc/os-release").read_text().splitlines():
        key, _, value = line.partition("=")
        if key == "VERSION_CODENAME":
            return value.strip('"')
    raise BuildError("/etc/os-release has no VERSION_CODENAME; set PHYSBUF_DEBIAN_MIRROR to a Debian mirror")


def unpack(debs: Iterable[Deb], tree: Path, leave_out: Sequence[str] = ()) -> None:
    """Unpack packages into a tree with merged /usr; no maintainer script runs."""
    make_merged_usr(tree)
    excludes = [f"--exclude=./{pattern}" for pattern in leave_out]
    for deb in debs:
        with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb.path], stdout=subprocess.PIPE) as content:
            run(
                ["tar", "-C", tree, "-x", "--keep-directory-symlink", "--no-same-owner", *excludes, "-f", "-"],
                stdin=content.stdout,
            )
        if content.returncode:
            raise BuildError(f"dpkg-deb cannot read {deb.path}; remove it and run again")


def make_merged_usr(tree: Path) -> None:
    """The links /bin, /sbin, /lib, /lib64 that Debian's packages expect."""
    for name in ("bin", "sbin", "lib", "lib64"):
        (tree / "usr" / name).mkdir(parents=True, exist_ok=True)
        link = tree / name
        if not link.is_symlink():
            link.symlink_to(f"usr/{name}")


def installed(names: Iterable[str]) -> dict[str, str]:
    """The versions of packages of the host; BuildError when one is not installed."""
    listed = run(["dpkg-query", "-W", "-f", "${Package} ${Version}\\n", *names])
    return dict(line.split() for line in listed.splitlines())


def require(tools: dict[str, str]) -> None:
    """BuildError for host tools that are missing, with the packages that bring them: {tool: package}."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    missing = {tool: package for tool, package in tools.items() if not shutil.which(tool, path=path)}
    if missing:
        packages = " ".join(sorted(set(missing.values())))
        raise BuildError(f"missing tool {', '.join(missing)}; install it with: apt-get install {packages}")
