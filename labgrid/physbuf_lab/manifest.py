# SPDX-License-Identifier: MIT
"""The image's manifest: all that the lab knows of how an image was built."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from physbuf.errors import PhysbufError
from physbuf.regions import RegionSpec, parse_region

from .errors import SetupError

__all__ = ["Manifest"]


class Manifest:
    """``manifest.json`` beside an image; SetupError when either is missing or they do not belong together."""

    def __init__(self, image: Path) -> None:
        self.image = image / "disk.img" if image.is_dir() else image
        self.path = self.image.with_name("manifest.json")
        content = self._load()
        try:
            self.kernel = str(content["kernel"])
            self.inputs = str(content["inputs"])
            self.physbuf = str(content["physbuf"])
            self.sha256 = str(content["image"]["sha256"])
            self.size = int(content["image"]["size"])
            self.regions: list[RegionSpec] = [parse_region(str(region["spec"])) for region in content["regions"]]
            # What a trial may fill: RAM that is meant to survive, and that is no notebook of the module's own.
            self.tried = [region for region in self.regions if region.kind == "reserved" and not region.role]
            self.declared = {key: value for key, value in content.items() if key != "image"}
            if not self.regions:
                raise ValueError("no regions")
        except (AttributeError, KeyError, TypeError, ValueError, PhysbufError) as error:
            raise SetupError(f"{self.path} is not a physbuf manifest: {error!r}; build the image again") from error

    def check_image(self) -> None:
        """SetupError unless the image is the one that the manifest speaks of."""
        try:
            with self.image.open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise SetupError(
                f"cannot read the image {self.image}: {error.strerror}; build it with: make image"
            ) from error
        if found != self.sha256:
            raise SetupError(
                f"{self.image} has SHA-256 {found}, its manifest says {self.sha256}; build the image again"
            )

    def check_tried(self) -> None:
        """SetupError unless there is a region to try."""
        if not self.tried:
            declared = ", ".join(map(str, self.regions))
            raise SetupError(
                f"{self.path} declares no reserved region for trials, only {declared}; add one, as log@0x30000000+16M"
            )

    def _load(self) -> Any:
        try:
            return json.loads(self.path.read_text())
        except OSError as error:
            raise SetupError(
                f"no manifest at {self.path}: {error.strerror}; build the image with: make image"
            ) from error
        except ValueError as error:
            raise SetupError(f"{self.path} is not JSON: {error}; build the image again") from error
