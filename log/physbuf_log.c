// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The log's writing side: format, open, attach, append. */
#include <linux/errno.h>

#include "crc32c.h"
#include "physbuf_layout.h"

static void boot_id_copy(uint8_t to[16], const uint8_t from[16])
{
	int i;

	for (i = 0; i < 16; i++)
		to[i] = from[i];
}

/* Whether two boot ids are the same, known boot. */
static int same_boot(const uint8_t a[16], const uint8_t b[16])
{
	uint8_t differ = 0, known = 0;
	int i;

	for (i = 0; i < 16; i++) {
		differ |= a[i] ^ b[i];
		known |= a[i];
	}
	return known && !differ;
}

int physbuf_log_format(void *base, uint64_t size, uint64_t region_id, uint32_t sub_size)
{
	struct physbuf_log log = {0};
	struct sub_header unused = {0};
	uint64_t room, count;
	uint32_t i;

	if (size < DATA_OFFSET)
		return -ENOSPC;
	room = size - DATA_OFFSET;
	if (!sub_size) {
		/* The largest of which there are 16, so that losing one loses little. */
		sub_size = PHYSBUF_LOG_SUB_MAX;
		while (sub_size > PHYSBUF_LOG_SUB_MIN && room < (uint64_t)sub_size * 16)
			sub_size /= 2;
	}
	if (sub_size < PHYSBUF_LOG_SUB_MIN || sub_size > PHYSBUF_LOG_SUB_MAX ||
	    (sub_size & (sub_size - 1)))
		return -EINVAL;
	for (count = 0; count < SUB_COUNT_MAX && room >= sub_size; count++)
		room -= sub_size;
	if (count < SUB_COUNT_MIN)
		return -ENOSPC;

	/* A log that is there already gives the generation to go on from. */
	physbuf_super_load(&log, base, size);
	log.base = base;
	log.region_id = region_id;
	log.sub_size = sub_size;
	log.sub_count = count;
	log.epoch = 0;
	boot_id_copy(log.boot_id, unused.boot_id);
	unused.first = 1;
	for (i = 0; i < log.sub_count; i++)
		physbuf_sub_store(&log, i, &unused);
	physbuf_super_store(&log);
	physbuf_super_store(&log);
	return 0;
}

/*
 * Find the newest sub-buffer and the newest epoch. The superblock may be behind: the slot of the
 * last epoch can be lost. Return the serial of the newest valid header.
 */
static uint64_t find_newest(struct physbuf_log *log)
{
	struct sub_header header;
	uint64_t newest = 0;
	uint32_t i;

	for (i = 0; i < log->sub_count; i++) {
		if (physbuf_sub_load(log, i, &header) != SUB_VALID)
			continue;
		if (header.serial > newest)
			newest = header.serial;
		if (header.epoch > log->epoch) {
			log->epoch = header.epoch;
			boot_id_copy(log->boot_id, header.boot_id);
		}
	}
	/* A bad header right behind the newest was newer still. */
	log->serial = newest;
	for (i = 0; i < log->sub_count; i++) {
		if (physbuf_sub_load(log, sub_index(log, log->serial + 1), &header) != SUB_BAD)
			break;
		log->serial++;
	}
	return newest;
}

int physbuf_log_open(struct physbuf_log *log, const void *base, uint64_t size)
{
	int err = physbuf_super_load(log, base, size);

	if (err)
		return err;
	log->sequence = 0;
	log->fill = 0;
	find_newest(log);
	return 0;
}

/*
 * Where the next record goes, and its number: both from reading the newest sub-buffer. It is gone
 * on with only if nothing in it is wrong: what was torn stays where it is, for readers to report.
 */
static void find_end(struct physbuf_log *log, uint64_t newest)
{
	/* What a lost sub-buffer held is not known; no number it may have used is used again. */
	uint64_t lost = (log->serial - newest) * (log->sub_size / RECORD_HEADER);
	struct physbuf_log_cursor cursor;
	struct physbuf_record record;

	log->fill = 0;
	log->sequence = 1 + lost;
	if (!newest)
		return;
	physbuf_log_rewind(&cursor, log);
	cursor.serial = newest;
	cursor.expected = 0;
	cursor.report = (struct physbuf_report){0};
	while (physbuf_log_next(&cursor, &record, NULL, 0))
		;
	log->sequence = cursor.expected + lost;
	if (newest == log->serial && cursor.epoch == log->epoch && !cursor.report.torn &&
	    !cursor.report.damaged) {
		log->start = cursor.start;
		log->fill = cursor.end;
	}
}

int physbuf_log_attach(struct physbuf_log *log, void *base, uint64_t size,
		       const uint8_t boot_id[PHYSBUF_LOG_BOOT_ID])
{
	int err = physbuf_super_load(log, base, size);
	uint64_t newest;

	if (err)
		return err;
	newest = find_newest(log);
	if (!same_boot(log->boot_id, boot_id)) {
		if (log->epoch == 0xffffffff)
			return -EOVERFLOW;
		log->epoch++;
		boot_id_copy(log->boot_id, boot_id);
		physbuf_super_store(log);
	}
	find_end(log, newest);
	return 0;
}

uint32_t physbuf_log_limit(const struct physbuf_log *log)
{
	return log->sub_size - SUB_HEADER - RECORD_HEADER;
}

static void open_next(struct physbuf_log *log)
{
	struct sub_header header;
	uint32_t index;

	log->serial++;
	index = sub_index(log, log->serial);
	header.serial = log->serial;
	header.first = log->sequence;
	header.epoch = log->epoch;
	boot_id_copy(header.boot_id, log->boot_id);
	physbuf_sub_store(log, index, &header);
	log->start = sub_start(log, index);
	log->fill = SUB_HEADER;
}

static void store_payload(uint8_t *base, uint64_t at, const uint8_t *payload, uint32_t length)
{
	uint64_t word = 0;
	uint32_t i;

	for (i = 0; i < length; i++) {
		word |= (uint64_t)payload[i] << (i % 8 * 8);
		if (i % 8 == 7 || i == length - 1) {
			physbuf_store(base, at + (i & ~7u), word);
			word = 0;
		}
	}
}

int physbuf_log_append(struct physbuf_log *log, struct physbuf_record *record, const void *payload)
{
	uint32_t length = record->length, need, crc, i;
	uint64_t header[3], at;

	if (length > physbuf_log_limit(log))
		return -EMSGSIZE;
	need = RECORD_HEADER + padded(length);
	if (!log->fill || need > log->sub_size - log->fill)
		open_next(log);
	at = log->start + log->fill;

	record->sequence = log->sequence;
	record->epoch = log->epoch;
	record->offset = at;
	boot_id_copy(record->boot_id, log->boot_id);
	header[0] = record->sequence;
	header[1] = record->time_ns;
	header[2] = record->epoch | (uint64_t)record->kind << 32 | (uint64_t)record->severity << 48;
	crc = physbuf_record_crc(log, log->serial, at, TAG_COMMITTED | length, header);
	crc = physbuf_crc32c(crc, payload, length);

	/* The end first, then the intent: at every moment the words form a chain with an end. */
	if (need < log->sub_size - log->fill)
		physbuf_store(log->base, at + need, 0);
	physbuf_store(log->base, at, TAG_INTENT | length);
	for (i = 0; i < 3; i++)
		physbuf_store(log->base, at + 8 + i * 8, header[i]);
	store_payload(log->base, at + RECORD_HEADER, payload, length);
	physbuf_commit(log->base, at, (TAG_COMMITTED | length) | (uint64_t)crc << 32);

	log->fill += need;
	log->sequence++;
	return 0;
}
