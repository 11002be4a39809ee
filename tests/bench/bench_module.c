// SPDX-License-Identifier: MIT
/*
 * How fast a range of memory is: run in the guest.
 *
 *	bench_module PATH OFFSET LENGTH
 *
 * Maps LENGTH bytes of PATH from OFFSET on and prints a line for each way to move
 * them: its name, the best of several rounds in ns, and the best of memcpy()
 * between two buffers of ordinary memory in the same rounds. Exit status: 0, or
 * 1 after a message.
 */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 9
#define CHUNK  (64 * 1024)

static int fd;
static off_t offset;
static size_t length;
static char *map, *here, *there;

static void map_write(void)
{
	memcpy(map, here, length);
}

static void map_read(void)
{
	memcpy(here, map, length);
}

static void call_write(void)
{
	for (size_t done = 0; done < length; done += CHUNK)
		if (pwrite(fd, here + done, CHUNK, offset + (off_t)done) != CHUNK)
			err(1, "pwrite");
}

static void call_read(void)
{
	for (size_t done = 0; done < length; done += CHUNK)
		if (pread(fd, here + done, CHUNK, offset + (off_t)done) != CHUNK)
			err(1, "pread");
}

static void ordinary(void)
{
	memcpy(there, here, length);
}

static uint64_t time_of(void (*move)(void))
{
	struct timespec begin, end;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	move();
	clock_gettime(CLOCK_MONOTONIC, &end);
	return (uint64_t)(end.tv_sec - begin.tv_sec) * 1000000000 +
	       (uint64_t)(end.tv_nsec - begin.tv_nsec);
}

static void measure(const char *name, void (*move)(void))
{
	uint64_t best = UINT64_MAX, peer = UINT64_MAX;

	for (int i = 0; i < ROUNDS; i++) {
		uint64_t ours = time_of(move), memory = time_of(ordinary);

		best = ours < best ? ours : best;
		peer = memory < peer ? memory : peer;
	}
	printf("%s %llu %llu\n", name, (unsigned long long)best, (unsigned long long)peer);
}

static char *ordinary_memory(void)
{
	char *memory = mmap(NULL, length, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (memory == MAP_FAILED)
		err(1, "%zu bytes of memory", length);
	memset(memory, 0x5a, length);
	return memory;
}

int main(int argc, char **argv)
{
	if (argc != 4)
		errx(1, "usage: bench_module PATH OFFSET LENGTH");
	offset = (off_t)strtoull(argv[2], NULL, 0);
	length = strtoull(argv[3], NULL, 0);
	if (!length || length % CHUNK)
		errx(1, "LENGTH %s is not a multiple of %d", argv[3], CHUNK);
	fd = open(argv[1], O_RDWR);
	if (fd < 0)
		err(1, "%s", argv[1]);
	map = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset);
	if (map == MAP_FAILED)
		err(1, "mmap of %s", argv[1]);
	here = ordinary_memory();
	there = ordinary_memory();

	measure("mmap-write", map_write);
	measure("mmap-read", map_read);
	measure("write", call_write);
	measure("read", call_read);
	return 0;
}
