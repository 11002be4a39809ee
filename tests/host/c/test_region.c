// SPDX-License-Identifier: MIT
/*
 * libphysbuf's mappings, accesses and calls of the module, under the sanitizers. The device is a
 * file: the linker's --wrap puts this program between the library and the kernel, to answer as the
 * module would and to see what it is asked. argv[1]: a directory for files.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/physbuf.h>

#include "physbuf.h"

#define CHECK(what)                                                                              \
	do {                                                                                     \
		if (!(what)) {                                                                   \
			fprintf(stderr, "%s:%d: %s: not so: %s\n", __FILE__, __LINE__, __func__, \
				#what);                                                          \
			exit(1);                                                                 \
		}                                                                                \
	} while (0)

#define MAP_NOREPLACE 0x100000
#define SIZE	      (4 * page)

static size_t page;
static char path[4096];

/* ---- between the library and the kernel ---------------------------------------------------- */

static struct physbuf_info device; /* its kind is 0 while files are files */
static bool old_kernel;
static unsigned long asked;
static union {
	struct physbuf_clean clean;
	struct physbuf_dma_alloc alloc;
	struct physbuf_dma_free free;
	struct physbuf_dma_check check;
} argument;
static int answer;
static uint64_t rings;

int __real_fstat64(int fd, struct stat *stat);
int __wrap_fstat64(int fd, struct stat *stat);
int __wrap_ioctl(int fd, unsigned long request, ...);
void *__real_mmap64(void *address, size_t length, int prot, int flags, int fd, off_t offset);
void *__wrap_mmap64(void *address, size_t length, int prot, int flags, int fd, off_t offset);

int __wrap_fstat64(int fd, struct stat *stat)
{
	int err = __real_fstat64(fd, stat);

	if (!err && device.kind && S_ISREG(stat->st_mode))
		stat->st_mode = S_IFCHR | 0660;
	return err;
}

/* Linux before 4.17 does not know the flag, and takes the address for a hint. */
void *__wrap_mmap64(void *address, size_t length, int prot, int flags, int fd, off_t offset)
{
	if (old_kernel)
		flags &= ~MAP_NOREPLACE;
	return __real_mmap64(address, length, prot, flags, fd, offset);
}

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	va_list arguments;
	void *out;

	(void)fd;
	va_start(arguments, request);
	out = va_arg(arguments, void *);
	va_end(arguments);
	if (!device.kind) {
		errno = ENOTTY;
		return -1;
	}
	if (request == PHYSBUF_IOC_INFO) {
		memcpy(out, &device, sizeof(device));
		return 0;
	}
	asked = request;
	if (request != PHYSBUF_IOC_RING && request != PHYSBUF_IOC_RINGS)
		memcpy(&argument, out, _IOC_SIZE(request));
	if (answer) {
		errno = answer;
		return -1;
	}
	if (request == PHYSBUF_IOC_RINGS)
		memcpy(out, &rings, sizeof(rings));
	if (request == PHYSBUF_IOC_DMA_ALLOC) {
		struct physbuf_dma_alloc *alloc = out;

		alloc->length = 2 * page;
		alloc->address = 0xfeed000;
		alloc->offset = 1ull << 32;
	}
	return 0;
}

/* ---- tests --------------------------------------------------------------------------------- */

static struct physbuf_region *opened(enum physbuf_access access, uint32_t kind)
{
	struct physbuf_region *region;

	memset(&device, 0, sizeof(device));
	device.kind = kind;
	device.base = 0x30000000;
	device.length = SIZE;
	strcpy(device.name, "fake");
	CHECK(!physbuf_open(path, access, &region));
	return region;
}

/* Where nothing is, for as long as nobody maps in between. */
static void *hole(void)
{
	void *found = mmap(NULL, SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(found != MAP_FAILED && !munmap(found, SIZE));
	return found;
}

static void test_map(void)
{
	struct physbuf_region *region = opened(PHYSBUF_WRITE, 0);
	struct physbuf_region *reader = opened(PHYSBUF_READ, 0);
	uint8_t *part, *whole = physbuf_data(region);
	void *data = &page;

	CHECK(!physbuf_map(region, 2 * page, page, PHYSBUF_WRITE, &data));
	part = data;
	part[5] = 0xa5;
	CHECK(whole[2 * page + 5] == 0xa5);
	CHECK(!physbuf_unmap(part, page));
	CHECK(!physbuf_map(region, SIZE - page, 1, PHYSBUF_READ, &data) && !physbuf_unmap(data, 1));

	CHECK(physbuf_map(region, 1, page, PHYSBUF_READ, &data) == -EINVAL);
	CHECK(physbuf_map(region, page / 2, page, PHYSBUF_READ, &data) == -EINVAL);
	CHECK(physbuf_map(region, 0, 0, PHYSBUF_READ, &data) == -EINVAL);
	CHECK(physbuf_map(region, SIZE, page, PHYSBUF_READ, &data) == -ERANGE);
	CHECK(physbuf_map(region, SIZE - page, page + 1, PHYSBUF_READ, &data) == -ERANGE);
	CHECK(physbuf_map(region, -(uint64_t)page, page, PHYSBUF_READ, &data) == -ERANGE);
	CHECK(physbuf_map(region, page, SIZE_MAX, PHYSBUF_READ, &data) == -ERANGE);
	CHECK(physbuf_map(reader, 0, page, PHYSBUF_WRITE, &data) == -EBADF);
	CHECK(physbuf_unmap(whole + 1, page) == -EINVAL);

	/* It outlives the region. */
	CHECK(!physbuf_map(region, 0, SIZE, PHYSBUF_WRITE, &data));
	physbuf_close(region);
	CHECK(((uint8_t *)data)[2 * page + 5] == 0xa5);
	CHECK(!physbuf_unmap(data, SIZE));
	physbuf_close(reader);
}

static void test_map_at(void)
{
	struct physbuf_region *region = opened(PHYSBUF_WRITE, 0);
	struct physbuf_region *reader = opened(PHYSBUF_READ, 0);
	uint8_t *whole = physbuf_data(region), *wanted = hole();

	CHECK(!physbuf_map_at(region, page, 2 * page, wanted, PHYSBUF_WRITE));
	*(volatile uint8_t *)((uintptr_t)wanted + 0x678) = 0x5a;
	CHECK(whole[page + 0x678] == 0x5a);

	/* What is there stays: the same place, and one that it only touches. */
	CHECK(physbuf_map_at(region, 0, page, wanted, PHYSBUF_READ) == -EEXIST);
	CHECK(physbuf_map_at(region, 0, 2 * page, wanted + page, PHYSBUF_READ) == -EEXIST);
	old_kernel = true;
	CHECK(physbuf_map_at(region, 0, page, wanted, PHYSBUF_READ) == -EEXIST);
	CHECK(physbuf_map_at(region, 0, page, wanted + 1, PHYSBUF_READ) == -EINVAL);
	CHECK(!physbuf_unmap(wanted, 2 * page));
	CHECK(!physbuf_map_at(region, page, page, wanted, PHYSBUF_READ));
	old_kernel = false;
	CHECK(wanted[0x678] == 0x5a && !physbuf_unmap(wanted, page));

	CHECK(physbuf_map_at(region, 0, page, wanted + 1, PHYSBUF_READ) == -EINVAL);
	CHECK(physbuf_map_at(region, 0, page, NULL, PHYSBUF_READ) == -EINVAL);
	CHECK(physbuf_map_at(region, 1, page, wanted, PHYSBUF_READ) == -EINVAL);
	CHECK(physbuf_map_at(region, 0, SIZE + 1, wanted, PHYSBUF_READ) == -ERANGE);
	CHECK(physbuf_map_at(reader, 0, page, wanted, PHYSBUF_WRITE) == -EBADF);
	/* None of the refusals left anything there. */
	CHECK(!physbuf_map_at(reader, 0, SIZE, wanted, PHYSBUF_READ));
	CHECK(!physbuf_unmap(wanted, SIZE));
	physbuf_close(reader);
	physbuf_close(region);
}

static void test_peek_poke(void)
{
	struct physbuf_region *region = opened(PHYSBUF_WRITE, 0);
	struct physbuf_region *reader = opened(PHYSBUF_READ, 0);
	static const unsigned int widths[] = {1, 2, 4, 8};
	uint8_t *data = physbuf_data(region);
	uint64_t value;

	for (int i = 0; i < 4; i++) {
		unsigned int width = widths[i];
		uint64_t pattern = 0x8182838485868788ull;
		uint64_t mask = width == 8 ? ~0ull : (1ull << 8 * width) - 1;

		memset(data, 0x11, 32);
		CHECK(!physbuf_poke(region, 16, width, pattern));
		CHECK(!memcmp(data + 16, &pattern, width));
		for (unsigned int at = 0; at < 32; at++)
			CHECK((at >= 16 && at < 16 + width) || data[at] == 0x11);
		CHECK(!physbuf_peek(reader, 16, width, &value) && value == (pattern & mask));
		CHECK(!physbuf_peek(reader, SIZE - width, width, &value));
		CHECK(physbuf_peek(reader, SIZE, width, &value) == -ERANGE);
		CHECK(physbuf_peek(reader, -(uint64_t)width, width, &value) == -ERANGE);
		CHECK(physbuf_poke(region, SIZE, width, 0) == -ERANGE);
		CHECK(physbuf_poke(reader, 0, width, 0) == -EBADF);
		if (width > 1) {
			CHECK(physbuf_peek(reader, width / 2, width, &value) == -EINVAL);
			CHECK(physbuf_poke(region, 1, width, 0) == -EINVAL);
		}
	}
	CHECK(physbuf_peek(reader, 0, 3, &value) == -EINVAL);
	CHECK(physbuf_peek(reader, 0, 0, &value) == -EINVAL);
	CHECK(physbuf_poke(region, 0, 16, 0) == -EINVAL);
	physbuf_close(reader);
	physbuf_close(region);
}

static void test_clean(void)
{
	struct physbuf_region *region = opened(PHYSBUF_WRITE, 0);
	struct physbuf_region *reader = opened(PHYSBUF_READ, 0);

	CHECK(!physbuf_clean(region, 0, SIZE) && !physbuf_clean(region, page + 1, 1));
	CHECK(physbuf_clean(region, 0, 0) == -EINVAL);
	CHECK(physbuf_clean(region, SIZE, 1) == -ERANGE);
	CHECK(physbuf_clean(region, 1, UINT64_MAX) == -ERANGE);
	CHECK(physbuf_clean(reader, 0, 1) == -EBADF);
	physbuf_close(reader);
	physbuf_close(region);

	region = opened(PHYSBUF_WRITE, PHYSBUF_KIND_RESERVED);
	CHECK(!physbuf_clean(region, 3, 77));
	CHECK(asked == PHYSBUF_IOC_CLEAN);
	CHECK(argument.clean.offset == 3 && argument.clean.length == 77);
	answer = EOPNOTSUPP;
	CHECK(physbuf_clean(region, 3, 77) == -EOPNOTSUPP);
	answer = 0;
	physbuf_close(region);
}

static void test_bell(void)
{
	struct physbuf_region *region = opened(PHYSBUF_WRITE, 0);
	uint64_t count = 0;
	int ends[2];

	CHECK(physbuf_ring(region) == -ENOTTY);
	CHECK(physbuf_wait(region, 0, &count) == -ENOTTY);
	physbuf_close(region);

	region = opened(PHYSBUF_WRITE, PHYSBUF_KIND_RESERVED);
	CHECK(!physbuf_ring(region) && asked == PHYSBUF_IOC_RING);
	answer = EBADF;
	CHECK(physbuf_ring(region) == -EBADF);
	answer = 0;
	rings = 3;
	CHECK(!physbuf_wait(region, -1, &count) && asked == PHYSBUF_IOC_RINGS && count == 3);

	/* A pipe where nothing comes stands for a bell that nobody rings. */
	CHECK(!pipe(ends) && dup2(ends[0], physbuf_fd(region)) >= 0);
	CHECK(physbuf_wait(region, 1, &count) == -ETIMEDOUT);
	close(ends[0]);
	close(ends[1]);
	physbuf_close(region);
}

static void test_dma(void)
{
	struct physbuf_region *region = opened(PHYSBUF_WRITE, PHYSBUF_KIND_DMA);
	struct physbuf_dma_buffer buffer;
	struct physbuf_writer *writer;
	struct physbuf_reader *reader;
	uint64_t value;
	void *data;

	/* There is nothing to map as a whole, and so nothing to fill or to read. */
	CHECK(!physbuf_data(region) && physbuf_size(region) == SIZE);
	CHECK(!physbuf_pages(region));
	physbuf_page_crcs(region, NULL);
	CHECK(physbuf_fill(region, 1) == -EOPNOTSUPP);
	CHECK(physbuf_format(region, 0) == -EOPNOTSUPP);
	CHECK(physbuf_writer_open(region, &writer) == -EOPNOTSUPP);
	CHECK(physbuf_reader_open(region, &reader) == -EOPNOTSUPP);
	CHECK(physbuf_peek(region, 0, 4, &value) == -EOPNOTSUPP);
	CHECK(physbuf_poke(region, 0, 4, 0) == -EOPNOTSUPP);
	CHECK(physbuf_clean(region, 0, 4) == -EOPNOTSUPP);

	CHECK(!physbuf_dma_alloc(region, 5000, &buffer));
	CHECK(asked == PHYSBUF_IOC_DMA_ALLOC && argument.alloc.length == 5000);
	CHECK(!argument.alloc.flags);
	CHECK(buffer.length == 2 * page && buffer.address == 0xfeed000);
	CHECK(buffer.offset == 1ull << 32);
	/* Its offset, which is far beyond any file's end, reaches the kernel. */
	CHECK(!physbuf_map(region, buffer.offset, page, PHYSBUF_WRITE, &data));
	CHECK(!physbuf_unmap(data, page));
	CHECK(!physbuf_dma_check(region, buffer.address, 16));
	CHECK(asked == PHYSBUF_IOC_DMA_CHECK);
	CHECK(argument.check.address == 0xfeed000 && argument.check.length == 16);
	CHECK(!physbuf_dma_free(region, &buffer));
	CHECK(asked == PHYSBUF_IOC_DMA_FREE && argument.free.offset == 1ull << 32);
	answer = EDQUOT;
	CHECK(physbuf_dma_alloc(region, 1, &buffer) == -EDQUOT);
	answer = ENOENT;
	CHECK(physbuf_dma_free(region, &buffer) == -ENOENT);
	answer = ERANGE;
	CHECK(physbuf_dma_check(region, 0, 1) == -ERANGE);
	answer = 0;
	physbuf_close(region);
}

static void test_kinds(void)
{
	static const struct {
		uint32_t kind;
		const char *name;
		int base;
	} kinds[] = {
		{0, "file", -ENODATA},
		{PHYSBUF_KIND_RESERVED, "reserved", 0},
		{PHYSBUF_KIND_DMA, "dma", -ENODATA},
		{PHYSBUF_KIND_PAGES, "pages", 0},
		{PHYSBUF_KIND_VMALLOC, "vmalloc", -ENODATA},
		{PHYSBUF_KIND_REGS, "regs", 0},
		{99, "unknown", -ENODATA},
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		struct physbuf_region *region = opened(PHYSBUF_READ, kinds[i].kind);
		uint64_t base = 0x30000000;

		CHECK(!strcmp(physbuf_kind(region), kinds[i].name));
		CHECK(physbuf_base(region, &base) == kinds[i].base && base == 0x30000000);
		CHECK(fcntl(physbuf_fd(region), F_GETFD) == FD_CLOEXEC);
		physbuf_close(region);
	}
}

int main(int argc, char **argv)
{
	int fd;

	CHECK(argc == 2);
	page = sysconf(_SC_PAGESIZE);
	snprintf(path, sizeof(path), "%s/region", argv[1]);
	fd = open(path, O_CREAT | O_RDWR | O_TRUNC, 0600);
	CHECK(fd >= 0 && !ftruncate(fd, SIZE));
	close(fd);
	test_map();
	test_map_at();
	test_peek_poke();
	test_clean();
	test_bell();
	test_dma();
	test_kinds();
	puts("ok");
	return 0;
}
