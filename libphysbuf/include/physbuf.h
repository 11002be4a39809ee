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
 * Find and map a region. -ENOENT: no such region; -EACCES: not in the group physbuf; -EPERM: a
 * region of role state is for reading only, one of kind regs for CAP_SYS_RAWIO; -ENODATA: an empty
 * file; -ENODEV: a device that is not physbuf's; -EISDIR; -EFBIG: larger than the address space;
 * or what open(2) and mmap(2) say.
 *
 * A region of kind dma has no content of its own: it is opened but not mapped, and what needs the
 * mapping (fill, peek, the log) says -EOPNOTSUPP.
 */
int physbuf_open(const char *target, enum physbuf_access access, struct physbuf_region **region);

/* Unmap and close; after the writers and readers on it. NULL is ignored. */
void physbuf_close(struct physbuf_region *region);

/* The mapping. Writing through it needs PHYSBUF_WRITE. NULL for the kind dma. */
void *physbuf_data(const struct physbuf_region *region);

/* Bytes; of the kind dma, what all its buffers together may take. */
uint64_t physbuf_size(const struct physbuf_region *region);

/* The physical address; -ENODATA for what has none: a file, the kinds dma and vmalloc. */
int physbuf_base(const struct physbuf_region *region, uint64_t *base);

/* "reserved", "dma", "pages", "vmalloc" or "regs"; "file"; "unknown" is of a newer module. */
const char *physbuf_kind(const struct physbuf_region *region);

/* The descriptor, for write(2), poll(2) and ioctl(2). It stays the region's, and is O_NONBLOCK. */
int physbuf_fd(const struct physbuf_region *region);

/* The last part of the path, and the path. */
const char *physbuf_name(const struct physbuf_region *region);
const char *physbuf_path(const struct physbuf_region *region);

/*
 * Claim the region for writing: -EBUSY if another one has. Advisory (flock); every writer of this
 * library takes it. The kernel drops it when the process dies. physbuf_close() drops it, too.
 */
int physbuf_lock(struct physbuf_region *region);
void physbuf_unlock(struct physbuf_region *region);

/* ---- parts of a region --------------------------------------------------------------------- */

/*
 * Map @length bytes from @offset on once more; of the kind dma, a buffer, at the offset that
 * physbuf_dma_alloc() gave. The mapping outlives the region; give it back by physbuf_unmap().
 * -EINVAL: @offset is not a multiple of the machine's page, or @length is 0; -ERANGE: not in the
 * region; -EBADF: PHYSBUF_WRITE of a region that is open for reading; or what mmap(2) says.
 */
int physbuf_map(struct physbuf_region *region, uint64_t offset, size_t length,
		enum physbuf_access access, void **data);

/*
 * The same at a virtual address of one's choice, for code that has addresses written in it. What is
 * there is never replaced: -EEXIST. -EINVAL also for an @address that is NULL or not a multiple of
 * the page; -EPERM: below vm.mmap_min_addr. On 64-bit machines a position independent program, most
 * compilers' default, has nothing of its own below 4 GiB.
 */
int physbuf_map_at(struct physbuf_region *region, uint64_t offset, size_t length, void *address,
		   enum physbuf_access access);

/* Undo either, with the same @length. */
int physbuf_unmap(void *data, size_t length);

/*
 * One access of exactly @width bytes, 1, 2, 4 or 8, as a device's register wants it. -EINVAL:
 * another width, or @offset is not a multiple of it; -ERANGE: not in the region; -EBADF: open for
 * reading only; -EOPNOTSUPP: the machine cannot do 8 bytes in one access, or the kind is dma.
 */
int physbuf_peek(const struct physbuf_region *region, uint64_t offset, unsigned int width,
		 uint64_t *value);
int physbuf_poke(struct physbuf_region *region, uint64_t offset, unsigned int width,
		 uint64_t value);

/*
 * Write a range back from the processor's caches to memory, so that it survives a reset that drops
 * them; of a file, to its storage. -EINVAL: @length is 0; -ERANGE: not in the region; -EBADF: open
 * for reading only; -EOPNOTSUPP: this machine or this kind cannot.
 */
int physbuf_clean(struct physbuf_region *region, uint64_t offset, uint64_t length);

/* ---- notification -------------------------------------------------------------------------- */

/* Wake everybody who waits for the region: -EBADF if open for reading only, -ENOTTY for a file. */
int physbuf_ring(struct physbuf_region *region);

/*
 * Wait until the region is rung; rings since the last wait, or since it was opened, count. *@rings
 * says how many. @timeout_ms: -1 is for ever. -ETIMEDOUT; -EINTR: a signal; -ENOTTY for a file.
 */
int physbuf_wait(struct physbuf_region *region, int timeout_ms, uint64_t *rings);

/* ---- buffers for devices: regions of kind dma ---------------------------------------------- */

struct physbuf_dma_buffer {
	uint64_t length;  /* bytes, whole pages */
	uint64_t address; /* on the bus: what the device is told */
	uint64_t offset;  /* for physbuf_map() */
};

/*
 * Allocate at least @length bytes that processor and device see alike. They live until
 * physbuf_dma_free() or physbuf_close(), and as long as they are mapped. -EINVAL: @length is 0;
 * -EDQUOT: over a limit of the region, of this file or of all; -ENOMEM; -EBADF: open for reading
 * only; -ENOTTY: of another kind.
 */
int physbuf_dma_alloc(struct physbuf_region *region, uint64_t length,
		      struct physbuf_dma_buffer *buffer);

/* -ENOENT: not a live buffer of this region as opened here. */
int physbuf_dma_free(struct physbuf_region *region, const struct physbuf_dma_buffer *buffer);

/*
 * May a device be told to transfer these bytes? 0, or -ERANGE: they are not wholly in one live
 * buffer of this region as opened here. -EINVAL: @length is 0, or the end is beyond 64 bits.
 */
int physbuf_dma_check(struct physbuf_region *region, uint64_t address, uint64_t length);

/* ---- pattern and digest -------------------------------------------------------------------- */

/* Bytes @offset .. @offset + @length of the pattern of @seed (docs/format.md). */
void physbuf_pattern(uint64_t seed, uint64_t offset, void *out, size_t length);

/* Fill the region with the pattern of @seed: -EBADF if it is open for reading only, -EBUSY. */
int physbuf_fill(struct physbuf_region *region, uint64_t seed);

/* The CRC32C of each page, as little-endian words; the last page may be short. None of kind dma. */
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
