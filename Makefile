# SPDX-License-Identifier: MIT
# Every target is one readable command; `make help` lists them.

BOARD ?= qemu-x86_64
TRIALS ?= 3
OUT ?= out/qualify/$(BOARD)

PYTHON ?= python3
VENV := build/venv
BIN := $(VENV)/bin
PREFIX := $(CURDIR)/build/host

LIBRARY := $(wildcard log/*.[ch] libphysbuf/Makefile libphysbuf/*/*)
NATIVE := $(wildcard python-tools/pyproject.toml python-tools/*.py labgrid/pyproject.toml)

# What each job needs of Debian beyond git, make and Python; install/packages says what is missing and installs it.
PACKAGES_PYTHON := gcc libc6-dev pkg-config python3-dev python3-venv
PACKAGES_IMAGE := cpio dosfstools genimage kmod mount mtools squashfs-tools
PACKAGES_x86 := grub-common grub-efi-amd64-bin syslinux syslinux-common qemu-system-x86 seabios ovmf
PACKAGES_arm64 := u-boot-tools qemu-system-arm u-boot-qemu
PACKAGES_BOARD = $(if $(findstring arm64,$(BOARD)),$(PACKAGES_arm64),$(PACKAGES_x86))
PACKAGES_GUEST := gcc-aarch64-linux-gnu libc6-dev-arm64-cross gcc-i686-linux-gnu libc6-dev-i386-cross
PACKAGES_TEST := clang device-tree-compiler dt-schema libclang-rt-14-dev
PACKAGES_DKMS := debian-archive-keyring mmdebstrap mount
PACKAGES_LINT := clang-format perl shellcheck xz-utils

SHELL_SCRIPTS := .ci/run $(wildcard install/*) recipes/debian/files/initrd/init $(wildcard recipes/debian/files/rootfs/etc/init.d/*)
C_SOURCES := $(wildcard module/*.[ch] module/include/linux/*.h module/include/uapi/linux/*.h module/samples/*.[ch] log/*.[ch] libphysbuf/*/*.[ch] tests/*/*.[ch] tests/host/c/*.[ch])
CHECKPATCH := perl build/kernel-scripts/checkpatch.pl --no-tree --terse --show-types --no-summary

export PYTHONDONTWRITEBYTECODE := 1

.PHONY: help
help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

.PHONY: qualify
qualify: board-is-known ## build the image, flash BOARD, reset it TRIALS times in each way; evidence in OUT
	@rm -f $(OUT)/evidence.json $(OUT)/junit.xml $(OUT)/report.html $(OUT)/console.log
	@$(MAKE) --no-print-directory image
	$(BIN)/physbuf-lab qualify --board $(BOARD) --trials $(TRIALS) --out $(OUT)

.PHONY: board-is-known
board-is-known:
	@test -f labgrid/boards/$(BOARD).yaml || { echo "no board '$(BOARD)'; known: \
	$(basename $(notdir $(wildcard labgrid/boards/*.yaml)))" >&2; exit 2; }

.PHONY: image
image: board-is-known $(VENV)/installed ## build the firmware image of PHYSBUF_REGIONS for BOARD from Debian packages
	@install/packages $(PACKAGES_IMAGE) $(PACKAGES_BOARD)
	@$(BIN)/python recipes/debian/build.py --board $(BOARD)

.PHONY: modules
modules: $(VENV)/installed ## build the module for Debian's kernels, 5.10 to the newest, amd64 and arm64, checked by sparse
	@install/packages kmod mount
	@$(BIN)/python recipes/debian/modules.py --out out/modules

.PHONY: test
test: image test-host test-board test-kernels ## all tests

.PHONY: test-host
test-host: $(VENV)/installed ## the tests that need no emulator, in seconds
	@install/packages $(PACKAGES_TEST)
	$(BIN)/pytest tests/host

.PHONY: test-board
test-board: image ## the tests on the emulated board; on qemu-x86_64 also how a qualification must fail
	@install/packages $(PACKAGES_GUEST)
	$(BIN)/pytest --lg-env labgrid/boards/$(BOARD).yaml tests/module tests/lab $(if $(filter qemu-x86_64,$(BOARD)),tests/qualify)

# The boards with another kernel or processor than qemu-x86_64. The newest moves daily and may break by itself.
KERNELS := qemu-x86_64-6.1 qemu-arm64
NEWEST := qemu-x86_64-newest

.PHONY: test-kernels test-newest $(KERNELS:%=test-kernel-%) test-kernel-$(NEWEST)
test-kernels: $(KERNELS:%=test-kernel-%) ## the module's tests on the boards with other kernels
test-newest: test-kernel-$(NEWEST) ## the module's tests on the newest kernel in Debian; not part of test

$(KERNELS:%=test-kernel-%) test-kernel-$(NEWEST): test-kernel-%:
	@$(MAKE) --no-print-directory image BOARD=$*
	@install/packages $(PACKAGES_GUEST)
	@echo "the module's tests on $*, Linux $$(sed -n 's/^  "kernel": "\(.*\)",/\1/p' out/image/$*/manifest.json)"
	@$(BIN)/pytest --lg-env labgrid/boards/$*.yaml tests/module || { echo "the module's tests fail on $*" >&2; exit 1; }

.PHONY: test-kasan
test-kasan: $(VENV)/installed ## the module's tests on a debug kernel with KASAN, lockdep, kmemleak, built here; not in `test`
	@install/packages $(PACKAGES_IMAGE) $(PACKAGES_x86) $(PACKAGES_GUEST) xz-utils
	@$(BIN)/python recipes/debian/debug_kernel.py --out build/debian/debug-kernel
	@$(BIN)/python recipes/debian/build.py --kernel-tree build/debian/debug-kernel --out out/image/qemu-x86_64-kasan
	@mkdir -p out/kasan && rm -f out/kasan/console.log
	$(BIN)/pytest --lg-env labgrid/boards/qemu-x86_64-kasan.yaml --physbuf-console out/kasan/console.log tests/module tests/kasan

.PHONY: bench
bench: image ## how fast the module's devices are on BOARD, against /dev/mem and memcpy; a table and out/bench/bench.json
	$(BIN)/pytest --quiet --lg-env labgrid/boards/$(BOARD).yaml tests/bench/bench_module.py

.PHONY: test-dkms
test-dkms: $(VENV)/installed ## DKMS on real Debian systems, bookworm and trixie; as root, some minutes
	@install/packages $(PACKAGES_DKMS)
	$(BIN)/pytest tests/layer/test_dkms.py

.PHONY: lint
lint: $(VENV)/installed ## the linters: ruff, mypy, shellcheck, clang-format, checkpatch, kernel-doc
	@install/packages $(PACKAGES_LINT)
	@install/kernel-scripts build/kernel-scripts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy python-tools/src labgrid/physbuf_lab recipes/debian
	shellcheck $(SHELL_SCRIPTS)
	clang-format --dry-run -Werror $(filter-out module/%,$(C_SOURCES))
	$(CHECKPATCH) --strict --ignore LINUX_VERSION_CODE,CONSTANT_COMPARISON -f $(filter module/%,$(C_SOURCES))
	$(CHECKPATCH) --ignore COMPLEX_MACRO,VOLATILE -f $(filter log/% libphysbuf/%,$(C_SOURCES))
	perl build/kernel-scripts/kernel-doc -none -Werror $(filter module/%,$(C_SOURCES))

.PHONY: requirements
requirements: ## pin requirements.in with hashes in requirements.txt (generated)
	$(PYTHON) -m venv build/pip-tools && build/pip-tools/bin/pip install --quiet pip-tools
	build/pip-tools/bin/pip-compile --quiet --upgrade --generate-hashes --strip-extras --allow-unsafe --no-header --no-annotate \
		--no-emit-index-url --no-emit-find-links --no-emit-trusted-host --output-file requirements.txt requirements.in

.PHONY: clean
clean: ## remove what was built and downloaded; the evidence in out/qualify stays
	rm -rf build out/image

# The virtual environment; physbuf itself is linked with the tree's own libphysbuf and installed as editable.
$(VENV)/requirements: requirements.txt
	@install/packages $(PACKAGES_PYTHON)
	@install/venv $(PYTHON) $(VENV) requirements.txt
	@touch $@

$(VENV)/installed: $(VENV)/requirements $(LIBRARY) $(NATIVE)
	@echo "installing physbuf and physbuf-lab into $(VENV)"
	@$(MAKE) --silent -C libphysbuf O=$(CURDIR)/build/libphysbuf PREFIX=$(PREFIX) LIBDIR=$(PREFIX)/lib install
	@PHYSBUF_LINK=static PKG_CONFIG_PATH=$(PREFIX)/lib/pkgconfig $(BIN)/pip install --quiet --no-index --no-deps \
		--no-build-isolation --editable python-tools --editable labgrid
	@touch $@
