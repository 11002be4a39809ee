// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The log's reading side: from the oldest sub-buffer to the newest, record by record, and over
 * whatever is broken. It writes nothing, so that reading twice gives the same.
 */
#include <linux/errno.h>

#include "crc32c.h"
#include "physbuf_layout.h"

/* What cursor->resync says: where the last record ended, behind a zero word, behind a bad one. */
enum { IN_STEP, PAST_END, PAST_BAD };

void physbuf_log_rewind(struct physbuf_log_cursor *cursor, const struct physbuf_log *log)
{
	*cursor = (struct physbuf_log_cursor){.log = *log};
	if (log->serial > log->sub_count) {
		cursor->serial = log->serial - log->sub_count + 1;
	} else {
		cursor->serial = 1;
		cursor->expected = 1;
	}
}

static void hurt(struct physbuf_log_cursor *cursor)
{
	if (!cursor->hurt)
		cursor->report.damaged++;
	cursor->hurt = 1;
}

/* The number that comes now: more than expected is a gap. */
static void expect(struct physbuf_log_cursor *cursor, uint64_t sequence)
{
	if (cursor->expected && sequence > cursor->expected) {
		cursor->report.gaps++;
		cursor->report.lost += sequence - cursor->expected;
	}
	cursor->expected = sequence;
}

/* Begin the sub-buffer of cursor->serial; 0: it cannot be read. */
static int enter(struct physbuf_log_cursor *cursor)
{
	const struct physbuf_log *log = &cursor->log;
	struct sub_header header;
	uint32_t index = sub_index(log, cursor->serial);
	enum sub_state state = physbuf_sub_load(log, index, &header);
	int oldest = cursor->serial + log->sub_count == log->serial + 1;
	int i;

	cursor->hurt = 0;
	if ((state == SUB_OPENING && oldest) ||
	    (state == SUB_VALID && header.serial > cursor->serial)) {
		/* A writer takes it, or took it while we read. */
		cursor->expected = 0;
		return 0;
	}
	if (state != SUB_VALID || header.serial != cursor->serial) {
		hurt(cursor);
		return 0;
	}
	if (!cursor->expected)
		cursor->report.overwritten = header.first - 1;
	expect(cursor, header.first);
	if (header.epoch != cursor->epoch)
		cursor->report.epochs++;
	cursor->first = header.first;
	cursor->epoch = header.epoch;
	for (i = 0; i < 16; i++)
		cursor->boot_id[i] = header.boot_id[i];
	cursor->start = sub_start(log, index);
	cursor->place = SUB_HEADER;
	cursor->end = SUB_HEADER;
	cursor->resync = IN_STEP;
	return 1;
}

/* Go on with the checksum over a payload on the medium, and copy it unless @copy is NULL. */
static uint32_t load_payload(const struct physbuf_log *log, uint64_t at, uint32_t length,
			     uint32_t crc, uint8_t *copy)
{
	uint64_t word;
	uint32_t i, n, b;

	for (i = 0; i < length; i += 8) {
		uint8_t bytes[8];

		word = physbuf_load(log->base, at + i);
		n = length - i < 8 ? length - i : 8;
		for (b = 0; b < n; b++) {
			bytes[b] = word >> (b * 8);
			if (copy)
				copy[i + b] = bytes[b];
		}
		crc = physbuf_crc32c(crc, bytes, n);
	}
	return crc;
}

/* Whether a word can begin a record here, by its tag and length. */
static int plausible(const struct physbuf_log_cursor *cursor, uint32_t word)
{
	uint32_t room = cursor->log.sub_size - cursor->place;
	uint32_t tag = word & TAG_MASK;

	return (tag == TAG_INTENT || tag == TAG_COMMITTED) && room >= RECORD_HEADER &&
	       (word & LENGTH_MASK) <= room - RECORD_HEADER;
}

/* Verify the record at the cursor, whose first word is given. */
static int verify(const struct physbuf_log_cursor *cursor, uint64_t word,
		  struct physbuf_record *record, uint8_t *payload)
{
	const struct physbuf_log *log = &cursor->log;
	uint32_t state = word, crc;
	uint64_t header[3], at;
	int i;

	if (!plausible(cursor, state) || (state & TAG_MASK) != TAG_COMMITTED)
		return 0;
	at = cursor->start + cursor->place;
	for (i = 0; i < 3; i++)
		header[i] = physbuf_load(log->base, at + 8 + i * 8);
	/* What is cheap to see first: a resync tries many places. */
	if ((uint32_t)header[2] != cursor->epoch || header[0] < cursor->first ||
	    header[0] - cursor->first >= log->sub_size / RECORD_HEADER)
		return 0;
	record->length = state & LENGTH_MASK;
	crc = physbuf_record_crc(log, cursor->serial, at, state, header);
	crc = load_payload(log, at + RECORD_HEADER, record->length, crc, payload);
	if (crc != word >> 32)
		return 0;
	record->sequence = header[0];
	record->time_ns = header[1];
	record->offset = at;
	record->epoch = cursor->epoch;
	record->kind = header[2] >> 32;
	record->severity = header[2] >> 48;
	for (i = 0; i < 16; i++)
		record->boot_id[i] = cursor->boot_id[i];
	return 1;
}

/* The next record of the sub-buffer; 0: it has no more. */
static int next_here(struct physbuf_log_cursor *cursor, struct physbuf_record *record,
		     uint8_t *payload)
{
	const struct physbuf_log *log = &cursor->log;
	uint64_t word;

	for (; cursor->place < log->sub_size; cursor->place += 8) {
		word = physbuf_load(log->base, cursor->start + cursor->place);
		if (verify(cursor, word, record, payload)) {
			if (cursor->resync == PAST_END)
				hurt(cursor);
			cursor->resync = IN_STEP;
			cursor->place += RECORD_HEADER + padded(record->length);
			cursor->end = cursor->place;
			return 1;
		}
		if (cursor->resync != IN_STEP)
			continue;
		if (!word) {
			cursor->resync = PAST_END;
			continue;
		}
		cursor->resync = PAST_BAD;
		if (plausible(cursor, word))
			cursor->report.torn++;
		else
			hurt(cursor);
	}
	return 0;
}

int physbuf_log_next(struct physbuf_log_cursor *cursor, struct physbuf_record *record,
		     void *payload, uint32_t room)
{
	if (payload && room < physbuf_log_limit(&cursor->log))
		return -EINVAL;
	for (; cursor->serial <= cursor->log.serial; cursor->serial++) {
		if (!cursor->place && !enter(cursor))
			continue;
		if (next_here(cursor, record, payload)) {
			expect(cursor, record->sequence);
			cursor->expected++;
			cursor->report.records++;
			return 1;
		}
		cursor->place = 0;
	}
	return 0;
}
