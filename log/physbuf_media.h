/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * How the log core touches the medium: aligned 64-bit little-endian words and nothing else, which
 * suits any memory type. Ordinary accesses could be merged, split or turned into a call of memcpy.
 */
#ifndef PHYSBUF_MEDIA_H
#define PHYSBUF_MEDIA_H

#include "physbuf_record.h"

#ifdef __KERNEL__
#include <asm/barrier.h>
/* Pairs with nothing: readers trust the checksum. It keeps a commit behind its record. */
#define physbuf_release(p, v) smp_store_release(p, v)
#else
#define physbuf_release(p, v) __atomic_store_n(p, v, __ATOMIC_RELEASE)
#endif

/* A test that cuts the power before a store, or records the stores, defines this. */
#ifndef PHYSBUF_BEFORE_STORE
#define PHYSBUF_BEFORE_STORE(base, offset, value) ((void)0)
#endif

static inline uint64_t physbuf_le64(uint64_t value)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	return __builtin_bswap64(value);
#else
	return value;
#endif
}

static inline uint64_t physbuf_load(const void *base, uint64_t offset)
{
	return physbuf_le64(*(const volatile uint64_t *)((const char *)base + offset));
}

static inline void physbuf_store(void *base, uint64_t offset, uint64_t value)
{
	PHYSBUF_BEFORE_STORE(base, offset, value);
	*(volatile uint64_t *)((char *)base + offset) = physbuf_le64(value);
}

/*
 * The store that makes all stores before it count. A 32-bit machine takes two: the half with the
 * state comes last, so that a word cut in two is no commit.
 */
static inline void physbuf_commit(void *base, uint64_t offset, uint64_t value)
{
	void *place = (char *)base + offset;

	PHYSBUF_BEFORE_STORE(base, offset, value);
#if __SIZEOF_LONG__ == 8
	physbuf_release((uint64_t *)place, physbuf_le64(value));
#else
	/* Bytes 0 .. 3 on the medium are the low half, whatever the byte order of the machine. */
	uint64_t media = physbuf_le64(value);
	const char *bytes = (const char *)&media;
	uint32_t state, crc;

	__builtin_memcpy(&state, bytes, 4);
	__builtin_memcpy(&crc, bytes + 4, 4);
	*((volatile uint32_t *)place + 1) = crc;
	physbuf_release((uint32_t *)place, state);
#endif
}

#endif
