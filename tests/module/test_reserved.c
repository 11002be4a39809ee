// SPDX-License-Identifier: MIT
/*
 * What user space can see of a region of kind "reserved": run in the guest,
 * by root or by anybody of group physbuf.
 *
 *	test_reserved NAME
 *
 * Prints TAP. Exit status 0: all passed, 1: a test failed, 2: usage or the
 * region cannot be opened. The region's content is put back at the end.
 */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/physbuf.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB (1024UL * 1024UL)

static const char *name;
static char path[80];
static unsigned int tests;
static unsigned int failures;

static int fd = -1;
static size_t size;
static size_t page;
static unsigned char *buffer;
static void *bad_pointer; /* to memory that nobody may touch */

static void result(bool good, const char *what, const char *detail)
{
	tests++;
	if (!good)
		failures++;
	printf("%sok %u - %s%s%s\n", good ? "" : "not ", tests, what, good ? "" : ": ",
	       good ? "" : detail);
	fflush(stdout);
}

static void check(bool good, const char *what)
{
	result(good, what, "is not so");
}

static void skip(const char *what, const char *why)
{
	tests++;
	printf("ok %u - %s # SKIP %s\n", tests, what, why);
}

static void equal(long long got, long long want, const char *what)
{
	char detail[80];

	snprintf(detail, sizeof(detail), "got %lld, want %lld", got, want);
	result(got == want, what, detail);
}

/* A call that has to fail with one errno, or with either of two. */
static void refused2(long long got, int want, int other, const char *what)
{
	int saved = errno;
	char detail[160];

	if (got == -1)
		snprintf(detail, sizeof(detail), "got %s, want %s", strerror(saved),
			 strerror(want));
	else
		snprintf(detail, sizeof(detail), "got %lld, want %s", got, strerror(want));
	result(got == -1 && (saved == want || saved == other), what, detail);
}

static void refused(long long got, int want, const char *what)
{
	refused2(got, want, want, what);
}

/* A call that has to succeed with a value, or else says its errno. */
static void gives(long long got, long long want, const char *what)
{
	char detail[160];

	if (got == -1)
		snprintf(detail, sizeof(detail), "got %s, want %lld", strerror(errno), want);
	else
		snprintf(detail, sizeof(detail), "got %lld, want %lld", got, want);
	result(got == want, what, detail);
}

static void *map_at(int file, size_t length, int prot, int flags, off_t offset)
{
	return mmap(NULL, length, prot, flags, file, offset);
}

static void map_refused2(int file, size_t length, int prot, int flags, off_t offset, int want,
			 int other, const char *what)
{
	void *map = map_at(file, length, prot, flags, offset);

	refused2(map == MAP_FAILED ? -1 : 0, want, other, what);
	if (map != MAP_FAILED)
		munmap(map, length);
}

static void map_refused(int file, size_t length, int prot, int flags, off_t offset, int want,
			const char *what)
{
	map_refused2(file, length, prot, flags, offset, want, want, what);
}

static unsigned char *map_ok(int file, size_t length, int prot, off_t offset, const char *what)
{
	void *map = map_at(file, length, prot, MAP_SHARED, offset);

	gives(map == MAP_FAILED ? -1 : 0, 0, what);
	return map == MAP_FAILED ? NULL : map;
}

static bool attribute(const char *which, char *text, size_t len)
{
	char file[128];
	ssize_t got;
	int in;

	snprintf(file, sizeof(file), "/sys/class/physbuf/%s/%s", name, which);
	in = open(file, O_RDONLY | O_CLOEXEC);
	if (in < 0)
		return false;
	got = read(in, text, len - 1);
	close(in);
	if (got < 0)
		return false;
	text[got] = '\0';
	return true;
}

static long mappings(void)
{
	char text[64];

	return attribute("mappings", text, sizeof(text)) ? atol(text) : -1;
}

static unsigned char pattern(size_t i)
{
	return (unsigned char)(i * 167 + (i >> 8) * 13 + 5);
}

static void fill(unsigned char *to, size_t length, size_t salt)
{
	for (size_t i = 0; i < length; i++)
		to[i] = pattern(i + salt);
}

static bool holds(const unsigned char *at, size_t length, size_t salt)
{
	for (size_t i = 0; i < length; i++)
		if (at[i] != pattern(i + salt))
			return false;
	return true;
}

/* The number of the group physbuf; a static program has no getgrnam(). */
static long group_physbuf(void)
{
	FILE *in = fopen("/etc/group", "re");
	char line[256];
	long gid = -1;

	while (in && fgets(line, sizeof(line), in)) {
		char *colon = strchr(line, ':');

		if (!strncmp(line, "physbuf:", 8)) {
			colon = strchr(colon + 1, ':');
			if (colon)
				gid = atol(colon + 1);
		}
	}
	if (in)
		fclose(in);
	return gid;
}

static void test_device(void)
{
	long gid = group_physbuf();
	struct stat st = {0};

	gives(stat(path, &st), 0, "the device node is there");
	check(S_ISCHR(st.st_mode), "it is a character device");
	equal(st.st_mode & 0777, 0660, "its mode is 0660");
	equal(st.st_uid, 0, "its owner is root");
	equal(st.st_gid, gid, "its group is physbuf");
	if (geteuid())
		check(fd >= 0, "it opens for somebody who is not root");
	else
		skip("it opens for somebody who is not root", "run by root");
}

static void test_info(void)
{
	struct physbuf_info info;
	struct {
		struct physbuf_info info;
		unsigned char tail[64];
	} large;
	bool zero = true;

	equal(sizeof(info), PHYSBUF_INFO_SIZE_V1, "INFO is 128 bytes");
	memset(&info, 0xff, sizeof(info));
	gives(ioctl(fd, PHYSBUF_IOC_INFO, &info), 0, "INFO answers");
	equal(info.size, PHYSBUF_INFO_SIZE_V1, "INFO: size filled in");
	equal(info.version, PHYSBUF_UAPI_VERSION, "INFO: version");
	equal(info.kind, PHYSBUF_KIND_RESERVED, "INFO: kind");
	equal(info.cache, PHYSBUF_CACHE_WB, "INFO: cache");
	equal(info.flags, PHYSBUF_FLAG_PERSISTENT, "INFO: flags");
	equal(info.mappings, 0, "INFO: nothing is mapped yet");
	equal(info.reserved0, 0, "INFO: reserved0 is zero");
	equal(info.base % page, 0, "INFO: base is page aligned");
	check(info.length && info.length % page == 0, "INFO: length is a number of pages");
	check(!strncmp(info.name, name, sizeof(info.name)), "INFO: name");
	for (size_t i = strlen(name); i < sizeof(info.name); i++)
		zero &= !info.name[i];
	for (size_t i = 0; i < sizeof(info.reserved); i++)
		zero &= !((unsigned char *)info.reserved)[i];
	check(zero, "INFO: what is unused is zero");

	memset(&large, 0xff, sizeof(large));
	gives(ioctl(fd, _IOC(_IOC_READ, PHYSBUF_IOC_MAGIC, 0, sizeof(large)), &large), 0,
	      "INFO of a larger, newer size answers");
	equal(large.info.size, PHYSBUF_INFO_SIZE_V1,
	      "INFO of a larger size says how much is filled");
	zero = true;
	for (size_t i = 0; i < sizeof(large.tail); i++)
		zero &= !large.tail[i];
	check(zero, "INFO of a larger size zeroes the rest");

	refused(ioctl(fd, _IOC(_IOC_READ, PHYSBUF_IOC_MAGIC, 0, PHYSBUF_INFO_SIZE_V1 - 8), &info),
		EINVAL, "INFO of a smaller size is EINVAL");
	refused(ioctl(fd, PHYSBUF_IOC_INFO, bad_pointer), EFAULT,
		"INFO to a bad pointer is EFAULT");
	refused(ioctl(fd, _IOW(PHYSBUF_IOC_MAGIC, 0, struct physbuf_info), &info), ENOTTY,
		"INFO of a wrong direction is ENOTTY");
	refused(ioctl(fd, _IO(PHYSBUF_IOC_MAGIC, 0x7f), 0), ENOTTY, "an unknown command is ENOTTY");
	refused(ioctl(fd, _IO('x', 0), 0), ENOTTY, "a command of somebody else is ENOTTY");
}

static void test_sysfs(void)
{
	struct physbuf_info info = {0};
	char want[64], got[64] = "";

	ioctl(fd, PHYSBUF_IOC_INFO, &info);
	snprintf(want, sizeof(want), "0x%llx\n", (unsigned long long)info.base);
	attribute("base", got, sizeof(got));
	result(!strcmp(got, want), "sysfs: base is INFO's, in hex", got);
	snprintf(want, sizeof(want), "%llu\n", (unsigned long long)info.length);
	attribute("size", got, sizeof(got));
	result(!strcmp(got, want), "sysfs: size is INFO's, in bytes", got);
	attribute("kind", got, sizeof(got));
	result(!strcmp(got, "reserved\n"), "sysfs: kind", got);
	attribute("cache", got, sizeof(got));
	result(!strcmp(got, "wb\n"), "sysfs: cache", got);
	attribute("mappings", got, sizeof(got));
	result(!strcmp(got, "0\n"), "sysfs: mappings", got);
}

static void test_lseek(void)
{
	off_t end = (off_t)size;

	gives(lseek(fd, 0, SEEK_END), end, "lseek to the end gives the size");
	gives(lseek(fd, end, SEEK_SET), end, "lseek to the size");
	gives(lseek(fd, -end, SEEK_END), 0, "lseek back from the end");
	gives(lseek(fd, 100, SEEK_SET), 100, "lseek to 100");
	gives(lseek(fd, 11, SEEK_CUR), 111, "lseek on by 11");
	refused(lseek(fd, end + 1, SEEK_SET), EINVAL, "lseek beyond the size is EINVAL");
	refused(lseek(fd, 1, SEEK_END), EINVAL, "lseek beyond the end is EINVAL");
	refused(lseek(fd, end, SEEK_CUR), EINVAL, "lseek on beyond the end is EINVAL");
	refused(lseek(fd, -1, SEEK_SET), EINVAL, "lseek before the start is EINVAL");
	refused(lseek(fd, LLONG_MAX, SEEK_SET), EINVAL, "lseek to 2^63 - 1 is EINVAL");
	refused2(lseek(fd, LLONG_MAX, SEEK_CUR), EINVAL, EOVERFLOW,
		 "lseek on by 2^63 - 1 is refused");
	refused(lseek(fd, 0, 99), EINVAL, "lseek of unknown whence is EINVAL");
	gives(lseek(fd, 0, SEEK_CUR), 111, "a refused lseek moves nothing");
}

static void test_read(void)
{
	off_t end = (off_t)size;
	struct iovec iov[2] = {
		{.iov_base = buffer, .iov_len = 7},
		{.iov_base = buffer + 7, .iov_len = 20},
	};

	fill(buffer, page, 1);
	gives(pwrite(fd, buffer, page, end - (off_t)page), (long long)page,
	      "pwrite of the last page");
	memset(buffer, 0, page);
	gives(pread(fd, buffer, page, end - 10), 10, "pread over the end is short");
	check(holds(buffer, 10, page - 10 + 1) && !buffer[10], "and gives the last bytes, no more");
	gives(pread(fd, buffer, page, end), 0, "pread at the size is 0");
	refused(pread(fd, buffer, page, end + 1), EINVAL, "pread beyond the size is EINVAL");
	refused(pread(fd, buffer, 0, end + 1), EINVAL,
		"pread of nothing beyond the size is EINVAL");
	refused(pread(fd, buffer, 1, LLONG_MAX - 1), EINVAL, "pread near 2^63 is EINVAL");
	refused(pread(fd, buffer, 1, -1), EINVAL, "pread before the start is EINVAL");
	gives(pread(fd, buffer, 0, 0), 0, "pread of nothing is 0");
	refused(pread(fd, bad_pointer, 10, 0), EFAULT, "pread to a bad pointer is EFAULT");
	gives(lseek(fd, end - 20, SEEK_SET), end - 20, "lseek near the end");
	gives(readv(fd, iov, 2), 20, "readv over the end is short");
	check(holds(buffer, 20, page - 20 + 1), "and gives the right bytes");
	gives(lseek(fd, 0, SEEK_CUR), end, "read moves the position");
	gives(read(fd, buffer, 10), 0, "read at the end is 0");
}

static void test_write(void)
{
	size_t much = size < 3 * MIB / 2 ? size : 3 * MIB / 2;
	off_t end = (off_t)size;
	struct iovec iov[2] = {
		{.iov_base = buffer, .iov_len = 7},
		{.iov_base = buffer + 7, .iov_len = 20},
	};

	fill(buffer, page, 2);
	gives(pwrite(fd, buffer, page, end - 10), 10, "pwrite over the end is short");
	memset(buffer, 0, page);
	gives(pread(fd, buffer, 10, end - 10), 10, "pread of it");
	check(holds(buffer, 10, 2), "and it is there");
	refused(pwrite(fd, buffer, 1, end), ENOSPC, "pwrite at the size is ENOSPC");
	gives(pwrite(fd, buffer, 0, end), 0, "pwrite of nothing at the size is 0");
	refused(pwrite(fd, buffer, 1, end + 1), EINVAL, "pwrite beyond the size is EINVAL");
	refused(pwrite(fd, buffer, 1, LLONG_MAX - 1), EINVAL, "pwrite near 2^63 is EINVAL");
	refused(pwrite(fd, buffer, 1, -1), EINVAL, "pwrite before the start is EINVAL");
	refused(pwrite(fd, bad_pointer, 10, 0), EFAULT, "pwrite from a bad pointer is EFAULT");
	fill(buffer, 27, 3);
	gives(lseek(fd, end - 20, SEEK_SET), end - 20, "lseek near the end");
	gives(writev(fd, iov, 2), 20, "writev over the end is short");
	gives(lseek(fd, 0, SEEK_CUR), end, "write moves the position");
	refused(write(fd, buffer, 1), ENOSPC, "write at the end is ENOSPC");
	memset(buffer, 0, 20);
	gives(pread(fd, buffer, 20, end - 20), 20, "pread of it");
	check(holds(buffer, 20, 3), "and it is there");

	fill(buffer, much, 4);
	gives(pwrite(fd, buffer, much, 0), (long long)much, "pwrite of 1.5 MiB in one go");
	memset(buffer, 0, much);
	gives(pread(fd, buffer, much, 0), (long long)much, "pread of 1.5 MiB in one go");
	check(holds(buffer, much, 4), "and it is all there");
}

static void test_rights(void)
{
	const int rw = PROT_READ | PROT_WRITE;
	int ro = open(path, O_RDONLY | O_CLOEXEC);
	int wo = open(path, O_WRONLY | O_CLOEXEC);
	unsigned char *map;

	check(ro >= 0, "it opens to read only");
	check(wo >= 0, "it opens to write only");
	refused(pwrite(ro, buffer, 1, 0), EBADF, "pwrite after a read-only open is EBADF");
	refused(pread(wo, buffer, 1, 0), EBADF, "pread after a write-only open is EBADF");
	map_refused(ro, page, rw, MAP_SHARED, 0, EACCES,
		    "a writable mmap after a read-only open is EACCES");
	map_refused(ro, page, PROT_READ, MAP_PRIVATE, 0, EINVAL,
		    "MAP_PRIVATE after a read-only open is EINVAL");
	map_refused(wo, page, PROT_WRITE, MAP_SHARED, 0, EACCES,
		    "mmap after a write-only open is EACCES");
	map = map_ok(ro, page, PROT_READ, 0, "mmap after a read-only open");
	if (map) {
		unsigned char byte = 0;

		gives(pread(fd, &byte, 1, 9), 1, "pread of a byte");
		check(map[9] == byte, "and the mapping shows it");
		refused(mprotect(map, page, rw), EACCES,
			"mprotect cannot make it writable: EACCES");
		refused(mprotect(map, page, PROT_READ | PROT_EXEC), EACCES,
			"mprotect cannot make it executable: EACCES");
		munmap(map, page);
	}
	close(ro);
	close(wo);
}

/* The flags of the area at an address, as /proc/self/smaps tells them. */
static bool area_flags(const void *at, char *flags, size_t len)
{
	FILE *in = fopen("/proc/self/smaps", "re");
	bool here = false;
	bool found = false;
	char line[512];
	unsigned long start, end;

	while (in && !found && fgets(line, sizeof(line), in)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			here = start == (unsigned long)at;
		if (here && !strncmp(line, "VmFlags:", 8)) {
			line[strcspn(line, "\n")] = '\0';
			snprintf(flags, len, "%.120s", line + 8);
			found = true;
		}
	}
	if (in)
		fclose(in);
	return found;
}

static void test_mmap(void)
{
	const int rw = PROT_READ | PROT_WRITE;
	off_t end = (off_t)size;
	off_t last = (off_t)(size - page);
	unsigned char *map, *other;
	char flags[128] = "";

	map = map_ok(fd, size, rw, 0, "mmap of the whole region");
	if (map) {
		gives(pread(fd, buffer, size, 0), (long long)size, "pread of the whole region");
		check(!memcmp(map, buffer, size), "mmap and read agree");
		fill(map + size - 100, 100, 5);
		gives(pread(fd, buffer, 100, end - 100), 100, "pread of what mmap wrote");
		check(holds(buffer, 100, 5), "and it is there");
		fill(buffer, 100, 6);
		gives(pwrite(fd, buffer, 100, 50), 100, "pwrite of 100 bytes");
		check(holds(map + 50, 100, 6), "and mmap shows them");

		other = map_ok(fd, page, rw, last, "mmap of the last page");
		if (other) {
			check(holds(other + page - 100, 100, 5), "and its offset is right");
			other[0] ^= 0xff;
			check(map[size - page] == other[0], "two mappings are the same memory");
			munmap(other, page);
		}
		if (!area_flags(map, flags, sizeof(flags)))
			snprintf(flags, sizeof(flags), "no VmFlags");
		result(strstr(flags, " dd") && strstr(flags, " de"),
		       "it is not dumped and does not expand", flags);
		result(strstr(flags, " mw") && !strstr(flags, " me"),
		       "it may be written, never executed", flags);
		refused(mprotect(map, page, PROT_READ | PROT_EXEC), EACCES,
			"mprotect to PROT_EXEC is EACCES");
		munmap(map, size);
	}

	map_refused(fd, page, rw, MAP_SHARED, end, EINVAL, "mmap at the size is EINVAL");
	map_refused(fd, page, rw, MAP_SHARED, end + (off_t)page, EINVAL,
		    "mmap beyond the size is EINVAL");
	map_refused(fd, 2 * page, rw, MAP_SHARED, last, EINVAL, "mmap over the end is EINVAL");
	map_refused(fd, size + 1, rw, MAP_SHARED, 0, EINVAL,
		    "mmap of more than the size is EINVAL");
	map_refused(fd, page, rw, MAP_SHARED, 1, EINVAL, "mmap at an unaligned offset is EINVAL");
	map_refused(fd, 0, rw, MAP_SHARED, 0, EINVAL, "mmap of nothing is EINVAL");
	map_refused2(fd, 2 * page, rw, MAP_SHARED, (off_t)(LLONG_MAX - LLONG_MAX % (long long)page),
		     EINVAL, EOVERFLOW, "mmap near 2^63 is refused");
	map_refused2(fd, 2 * page, rw, MAP_SHARED, -(off_t)page, EINVAL, EOVERFLOW,
		     "mmap near 2^64 is refused");
	map_refused(fd, page, rw, MAP_PRIVATE, 0, EINVAL, "MAP_PRIVATE is EINVAL");
	map_refused(fd, page, PROT_READ, MAP_PRIVATE, 0, EINVAL, "MAP_PRIVATE to read is EINVAL");
	map_refused(fd, page, rw | PROT_EXEC, MAP_SHARED, 0, EPERM, "PROT_EXEC is EPERM");
}

static void test_mremap(void)
{
	const int rw = PROT_READ | PROT_WRITE;
	unsigned char *map, *to;
	void *got;

	if (size < 4 * page) {
		skip("mremap", "the region has less than four pages");
		return;
	}
	map = map_ok(fd, 2 * page, rw, (off_t)page, "mmap of two pages");
	if (!map)
		return;
	fill(map, 2 * page, 7);
	got = mremap(map, 2 * page, 3 * page, MREMAP_MAYMOVE);
	refused(got == MAP_FAILED ? -1 : 0, EFAULT, "mremap cannot grow it");
	got = mremap(map, 0, page, MREMAP_MAYMOVE);
	refused2(got == MAP_FAILED ? -1 : 0, EFAULT, EINVAL, "mremap cannot double it");
	to = mmap(NULL, 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	got = mremap(map, 2 * page, 2 * page, MREMAP_MAYMOVE | MREMAP_FIXED, to);
	gives(got == MAP_FAILED ? -1 : 0, 0, "mremap moves it");
	if (got != MAP_FAILED)
		check(holds(got, 2 * page, 7), "and its content is the same");
	equal(mappings(), 1, "a moved mapping counts once");
	munmap(to, 2 * page);
	equal(mappings(), 0, "and not after munmap");
}

/* In a child, which shares all mappings: does sysfs say so many? */
static void child_counts(long want, bool drop, void *map, const char *what)
{
	int status = 0;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		if (drop)
			munmap(map, page);
		_exit(mappings() == want ? 0 : 1);
	}
	check(pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
		      !WEXITSTATUS(status),
	      what);
}

static void test_counts(void)
{
	const int rw = PROT_READ | PROT_WRITE;
	struct physbuf_info info = {0};
	unsigned char *map, *other;
	int pipes[2], file;
	pid_t pid;
	char byte;

	if (size < 4 * page) {
		skip("counts", "the region has less than four pages");
		return;
	}
	equal(mappings(), 0, "counts: nothing is mapped");
	map_refused(fd, page, rw | PROT_EXEC, MAP_SHARED, 0, EPERM, "counts: a refused mmap");
	equal(mappings(), 0, "counts: is not counted");
	map = map_ok(fd, 4 * page, rw, 0, "counts: mmap of four pages");
	other = map_ok(fd, page, PROT_READ, 0, "counts: mmap of one more");
	if (!map || !other)
		return;
	equal(mappings(), 2, "counts: two mappings");
	gives(ioctl(fd, PHYSBUF_IOC_INFO, &info), 0, "counts: INFO");
	equal(info.mappings, 2, "counts: INFO says two as well");

	child_counts(4, false, NULL, "counts: fork doubles them");
	child_counts(3, true, other, "counts: munmap in the child takes one");
	equal(mappings(), 2, "counts: two again when the child has ended");

	munmap(other, page);
	equal(mappings(), 1, "counts: munmap takes one");
	fill(map, 4 * page, 8);
	munmap(map + page, page);
	equal(mappings(), 2, "counts: a hole splits a mapping in two");
	check(holds(map, page, 8) && holds(map + 2 * page, 2 * page, 8 + 2 * page),
	      "counts: both parts still show their bytes");
	child_counts(4, false, NULL, "counts: fork doubles the parts");
	munmap(map + 3 * page, page);
	equal(mappings(), 2, "counts: a munmap at the end leaves the count");
	munmap(map, page);
	equal(mappings(), 1, "counts: a part gone takes one");
	munmap(map, 4 * page);
	equal(mappings(), 0, "counts: all gone");

	/* A mapping outlives its file. */
	file = open(path, O_RDWR | O_CLOEXEC);
	map = map_ok(file, page, rw, 0, "counts: mmap of a second open");
	close(file);
	equal(mappings(), 1, "counts: a mapping outlives close");
	if (map) {
		map[3] = 0x5a;
		gives(pread(fd, buffer, 1, 3), 1, "pread of a byte");
		check(buffer[0] == 0x5a, "counts: and it is still the memory");
		munmap(map, page);
	}
	equal(mappings(), 0, "counts: all gone");

	/* A process killed while it maps the region. */
	fflush(stdout);
	if (pipe(pipes))
		return;
	pid = fork();
	if (!pid) {
		map_at(fd, 4 * page, rw, MAP_SHARED, 0);
		if (write(pipes[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	gives(read(pipes[0], &byte, 1), 1, "counts: a child maps");
	equal(mappings(), 1, "counts: a child's mapping");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	equal(mappings(), 0, "counts: nothing left of a killed child");
	close(pipes[0]);
	close(pipes[1]);
}

/* The module has to stay while a file is open, and while only a map is left. */
static void test_unload(void)
{
	const char *open_what = "rmmod while open is EAGAIN";
	const char *map_what = "rmmod while mapped is EAGAIN";
	void *map;

	if (geteuid()) {
		refused(syscall(SYS_delete_module, "physbuf", O_NONBLOCK), EPERM,
			"rmmod by somebody who is not root is EPERM");
		return;
	}
	refused(syscall(SYS_delete_module, "physbuf", O_NONBLOCK), EAGAIN, open_what);
	map = map_at(fd, page, PROT_READ, MAP_SHARED, 0);
	close(fd);
	refused(syscall(SYS_delete_module, "physbuf", O_NONBLOCK), EAGAIN, map_what);
	munmap(map, page);
	fd = open(path, O_RDWR | O_CLOEXEC);
	check(fd >= 0, "it opens again");
}

/* Before the tests: where the kernel's log ends now. */
static int kernel_log_start(void)
{
	int log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (log >= 0)
		lseek(log, 0, SEEK_END);
	return log;
}

static void test_kernel_log(int log)
{
	static const char *const bad[] = {
		"invalid memtype", "Oops", "BUG:", "kernel BUG", "WARNING:",
	};
	const char *what = "the kernel had nothing to complain about";
	char found[160] = "";
	char record[8192];
	ssize_t got;

	if (log < 0) {
		skip(what, "the kernel's log cannot be read");
		return;
	}
	for (;;) {
		got = read(log, record, sizeof(record) - 1);
		if (got < 0 && errno == EPIPE)
			continue;
		if (got <= 0)
			break;
		record[got] = '\0';
		record[strcspn(record, "\n")] = '\0';
		for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
			if (strstr(record, bad[i]))
				snprintf(found, sizeof(found), "%.150s", record);
	}
	close(log);
	result(!found[0], what, found);
}

int main(int argc, char **argv)
{
	unsigned char *content;
	off_t end;
	int log;

	if (argc != 2 || strchr(argv[1], '/')) {
		fprintf(stderr, "usage: test_reserved NAME\n");
		return 2;
	}
	name = argv[1];
	page = (size_t)sysconf(_SC_PAGESIZE);
	snprintf(path, sizeof(path), "/dev/physbuf/%s", name);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		fprintf(stderr, "test_reserved: %s: %s\n", path, strerror(errno));
		return 2;
	}
	end = lseek(fd, 0, SEEK_END);
	if (end <= 0) {
		printf("not ok 1 - lseek gives the size: got %lld\n1..1\n", (long long)end);
		return 1;
	}
	size = (size_t)end;
	content = malloc(size);
	buffer = malloc(size);
	bad_pointer = mmap(NULL, page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (!content || !buffer || bad_pointer == MAP_FAILED ||
	    pread(fd, content, size, 0) != (ssize_t)size) {
		printf("not ok 1 - the whole region reads: %s\n1..1\n", strerror(errno));
		return 1;
	}
	printf("# %s, %zu bytes, uid %u\n", path, size, geteuid());

	log = kernel_log_start();
	test_device();
	test_info();
	test_sysfs();
	test_lseek();
	test_read();
	test_write();
	test_rights();
	test_mmap();
	test_mremap();
	test_counts();
	test_unload();
	test_kernel_log(log);

	gives(pwrite(fd, content, size, 0), (long long)size, "the content is put back");
	gives(pread(fd, buffer, size, 0), (long long)size, "and reads");
	check(!memcmp(content, buffer, size), "and is the same as before");

	printf("1..%u\n", tests);
	if (failures)
		printf("# %u of %u failed\n", failures, tests);
	free(content);
	free(buffer);
	close(fd);
	return failures ? 1 : 0;
}
