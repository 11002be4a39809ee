// SPDX-License-Identifier: MIT
/*
 * What sets the kinds pages and vmalloc apart from reserved memory; what they
 * have in common is in test_bytes and test_mapping. For a region that nobody has
 * written to yet, run by root.
 *
 *	test_pages NAME pages|vmalloc
 */
#include "region.h"

#define PRESENT (1ULL << 63)
#define FRAME	((1ULL << 55) - 1)

static const char *name;
static int fd;
static size_t size;
static size_t page;

static void test_begins_zeroed(void)
{
	volatile unsigned char *map = map_ok(fd, size, PROT_READ, 0, "mmap of the whole region");

	check(zero(map, size), "it begins with zeros");
	unmap(map, size);
}

static void test_info(bool vmalloc)
{
	struct physbuf_info info = info_of(fd);
	char size_text[32];

	snprintf(size_text, sizeof(size_text), "%zu", size);
	equal(info.kind, vmalloc ? PHYSBUF_KIND_VMALLOC : PHYSBUF_KIND_PAGES, "INFO: kind");
	equal(info.cache, PHYSBUF_CACHE_WB, "INFO: cache");
	equal(info.flags, 0, "INFO: it does not survive");
	equal((long long)info.length, (long long)size, "INFO: length");
	check(vmalloc ? !info.base : info.base && info.base % page == 0,
	      "INFO: base, where there is one");
	attribute_is(name, "kind", vmalloc ? "vmalloc" : "pages");
	attribute_is(name, "cache", "wb");
	attribute_is(name, "size", size_text);
	attribute_is(name, "cleaner", "not needed");
	equal(attribute_number(name, "base"), (long long)info.base, "sysfs: base is INFO's");
}

static void test_no_clean(void)
{
	struct physbuf_clean all = {.length = size};

	refused(ioctl(fd, PHYSBUF_IOC_CLEAN, &all), EOPNOTSUPP, "CLEAN is EOPNOTSUPP");
}

/* The page table's word for an address, 0 when it cannot be read. */
static uint64_t pagemap(const volatile unsigned char *at)
{
	int map = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	off_t where = (off_t)((uintptr_t)at / page * sizeof(uint64_t));
	uint64_t word = 0;

	if (map < 0 || pread(map, &word, sizeof(word), where) != (ssize_t)sizeof(word))
		word = 0;
	close(map);
	return word;
}

static void test_contiguous(void)
{
	volatile unsigned char *map = map_ok(fd, size, RW, 0, "mmap of all pages");
	uint64_t first = info_of(fd).base / page;
	size_t right = 0;

	for (size_t i = 0; i < size / page; i++) {
		map[i * page] = (unsigned char)i;
		right += (pagemap(map + i * page) & FRAME) == first + i;
	}
	equal((long long)right, (long long)(size / page),
	      "the pages follow each other in physical memory, from base on");
	unmap(map, size);
}

static void test_fault_handler(void)
{
	volatile unsigned char *map = map_ok(fd, size, RW, 0, "mmap of all pages");
	volatile unsigned char *at = map + size / 2 / page * page;

	check(!(pagemap(at) & PRESENT), "a page is not mapped until it is touched");
	at[1] = 0x33;
	check(pagemap(at) & PRESENT, "and is then");
	check(!(pagemap(map) & PRESENT), "and the others still are not");
	unmap(map, size);
	map = map_ok(fd, page, RW, (off_t)(size / 2 / page * page), "mmap of that page alone");
	equal(map[1], 0x33, "shows the same memory");
	unmap(map, page);
}

int main(int argc, char **argv)
{
	bool vmalloc;

	if (argc != 3 || geteuid()) {
		fprintf(stderr, "usage, as root: test_pages NAME pages|vmalloc\n");
		return 2;
	}
	name = argv[1];
	vmalloc = !strcmp(argv[2], "vmalloc");
	page = page_size();
	fd = must_open(name);
	size = (size_t)lseek(fd, 0, SEEK_END);
	test_begins_zeroed();
	test_info(vmalloc);
	test_no_clean();
	if (vmalloc)
		test_fault_handler();
	else
		test_contiguous();
	equal(mappings(name), 0, "nothing is mapped any more");
	close(fd);
	return tap_end();
}
