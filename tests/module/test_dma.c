// SPDX-License-Identifier: MIT
/*
 * Buffers of kind "dma": allocate, map, check, export, free, and the limits.
 * Nobody else may use the two regions.
 *
 *	test_dma NAME OTHER
 *
 * NAME and OTHER can hold 6 MiB each; the module is loaded with dma_limit=8M,
 * dma_file_limit=4M and dma_file_buffers=16.
 */
#include <limits.h>
#include <linux/dma-buf.h>
#include <signal.h>
#include <sys/syscall.h>

#include "region.h"

#define MIB (1024ULL * 1024ULL)

static const char *name;
static const char *other;
static size_t page;

static int alloc(int fd, uint64_t length, struct physbuf_dma_alloc *buffer)
{
	*buffer = (struct physbuf_dma_alloc){.length = length};
	return ioctl(fd, PHYSBUF_IOC_DMA_ALLOC, buffer);
}

static struct physbuf_dma_alloc alloc_ok(int fd, uint64_t length, const char *what)
{
	struct physbuf_dma_alloc buffer;

	gives(alloc(fd, length, &buffer), 0, what);
	return buffer;
}

static int release(int fd, uint64_t offset)
{
	struct physbuf_dma_free buffer = {.offset = offset};

	return ioctl(fd, PHYSBUF_IOC_DMA_FREE, &buffer);
}

static int allowed(int fd, uint64_t address, uint64_t length)
{
	struct physbuf_dma_check transfer = {.address = address, .length = length};

	return ioctl(fd, PHYSBUF_IOC_DMA_CHECK, &transfer);
}

/* The new descriptor, or -1. */
static int export(int fd, uint64_t offset, uint32_t flags)
{
	struct physbuf_dma_export buffer = {.offset = offset, .flags = flags, .fd = -1};

	return ioctl(fd, PHYSBUF_IOC_DMA_EXPORT, &buffer) ? -1 : buffer.fd;
}

static long long used(const char *region)
{
	return attribute_number(region, "used");
}

static void test_region(void)
{
	struct physbuf_info info;
	struct physbuf_clean all = {.length = page};
	int fd = must_open(name);
	char byte = 0;

	info = info_of(fd);
	equal(info.kind, PHYSBUF_KIND_DMA, "INFO: kind");
	equal(info.cache, PHYSBUF_CACHE_COHERENT, "INFO: cache");
	equal((long long)info.base, 0, "INFO: base is none");
	equal((long long)info.length, 6 * MIB, "INFO: length is what all buffers may take");
	equal((long long)info.flags, 0, "INFO: it does not survive");
	attribute_is(name, "base", "0x0");
	attribute_is(name, "kind", "dma");
	attribute_is(name, "cache", "coherent");
	attribute_is(name, "cleaner", "not needed");
	attribute_is(name, "used", "0");
	refused(read(fd, &byte, 1), EINVAL, "read is EINVAL");
	refused(write(fd, &byte, 1), EINVAL, "write is EINVAL");
	refused(lseek(fd, 0, SEEK_SET), ESPIPE, "lseek is ESPIPE");
	refused(ioctl(fd, PHYSBUF_IOC_CLEAN, &all), EOPNOTSUPP, "CLEAN is EOPNOTSUPP");
	map_refused(fd, page, RW, MAP_SHARED, 0, EINVAL, "mmap without a buffer is EINVAL");
	close(fd);
}

static void test_life(void)
{
	int fd = must_open(name);
	struct physbuf_dma_alloc a = alloc_ok(fd, page + 1, "ALLOC of a page and a byte");
	struct physbuf_dma_alloc b = alloc_ok(fd, 3 * page, "ALLOC of three pages");
	volatile unsigned char *map;

	equal((long long)a.length, (long long)(2 * page), "gives whole pages");
	check(a.address && a.address % page == 0, "at a page aligned bus address");
	check(a.address + a.length <= b.address || b.address + b.length <= a.address,
	      "two buffers lie apart");
	check(a.offset && a.offset % (1ULL << 32) == 0 && b.offset % (1ULL << 32) == 0 &&
		      a.offset != b.offset,
	      "their offsets are different multiples of 4 GiB");
	equal(used(name), (long long)(5 * page), "sysfs: used counts both");
	equal((long long)info_of(fd).used, (long long)(5 * page), "INFO: used is sysfs'");

	map = map_ok(fd, a.length, RW, (off_t)a.offset, "mmap of the first");
	check(zero(map, a.length), "it begins with zeros");
	fill(map, a.length, 1);
	unmap(map, a.length);
	map = map_ok(fd, page, RW, (off_t)(a.offset + page), "mmap of its second page");
	check(holds(map, page, 1 + page), "shows the second page's bytes");
	unmap(map, page);
	map = map_ok(fd, b.length, RW, (off_t)b.offset, "mmap of the second buffer");
	check(zero(map, b.length), "is another memory");
	unmap(map, b.length);

	gives(release(fd, a.offset), 0, "FREE of the first");
	equal(used(name), (long long)(3 * page), "sysfs: used shrinks");
	refused(release(fd, a.offset), ENOENT, "FREE once more is ENOENT");
	map_refused(fd, page, RW, MAP_SHARED, (off_t)a.offset, EINVAL, "mmap of it is EINVAL");
	close(fd);
	equal(used(name), 0, "close frees the rest");
}

static void test_refusals(void)
{
	int fd = must_open(name);
	int second = must_open(name);
	int ro = open_region(name, O_RDONLY);
	struct physbuf_dma_alloc buffer = alloc_ok(fd, 2 * page, "ALLOC of two pages");
	struct physbuf_dma_alloc bad = {.length = page, .flags = 1};
	struct physbuf_dma_alloc *constant;
	off_t at = (off_t)buffer.offset;

	refused(ioctl(fd, PHYSBUF_IOC_DMA_ALLOC, &bad), EINVAL, "ALLOC with flags is EINVAL");
	refused(alloc(fd, 0, &bad), EINVAL, "ALLOC of nothing is EINVAL");
	refused(alloc(fd, UINT64_MAX, &bad), EDQUOT, "ALLOC of 2^64 - 1 bytes is EDQUOT");
	refused(alloc(fd, 1ULL << 63, &bad), EDQUOT, "ALLOC of 2^63 bytes is EDQUOT");
	refused(alloc(ro, page, &bad), EBADF, "ALLOC after a read-only open is EBADF");
	refused(release(ro, buffer.offset), EBADF, "FREE after a read-only open is EBADF");
	refused(export(ro, buffer.offset, O_RDWR), EBADF, "EXPORT after a read-only open is EBADF");
	refused(ioctl(fd, PHYSBUF_IOC_DMA_ALLOC, bad_pointer()), EFAULT,
		"ALLOC with a bad pointer is EFAULT");
	constant = mmap(NULL, page, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	constant->length = page;
	mprotect(constant, page, PROT_READ);
	refused(ioctl(fd, PHYSBUF_IOC_DMA_ALLOC, constant), EFAULT,
		"ALLOC that cannot answer is EFAULT");
	equal(used(name), (long long)(2 * page), "and none of these has taken memory");
	munmap(constant, page);

	refused(release(fd, buffer.offset + page), ENOENT, "FREE within a buffer is ENOENT");
	refused(release(fd, 0), ENOENT, "FREE of 0 is ENOENT");
	refused(release(fd, UINT64_MAX), ENOENT, "FREE of 2^64 - 1 is ENOENT");
	refused(release(fd, buffer.offset + (1ULL << 63)), ENOENT, "FREE near 2^63 is ENOENT");
	refused(release(second, buffer.offset), ENOENT, "FREE of another file's is ENOENT");
	refused(ioctl(fd, PHYSBUF_IOC_DMA_FREE, bad_pointer()), EFAULT,
		"FREE with a bad pointer is EFAULT");

	map_refused(second, page, RW, MAP_SHARED, at, EINVAL, "mmap of another file's is EINVAL");
	map_refused(fd, 3 * page, RW, MAP_SHARED, at, EINVAL, "mmap over its end is EINVAL");
	map_refused(fd, page, RW, MAP_SHARED, at + (off_t)(2 * page), EINVAL,
		    "mmap at its end is EINVAL");
	map_refused(fd, 2 * page, RW, MAP_SHARED, at + (off_t)page, EINVAL,
		    "mmap from its middle over its end is EINVAL");
	map_refused(fd, page, RW, MAP_SHARED, at + (off_t)(1ULL << 32), EINVAL,
		    "mmap of a buffer that is not is EINVAL");
	map_refused(fd, page, RW, MAP_PRIVATE, at, EINVAL, "MAP_PRIVATE is EINVAL");
	map_refused(fd, page, RW | PROT_EXEC, MAP_SHARED, at, EPERM, "PROT_EXEC is EPERM");
	equal(mappings(name), 0, "and none of these is counted");
	close(ro);
	close(second);
	close(fd);
}

static void test_check(void)
{
	int fd = must_open(name);
	int second = must_open(name);
	struct physbuf_dma_alloc a = alloc_ok(fd, 2 * page, "ALLOC of two pages");

	gives(allowed(fd, a.address, a.length), 0, "CHECK of a whole buffer");
	gives(allowed(fd, a.address + 1, 1), 0, "CHECK of a byte in it");
	gives(allowed(fd, a.address + a.length - 1, 1), 0, "CHECK of its last byte");
	refused(allowed(fd, a.address, a.length + 1), ERANGE, "CHECK over its end is ERANGE");
	refused(allowed(fd, a.address + a.length - 1, 2), ERANGE,
		"CHECK of its last byte and one more is ERANGE");
	refused(allowed(fd, a.address - 1, 2), ERANGE, "CHECK from before it is ERANGE");
	refused(allowed(fd, a.address + a.length, 1), ERANGE, "CHECK behind it is ERANGE");
	refused(allowed(fd, 0, 1), ERANGE, "CHECK of address 0 is ERANGE");
	refused(allowed(fd, a.address, 0), EINVAL, "CHECK of nothing is EINVAL");
	refused(allowed(fd, UINT64_MAX, 2), EINVAL, "CHECK over 2^64 is EINVAL");
	refused(allowed(fd, a.address, UINT64_MAX), EINVAL, "CHECK of 2^64 - 1 bytes is EINVAL");
	refused(allowed(second, a.address, page), ERANGE, "CHECK by another file is ERANGE");
	refused(ioctl(fd, PHYSBUF_IOC_DMA_CHECK, bad_pointer()), EFAULT,
		"CHECK with a bad pointer is EFAULT");
	release(fd, a.offset);
	refused(allowed(fd, a.address, page), ERANGE, "CHECK after FREE is ERANGE");
	close(second);
	close(fd);
}

static void test_limits(void)
{
	struct physbuf_dma_alloc buffer;
	int a = must_open(name);
	int b = must_open(name);
	int c = must_open(other);
	int many = 0;

	refused(alloc(a, 6 * MIB + 1, &buffer), EDQUOT, "more than the region can hold is EDQUOT");
	while (many < 17 && !alloc(a, 1, &buffer))
		many++;
	equal(many, 16, "dma_file_buffers: 16 buffers a file");
	gives(errno, EDQUOT, "and one more is EDQUOT");
	close(a);

	a = must_open(name);
	for (int i = 0; i < 4; i++)
		alloc_ok(a, MIB, "ALLOC of 1 MiB");
	refused(alloc(a, 1, &buffer), EDQUOT, "dma_file_limit: more than 4 MiB a file is EDQUOT");
	alloc_ok(b, MIB, "another file may have 1 MiB");
	alloc_ok(b, MIB, "and another");
	refused(alloc(b, 1, &buffer), EDQUOT, "more than the region's 6 MiB is EDQUOT");
	alloc_ok(c, MIB, "another region may have 1 MiB");
	alloc_ok(c, MIB, "and another");
	refused(alloc(c, 1, &buffer), EDQUOT, "dma_limit: more than 8 MiB in all is EDQUOT");
	equal(used(name), 6 * MIB, "sysfs: used of one region");
	equal(used(other), 2 * MIB, "sysfs: used of the other");
	close(a);
	gives(alloc(c, MIB, &buffer), 0, "what one file gives back another may have");
	close(b);
	close(c);
	equal(used(name) + used(other), 0, "all is given back");
}

static void test_free_while_mapped(void)
{
	int fd = must_open(name);
	struct physbuf_dma_alloc a = alloc_ok(fd, 2 * page, "ALLOC of two pages");
	volatile unsigned char *map = map_ok(fd, 2 * page, RW, (off_t)a.offset, "mmap of them");
	struct physbuf_dma_alloc b;

	fill(map, 2 * page, 3);
	gives(release(fd, a.offset), 0, "FREE while it is mapped");
	refused(allowed(fd, a.address, page), ERANGE, "no transfer is allowed any more");
	equal(used(name), (long long)(2 * page), "its memory is still there");
	b = alloc_ok(fd, 2 * page, "ALLOC of two more");
	check(b.address != a.address, "which are others");
	check(holds(map, 2 * page, 3), "and the mapping still shows its bytes");
	release(fd, b.offset);
	close(fd);
	equal(used(name), (long long)(2 * page), "also when the file is closed");
	equal(mappings(name), 1, "the mapping counts");
	unmap(map, page);
	equal(used(name), (long long)(2 * page), "also when half of it is unmapped");
	unmap(map + page, page);
	equal(used(name), 0, "and goes with the last mapping");
	equal(mappings(name), 0, "which counts no more");
}

static void test_fork(void)
{
	int fd = must_open(name);
	struct physbuf_dma_alloc a = alloc_ok(fd, page, "ALLOC of a page");
	volatile unsigned char *map = map_ok(fd, page, RW, (off_t)a.offset, "mmap of it");
	int pipes[2];
	char byte;
	pid_t pid;

	if (pipe(pipes))
		bail_out("pipe");
	fill(map, page, 4);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		bool good;

		close(pipes[1]);
		good = read(pipes[0], &byte, 1) == 0; /* the parent has closed its file */
		good &= holds(map, page, 4) && !allowed(fd, a.address, page);
		good &= mappings(name) == 1 && !release(fd, a.offset);
		_exit(good ? 0 : 1);
	}
	unmap(map, page);
	close(fd);
	equal(used(name), (long long)page, "the memory stays when the parent closes");
	close(pipes[0]);
	close(pipes[1]);
	check(ended_well(pid), "a child that was forked still has the buffer");
	equal(used(name), 0, "and its end frees it");
}

static void test_killed(void)
{
	struct physbuf_dma_alloc buffer;
	int pipes[2];
	pid_t pid;
	char byte;

	if (pipe(pipes))
		bail_out("pipe");
	fflush(stdout);
	pid = fork();
	if (!pid) {
		int fd = must_open(name);

		for (int i = 0; i < 4; i++)
			if (alloc(fd, 2 * page, &buffer) ||
			    mmap(NULL, page, RW, MAP_SHARED, fd, (off_t)buffer.offset) ==
				    MAP_FAILED)
				_exit(1);
		if (export(fd, buffer.offset, O_RDWR) < 0 || write(pipes[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(pipes[1]);
	gives(read(pipes[0], &byte, 1), 1, "a child has buffers");
	equal(used(name), (long long)(8 * page), "which count");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(pipes[0]);
	equal(used(name), 0, "SIGKILL frees them all");
	equal(mappings(name), 0, "and nothing is mapped");
}

static void test_export(void)
{
	struct dma_buf_sync sync = {.flags = DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW};
	int fd = must_open(name);
	struct physbuf_dma_alloc a = alloc_ok(fd, 2 * page, "ALLOC of two pages");
	volatile unsigned char *map = map_ok(fd, 2 * page, RW, (off_t)a.offset, "mmap of them");
	volatile unsigned char *shared;
	int rw, ro;

	rw = export(fd, a.offset, O_RDWR | O_CLOEXEC);
	check(rw >= 0, "EXPORT to read and write");
	equal(fcntl(rw, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC, "it is closed on exec");
	ro = export(fd, a.offset, O_RDONLY);
	check(ro >= 0, "EXPORT to read only");
	equal(fcntl(ro, F_GETFD) & FD_CLOEXEC, 0, "it is not, when nobody asked for that");
	gives(lseek(rw, 0, SEEK_END), (long long)(2 * page), "lseek tells the dma-buf's size");

	fill(map, 2 * page, 5);
	shared = map_ok(rw, 2 * page, RW, 0, "mmap of the dma-buf");
	equal(mappings(name), 2, "it counts as a mapping of the region");
	check(holds(shared, 2 * page, 5), "shows what the file's mapping wrote");
	shared[page] ^= 0xff;
	check(map[page] == shared[page], "and the other way round");
	gives(ioctl(rw, DMA_BUF_IOCTL_SYNC, &sync), 0, "DMA_BUF_IOCTL_SYNC");
	unmap(shared, 2 * page);
	shared = map_ok(rw, page, RW, (off_t)page, "mmap of the dma-buf's second page");
	check(shared[1] == map[page + 1], "shows the second page");
	unmap(shared, page);
	equal(mappings(name), 1, "which counts no more");

	map_refused(ro, page, RW, MAP_SHARED, 0, EACCES, "a writable mmap of the read-only one");
	map_refused(rw, page, RW, MAP_SHARED, (off_t)(2 * page), EINVAL, "mmap at its end");
	map_refused(rw, 3 * page, RW, MAP_SHARED, 0, EINVAL, "mmap over its end");
	map_refused(rw, page, RW | PROT_EXEC, MAP_SHARED, 0, EPERM, "PROT_EXEC");
	map_refused(rw, page, RW, MAP_PRIVATE, 0, EINVAL, "MAP_PRIVATE");
	close(ro);

	/* The order of going: the live buffer, its mapping, its file, the dma-buf. */
	gives(release(fd, a.offset), 0, "FREE while it is exported");
	unmap(map, 2 * page);
	close(fd);
	equal(used(name), (long long)(2 * page), "the dma-buf alone keeps the memory");
	if (!geteuid())
		refused(syscall(SYS_delete_module, "physbuf", O_NONBLOCK), EAGAIN,
			"rmmod while a dma-buf is open is EAGAIN");
	shared = map_ok(rw, 2 * page, RW, 0, "mmap of what only the dma-buf keeps");
	check(holds(shared, page, 5), "and the bytes are there");
	close(rw);
	check(holds(shared, page, 5), "also when only this mapping keeps it");
	equal(used(name), (long long)(2 * page), "and it counts");
	unmap(shared, 2 * page);
	equal(used(name), 0, "it goes with the last user");
}

static void test_export_refusals(void)
{
	struct physbuf_dma_export *constant;
	int fd = must_open(name);
	int second = must_open(name);
	struct physbuf_dma_alloc a = alloc_ok(fd, page, "ALLOC of a page");
	int before = dup(0);

	close(before);
	refused(export(fd, a.offset, O_WRONLY), EINVAL, "EXPORT to write only is EINVAL");
	refused(export(fd, a.offset, O_RDWR | O_NONBLOCK), EINVAL,
		"EXPORT with another flag is EINVAL");
	refused(export(fd, a.offset, 1U << 31), EINVAL, "EXPORT with an unknown flag is EINVAL");
	refused(export(fd, 0, O_RDWR), ENOENT, "EXPORT of 0 is ENOENT");
	refused(export(fd, a.offset + page, O_RDWR), ENOENT, "EXPORT of a middle is ENOENT");
	refused(export(second, a.offset, O_RDWR), ENOENT, "EXPORT of another file's is ENOENT");
	refused(ioctl(fd, PHYSBUF_IOC_DMA_EXPORT, bad_pointer()), EFAULT,
		"EXPORT with a bad pointer is EFAULT");
	constant = mmap(NULL, page, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	*constant = (struct physbuf_dma_export){.offset = a.offset, .flags = O_RDWR};
	mprotect(constant, page, PROT_READ);
	refused(ioctl(fd, PHYSBUF_IOC_DMA_EXPORT, constant), EFAULT,
		"EXPORT that cannot answer is EFAULT");
	munmap(constant, page);
	equal(dup(0), before, "and none of these has left a descriptor");
	close(before);
	close(second);
	close(fd);
	equal(used(name), 0, "nor memory");
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		fprintf(stderr, "usage: test_dma NAME OTHER\n");
		return 2;
	}
	name = argv[1];
	other = argv[2];
	page = page_size();
	test_region();
	test_life();
	test_refusals();
	test_check();
	test_limits();
	test_free_while_mapped();
	test_fork();
	test_killed();
	test_export();
	test_export_refusals();
	return tap_end();
}
