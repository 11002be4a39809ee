# SPDX-License-Identifier: MIT
"""An emulated board whose physics belong to the lab: RAM, storage, console, reset line and power switch."""
