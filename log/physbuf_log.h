/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The record log in memory that survives a reset: docs/format.md has every byte of it.
 *
 * The core is freestanding: no C library, no allocation, no locks. One producer at a time writes a
 * log, and the caller sees to that; any number may read, also while it is written and from a raw
 * dump. A reader trusts checksums only. The memory must be aligned to 8 bytes.
 *
 * Functions return 0, or a negative errno of Linux.
 */
#ifndef PHYSBUF_LOG_H
#define PHYSBUF_LOG_H

#include "physbuf_record.h"

#define PHYSBUF_LOG_VERSION 1
#define PHYSBUF_LOG_SUB_MIN 4096
#define PHYSBUF_LOG_SUB_MAX 65536
#define PHYSBUF_LOG_BOOT_ID 16

/* A log, as found by physbuf_log_open() or physbuf_log_attach(). */
struct physbuf_log {
	uint8_t *base;
	uint64_t region_id;
	uint64_t generation; /* of the newest superblock */
	uint64_t serial;     /* of the newest sub-buffer; 0: none yet */
	uint64_t start;	     /* where that one begins, while it is written */
	uint64_t sequence;   /* of the next record */
	uint32_t sub_size;
	uint32_t sub_count;
	uint32_t epoch;
	uint32_t fill; /* where the next record goes in the sub-buffer; 0: open another */
	uint8_t boot_id[PHYSBUF_LOG_BOOT_ID];
};

/* Where a reader is. Its fields are private but for the report. */
struct physbuf_log_cursor {
	struct physbuf_log log;
	struct physbuf_report report;
	uint64_t serial;   /* of the sub-buffer being read */
	uint64_t start;	   /* where that one begins */
	uint64_t expected; /* the sequence number that comes next, 0: not known yet */
	uint64_t first;	   /* the sequence number that the sub-buffer begins with */
	uint32_t place;	   /* in the sub-buffer; 0: its header is next */
	uint32_t end;	   /* behind the last valid record */
	uint32_t epoch;	   /* of the sub-buffer */
	uint8_t boot_id[PHYSBUF_LOG_BOOT_ID];
	uint8_t resync; /* bytes are being skipped */
	uint8_t hurt;	/* the sub-buffer is counted as damaged */
};

/*
 * Make an empty log of @size bytes at @base. @region_id: a number never used before (random), so
 * that nothing left in the memory is taken for a record. @sub_size: bytes of a sub-buffer, a power
 * of two from SUB_MIN to SUB_MAX, or 0 to choose one. -ENOSPC: no room for two sub-buffers;
 * -EINVAL.
 */
int physbuf_log_format(void *base, uint64_t size, uint64_t region_id, uint32_t sub_size);

/*
 * Find the log in @size bytes at @base, for reading: nothing is written. -ENODATA: there is none;
 * -EPROTONOSUPPORT: it has another version; -EBADMSG: there is one, but both superblocks are
 * damaged.
 */
int physbuf_log_open(struct physbuf_log *log, const void *base, uint64_t size);

/*
 * Find the log and go on writing it: in the epoch of @boot_id, or in a new one. A @boot_id of zeros
 * is unknown and always gets a new epoch. Older epochs stay readable until they are overwritten.
 * -EOVERFLOW: epoch 2^32 - 1 is used up.
 */
int physbuf_log_attach(struct physbuf_log *log, void *base, uint64_t size,
		       const uint8_t boot_id[PHYSBUF_LOG_BOOT_ID]);

/* The longest payload of a record. */
uint32_t physbuf_log_limit(const struct physbuf_log *log);

/*
 * Append a record; when this returns it is committed. @record gives time_ns, kind, severity and
 * length, and gets sequence, epoch, offset and boot_id. -EMSGSIZE: longer than the limit.
 */
int physbuf_log_append(struct physbuf_log *log, struct physbuf_record *record, const void *payload);

/* Begin reading at the oldest record. */
void physbuf_log_rewind(struct physbuf_log_cursor *cursor, const struct physbuf_log *log);

/*
 * The next valid record: 1, its payload copied to @payload; or 0 at the end. @room: bytes there, at
 * least physbuf_log_limit(), else -EINVAL; a @payload of NULL is verified but not copied. What was
 * verified is the copy, so that a record which a writer overwrites meanwhile is never returned
 * mixed.
 */
int physbuf_log_next(struct physbuf_log_cursor *cursor, struct physbuf_record *record,
		     void *payload, uint32_t room);

#endif
