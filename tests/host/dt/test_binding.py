# SPDX-License-Identifier: MIT
"""The device tree binding by dtschema: well-formed, its example fits, and a wrong tree is told why it does not."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[3]
BINDING = TOP / "module/bindings/physbuf,region.yaml"
DRIVER = TOP / "module/devicetree.c"

# A tree, what is changed in the example to make it, and what is wrong with it then.
WRONG = {
    "no-memory": ("memory-region = <&log_memory>;", "", "'memory-region' is a required property"),
    "cache": ('physbuf,cache = "wb"', 'physbuf,cache = "fast"', r"'fast' is not one of \['wb', 'wc', 'uc', 'device'\]"),
    "role": ('physbuf,role = "state"', 'physbuf,role = "log"', r"'log' is not one of \['state'\]|'state' was expected"),
    "label": ('label = "log"', 'label = "Log"', "label:.*'Log' does not match"),
    "unknown": ('label = "log"', 'cache = "wb"', "'cache' (does not match any of the regexes|was unexpected)"),
}


def dtschema(tool: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([tool, *arguments], capture_output=True, text=True)


@pytest.fixture(scope="module")
def faults(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What dt-validate has against the example and each wrong tree; once for all, for it starts slowly."""
    folder = tmp_path_factory.mktemp("trees")
    example = dtschema("dt-extract-example", BINDING).stdout
    assert example.count('"physbuf,region"') == 2
    sources = {"example": example}
    for tree, (right, wrong, _) in WRONG.items():
        assert example.count(right) == 1
        sources[tree] = example.replace(right, wrong)
    for tree, source in sources.items():
        blob = folder / f"{tree}.dtb"
        subprocess.run(["dtc", "-q", "-O", "dtb", "-o", blob, "-"], input=source, text=True, check=True)
    validated = dtschema("dt-validate", "-s", BINDING.parent, *folder.glob("*.dtb"))
    assert validated.returncode == 0  # also for a wrong tree
    said = re.split(rf"^{re.escape(str(folder))}/([a-z-]+)\.dtb: ", validated.stderr, flags=re.MULTILINE)
    assert said[0] == ""
    found = dict.fromkeys(sources, "")
    for tree, fault in zip(said[1::2], said[2::2], strict=True):
        found[tree] += fault
    return found


def test_the_binding_is_well_formed() -> None:
    validated = dtschema("dt-doc-validate", "-u", BINDING.parent, BINDING)
    assert (validated.returncode, validated.stderr) == (0, "")


def test_a_malformed_binding_would_be_found(tmp_path: Path) -> None:
    wrong = tmp_path / BINDING.name
    wrong.write_text(BINDING.read_text().replace("maxItems: 1", "maxItem: 1"))
    validated = dtschema("dt-doc-validate", "-u", tmp_path, wrong)
    assert validated.returncode == 1
    assert "'maxItem' is not one of" in validated.stderr


def test_the_example_fits(faults: dict[str, str]) -> None:
    assert faults["example"] == ""


@pytest.mark.parametrize("tree", WRONG)
def test_a_wrong_tree_is_told_why(tree: str, faults: dict[str, str]) -> None:
    assert re.search(WRONG[tree][2], faults[tree], re.DOTALL)


def test_the_driver_reads_what_the_binding_has() -> None:
    driver = DRIVER.read_text()
    read = set(re.findall(r'of_(?:property_read_string|parse_phandle)\(.*?"([^"]+)"', driver))
    properties = BINDING.read_text().partition("\nproperties:\n")[2].partition("\nrequired:\n")[0]
    described = set(re.findall(r"^  ([a-z,-]+):", properties, re.MULTILINE))
    assert read == described - {"compatible"}
    assert re.findall(r'\.compatible = "([^"]+)"', driver) == re.findall(r"const: (\S+)", properties)
