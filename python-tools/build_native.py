# SPDX-License-Identifier: MIT
"""Builds ``physbuf._native``: cffi (API mode) over libphysbuf, found by pkg-config.

``PHYSBUF_LINK=static`` links libphysbuf.a in, so that the extension needs no library at run time. ``PKG_CONFIG``
names another pkg-config, as in a cross build.
"""

import os
import subprocess

from cffi import FFI

CDEF = """
    struct physbuf_record {
        uint64_t sequence;
        uint64_t time_ns;
        uint64_t offset;
        uint32_t epoch;
        uint32_t length;
        uint16_t kind;
        uint8_t severity;
        uint8_t boot_id[16];
        ...;
    };
    struct physbuf_report {
        uint64_t records;
        uint64_t epochs;
        uint64_t torn;
        uint64_t damaged;
        uint64_t gaps;
        uint64_t lost;
        uint64_t overwritten;
        ...;
    };
    enum physbuf_access { PHYSBUF_READ, PHYSBUF_WRITE, ... };
    struct physbuf_region;
    struct physbuf_writer;
    struct physbuf_reader;

    int physbuf_open(const char *, enum physbuf_access, struct physbuf_region **);
    void physbuf_close(struct physbuf_region *);
    void *physbuf_data(const struct physbuf_region *);
    uint64_t physbuf_size(const struct physbuf_region *);
    int physbuf_base(const struct physbuf_region *, uint64_t *);
    const char *physbuf_kind(const struct physbuf_region *);
    int physbuf_fd(const struct physbuf_region *);
    const char *physbuf_name(const struct physbuf_region *);
    const char *physbuf_path(const struct physbuf_region *);
    int physbuf_lock(struct physbuf_region *);
    void physbuf_unlock(struct physbuf_region *);

    int physbuf_peek(const struct physbuf_region *, uint64_t, unsigned int, uint64_t *);
    int physbuf_poke(struct physbuf_region *, uint64_t, unsigned int, uint64_t);
    int physbuf_clean(struct physbuf_region *, uint64_t, uint64_t);
    int physbuf_ring(struct physbuf_region *);
    int physbuf_wait(struct physbuf_region *, int, uint64_t *);

    void physbuf_pattern(uint64_t, uint64_t, void *, size_t);
    int physbuf_fill(struct physbuf_region *, uint64_t);
    void physbuf_page_crcs(const struct physbuf_region *, uint8_t *);
    size_t physbuf_pages(const struct physbuf_region *);
    uint32_t physbuf_crc(uint32_t, const void *, size_t);

    int physbuf_format(struct physbuf_region *, uint32_t);
    int physbuf_writer_open(struct physbuf_region *, struct physbuf_writer **);
    void physbuf_writer_close(struct physbuf_writer *);
    int physbuf_writer_append(struct physbuf_writer *, uint16_t, uint8_t, const void *, uint32_t, uint64_t *);
    uint32_t physbuf_writer_limit(const struct physbuf_writer *);
    uint32_t physbuf_writer_epoch(const struct physbuf_writer *);
    int physbuf_reader_open(const struct physbuf_region *, struct physbuf_reader **);
    void physbuf_reader_close(struct physbuf_reader *);
    int physbuf_reader_next(struct physbuf_reader *, struct physbuf_record *, const void **);
    void physbuf_reader_report(const struct physbuf_reader *, struct physbuf_report *);
"""


def pkg_config(*arguments: str) -> list[str]:
    """The words that pkg-config answers for the package physbuf."""
    command = [os.environ.get("PKG_CONFIG", "pkg-config"), *arguments, "physbuf"]
    try:
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.split()
    except FileNotFoundError:
        raise SystemExit(f"{command[0]}: not found; install pkg-config, or name it in PKG_CONFIG") from None
    except subprocess.CalledProcessError:
        raise SystemExit(
            f"{' '.join(command)}: failed; install libphysbuf first (make -C libphysbuf install PREFIX=DIR) "
            "and set PKG_CONFIG_PATH=DIR/lib/pkgconfig"
        ) from None


def linkage() -> dict[str, list[str]]:
    """How the extension is linked, as set_source() takes it."""
    link = os.environ.get("PHYSBUF_LINK", "shared")
    compile_args = pkg_config("--cflags")
    link_args = pkg_config("--libs")
    if link == "static":
        directories = [word[2:] for word in link_args if word.startswith("-L")] or pkg_config("--variable=libdir")
        archives = [f"{directory}/libphysbuf.a" for directory in directories]
        found = [archive for archive in archives if os.path.exists(archive)]
        if not found:
            raise SystemExit(f"PHYSBUF_LINK=static: there is no {' or '.join(archives)}")
        return {"extra_compile_args": compile_args, "extra_objects": found[:1]}
    if link != "shared":
        raise SystemExit(f"PHYSBUF_LINK={link}: must be static or shared")
    return {"extra_compile_args": compile_args, "extra_link_args": link_args}


ffi = FFI()
ffi.cdef(CDEF)
ffi.set_source("physbuf._native", "#include <physbuf.h>", **linkage())
