// SPDX-License-Identifier: MIT
/* Map parts of a region, where the kernel likes or at an address of one's choice. */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "region.h"

/* Linux 4.17; C libraries before 2.27 lack it. */
#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

static bool aligned(uint64_t value)
{
	return value % sysconf(_SC_PAGESIZE) == 0;
}

static int map(struct physbuf_region *region, uint64_t offset, size_t length, void *address,
	       int flags, enum physbuf_access access, void **data)
{
	int protection = PROT_READ | (access == PHYSBUF_WRITE ? PROT_WRITE : 0);
	void *found;

	if (!length || !aligned(offset))
		return -EINVAL;
	/* The offsets of dma buffers are names: the kernel knows which are good. */
	if (region->info.kind != PHYSBUF_KIND_DMA && !physbuf_holds(region, offset, length))
		return -ERANGE;
	if (access == PHYSBUF_WRITE && !region->writable)
		return -EBADF;
	found = mmap(address, length, protection, MAP_SHARED | flags, region->fd, offset);
	if (found == MAP_FAILED)
		return -errno;
	*data = found;
	return 0;
}

int physbuf_map(struct physbuf_region *region, uint64_t offset, size_t length,
		enum physbuf_access access, void **data)
{
	return map(region, offset, length, NULL, 0, access, data);
}

int physbuf_map_at(struct physbuf_region *region, uint64_t offset, size_t length, void *address,
		   enum physbuf_access access)
{
	void *found = NULL;
	int err;

	if (!address || !aligned((uintptr_t)address))
		return -EINVAL;
	err = map(region, offset, length, address, MAP_FIXED_NOREPLACE, access, &found);
	if (err)
		return err;
	if (found != address) {
		/* An older kernel takes the address for a hint. */
		munmap(found, length);
		return -EEXIST;
	}
	return 0;
}

int physbuf_unmap(void *data, size_t length)
{
	return munmap(data, length) ? -errno : 0;
}
