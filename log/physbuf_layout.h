/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The layout of the log on the medium, for the core's own files; docs/format.md explains it. */
#ifndef PHYSBUF_LAYOUT_H
#define PHYSBUF_LAYOUT_H

#include "physbuf_log.h"
#include "physbuf_media.h"

/* The superblock: two slots, the one with the higher generation counts. Sizes are in bytes. */
#define SUPER_MAGIC  0x4c46554253594850ull /* "PHYSBUFL" */
#define SUPER_SIZE   96
#define SUPER_STRIDE 4096
#define DATA_OFFSET  8192

/* A sub-buffer: a header, then records; a zero word ends them. */
#define SUB_MAGIC     0x42534250u /* "PBSB" */
#define SUB_HEADER    64
#define SUB_COUNT_MIN 2
#define SUB_COUNT_MAX (1u << 24)

/* A record: four words, then the payload, padded with zeros to whole words. */
#define RECORD_HEADER 32
#define TAG_INTENT    0x49000000u /* 'I' */
#define TAG_COMMITTED 0x43000000u /* 'C' */
#define TAG_MASK      0xff000000u
#define LENGTH_MASK   0x00ffffffu

/* Serials count sub-buffers from 1 on, over all laps; a bound that no writer reaches. */
#define SERIAL_MAX (1ull << 62)

enum sub_state {
	SUB_VALID,
	SUB_OPENING, /* its writer was stopped before the header was whole */
	SUB_BAD,
};

struct sub_header {
	uint64_t serial; /* 0: never used */
	uint64_t first;	 /* sequence number of its first record */
	uint32_t epoch;
	uint8_t boot_id[PHYSBUF_LOG_BOOT_ID];
};

static inline uint32_t padded(uint32_t length)
{
	return (length + 7) & ~7u;
}

/*
 * The index of the sub-buffer with a serial from 1 on: (serial - 1) % sub_count, in steps of a
 * byte, since 32-bit kernels lack a division of 64 bits. SUB_COUNT_MAX keeps it within 32.
 */
static inline uint32_t sub_index(const struct physbuf_log *log, uint64_t serial)
{
	uint32_t rest = 0;
	int shift;

	for (shift = 56; shift >= 0; shift -= 8)
		rest = (rest << 8 | (uint8_t)((serial - 1) >> shift)) % log->sub_count;
	return rest;
}

static inline uint64_t sub_start(const struct physbuf_log *log, uint32_t index)
{
	return DATA_OFFSET + (uint64_t)index * log->sub_size;
}

/* Read and write superblocks. physbuf_super_load() as physbuf_log_open(). */
int physbuf_super_load(struct physbuf_log *log, const void *base, uint64_t size);
void physbuf_super_store(struct physbuf_log *log);

/* Read and write the header of a sub-buffer. */
enum sub_state physbuf_sub_load(const struct physbuf_log *log, uint32_t index,
				struct sub_header *header);
void physbuf_sub_store(const struct physbuf_log *log, uint32_t index,
		       const struct sub_header *header);

/* The checksum of a record's place and header; the payload's bytes follow. @word: its first word.
 */
uint32_t physbuf_record_crc(const struct physbuf_log *log, uint64_t serial, uint64_t offset,
			    uint32_t word, const uint64_t header[3]);

#endif
