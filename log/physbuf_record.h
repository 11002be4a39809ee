/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What a reader gets from a physbuf log: a record, and a report of what was found and lost.
 *
 * This is also the one place that picks the integer types, for the kernel or for user space.
 */
#ifndef PHYSBUF_RECORD_H
#define PHYSBUF_RECORD_H

#ifdef __KERNEL__
#include <linux/types.h>
#else
#include <stddef.h>
#include <stdint.h>
#endif

struct physbuf_record {
	uint64_t sequence;   /* 1 is the first record of the log; counts on over epochs */
	uint64_t time_ns;    /* the writer's clock, nanoseconds since 1970; not monotonic */
	uint64_t offset;     /* where the record begins, bytes from the region's start */
	uint32_t epoch;	     /* 1 is the first boot that wrote; one more for each later one */
	uint32_t length;     /* bytes of payload */
	uint16_t kind;	     /* the application's; 0 is text */
	uint8_t severity;    /* as in syslog: 0 emergency .. 7 debug */
	uint8_t boot_id[16]; /* of the boot that wrote it; as in /proc, text order */
};

/* Valid up to the cursor's place; complete once the cursor has reached the end. */
struct physbuf_report {
	uint64_t records;     /* valid records */
	uint64_t epochs;      /* different epochs among the sub-buffers read */
	uint64_t torn;	      /* begun but not committed, or committed with a wrong CRC */
	uint64_t damaged;     /* sub-buffers with a bad header or foreign bytes between records */
	uint64_t gaps;	      /* places where sequence numbers are missing */
	uint64_t lost;	      /* sequence numbers missing in all the gaps */
	uint64_t overwritten; /* records that made room for newer ones, as a full log does */
};

#endif
