/* SPDX-License-Identifier: MIT */
/*
 * libphysbuf: RAM that survives a reboot, from user space.
 *
 * A region is opened by its name ("log" is /dev/physbuf/log) or by a path (anything with a '/'): a
 * physbuf device, a file or a raw dump of RAM. Functions that return int return 0, or a negative
 * errno. Objects are not locked: one thread at a time uses a region and the writers and readers on
 * it.
 */
#ifndef PHYSBUF_H
#define PHYSBUF_H

#include <stddef.h>
#include <stdint.h>

#include <physbuf_record.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PHYSBUF_PAGE	4096
#define PHYSBUF_DEVICES "/dev/physbuf/"

/* ---- regions ------------------------------------------------------------------------------- */

struct physbuf_region;

enum physbuf_access {
	PHYSBUF_READ = 0,
	PHYSBUF_WRITE = 1, /* read and write */
};

/*
 * Find and map a region. -ENOENT: no such region; -EACCES: not in the group physbuf; -ENODATA: an
 * empty file; -ENODEV: a device that is not physbuf's; -EISDIR; -EFBIG: larger than the
 * address space; or what open(2) and mmap(2) say.
 */
int physbuf_open(const char *target, enum physbuf_access access, struct physbuf_region **region);

/* Unmap and close; after the writers and readers on it. NULL is ignored. */
void physbuf_close(struct physbuf_region *region);

/* The mapping. Writing through it needs PHYSBUF_WRITE. */
void *physbuf_data(const struct physbuf_region *region);

/* Bytes. */
uint64_t physbuf_size(const struct physbuf_region *region);

/* The physical address; -ENODATA for what has none, as a file. */
int physbuf_base(const struct physbuf_region *region, uint64_t *base);

/* The last part of the path, and the path. */
const char *physbuf_name(const struct physbuf_region *region);
const char *physbuf_path(const struct physbuf_region *region);

/*
 * Claim the region for writing: -EBUSY if another one has. Advisory (flock); every writer of this
 * library takes it. The kernel drops it when the process dies. physbuf_close() drops it, too.
 */
int physbuf_lock(struct physbuf_region *region);
void physbuf_unlock(struct physbuf_region *region);

/* ---- pattern and digest -------------------------------------------------------------------- */

/* Bytes @offset .. @offset + @length of the pattern of @seed (docs/format.md). */
void physbuf_pattern(uint64_t seed, uint64_t offset, void *out, size_t length);

/* Fill the region with the pattern of @seed: -EBADF if it is open for reading, -EBUSY. */
int physbuf_fill(struct physbuf_region *region, uint64_t seed);

/* The CRC32C of each page, as little-endian words; the last page may be short. */
void physbuf_page_crcs(const struct physbuf_region *region, uint8_t *out);
size_t physbuf_pages(const struct physbuf_region *region);

/* CRC32C of @length bytes, going on from @crc (0 to begin). */
uint32_t physbuf_crc(uint32_t crc, const void *data, size_t length);

/* ---- the log ------------------------------------------------------------------------------- */

struct physbuf_writer;
struct physbuf_reader;

/*
 * Make an empty log of the region; what it held is gone. @sub_size: bytes of a sub-buffer, a power
 * of two from 4096 to 65536, or 0 to choose. -ENOSPC: the region is too small (16 KiB is enough).
 */
int physbuf_format(struct physbuf_region *region, uint32_t sub_size);

/*
 * Go on with the log of the region, in a new epoch if this is another boot. -ENODATA: there is no
 * log, format it; -EBADMSG: its superblocks are damaged; -EPROTONOSUPPORT: it is of another
 * version; -EBADF: open for reading only; -EBUSY: another writer.
 */
int physbuf_writer_open(struct physbuf_region *region, struct physbuf_writer **writer);
void physbuf_writer_close(struct physbuf_writer *writer);

/*
 * Append a record, which is committed when this returns. @sequence (may be NULL) gets its number.
 * -EMSGSIZE: longer than physbuf_writer_limit().
 */
int physbuf_writer_append(struct physbuf_writer *writer, uint16_t kind, uint8_t severity,
			  const void *payload, uint32_t length, uint64_t *sequence);

/* The longest payload, and the epoch that is written. */
uint32_t physbuf_writer_limit(const struct physbuf_writer *writer);
uint32_t physbuf_writer_epoch(const struct physbuf_writer *writer);

/* Read the log of the region from its oldest record, without changing it. -ENODATA as above. */
int physbuf_reader_open(const struct physbuf_region *region, struct physbuf_reader **reader);
void physbuf_reader_close(struct physbuf_reader *reader);

/*
 * The next record: 1, or 0 at the end. *@payload is valid until the next call. What was found and
 * lost so far is in the report.
 */
int physbuf_reader_next(struct physbuf_reader *reader, struct physbuf_record *record,
			const void **payload);
void physbuf_reader_report(const struct physbuf_reader *reader, struct physbuf_report *report);

#ifdef __cplusplus
}
#endif

#endif
