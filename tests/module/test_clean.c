// SPDX-License-Identifier: MIT
/*
 * Writing back from the caches, by ioctl and by O_SYNC. Writes to the first
 * pages of the region.
 *
 *	test_clean NAME CLEANER
 *
 * CLEANER is what sysfs has to say: arch_wb_cache_pmem, none, "not needed".
 */
#include "region.h"

static const char *name;
static const char *cleaner;
static int fd;
static uint64_t size;
static size_t page;

static int clean(int file, uint64_t offset, uint64_t length)
{
	struct physbuf_clean range = {.offset = offset, .length = length};

	return ioctl(file, PHYSBUF_IOC_CLEAN, &range);
}

static void test_ranges(void)
{
	gives(clean(fd, 0, size), 0, "CLEAN of the whole region");
	gives(clean(fd, 0, 1), 0, "CLEAN of the first byte");
	gives(clean(fd, size - 1, 1), 0, "CLEAN of the last byte");
	gives(clean(fd, 13, 4711), 0, "CLEAN of an odd range");
}

static void test_refusals(void)
{
	int ro = open_region(name, O_RDONLY);

	refused(clean(fd, 0, 0), EINVAL, "CLEAN of nothing is EINVAL");
	refused(clean(fd, size, 0), EINVAL, "CLEAN of nothing at the end is EINVAL");
	refused(clean(fd, size, 1), EINVAL, "CLEAN at the end is EINVAL");
	refused(clean(fd, 0, size + 1), EINVAL, "CLEAN over the end is EINVAL");
	refused(clean(fd, size - 1, 2), EINVAL, "CLEAN of a byte too much is EINVAL");
	refused(clean(fd, UINT64_MAX, 1), EINVAL, "CLEAN at 2^64 - 1 is EINVAL");
	refused(clean(fd, 1, UINT64_MAX), EINVAL, "CLEAN of 2^64 - 1 bytes is EINVAL");
	refused(clean(fd, page, UINT64_MAX - page + 2), EINVAL,
		"CLEAN of a range that wraps around is EINVAL");
	refused(ioctl(fd, PHYSBUF_IOC_CLEAN, bad_pointer()), EFAULT,
		"CLEAN with a bad pointer is EFAULT");
	refused(clean(ro, 0, page), EBADF, "CLEAN after a read-only open is EBADF");
	close(ro);
}

static void test_without_cleaner(void)
{
	refused(clean(fd, 0, size), EOPNOTSUPP, "CLEAN without a cleaner is EOPNOTSUPP");
}

static void test_synchronous_write(int flag, const char *what)
{
	int sync = open_region(name, O_RDWR | flag);
	unsigned char in[300], out[300] = {0};

	fill(in, sizeof(in), (size_t)flag);
	gives(pwrite(sync, in, sizeof(in), 100), (long long)sizeof(in), what);
	gives(pread(fd, out, sizeof(out), 100), (long long)sizeof(out), "pread of it");
	check(!memcmp(in, out, sizeof(in)), "and it is there");
	gives(pwrite(sync, in, sizeof(in), (off_t)size - 10), 10, "one over the end is short");
	close(sync);
}

static void test_fsync(void)
{
	volatile unsigned char *map = map_ok(fd, 2 * page, RW, 0, "mmap of two pages");
	int works = strcmp(cleaner, "none") ? 0 : -1;

	equal(fsync(fd), works, "fsync, as CLEAN");
	equal(fdatasync(fd), works, "fdatasync, as CLEAN");
	equal(msync((void *)(uintptr_t)map, 2 * page, MS_SYNC), works, "msync, as CLEAN");
	unmap(map, 2 * page);
}

/* Cached and uncached at once would be two memory types for one page. */
static void test_synchronous_map(bool cached)
{
	int sync = open_region(name, O_RDWR | O_SYNC);
	volatile unsigned char *map;
	unsigned char byte = 0;

	if (cached) {
		map_refused(sync, page, RW, MAP_SHARED, 0, EBUSY,
			    "mmap after an O_SYNC open is EBUSY while the memory is cached");
		equal(mappings(name), 0, "and is not counted");
	} else {
		map = map_ok(sync, page, RW, 0, "mmap after an O_SYNC open");
		map[5] = 0x42;
		gives(pread(fd, &byte, 1, 5), 1, "pread of what it wrote");
		equal(byte, 0x42, "and it is there");
		unmap(map, page);
	}
	close(sync);
}

int main(int argc, char **argv)
{
	struct physbuf_info info;

	if (argc != 3) {
		fprintf(stderr, "usage: test_clean NAME CLEANER\n");
		return 2;
	}
	name = argv[1];
	cleaner = argv[2];
	page = page_size();
	fd = must_open(name);
	info = info_of(fd);
	size = info.length;

	attribute_is(name, "cleaner", cleaner);
	equal(!!(info.flags & PHYSBUF_FLAG_CLEANABLE), !strcmp(cleaner, "arch_wb_cache_pmem"),
	      "INFO: cleanable where sysfs names a cleaner");
	if (!strcmp(cleaner, "none")) {
		test_without_cleaner();
	} else {
		test_ranges();
		test_refusals();
	}
	test_synchronous_write(O_SYNC, "pwrite after an O_SYNC open");
	test_synchronous_write(O_DSYNC, "pwrite after an O_DSYNC open");
	test_fsync();
	test_synchronous_map(info.cache == PHYSBUF_CACHE_WB);
	close(fd);
	return tap_end();
}
