// SPDX-License-Identifier: MIT
/*
 * A region of kind "reserved": its device, what INFO and sysfs say of it, and
 * that the module stays while somebody uses it.
 *
 *	test_reserved NAME CACHE
 */
#include <signal.h>
#include <sys/syscall.h>

#include "region.h"

static const char *name;
static const char *cache;
static int fd;

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
	struct stat st = {0};

	gives(fstat(fd, &st), 0, "the device node is there");
	check(S_ISCHR(st.st_mode), "it is a character device");
	equal(st.st_mode & 0777, 0660, "its mode is 0660");
	equal(st.st_uid, 0, "its owner is root");
	equal(st.st_gid, group_physbuf(), "its group is physbuf");
}

static unsigned int cache_id(const char *word)
{
	static const char *const words[] = {"", "wb", "wc", "uc", "device"};
	unsigned int id = 4;

	while (id && strcmp(word, words[id]))
		id--;
	return id;
}

static void test_info(void)
{
	struct physbuf_info info;
	struct {
		struct physbuf_info info;
		unsigned char tail[64];
	} large;
	size_t len = strlen(name);

	equal(sizeof(info), PHYSBUF_INFO_SIZE_V1, "INFO is 128 bytes");
	memset(&info, 0xff, sizeof(info));
	gives(ioctl(fd, PHYSBUF_IOC_INFO, &info), 0, "INFO answers");
	equal(info.size, PHYSBUF_INFO_SIZE_V1, "INFO: size filled in");
	equal(info.version, 2, "INFO: version");
	equal(info.kind, PHYSBUF_KIND_RESERVED, "INFO: kind");
	equal(info.cache, cache_id(cache), "INFO: cache");
	check(is_persistent(&info), "INFO: it is meant to survive");
	check(!(info.flags & PHYSBUF_FLAG_STATE), "INFO: it is not the module's own");
	equal(info.mappings, 0, "INFO: nothing is mapped yet");
	equal(info.used, 0, "INFO: used is zero");
	equal((long long)(info.base % page_size()), 0, "INFO: base is page aligned");
	check(info.length && info.length % page_size() == 0, "INFO: length is a number of pages");
	equal(lseek(fd, 0, SEEK_END), (long long)info.length, "INFO: length is the file's");
	check(!strncmp(info.name, name, sizeof(info.name)), "INFO: name");
	check(zero((unsigned char *)info.name + len, sizeof(info.name) - len) &&
		      zero((unsigned char *)info.reserved, sizeof(info.reserved)),
	      "INFO: what is unused is zero");

	memset(&large, 0xff, sizeof(large));
	gives(ioctl(fd, _IOC(_IOC_READ, PHYSBUF_IOC_MAGIC, 0, sizeof(large)), &large), 0,
	      "INFO of a larger, newer size answers");
	equal(large.info.size, PHYSBUF_INFO_SIZE_V1,
	      "INFO of a larger size says how much is filled");
	check(zero(large.tail, sizeof(large.tail)), "INFO of a larger size zeroes the rest");

	refused(ioctl(fd, _IOC(_IOC_READ, PHYSBUF_IOC_MAGIC, 0, PHYSBUF_INFO_SIZE_V1 - 8), &info),
		EINVAL, "INFO of a smaller size is EINVAL");
	refused(ioctl(fd, PHYSBUF_IOC_INFO, bad_pointer()), EFAULT,
		"INFO to a bad pointer is EFAULT");
	refused(ioctl(fd, _IOW(PHYSBUF_IOC_MAGIC, 0, struct physbuf_info), &info), ENOTTY,
		"INFO of a wrong direction is ENOTTY");
	refused(ioctl(fd, _IO(PHYSBUF_IOC_MAGIC, 0x7f), 0), ENOTTY, "an unknown command is ENOTTY");
	refused(ioctl(fd, _IO('x', 0), 0), ENOTTY, "a command of somebody else is ENOTTY");
}

static void test_no_dma(void)
{
	struct physbuf_dma_alloc alloc = {.length = 4096};
	struct physbuf_dma_free buffer = {0};
	struct physbuf_dma_check transfer = {.length = 1};
	struct physbuf_dma_export export = {0};

	refused(ioctl(fd, PHYSBUF_IOC_DMA_ALLOC, &alloc), ENOTTY, "DMA_ALLOC here is ENOTTY");
	refused(ioctl(fd, PHYSBUF_IOC_DMA_FREE, &buffer), ENOTTY, "DMA_FREE here is ENOTTY");
	refused(ioctl(fd, PHYSBUF_IOC_DMA_CHECK, &transfer), ENOTTY, "DMA_CHECK here is ENOTTY");
	refused(ioctl(fd, PHYSBUF_IOC_DMA_EXPORT, &export), ENOTTY, "DMA_EXPORT here is ENOTTY");
}

static void test_sysfs(void)
{
	struct physbuf_info info = info_of(fd);
	char want[64];

	snprintf(want, sizeof(want), "0x%llx", (unsigned long long)info.base);
	attribute_is(name, "base", want);
	snprintf(want, sizeof(want), "%llu", (unsigned long long)info.length);
	attribute_is(name, "size", want);
	attribute_is(name, "kind", "reserved");
	attribute_is(name, "cache", cache);
	attribute_is(name, "mappings", "0");
	equal(attribute_number(name, "rings"), (long long)info.rings, "sysfs: rings is INFO's");
	if (info.boots)
		snprintf(want, sizeof(want), "%u", info.boots);
	attribute_is(name, "boots", info.boots ? want : "unknown");
}

/* The module has to stay while a file is open, and while only a map is left. */
static void test_unload(void)
{
	volatile unsigned char *map;

	if (geteuid()) {
		refused(syscall(SYS_delete_module, "physbuf", O_NONBLOCK), EPERM,
			"rmmod by somebody who is not root is EPERM");
		return;
	}
	refused(syscall(SYS_delete_module, "physbuf", O_NONBLOCK), EAGAIN,
		"rmmod while open is EAGAIN");
	map = map_ok(fd, page_size(), PROT_READ, 0, "mmap of a page");
	close(fd);
	refused(syscall(SYS_delete_module, "physbuf", O_NONBLOCK), EAGAIN,
		"rmmod while mapped is EAGAIN");
	unmap(map, page_size());
	fd = must_open(name);
	check(fd >= 0, "it opens again");
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		fprintf(stderr, "usage: test_reserved NAME wb|wc|uc|device\n");
		return 2;
	}
	name = argv[1];
	cache = argv[2];
	fd = must_open(name);
	test_device();
	test_info();
	test_no_dma();
	test_sysfs();
	test_unload();
	close(fd);
	return tap_end();
}
