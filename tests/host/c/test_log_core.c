// SPDX-License-Identifier: MIT
/*
 * The log core and libphysbuf under the sanitizers: whatever is cut, flipped, moved or made up, a
 * reader returns written records only, and says what it lost. argv[1]: a directory for files.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../../log/physbuf_layout.h"
#include "../../../log/physbuf_log.h"
#include "physbuf.h"

#define CHECK(what)                                                                              \
	do {                                                                                     \
		if (!(what)) {                                                                   \
			fprintf(stderr, "%s:%d: %s: not so: %s\n", __FILE__, __LINE__, __func__, \
				#what);                                                          \
			exit(1);                                                                 \
		}                                                                                \
	} while (0)

#define SIZE (DATA_OFFSET + 4 * 4096)
#define ROOM PHYSBUF_LOG_SUB_MAX

static const uint8_t boot_a[16] = {0xa, 1}, boot_b[16] = {0xb, 2}, unknown[16];

/* ---- the power switch ---------------------------------------------------------------------- */

static jmp_buf power_off;
static long stores_left = -1; /* below zero: never cut */

void cut_before_store(void)
{
	if (stores_left < 0)
		return;
	if (!stores_left--)
		longjmp(power_off, 1);
}

/* ---- records that can be told from false ones ---------------------------------------------- */

static uint64_t noise_state = 1;

static uint64_t noise(void)
{
	noise_state = noise_state * 6364136223846793005u + 1442695040888963407u;
	return noise_state >> 20;
}

/* Everything of a record follows from its sequence number and @flavour. */
static uint64_t time_of(uint64_t sequence, uint64_t flavour)
{
	return sequence * 1000003 + flavour;
}

static uint32_t length_of(uint64_t sequence)
{
	return sequence * 37 % 200;
}

static void payload_of(uint64_t sequence, uint64_t flavour, uint8_t *out, uint32_t length)
{
	physbuf_pattern(sequence ^ flavour << 32, 0, out, length);
}

static int append(struct physbuf_log *log, uint64_t flavour, uint32_t length)
{
	static uint8_t payload[ROOM];
	struct physbuf_record record = {0};

	record.kind = log->sequence;
	record.severity = log->sequence % 8;
	record.time_ns = time_of(log->sequence, flavour);
	record.length = length;
	payload_of(log->sequence, flavour, payload, length);
	return physbuf_log_append(log, &record, payload);
}

static int genuine(const struct physbuf_record *record, const uint8_t *payload)
{
	static uint8_t wanted[ROOM];
	uint64_t flavour = record->time_ns - record->sequence * 1000003;

	if (flavour > 9 || record->kind != (uint16_t)record->sequence ||
	    record->severity != record->sequence % 8)
		return 0;
	payload_of(record->sequence, flavour, wanted, record->length);
	return !memcmp(wanted, payload, record->length);
}

/* What a whole reading found. */
struct found {
	struct physbuf_report report;
	uint64_t first, last; /* sequence numbers */
	uint32_t epoch;	      /* of the last */
	uint64_t flavours[10];
};

/* Read all, twice; every record must be genuine, in order, and the medium untouched. */
static struct found read_all(const uint8_t *memory, size_t size)
{
	static uint8_t payload[ROOM];
	struct physbuf_log_cursor cursor, again;
	struct physbuf_record record;
	struct found found = {0};
	struct physbuf_log log;
	uint32_t before = physbuf_crc(0, memory, size);

	CHECK(!physbuf_log_open(&log, memory, size));
	physbuf_log_rewind(&cursor, &log);
	while (physbuf_log_next(&cursor, &record, payload, sizeof(payload)) == 1) {
		CHECK(genuine(&record, payload));
		found.first = found.first ? found.first : record.sequence;
		found.last = record.sequence;
		found.epoch = record.epoch;
		found.flavours[record.time_ns - record.sequence * 1000003]++;
	}
	found.report = cursor.report;
	physbuf_log_rewind(&again, &log);
	while (physbuf_log_next(&again, &record, NULL, 0) == 1)
		;
	CHECK(!memcmp(&again.report, &cursor.report, sizeof(again.report)));
	CHECK(before == physbuf_crc(0, memory, size));
	return found;
}

static int clean(const struct found *found)
{
	return !found->report.torn && !found->report.damaged && !found->report.gaps;
}

static void make(uint8_t *memory, size_t size, struct physbuf_log *log)
{
	CHECK(!physbuf_log_format(memory, size, noise(), 0));
	CHECK(!physbuf_log_attach(log, memory, size, boot_a));
}

/* ---- the tests ----------------------------------------------------------------------------- */

static void test_round_trip(void)
{
	static uint8_t memory[1 << 20];
	struct physbuf_log log;
	struct found found;
	uint32_t limit;

	make(memory, sizeof(memory), &log);
	limit = physbuf_log_limit(&log);
	for (uint32_t length = 0; length < 100; length++)
		CHECK(!append(&log, 0, length));
	CHECK(!append(&log, 0, limit));
	CHECK(append(&log, 0, limit + 1) == -EMSGSIZE);
	found = read_all(memory, sizeof(memory));
	CHECK(clean(&found) && found.report.records == 101 && found.report.epochs == 1);
	CHECK(found.first == 1 && found.last == 101 && found.epoch == 1);
}

static void test_wrap(void)
{
	static uint8_t memory[SIZE];
	struct physbuf_log log;
	struct found found;

	make(memory, sizeof(memory), &log);
	for (uint64_t n = 1; n <= 1000; n++) {
		CHECK(!append(&log, 0, length_of(n)));
		found = read_all(memory, sizeof(memory));
		CHECK(clean(&found) && found.last == n);
		CHECK(found.report.records + found.report.overwritten == n);
		CHECK(found.first == found.report.overwritten + 1);
		/* At least all but one of the sub-buffers are full of records. */
		CHECK(n < 90 || found.report.records > 50);
	}
}

static void test_geometry(void)
{
	static uint8_t memory[4 << 20];
	struct physbuf_log log;

	CHECK(physbuf_log_format(memory, 0, 1, 0) == -ENOSPC);
	CHECK(physbuf_log_format(memory, DATA_OFFSET + 8191, 1, 0) == -ENOSPC);
	CHECK(physbuf_log_format(memory, sizeof(memory), 1, 5000) == -EINVAL);
	CHECK(physbuf_log_format(memory, sizeof(memory), 1, 2048) == -EINVAL);
	CHECK(physbuf_log_format(memory, sizeof(memory), 1, 131072) == -EINVAL);
	CHECK(physbuf_log_open(&log, memory, sizeof(memory)) == -ENODATA);
	CHECK(!physbuf_log_format(memory, DATA_OFFSET + 8192, 1, 0));
	CHECK(!physbuf_log_open(&log, memory, sizeof(memory)) && log.sub_count == 2);
	CHECK(physbuf_log_open(&log, memory, DATA_OFFSET + 8191) == -EBADMSG);
	CHECK(physbuf_log_open(&log, memory, 100) == -ENODATA);
	CHECK(!physbuf_log_format(memory, sizeof(memory), 2, 0));
	CHECK(!physbuf_log_open(&log, memory, sizeof(memory)));
	CHECK(log.sub_size == 65536 && log.sub_count == 63);
	memory[8]++;
	memory[SUPER_STRIDE + 8]++;
	CHECK(physbuf_log_open(&log, memory, sizeof(memory)) == -EPROTONOSUPPORT);
}

static void test_epochs(void)
{
	static uint8_t memory[SIZE];
	struct physbuf_log log;
	struct found found;

	make(memory, sizeof(memory), &log);
	CHECK(log.epoch == 1 && !append(&log, 0, 10));
	CHECK(!physbuf_log_attach(&log, memory, sizeof(memory), boot_a));
	CHECK(log.epoch == 1 && log.serial == 1 && !append(&log, 0, 10));
	CHECK(log.serial == 1);
	CHECK(!physbuf_log_attach(&log, memory, sizeof(memory), boot_b));
	CHECK(log.epoch == 2 && !append(&log, 0, 10));
	CHECK(log.serial == 2);
	CHECK(!physbuf_log_attach(&log, memory, sizeof(memory), unknown));
	CHECK(!physbuf_log_attach(&log, memory, sizeof(memory), unknown));
	CHECK(log.epoch == 4 && !append(&log, 0, 10));
	found = read_all(memory, sizeof(memory));
	CHECK(clean(&found) && found.report.records == 4 && found.report.epochs == 3);
	CHECK(found.epoch == 4);
}

/* Either superblock may be lost: the log goes on, in an epoch that was never used. */
static void test_superblocks(void)
{
	static uint8_t memory[SIZE], whole[SIZE];
	struct physbuf_log log;
	struct found found;

	for (int boots = 1; boots < 4; boots++) {
		make(memory, sizeof(memory), &log);
		for (int boot = 1; boot <= boots; boot++) {
			uint8_t id[16] = {0xc, boot};

			CHECK(!physbuf_log_attach(&log, memory, sizeof(memory), id));
			CHECK(!append(&log, 0, 10));
		}
		memcpy(whole, memory, sizeof(memory));
		for (int slot = 0; slot < 2; slot++) {
			uint32_t epoch = log.epoch;
			struct physbuf_log after;

			memcpy(memory, whole, sizeof(memory));
			memory[slot * SUPER_STRIDE + 48] ^= 1;
			found = read_all(memory, sizeof(memory));
			CHECK(clean(&found) && found.report.records == (uint64_t)boots);
			CHECK(!physbuf_log_attach(&after, memory, sizeof(memory), boot_b));
			CHECK(after.epoch == epoch + 1);
			memory[!slot * SUPER_STRIDE + 48] ^= 1;
			CHECK(after.generation % 2 == (uint64_t)slot);
			CHECK(!physbuf_log_open(&after, memory, sizeof(memory)));
		}
	}
}

/* Run @action with the power cut before its store number @n; 0: it ended before. */
static int cut(void (*action)(uint8_t *memory), uint8_t *memory, long n)
{
	volatile int was_cut = 1;

	stores_left = n;
	if (!setjmp(power_off)) {
		action(memory);
		was_cut = 0;
	}
	stores_left = -1;
	return was_cut;
}

static void same_boot_append(uint8_t *memory)
{
	struct physbuf_log log;

	CHECK(!physbuf_log_attach(&log, memory, SIZE, boot_a));
	CHECK(!append(&log, 1, 100));
}

static void next_boot_append(uint8_t *memory)
{
	struct physbuf_log log;

	CHECK(!physbuf_log_attach(&log, memory, SIZE, boot_b));
	CHECK(!append(&log, 1, 100));
}

/* After @records records, cut an append at each of its stores; then look, and go on writing. */
static void cut_everywhere(void (*action)(uint8_t *), int records)
{
	static uint8_t memory[SIZE], before[SIZE];
	struct physbuf_log log;
	struct found was, found;
	uint64_t torn = 0;
	int was_cut = 1;

	make(before, sizeof(before), &log);
	for (int n = 1; n <= records; n++)
		CHECK(!append(&log, 0, length_of(n)));
	was = read_all(before, sizeof(before));

	for (long n = 0; was_cut; n++) {
		memcpy(memory, before, sizeof(memory));
		was_cut = cut(action, memory, n);
		found = read_all(memory, sizeof(memory));
		/* Nothing but the oldest sub-buffer, if its turn came, is lost. */
		CHECK(!found.report.damaged && !found.report.gaps && found.report.torn <= 1);
		CHECK(found.last == was.last + found.flavours[1]);
		CHECK(found.flavours[1] == !was_cut);
		/* The last store is the commit: without it the record is seen to be torn. */
		CHECK(was_cut || torn == 1);
		torn = found.report.torn;
		CHECK(!was.first || found.first == was.first ||
		      (records > 80 && found.first > was.first && found.first < was.first + 60));

		for (int boot = 0; boot < 2; boot++) {
			CHECK(!physbuf_log_attach(&log, memory, SIZE, boot ? boot_b : boot_a));
			CHECK(!append(&log, 2, 64));
		}
		found = read_all(memory, sizeof(memory));
		CHECK(!found.report.damaged && !found.report.gaps && found.report.torn == torn);
		CHECK(found.flavours[2] == 2 && found.flavours[1] == !was_cut);
	}
}

static void test_cuts(void)
{
	/* Empty, some records, near and over the ends of sub-buffers, and laps later. */
	for (int records = 0; records < 260; records += records < 34 ? 1 : 7) {
		cut_everywhere(same_boot_append, records);
		cut_everywhere(next_boot_append, records);
	}
}

static void reformat(uint8_t *memory)
{
	CHECK(!physbuf_log_format(memory, SIZE, 12345, 0));
}

/* A format that is cut leaves the old log, hurt, or the new one; nothing false in either. */
static void test_cut_format(void)
{
	static uint8_t memory[SIZE];
	struct physbuf_log log;
	struct found found;
	int was_cut = 1;

	for (long n = 0; was_cut; n++) {
		make(memory, sizeof(memory), &log);
		for (int i = 1; i < 100; i++)
			CHECK(!append(&log, 0, length_of(i)));
		was_cut = cut(reformat, memory, n);
		read_all(memory, sizeof(memory));
	}
	found = read_all(memory, sizeof(memory));
	CHECK(clean(&found) && !found.report.records);
}

/* A committed record of the lap before, put back where it was, is not a record of this lap. */
static void test_stale_lap(void)
{
	static uint8_t memory[SIZE], old[SIZE];
	struct physbuf_log log;
	struct found found, whole;
	int n = 1;

	make(memory, sizeof(memory), &log);
	while (log.serial < 5)
		CHECK(!append(&log, 0, length_of(n++)));
	memcpy(old, memory, sizeof(memory));
	while (log.serial < 9)
		CHECK(!append(&log, 0, length_of(n++)));
	whole = read_all(memory, sizeof(memory));
	CHECK(clean(&whole));
	for (int sub = 0; sub < 4; sub++) {
		size_t at = DATA_OFFSET + sub * 4096 + SUB_HEADER;

		/* The records come back, the header does not. */
		memcpy(memory + at, old + at, 4096 - SUB_HEADER);
		found = read_all(memory, sizeof(memory));
		CHECK(!clean(&found) && found.report.records < whole.report.records);
		whole = found;
	}
	CHECK(!found.report.records);
}

/* Nor does a record count below a header that tells of another lap. */
static void test_header_of_another_lap(void)
{
	static uint8_t memory[SIZE];
	struct sub_header header;
	struct physbuf_log log;
	struct found found;

	make(memory, sizeof(memory), &log);
	for (int n = 0; n < 20; n++)
		CHECK(!append(&log, 0, 32));
	CHECK(physbuf_sub_load(&log, 0, &header) == SUB_VALID && header.serial == 1);
	header.serial += log.sub_count;
	physbuf_sub_store(&log, 0, &header);
	found = read_all(memory, sizeof(memory));
	CHECK(!found.report.records);
}

/* The same where the only header was lost: no number that it may have used is used again. */
static void test_stale_numbers(void)
{
	static uint8_t memory[SIZE], old[SIZE];
	const size_t at = DATA_OFFSET + SUB_HEADER;
	struct physbuf_log log;
	struct found found;

	make(memory, sizeof(memory), &log);
	for (int n = 0; n < 20; n++)
		CHECK(!append(&log, 0, 32));
	memcpy(old, memory, sizeof(memory));
	memory[DATA_OFFSET + 20] ^= 1;
	CHECK(!physbuf_log_attach(&log, memory, sizeof(memory), boot_a));
	for (int n = 0; n < 3; n++)
		CHECK(!append(&log, 1, physbuf_log_limit(&log)));
	CHECK(!append(&log, 1, 32) && log.serial == 5);
	found = read_all(memory, sizeof(memory));
	CHECK(found.report.records == 4 && found.first == 1 + 4096 / 32 && !found.report.torn);
	memcpy(memory + at + 64, old + at + 64, 19 * 64);
	found = read_all(memory, sizeof(memory));
	CHECK(found.report.records == 4 && !found.flavours[0]);
}

/* A record copied elsewhere, in its own sub-buffer or in another, is not one. */
static void test_moved(void)
{
	static uint8_t memory[SIZE], whole[SIZE];
	struct physbuf_log log;
	struct found found;

	make(whole, sizeof(whole), &log);
	for (int n = 0; n < 20; n++)
		CHECK(!append(&log, 0, 32));
	for (int n = 0; n < 20; n++) {
		size_t from = DATA_OFFSET + SUB_HEADER + n * 64;

		for (int to = 0; to < 40; to++) {
			size_t at = DATA_OFFSET + SUB_HEADER + to * 64;

			memcpy(memory, whole, sizeof(memory));
			memcpy(memory + at, whole + from, 64);
			found = read_all(memory, sizeof(memory));
			CHECK(found.report.records == (to < 20 && to != n ? 19 : 20));
			CHECK(clean(&found) == (to == n || to > 20));
		}
	}
}

/* Flip each bit that means something: never a false record, and never silence. */
static void test_flips(void)
{
	static uint8_t memory[SIZE];
	struct physbuf_log log;
	struct found found;
	size_t end = DATA_OFFSET + SUB_HEADER;
	int records = 12;

	make(memory, sizeof(memory), &log);
	for (int n = 1; n <= records; n++) {
		CHECK(!append(&log, 0, length_of(n)));
		end += RECORD_HEADER + padded(length_of(n));
	}
	for (size_t bit = DATA_OFFSET * 8; bit < (end + 8) * 8; bit++) {
		memory[bit / 8] ^= 1 << bit % 8;
		found = read_all(memory, sizeof(memory));
		CHECK(found.report.records <= (uint64_t)records);
		/* Padding is no part of a record. */
		if (found.report.records < (uint64_t)records)
			CHECK(!clean(&found));
		else
			CHECK(clean(&found) || bit >= end * 8);
		memory[bit / 8] ^= 1 << bit % 8;
	}
	for (size_t bit = 0; bit < 2 * SUPER_SIZE * 8; bit++) {
		size_t at = bit / 8 % SUPER_SIZE + bit / 8 / SUPER_SIZE * SUPER_STRIDE;

		memory[at] ^= 1 << bit % 8;
		found = read_all(memory, sizeof(memory));
		CHECK(clean(&found) && found.report.records == (uint64_t)records);
		memory[at] ^= 1 << bit % 8;
	}
	found = read_all(memory, sizeof(memory));
	CHECK(clean(&found) && found.report.records == (uint64_t)records);
}

/* The newest header lost: that is seen, and writing goes on behind it. */
static void test_newest_header(void)
{
	static uint8_t memory[SIZE];
	struct physbuf_log log;
	struct found found;

	for (uint64_t serial = 1; serial < 10; serial++) {
		make(memory, sizeof(memory), &log);
		while (log.serial < serial)
			CHECK(!append(&log, 0, 200));
		memory[DATA_OFFSET + (serial - 1) % 4 * 4096 + 20] ^= 4;
		found = read_all(memory, sizeof(memory));
		CHECK(found.report.damaged == 1);
		CHECK(!physbuf_log_attach(&log, memory, sizeof(memory), boot_a));
		CHECK(!append(&log, 1, 10) && log.serial == serial + 1);
		found = read_all(memory, sizeof(memory));
		CHECK(found.report.damaged == 1 && found.flavours[1] == 1);
	}
}

/* Noise everywhere: no crash, nothing false, and a writer can go on. */
static void test_garbage(void)
{
	static uint8_t memory[SIZE], whole[SIZE];
	struct physbuf_log log;
	struct found found;

	for (size_t at = 0; at < SIZE; at++)
		memory[at] = noise();
	CHECK(physbuf_log_open(&log, memory, SIZE) == -ENODATA);

	make(whole, sizeof(whole), &log);
	for (int n = 1; n < 250; n++)
		CHECK(!append(&log, 0, length_of(n)));
	for (int round = 0; round < 1000; round++) {
		int hits = 1 + noise() % 40;

		memcpy(memory, whole, sizeof(memory));
		while (hits--) {
			size_t at = DATA_OFFSET + noise() % (SIZE - DATA_OFFSET);
			size_t length = 1 + noise() % (round % 2 ? 16 : 2000);
			size_t from = noise() % (SIZE - 2000);

			length = length < SIZE - at ? length : SIZE - at;
			if (round % 3)
				memmove(memory + at, memory + from, length);
			else
				for (size_t i = 0; i < length; i++)
					memory[at + i] = noise();
		}
		found = read_all(memory, sizeof(memory));
		CHECK(!physbuf_log_attach(&log, memory, SIZE, round % 2 ? boot_a : boot_b));
		for (int n = 0; n < 5; n++)
			CHECK(!append(&log, 3, 100));
		found = read_all(memory, sizeof(memory));
		CHECK(found.flavours[3] == 5);
	}
}

/* A superblock with a right checksum and wrong values, as a malicious dump has. */
static void test_forged_superblock(void)
{
	static uint8_t memory[SIZE], payload[ROOM];
	struct physbuf_log_cursor cursor;
	struct physbuf_record record;
	struct physbuf_log log;
	uint32_t crc;

	for (int round = 0; round < 4000; round++) {
		make(memory, sizeof(memory), &log);
		memset(memory + SUPER_STRIDE * !(log.generation & 1), 0, SUPER_SIZE);
		uint8_t *super = memory + SUPER_STRIDE * (log.generation & 1);

		for (int hits = 0; hits < 3; hits++)
			super[16 + noise() % 76] = noise();
		crc = physbuf_crc(0, super, 92);
		for (int i = 0; i < 4; i++)
			super[92 + i] = crc >> (i * 8);
		if (physbuf_log_open(&log, memory, sizeof(memory)))
			continue;
		physbuf_log_rewind(&cursor, &log);
		while (physbuf_log_next(&cursor, &record, payload, sizeof(payload)) == 1)
			;
		physbuf_log_attach(&log, memory, sizeof(memory), boot_b);
	}
}

static void test_library(const char *directory)
{
	struct physbuf_region *region, *other;
	struct physbuf_writer *writer, *second;
	struct physbuf_reader *reader;
	struct physbuf_report report;
	struct physbuf_record record;
	const void *payload;
	uint64_t sequence, base;
	char path[4096];
	int fd;

	CHECK(physbuf_open("", PHYSBUF_READ, &region) == -ENOENT);
	CHECK(physbuf_open("no-such-region", PHYSBUF_READ, &region) == -ENOENT);
	CHECK(physbuf_open(directory, PHYSBUF_READ, &region) == -EISDIR);
	CHECK(physbuf_open("/dev/null", PHYSBUF_READ, &region) == -ENODEV);
	snprintf(path, sizeof(path), "%s/region", directory);
	fd = open(path, O_CREAT | O_RDWR | O_TRUNC, 0600);
	CHECK(fd >= 0);
	CHECK(physbuf_open(path, PHYSBUF_READ, &region) == -ENODATA);
	CHECK(!ftruncate(fd, 65536 + 3));
	close(fd);

	CHECK(!physbuf_open(path, PHYSBUF_READ, &other));
	CHECK(physbuf_size(other) == 65539 && physbuf_pages(other) == 17);
	CHECK(!strcmp(physbuf_name(other), "region") && !strcmp(physbuf_path(other), path));
	CHECK(physbuf_base(other, &base) == -ENODATA);
	CHECK(physbuf_fill(other, 1) == -EBADF && physbuf_format(other, 0) == -EBADF);
	CHECK(physbuf_reader_open(other, &reader) == -ENODATA);
	physbuf_close(other);

	CHECK(!physbuf_open(path, PHYSBUF_WRITE, &region));
	CHECK(!physbuf_open(path, PHYSBUF_WRITE, &other));
	CHECK(!physbuf_fill(region, 7));
	CHECK(physbuf_writer_open(region, &writer) == -ENODATA);
	CHECK(!physbuf_format(region, 0) && !physbuf_writer_open(region, &writer));
	CHECK(physbuf_writer_open(other, &second) == -EBUSY);
	CHECK(physbuf_writer_open(region, &second) == -EBUSY);
	CHECK(physbuf_fill(other, 1) == -EBUSY && physbuf_format(other, 0) == -EBUSY);
	CHECK(!physbuf_writer_append(writer, 9, 3, "hello", 5, &sequence) && sequence == 1);
	physbuf_writer_close(writer);
	CHECK(!physbuf_writer_open(other, &second));
	CHECK(physbuf_writer_epoch(second) == 1 && physbuf_writer_limit(second) == 4000);
	CHECK(!physbuf_writer_append(second, 0, 6, NULL, 0, NULL));
	physbuf_writer_close(second);
	physbuf_close(other);

	CHECK(!physbuf_reader_open(region, &reader));
	CHECK(physbuf_reader_next(reader, &record, &payload) == 1);
	CHECK(record.length == 5 && !memcmp(payload, "hello", 5) && record.kind == 9);
	CHECK(physbuf_reader_next(reader, &record, &payload) == 1 && !record.length);
	CHECK(!physbuf_reader_next(reader, &record, &payload));
	physbuf_reader_report(reader, &report);
	CHECK(report.records == 2 && report.epochs == 1 && !report.torn);
	physbuf_reader_close(reader);
	physbuf_close(region);
	physbuf_close(NULL);
}

int main(int argc, char **argv)
{
	CHECK(argc == 2);
	test_round_trip();
	test_wrap();
	test_geometry();
	test_epochs();
	test_superblocks();
	test_cuts();
	test_cut_format();
	test_stale_lap();
	test_header_of_another_lap();
	test_stale_numbers();
	test_moved();
	test_flips();
	test_newest_header();
	test_garbage();
	test_forged_superblock();
	test_library(argv[1]);
	puts("ok");
	return 0;
}
