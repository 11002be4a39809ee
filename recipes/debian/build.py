# SPDX-License-Identifier: MIT
"""Build the default firmware image from Debian packages: a bootable disk image and its manifest.

Needs neither root nor emulation of the target. Reads PHYSBUF_REGIONS, PHYSBUF_DEBIAN_MIRROR and
PHYSBUF_DEBIAN_SECURITY_MIRROR. Exit status: 0 built or up to date, 2 set-up or build failure, 130 interrupted.
"""

from __future__ import annotations

import argparse
import errno
import fcntl
import hashlib
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import disk
import rootfs
from packages import Archive, Deb, installed, require
from sources import source_files
from steps import BuildError, run, step
from toolchain import Toolchain

from physbuf.errors import PhysbufError
from physbuf.regions import RegionSpec, parse_regions
from physbuf.reservation import boot_arguments, for_sink, module_parameter

TOP = Path(__file__).resolve().parents[2]
SOURCES = [TOP / name for name in ("log", "module", "libphysbuf", "python-tools")]
PACKAGES_TO_BUILD = ("pkgconf", "python3-cffi", "python3-dev", "python3-pip", "python3-setuptools")
DEFAULT_REGIONS = "log@0x30000000+16M legacy@0x31000000+1536K"
DEFAULT_ARGUMENTS = "console=ttyS0,115200 panic=1"
PRODUCTS = {"disk.img", "manifest.json"}
TOOLS = {
    **disk.TOOLS,
    "apt-get": "apt",
    "cpio": "cpio",
    "depmod": "kmod",
    "dpkg-deb": "dpkg",
    "mksquashfs": "squashfs-tools",
    "mount": "mount",
    "unshare": "util-linux",
}


def main() -> int:
    """Build unless what is there was built from the same inputs."""
    options = _arguments()
    try:
        regions = parse_regions(options.regions)
        # What cannot be written is refused at once.
        for_sink("grub", f"{options.arguments} {boot_arguments(regions)}")
        module_parameter(regions)
        require(TOOLS)
        with _one_at_a_time(options.work):
            _build(options, regions)
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
    parser.add_argument("--out", type=Path, required=True, help="folder for disk.img and manifest.json")
    parser.add_argument("--work", type=Path, default=TOP / "build/debian", help="cache: packages, toolchain")
    parser.add_argument("--regions", default=os.environ.get("PHYSBUF_REGIONS") or DEFAULT_REGIONS,
                        help=f"the regions to reserve (PHYSBUF_REGIONS; default {DEFAULT_REGIONS!r})")  # fmt: skip
    parser.add_argument("--arguments", default=DEFAULT_ARGUMENTS, help="the kernel's other boot arguments")
    parser.add_argument("--no-reservation", action="store_true",
                        help="leave the reservation out of the boot loader, to test what happens then")  # fmt: skip
    parser.add_argument("--suite", default="trixie", help="Debian suite (default trixie)")
    parser.add_argument("--update", action="store_true", help="look for newer packages although nothing else changed")
    options = parser.parse_args()
    options.work = options.work.resolve()
    return options


def _build(options: argparse.Namespace, regions: list[RegionSpec]) -> None:
    key = _inputs_key(options, regions)
    if not options.update and _is_finished(options.out, key):
        print(f"recipes/debian: {options.out}/disk.img is up to date", file=sys.stderr)
        return
    print(f"recipes/debian: building {options.out}/disk.img from Debian {options.suite}", file=sys.stderr)
    _refuse_foreign(options.out)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    prefix = f".physbuf-image.{options.out.name}."
    for killed in options.out.parent.glob(f"{prefix}*"):
        shutil.rmtree(killed)
    with tempfile.TemporaryDirectory(prefix=prefix, dir=options.out.parent) as temporary:
        finished = _make(options, regions, key, Path(temporary))
        _publish(finished, options.out)


def _make(options: argparse.Namespace, regions: list[RegionSpec], key: str, temporary: Path) -> Path:
    """All the steps; returns a folder with disk.img and manifest.json."""
    archive = Archive(options.work / options.suite, options.suite)
    toolchain = Toolchain(options.work / "toolchain")
    with step("fetching the package lists"):
        archive.update()
    image_package = archive.dependency("linux-image-cloud-amd64", "linux-image-")
    headers_package = archive.dependency("linux-headers-cloud-amd64", "linux-headers-")
    release = image_package.removeprefix("linux-image-")
    with step(f"fetching Linux {release} and the board's packages"):
        kernel_deb = archive.alone(image_package)
        debs = archive.closure(rootfs.PACKAGES)
    with step("fetching and unpacking the toolchain"):
        toolchain.unpack(archive, [*PACKAGES_TO_BUILD, headers_package])
    kernel = temporary / "kernel"
    with step("unpacking the kernel"):
        run(["dpkg-deb", "-x", kernel_deb.path, kernel])
        run(["depmod", "-b", kernel / "usr", release])
    toolchain.copy_in(*SOURCES)
    tree = toolchain.work / "root"
    with step("unpacking the board's packages"):
        rootfs.unpack_base(debs, tree)
    with step("compiling the module, the library and the tools"):
        _compile(toolchain, release)
    with step("compiling Python's byte code"):
        folders = [f"/build/root/{path.relative_to(tree)}" for path in sorted(tree.glob("usr/lib/python3*"))]
        toolchain.run("python3", "-m", "compileall", "-q", "-j2", "--invalidation-mode", "unchecked-hash",
                      "-s", "/build/root", "-p", "/", *folders)  # fmt: skip
    manifest = _manifest(options, regions, key, release, [kernel_deb, *debs])
    with step("making the root file system"):
        rootfs.install_device_rules(tree, TOP / "module")
        rootfs.install_kernel_modules(tree, release)
        rootfs.install_regions(tree, manifest, module_parameter(regions))
        rootfs.make_squashfs(tree, temporary / "rootfs.squashfs")
    with step("making the initial RAM disk"):
        rootfs.make_initrd(kernel, release, tree / "usr/bin/busybox", temporary / "initrd", temporary / "initrd.gz")
    with step("assembling the disk image"):
        arguments = options.arguments
        if not options.no_reservation:
            arguments = f"{arguments} {boot_arguments(regions)}"
        image = disk.assemble(
            kernel / f"boot/vmlinuz-{release}",
            temporary / "initrd.gz",
            temporary / "rootfs.squashfs",
            arguments,
            temporary,
        )
    finished = temporary / "finished"
    finished.mkdir()
    image.rename(finished / "disk.img")
    manifest["image"] = {
        "file": "disk.img",
        "size": (finished / "disk.img").stat().st_size,
        "sha256": _sha256(finished / "disk.img"),
        "boot_arguments": arguments,
    }
    (finished / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")
    return finished


def _compile(toolchain: Toolchain, release: str) -> None:
    """Into the board's tree, with the library in the toolchain too, so that the Python extension links with it."""
    toolchain.run("make", "-s", f"KDIR=/usr/src/linux-headers-{release}", "modules", folder="module")
    modules = toolchain.work / "root/usr/lib/modules" / release / "updates"
    modules.mkdir(parents=True)
    shutil.copyfile(toolchain.work / "module/physbuf.ko", modules / "physbuf.ko")
    for destination in ("/", "/build/root"):
        toolchain.run("make", "-s", "install", f"DESTDIR={destination}", "PREFIX=/usr",
                      "LIBDIR=/usr/lib/x86_64-linux-gnu", folder="libphysbuf")  # fmt: skip
    toolchain.run("env", "DEB_PYTHON_INSTALL_LAYOUT=deb_system", "python3", "-m", "pip", "install", "--quiet",
                  "--no-index", "--no-deps", "--no-build-isolation", "--break-system-packages", "--no-compile",
                  "--root-user-action=ignore", "--root=/build/root", "--prefix=/usr", "./python-tools")  # fmt: skip


def _manifest(
    options: argparse.Namespace, regions: list[RegionSpec], key: str, release: str, debs: list[Deb]
) -> dict[str, object]:
    return {
        "schema": "physbuf-manifest-1",
        "physbuf": _version(),
        "inputs": key,
        "build": f"debian-{options.suite}",
        "kernel": release,
        "regions": [region.as_dict() for region in regions],
        "packages": {deb.name: deb.version for deb in sorted(debs, key=lambda deb: deb.name)},
        "build_packages": installed(disk.PACKAGES),
    }


def _version() -> str:
    import tomllib

    project = tomllib.loads((TOP / "python-tools/pyproject.toml").read_text())["project"]
    return str(project["version"])


def _inputs_key(options: argparse.Namespace, regions: list[RegionSpec]) -> str:
    """A digest of all that the image is made from, but the packages."""
    digest = hashlib.sha256()
    chosen = [options.suite, options.arguments, str(options.no_reservation), *map(str, regions)]
    chosen += [f"{name}={version}" for name, version in installed(disk.PACKAGES).items()]
    digest.update("\0".join(chosen).encode())
    for folder in (*SOURCES, Path(__file__).parent):
        for path in source_files(folder):
            digest.update(f"{path.relative_to(TOP)}\0{path.stat().st_mode & 0o111}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _is_finished(out: Path, key: str) -> bool:
    try:
        manifest = json.loads((out / "manifest.json").read_text())
        return bool(manifest["inputs"] == key and manifest["image"]["sha256"] == _sha256(out / "disk.img"))
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


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


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
