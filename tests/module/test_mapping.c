// SPDX-License-Identifier: MIT
/*
 * mmap and the life of a mapping: the same for the kinds reserved, pages and
 * vmalloc. The first four pages are written to; nobody else may map the region.
 *
 *	test_mapping NAME OTHER
 *
 * OTHER is a region of at least a page that is no part of NAME.
 */
#include <limits.h>
#include <signal.h>

#include "region.h"

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

/* An address as old programs have them in their text; nothing else lies there. */
#define FIXED_ADDRESS 0x12345000UL

static const char *name;
static int fd;
static size_t size;
static size_t page;

/* The flags of the area at an address, as /proc/self/smaps tells them. */
static void area_flags(const volatile void *at, char *flags, size_t len)
{
	FILE *in = fopen("/proc/self/smaps", "re");
	unsigned long start, end;
	bool here = false;
	char line[512];

	snprintf(flags, len, "no VmFlags");
	while (in && fgets(line, sizeof(line), in)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			here = start == (unsigned long)at;
		if (here && !strncmp(line, "VmFlags:", 8)) {
			line[strcspn(line, "\n")] = '\0';
			snprintf(flags, len, "%.120s", line + 8);
		}
	}
	if (in)
		fclose(in);
}

static void test_range(void)
{
	off_t end = (off_t)size;
	off_t last = (off_t)(size - page);

	map_refused(fd, page, RW, MAP_SHARED, end, EINVAL, "mmap at the size is EINVAL");
	map_refused(fd, page, RW, MAP_SHARED, end + (off_t)page, EINVAL,
		    "mmap beyond the size is EINVAL");
	map_refused(fd, 2 * page, RW, MAP_SHARED, last, EINVAL, "mmap over the end is EINVAL");
	map_refused(fd, size + 1, RW, MAP_SHARED, 0, EINVAL,
		    "mmap of more than the size is EINVAL");
	map_refused(fd, page, RW, MAP_SHARED, 1, EINVAL, "mmap at an unaligned offset is EINVAL");
	map_refused(fd, 0, RW, MAP_SHARED, 0, EINVAL, "mmap of nothing is EINVAL");
	map_refused2(fd, 2 * page, RW, MAP_SHARED, (off_t)(LLONG_MAX - LLONG_MAX % (long long)page),
		     EINVAL, EOVERFLOW, "mmap near 2^63 is refused");
	map_refused2(fd, 2 * page, RW, MAP_SHARED, -(off_t)page, EINVAL, EOVERFLOW,
		     "mmap near 2^64 is refused");
}

static void test_rights(void)
{
	int ro = open_region(name, O_RDONLY);
	int wo = open_region(name, O_WRONLY);
	volatile unsigned char *map;
	char flags[128];
	void *at;

	map_refused(fd, page, RW, MAP_PRIVATE, 0, EINVAL, "MAP_PRIVATE is EINVAL");
	map_refused(fd, page, PROT_READ, MAP_PRIVATE, 0, EINVAL, "MAP_PRIVATE to read is EINVAL");
	map_refused(fd, page, RW | PROT_EXEC, MAP_SHARED, 0, EPERM, "PROT_EXEC is EPERM");
	map_refused(ro, page, RW, MAP_SHARED, 0, EACCES,
		    "a writable mmap after a read-only open is EACCES");
	map_refused(ro, page, PROT_READ, MAP_PRIVATE, 0, EINVAL,
		    "MAP_PRIVATE after a read-only open is EINVAL");
	map_refused(wo, page, PROT_WRITE, MAP_SHARED, 0, EACCES,
		    "mmap after a write-only open is EACCES");

	map = map_ok(ro, page, PROT_READ, 0, "mmap after a read-only open");
	at = (void *)(uintptr_t)map;
	refused(mprotect(at, page, RW), EACCES, "mprotect cannot make it writable: EACCES");
	refused(mprotect(at, page, PROT_READ | PROT_EXEC), EACCES,
		"mprotect cannot make it executable: EACCES");
	unmap(map, page);

	map = map_ok(fd, page, PROT_READ, 0, "mmap to read, after an open to read and write");
	at = (void *)(uintptr_t)map;
	gives(mprotect(at, page, RW), 0, "mprotect makes it writable");
	map[0] = 0x17;
	check(map[0] == 0x17, "and it can be written");
	refused(mprotect(at, page, PROT_READ | PROT_EXEC), EACCES,
		"mprotect to PROT_EXEC is EACCES");
	area_flags(map, flags, sizeof(flags));
	result(strstr(flags, " mw") && !strstr(flags, " me"), "it may be written, never executed",
	       flags);
	unmap(map, page);
	close(ro);
	close(wo);
}

static void test_flags(void)
{
	struct physbuf_info info = info_of(fd);
	bool dumped = info.kind == PHYSBUF_KIND_PAGES || info.kind == PHYSBUF_KIND_VMALLOC;
	volatile unsigned char *map = map_ok(fd, page, RW, 0, "mmap of a page");
	char flags[128];

	area_flags(map, flags, sizeof(flags));
	result(strstr(flags, " de"), "it does not expand", flags);
	result(!strstr(flags, " dd") == dumped,
	       dumped ? "it goes into a core dump" : "it is not dumped", flags);
	unmap(map, page);
}

/* Offsets lead to the right bytes, and mmap, read and write agree on them. */
static void test_offsets(void)
{
	volatile unsigned char *map = map_ok(fd, size, RW, 0, "mmap of the whole region");
	volatile unsigned char *last =
		map_ok(fd, page, RW, (off_t)(size - page), "mmap of the last page");
	unsigned char buffer[100];

	fill(map + size - 100, 100, 5);
	check(holds(last + page - 100, 100, 5), "the last page is the last of the whole");
	gives(pread(fd, buffer, 100, (off_t)size - 100), 100, "pread of what mmap wrote");
	check(holds(buffer, 100, 5), "and it is there");
	last[0] ^= 0xff;
	check(map[size - page] == last[0], "two mappings are the same memory");
	fill(buffer, 100, 6);
	gives(pwrite(fd, buffer, 100, 50), 100, "pwrite of 100 bytes");
	check(holds(map + 50, 100, 6), "and mmap shows them");
	unmap(last, page);
	unmap(map, size);
}

static void test_two_areas(const char *other_name)
{
	int other_fd = must_open(other_name);
	volatile unsigned char *a = map_ok(fd, page, RW, 0, "mmap of the first page");
	volatile unsigned char *b = map_ok(fd, page, RW, (off_t)page, "mmap of the second page");
	volatile unsigned char *c = map_ok(other_fd, page, RW, 0, "mmap of another region");

	fill(a, page, 11);
	fill(b, page, 22);
	fill(c, page, 33);
	check(holds(a, page, 11) && holds(b, page, 22), "two offsets are two areas");
	check(holds(c, page, 33) && holds(a, page, 11), "two devices are two areas");
	equal(mappings(name), 2, "each device counts its own");
	equal(mappings(other_name), 1, "and so does the other");
	unmap(a, page);
	unmap(b, page);
	unmap(c, page);
	close(other_fd);
}

/* Programs with addresses in their text can be ported. */
static void test_fixed_address(void)
{
	void *want = (void *)FIXED_ADDRESS;
	void *got = mmap(want, page, RW, MAP_SHARED | MAP_FIXED_NOREPLACE, fd, 0);
	unsigned char byte = 0;

	gives(got == want ? 0 : -1, 0, "mmap at a fixed address");
	if (got != want)
		return;
	*(volatile uint8_t *)(FIXED_ADDRESS + 0x678) = 0xa5;
	gives(pread(fd, &byte, 1, 0x678), 1, "pread of the byte that was written there");
	equal(byte, 0xa5, "and it is the region's");
	got = mmap(want, page, RW, MAP_SHARED | MAP_FIXED_NOREPLACE, fd, (off_t)page);
	refused(got == MAP_FAILED ? -1 : 0, EEXIST, "a second one at that address is EEXIST");
	munmap(want, page);
}

static void test_mremap(void)
{
	volatile unsigned char *map = map_ok(fd, 2 * page, RW, (off_t)page, "mmap of two pages");
	void *at = (void *)(uintptr_t)map;
	void *to, *got;

	fill(map, 2 * page, 7);
	got = mremap(at, 2 * page, 3 * page, MREMAP_MAYMOVE);
	refused(got == MAP_FAILED ? -1 : 0, EFAULT, "mremap cannot grow it");
	got = mremap(at, 0, page, MREMAP_MAYMOVE);
	refused2(got == MAP_FAILED ? -1 : 0, EFAULT, EINVAL, "mremap cannot double it");
	to = mmap(NULL, 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	got = mremap(at, 2 * page, 2 * page, MREMAP_MAYMOVE | MREMAP_FIXED, to);
	gives(got == to ? 0 : -1, 0, "mremap moves it");
	if (got == to)
		check(holds(to, 2 * page, 7), "and its content is the same");
	equal(mappings(name), 1, "a moved mapping counts once");
	got = mremap(to, 2 * page, page, 0);
	gives(got == to ? 0 : -1, 0, "mremap shrinks it");
	equal(mappings(name), 1, "a smaller mapping counts once");
	munmap(to, 2 * page);
	equal(mappings(name), 0, "and not after munmap");
}

/* In a child, which shares all mappings: does sysfs say so many? */
static void child_counts(long want, volatile unsigned char *drop, const char *what)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		if (drop)
			unmap(drop, page);
		_exit(mappings(name) == want ? 0 : 1);
	}
	check(ended_well(pid), what);
}

static void test_counts(void)
{
	volatile unsigned char *map, *other;

	equal(mappings(name), 0, "counts: nothing is mapped");
	map_refused(fd, page, RW | PROT_EXEC, MAP_SHARED, 0, EPERM, "counts: a refused mmap");
	equal(mappings(name), 0, "counts: is not counted");
	map = map_ok(fd, 4 * page, RW, 0, "counts: mmap of four pages");
	other = map_ok(fd, page, PROT_READ, 0, "counts: mmap of one more");
	equal(mappings(name), 2, "counts: two mappings");
	equal(info_of(fd).mappings, 2, "counts: INFO says two as well");

	child_counts(4, NULL, "counts: fork doubles them");
	child_counts(3, other, "counts: munmap in the child takes one");
	equal(mappings(name), 2, "counts: two again when the child has ended");

	unmap(other, page);
	equal(mappings(name), 1, "counts: munmap takes one");
	fill(map, 4 * page, 8);
	unmap(map + page, page);
	equal(mappings(name), 2, "counts: a hole splits a mapping in two");
	check(holds(map, page, 8) && holds(map + 2 * page, 2 * page, 8 + 2 * page),
	      "counts: both parts still show their bytes");
	child_counts(4, NULL, "counts: fork doubles the parts");
	unmap(map + 3 * page, page);
	equal(mappings(name), 2, "counts: a munmap at the end leaves the count");
	unmap(map, page);
	equal(mappings(name), 1, "counts: a part gone takes one");
	unmap(map, 4 * page);
	equal(mappings(name), 0, "counts: all gone");
}

static void test_outlives_its_file(void)
{
	int file = must_open(name);
	volatile unsigned char *map = map_ok(file, page, RW, 0, "mmap of a second open");
	unsigned char byte = 0;

	close(file);
	equal(mappings(name), 1, "a mapping outlives close");
	map[3] = 0x5a;
	gives(pread(fd, &byte, 1, 3), 1, "pread of a byte");
	equal(byte, 0x5a, "and it is still the memory");
	unmap(map, page);
	equal(mappings(name), 0, "counts: all gone");
}

static void test_a_killed_child(void)
{
	int pipes[2];
	pid_t pid;
	char byte;

	fflush(stdout);
	if (pipe(pipes))
		bail_out("pipe");
	pid = fork();
	if (!pid) {
		if (mmap(NULL, 4 * page, RW, MAP_SHARED, fd, 0) == MAP_FAILED ||
		    write(pipes[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(pipes[1]);
	gives(read(pipes[0], &byte, 1), 1, "a child maps");
	equal(mappings(name), 1, "its mapping counts");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	equal(mappings(name), 0, "and nothing is left when it is killed");
	close(pipes[0]);
}

int main(int argc, char **argv)
{
	off_t end;

	if (argc != 3) {
		fprintf(stderr, "usage: test_mapping NAME OTHER\n");
		return 2;
	}
	name = argv[1];
	page = page_size();
	fd = must_open(name);
	end = lseek(fd, 0, SEEK_END);
	if (end < (off_t)(4 * page)) {
		fprintf(stderr, "test_mapping: %s has less than four pages\n", name);
		return 2;
	}
	size = (size_t)end;
	test_range();
	test_rights();
	test_flags();
	test_offsets();
	test_two_areas(argv[2]);
	test_fixed_address();
	test_mremap();
	test_counts();
	test_outlives_its_file();
	test_a_killed_child();
	close(fd);
	return tap_end();
}
