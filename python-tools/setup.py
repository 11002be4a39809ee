# SPDX-License-Identifier: MIT
"""The part of the build that pyproject.toml cannot say: the cffi extension."""

from setuptools import setup

setup(cffi_modules=["build_native.py:ffi"])
