// SPDX-License-Identifier: MIT
/*
 * A region of kind "regs": the registers of QEMU's "edu" device.
 *
 *	test_regs NAME
 *
 * By root; anybody else is only shown that it does not open.
 */
#include <sys/uio.h>

#include "region.h"

#define IDENTIFICATION 0x00
#define LIVENESS       0x04 /* reads as the inverse of what was written */
#define EDU	       0x010000edU
#define EDU_SIZE       0x100000

static const char *name;

static void test_stranger(void)
{
	refused(open_region(name, O_RDWR), EPERM, "open is EPERM without CAP_SYS_RAWIO");
	refused(open_region(name, O_RDONLY), EPERM, "open to read is EPERM as well");
}

static void test_info(int fd)
{
	struct physbuf_info info = info_of(fd);

	equal(info.kind, PHYSBUF_KIND_REGS, "INFO: kind");
	equal((long long)info.length, EDU_SIZE, "INFO: length is the BAR's");
	check(info.base && info.base % page_size() == 0, "INFO: base");
	equal(info.flags, 0, "INFO: nothing survives");
	attribute_is(name, "kind", "regs");
	attribute_is(name, "cache", "device");
	equal(info.cache, PHYSBUF_CACHE_DEVICE, "INFO: cache");
	equal(attribute_number(name, "base"), (long long)info.base, "sysfs: base");
	equal(attribute_number(name, "size"), EDU_SIZE, "sysfs: size");
	attribute_is(name, "cleaner", "not needed");
}

static void test_mapped(int fd)
{
	size_t page = page_size();
	volatile unsigned char *map = map_ok(fd, page, RW, 0, "mmap of the registers");
	volatile uint32_t *registers = (volatile uint32_t *)(uintptr_t)map;

	equal(registers[IDENTIFICATION / 4], EDU, "the identification register reads");
	registers[LIVENESS / 4] = 0x12345678;
	equal(registers[LIVENESS / 4], 0xedcba987, "the liveness register inverts");
	equal(mappings(name), 1, "the mapping counts");
	unmap(map, page);
	equal(mappings(name), 0, "and not after munmap");
	map_refused(fd, page, RW, MAP_SHARED, EDU_SIZE, EINVAL, "mmap beyond the BAR is EINVAL");
	map_refused(fd, page, RW | PROT_EXEC, MAP_SHARED, 0, EPERM, "PROT_EXEC is EPERM");
	map_refused(fd, page, RW, MAP_PRIVATE, 0, EINVAL, "MAP_PRIVATE is EINVAL");
}

static void test_access(int fd)
{
	uint32_t word = 0;

	gives(pread(fd, &word, 4, IDENTIFICATION), 4, "pread of the identification register");
	equal(word, EDU, "and its value");
	word = 0xcafe0001;
	gives(pwrite(fd, &word, 4, LIVENESS), 4, "pwrite of the liveness register");
	gives(pread(fd, &word, 4, LIVENESS), 4, "pread of it");
	equal(word, 0x3501fffe, "and its value, inverted");
	gives(lseek(fd, LIVENESS, SEEK_SET), LIVENESS, "lseek to it");
	gives(read(fd, &word, 4), 4, "read of it");
	equal(word, 0x3501fffe, "and its value");
	gives(lseek(fd, 0, SEEK_CUR), LIVENESS + 4, "read moves the position");
}

static void test_refusals(int fd)
{
	struct physbuf_clean all = {.length = EDU_SIZE};
	struct physbuf_dma_alloc alloc = {.length = 4096};
	int ro = open_region(name, O_RDONLY);
	uint32_t word[16] = {0};
	struct iovec two[2] = {
		{.iov_base = word, .iov_len = 2},
		{.iov_base = word, .iov_len = 1},
	};

	refused(pread(fd, word, 3, 0), EINVAL, "pread of 3 bytes is EINVAL");
	refused(pread(fd, word, 16, 0), EINVAL, "pread of 16 bytes is EINVAL");
	refused(pread(fd, word, 4, 2), EINVAL, "pread of 4 bytes at 2 is EINVAL");
	refused(pread(fd, word, 8, 4), EINVAL, "pread of 8 bytes at 4 is EINVAL");
	refused(readv(fd, two, 2), EINVAL, "readv of 2 + 1 bytes is EINVAL");
	refused(pwrite(fd, word, 3, LIVENESS), EINVAL, "pwrite of 3 bytes is EINVAL");
	refused(pwrite(fd, word, 4, LIVENESS + 1), EINVAL, "pwrite of 4 bytes at 5 is EINVAL");
	gives(pread(fd, word, 4, EDU_SIZE), 0, "pread at the end is 0");
	refused(pwrite(fd, word, 4, EDU_SIZE), ENOSPC, "pwrite at the end is ENOSPC");
	refused(pread(fd, bad_pointer(), 4, 0), EFAULT, "pread to a bad pointer is EFAULT");
	refused(pwrite(fd, bad_pointer(), 4, LIVENESS), EFAULT,
		"pwrite from a bad pointer is EFAULT");
	refused(pwrite(ro, word, 4, LIVENESS), EBADF, "pwrite after a read-only open is EBADF");
	map_refused(ro, page_size(), RW, MAP_SHARED, 0, EACCES,
		    "a writable mmap after a read-only open is EACCES");
	refused(ioctl(fd, PHYSBUF_IOC_CLEAN, &all), EOPNOTSUPP, "CLEAN is EOPNOTSUPP");
	refused(ioctl(fd, PHYSBUF_IOC_DMA_ALLOC, &alloc), ENOTTY, "DMA_ALLOC is ENOTTY");
	close(ro);
}

int main(int argc, char **argv)
{
	int fd;

	if (argc != 2) {
		fprintf(stderr, "usage: test_regs NAME\n");
		return 2;
	}
	name = argv[1];
	if (geteuid()) {
		test_stranger();
		return tap_end();
	}
	fd = must_open(name);
	test_info(fd);
	test_mapped(fd);
	test_access(fd);
	test_refusals(fd);
	close(fd);
	return tap_end();
}
