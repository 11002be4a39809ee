# SPDX-License-Identifier: MIT
"""The processor families that boards have, as Debian, the compilers and the kernel call them; builds run on amd64."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["AMD64", "ARCHITECTURES", "ARM64", "HOST", "Architecture"]


@dataclass(frozen=True)
class Architecture:
    """``name`` is Debian's, ``triplet`` the compilers', ``kernel`` the value of the kernel's variable ARCH."""

    name: str
    triplet: str
    kernel: str

    @property
    def is_foreign(self) -> bool:
        """Whether its programs do not run here."""
        return self != HOST

    @property
    def compilers(self) -> list[str]:
        """The packages to compile for it, beyond the host's own compiler."""
        return [f"gcc-{self.triplet}", f"libc6-dev-{self.name}-cross"] if self.is_foreign else []

    @property
    def kernel_variables(self) -> list[str]:
        """What the kernel's build must be told."""
        return [f"ARCH={self.kernel}", *([f"CROSS_COMPILE={self.triplet}-"] if self.is_foreign else [])]


AMD64 = HOST = Architecture("amd64", "x86_64-linux-gnu", "x86")
ARM64 = Architecture("arm64", "aarch64-linux-gnu", "arm64")
ARCHITECTURES = {architecture.name: architecture for architecture in (AMD64, ARM64)}
