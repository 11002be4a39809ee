// SPDX-License-Identifier: MIT
/* Writers and readers of the log of a region. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "../../log/physbuf_log.h"
#include "region.h"

struct physbuf_writer {
	struct physbuf_region *region;
	struct physbuf_log log;
};

struct physbuf_reader {
	struct physbuf_log_cursor cursor;
	uint32_t room;
	uint8_t payload[];
};

static int hex(char c)
{
	const char *digits = "0123456789abcdef", *place = c ? strchr(digits, c) : NULL;

	return place ? place - digits : -1;
}

/* The boot's UUID; left as zeros, which is unknown, if the kernel does not tell. */
static void boot_id_read(uint8_t boot_id[16])
{
	char text[37] = "";
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	int digits = 0;

	memset(boot_id, 0, 16);
	if (fd < 0)
		return;
	if (read(fd, text, 36) < 0)
		text[0] = '\0';
	close(fd);
	for (const char *p = text; *p && digits < 32; p++) {
		if (hex(*p) >= 0) {
			boot_id[digits / 2] = boot_id[digits / 2] << 4 | hex(*p);
			digits++;
		}
	}
}

int physbuf_format(struct physbuf_region *region, uint32_t sub_size)
{
	uint64_t id;
	int err = region->data ? physbuf_lock(region) : -EOPNOTSUPP;

	if (err)
		return err;
	if (getrandom(&id, sizeof(id), 0) != sizeof(id))
		err = -EIO;
	else
		err = physbuf_log_format(region->data, region->size, id, sub_size);
	physbuf_unlock(region);
	return err;
}

int physbuf_writer_open(struct physbuf_region *region, struct physbuf_writer **writer)
{
	struct physbuf_writer *w;
	uint8_t boot_id[16];
	int err = region->data ? physbuf_lock(region) : -EOPNOTSUPP;

	if (err)
		return err;
	w = calloc(1, sizeof(*w));
	if (!w) {
		err = -ENOMEM;
		goto out_unlock;
	}
	w->region = region;
	boot_id_read(boot_id);
	err = physbuf_log_attach(&w->log, region->data, region->size, boot_id);
	if (err)
		goto out_free;
	*writer = w;
	return 0;

out_free:
	free(w);
out_unlock:
	physbuf_unlock(region);
	return err;
}

void physbuf_writer_close(struct physbuf_writer *writer)
{
	if (!writer)
		return;
	physbuf_unlock(writer->region);
	free(writer);
}

int physbuf_writer_append(struct physbuf_writer *writer, uint16_t kind, uint8_t severity,
			  const void *payload, uint32_t length, uint64_t *sequence)
{
	struct physbuf_record record = {.kind = kind, .severity = severity, .length = length};
	struct timespec now;
	int err;

	clock_gettime(CLOCK_REALTIME, &now);
	record.time_ns = (uint64_t)now.tv_sec * 1000000000u + now.tv_nsec;
	err = physbuf_log_append(&writer->log, &record, payload);
	if (!err && sequence)
		*sequence = record.sequence;
	return err;
}

uint32_t physbuf_writer_limit(const struct physbuf_writer *writer)
{
	return physbuf_log_limit(&writer->log);
}

uint32_t physbuf_writer_epoch(const struct physbuf_writer *writer)
{
	return writer->log.epoch;
}

int physbuf_reader_open(const struct physbuf_region *region, struct physbuf_reader **reader)
{
	struct physbuf_reader *r;
	struct physbuf_log log;
	int err;

	if (!region->data)
		return -EOPNOTSUPP;
	err = physbuf_log_open(&log, region->data, region->size);
	if (err)
		return err;
	r = malloc(sizeof(*r) + physbuf_log_limit(&log));
	if (!r)
		return -ENOMEM;
	r->room = physbuf_log_limit(&log);
	physbuf_log_rewind(&r->cursor, &log);
	*reader = r;
	return 0;
}

void physbuf_reader_close(struct physbuf_reader *reader)
{
	free(reader);
}

int physbuf_reader_next(struct physbuf_reader *reader, struct physbuf_record *record,
			const void **payload)
{
	*payload = reader->payload;
	return physbuf_log_next(&reader->cursor, record, reader->payload, reader->room);
}

void physbuf_reader_report(const struct physbuf_reader *reader, struct physbuf_report *report)
{
	*report = reader->cursor.report;
}
