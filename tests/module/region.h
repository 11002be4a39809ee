/* SPDX-License-Identifier: MIT */
/*
 * A region as its user sees it, for the programs that run in the guest.
 */
#ifndef REGION_H
#define REGION_H

#include <fcntl.h>
#include <linux/physbuf.h>
#include <poll.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

#define RW (PROT_READ | PROT_WRITE)

/* What a test waits for at most; it comes at once, or the test has failed. */
#define PATIENCE_MS 60000

static inline size_t page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

static inline int open_region(const char *name, int flags)
{
	char path[80];

	snprintf(path, sizeof(path), "/dev/physbuf/%s", name);
	return open(path, flags | O_CLOEXEC);
}

/* Open a region to read and write, or end the program. */
static inline int must_open(const char *name)
{
	int fd = open_region(name, O_RDWR);

	if (fd < 0)
		bail_out(name);
	return fd;
}

static inline struct physbuf_info info_of(int fd)
{
	struct physbuf_info info = {0};

	if (ioctl(fd, PHYSBUF_IOC_INFO, &info))
		bail_out("PHYSBUF_IOC_INFO");
	return info;
}

/* The text of a file in sysfs or proc, without the newline; false if there is none. */
static inline bool file_text(const char *path, char *text, size_t len)
{
	int in = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = in < 0 ? -1 : read(in, text, len - 1);

	if (in >= 0)
		close(in);
	text[got > 0 ? got : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return got >= 0;
}

static inline bool attribute(const char *name, const char *which, char *text, size_t len)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/class/physbuf/%s/%s", name, which);
	return file_text(path, text, len);
}

static inline void attribute_is(const char *name, const char *which, const char *want)
{
	char got[80] = "", what[80];

	attribute(name, which, got, sizeof(got));
	snprintf(what, sizeof(what), "sysfs: %s is %s", which, want);
	result(!strcmp(got, want), what, got);
}

/* An attribute that is a number, -1 when it is not there. */
static inline long long attribute_number(const char *name, const char *which)
{
	char text[64];

	return attribute(name, which, text, sizeof(text)) ? strtoll(text, NULL, 0) : -1;
}

static inline long long parameter(const char *which)
{
	char path[128], text[64];

	snprintf(path, sizeof(path), "/sys/module/physbuf/parameters/%s", which);
	return file_text(path, text, sizeof(text)) ? strtoll(text, NULL, 0) : -1;
}

static inline long long mappings(const char *name)
{
	return attribute_number(name, "mappings");
}

static inline bool is_persistent(const struct physbuf_info *info)
{
	return info->flags & PHYSBUF_FLAG_PERSISTENT;
}

static inline unsigned char pattern(size_t i)
{
	return (unsigned char)(i * 167 + (i >> 8) * 13 + 5);
}

/*
 * Byte by byte, also where the memory is a device's to the processor, which then
 * takes no other than aligned accesses: neither memset() nor memcmp() will do.
 */
static inline void fill(volatile unsigned char *to, size_t length, size_t salt)
{
	for (size_t i = 0; i < length; i++)
		to[i] = pattern(i + salt);
}

static inline bool holds(const volatile unsigned char *at, size_t length, size_t salt)
{
	for (size_t i = 0; i < length; i++)
		if (at[i] != pattern(i + salt))
			return false;
	return true;
}

static inline bool same(const volatile unsigned char *a, const volatile unsigned char *b,
			size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (a[i] != b[i])
			return false;
	return true;
}

static inline bool zero(const volatile unsigned char *at, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (at[i])
			return false;
	return true;
}

/* To memory that nobody may touch. */
static inline void *bad_pointer(void)
{
	static void *bad;

	if (!bad)
		bad = mmap(NULL, page_size(), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return bad;
}

static inline void map_refused2(int fd, size_t length, int prot, int flags, off_t offset, int want,
				int other, const char *what)
{
	void *map = mmap(NULL, length, prot, flags, fd, offset);

	refused2(map == MAP_FAILED ? -1 : 0, want, other, what);
	if (map != MAP_FAILED)
		munmap(map, length);
}

static inline void map_refused(int fd, size_t length, int prot, int flags, off_t offset, int want,
			       const char *what)
{
	map_refused2(fd, length, prot, flags, offset, want, want, what);
}

/* A shared mapping; when there is none, that is a failed test and the last one. */
static inline volatile unsigned char *map_ok(int fd, size_t length, int prot, off_t offset,
					     const char *what)
{
	void *map = mmap(NULL, length, prot, MAP_SHARED, fd, offset);

	if (map == MAP_FAILED) {
		gives(-1, 0, what);
		exit(tap_end());
	}
	check(true, what);
	return map;
}

static inline void unmap(volatile unsigned char *map, size_t length)
{
	munmap((void *)(uintptr_t)map, length);
}

/* Whether poll() finds events now. */
static inline short events_of(int fd)
{
	struct pollfd poller = {.fd = fd, .events = POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM};

	return poll(&poller, 1, 0) < 0 ? -1 : poller.revents;
}

static inline bool rung(int fd)
{
	return events_of(fd) & POLLIN;
}

/*
 * Until a child sleeps ('S'), which it does in the one call that it was made for,
 * or waits for a device ('D'), or has ended.
 */
static inline void await_state(pid_t pid, char want)
{
	char path[40], stat[256];
	const char *state;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	do {
		usleep(1000);
		if (!file_text(path, stat, sizeof(stat)))
			return;
		state = strrchr(stat, ')');
	} while (state && state[2] != want && state[2] != 'Z');
}

static inline bool ended_well(pid_t pid)
{
	int status;

	return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
	       !WEXITSTATUS(status);
}

#endif /* REGION_H */
