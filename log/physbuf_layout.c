// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Superblocks, sub-buffer headers and the checksum of records: bytes to values and back. */
#include <linux/errno.h>

#include "crc32c.h"
#include "physbuf_layout.h"

static uint32_t low(uint64_t word)
{
	return word;
}

static uint32_t high(uint64_t word)
{
	return word >> 32;
}

static uint64_t pair(uint32_t low, uint32_t high)
{
	return low | (uint64_t)high << 32;
}

static void boot_id_load(uint8_t boot_id[16], const uint64_t words[2])
{
	int i;

	for (i = 0; i < 16; i++)
		boot_id[i] = words[i / 8] >> (i % 8 * 8);
}

static void boot_id_store(uint64_t words[2], const uint8_t boot_id[16])
{
	int i;

	words[0] = 0;
	words[1] = 0;
	for (i = 0; i < 16; i++)
		words[i / 8] |= (uint64_t)boot_id[i] << (i % 8 * 8);
}

/* The checksum of @count words but for the last four bytes, which hold it. */
static uint32_t header_crc(const uint64_t *words, int count)
{
	uint32_t crc = 0;
	uint64_t media;
	int i;

	for (i = 0; i < count; i++) {
		media = physbuf_le64(words[i]);
		crc = physbuf_crc32c(crc, &media, i < count - 1 ? 8 : 4);
	}
	return crc;
}

static int super_valid(const uint64_t w[12], uint64_t size)
{
	uint32_t sub_size = low(w[5]), sub_count = high(w[5]);

	if (w[0] != SUPER_MAGIC || w[1] != pair(PHYSBUF_LOG_VERSION, SUPER_SIZE))
		return 0;
	if (high(w[11]) != header_crc(w, 12) || w[4] != DATA_OFFSET || high(w[6]) != 1)
		return 0;
	if (sub_size < PHYSBUF_LOG_SUB_MIN || sub_size > PHYSBUF_LOG_SUB_MAX ||
	    (sub_size & (sub_size - 1)))
		return 0;
	return sub_count >= SUB_COUNT_MIN && sub_count <= SUB_COUNT_MAX && size >= DATA_OFFSET &&
	       (uint64_t)sub_count * sub_size <= size - DATA_OFFSET;
}

int physbuf_super_load(struct physbuf_log *log, const void *base, uint64_t size)
{
	uint64_t w[12];
	int found = 0, err = -ENODATA;
	int slot, i;

	for (slot = 0; slot < 2; slot++) {
		if (size < DATA_OFFSET)
			break;
		for (i = 0; i < 12; i++)
			w[i] = physbuf_load(base, slot * SUPER_STRIDE + i * 8);
		if (!super_valid(w, size)) {
			if (w[0] == SUPER_MAGIC && err != -EPROTONOSUPPORT)
				err = low(w[1]) == PHYSBUF_LOG_VERSION ? -EBADMSG
								       : -EPROTONOSUPPORT;
			continue;
		}
		if (found && w[3] <= log->generation)
			continue;
		found = 1;
		log->base = (uint8_t *)base;
		log->region_id = w[2];
		log->generation = w[3];
		log->sub_size = low(w[5]);
		log->sub_count = high(w[5]);
		log->epoch = low(w[6]);
		boot_id_load(log->boot_id, &w[7]);
	}
	return found ? 0 : err;
}

void physbuf_super_store(struct physbuf_log *log)
{
	uint64_t w[12] = {0};
	uint64_t at;
	int i;

	log->generation++;
	w[0] = SUPER_MAGIC;
	w[1] = pair(PHYSBUF_LOG_VERSION, SUPER_SIZE);
	w[2] = log->region_id;
	w[3] = log->generation;
	w[4] = DATA_OFFSET;
	w[5] = pair(log->sub_size, log->sub_count);
	w[6] = pair(log->epoch, 1);
	boot_id_store(&w[7], log->boot_id);
	w[11] = pair(0, header_crc(w, 12));

	at = (log->generation & 1) * SUPER_STRIDE;
	for (i = 0; i < 11; i++)
		physbuf_store(log->base, at + i * 8, w[i]);
	physbuf_commit(log->base, at + 88, w[11]);
}

enum sub_state physbuf_sub_load(const struct physbuf_log *log, uint32_t index,
				struct sub_header *header)
{
	uint64_t at = sub_start(log, index), w[8];
	int i;

	for (i = 0; i < 8; i++)
		w[i] = physbuf_load(log->base, at + i * 8);
	if (!w[0])
		return SUB_OPENING;
	if (w[0] != pair(SUB_MAGIC, index) || w[1] != log->region_id ||
	    high(w[7]) != header_crc(w, 8))
		return SUB_BAD;
	header->serial = w[2];
	header->first = w[3];
	header->epoch = low(w[4]);
	boot_id_load(header->boot_id, &w[5]);
	if (header->serial > SERIAL_MAX)
		return SUB_BAD;
	if (header->serial && sub_index(log, header->serial) != index)
		return SUB_BAD;
	return SUB_VALID;
}

void physbuf_sub_store(const struct physbuf_log *log, uint32_t index,
		       const struct sub_header *header)
{
	uint64_t at = sub_start(log, index), w[8] = {0};
	int i;

	w[0] = pair(SUB_MAGIC, index);
	w[1] = log->region_id;
	w[2] = header->serial;
	w[3] = header->first;
	w[4] = header->epoch;
	boot_id_store(&w[5], header->boot_id);
	w[7] = pair(0, header_crc(w, 8));

	physbuf_store(log->base, at, 0);
	for (i = 1; i < 8; i++)
		physbuf_store(log->base, at + i * 8, w[i]);
	physbuf_store(log->base, at + SUB_HEADER, 0);
	physbuf_commit(log->base, at, w[0]);
}

uint32_t physbuf_record_crc(const struct physbuf_log *log, uint64_t serial, uint64_t offset,
			    uint32_t word, const uint64_t header[3])
{
	uint64_t media[7];
	int i;

	media[0] = physbuf_le64(log->region_id);
	media[1] = physbuf_le64(offset);
	media[2] = physbuf_le64(serial);
	media[3] = physbuf_le64(word);
	for (i = 0; i < 3; i++)
		media[4 + i] = physbuf_le64(header[i]);
	return physbuf_crc32c(0, media, sizeof(media));
}
