// SPDX-License-Identifier: MIT
/* Write a range back from the caches to memory. */
#include <errno.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "region.h"

int physbuf_clean(struct physbuf_region *region, uint64_t offset, uint64_t length)
{
	struct physbuf_clean range = {.offset = offset, .length = length};
	uint64_t skipped;

	if (!region->data)
		return -EOPNOTSUPP;
	if (!length)
		return -EINVAL;
	if (!physbuf_holds(region, offset, length))
		return -ERANGE;
	if (!region->writable)
		return -EBADF;
	if (region->info.kind)
		return ioctl(region->fd, PHYSBUF_IOC_CLEAN, &range) ? -errno : 0;
	skipped = offset % sysconf(_SC_PAGESIZE);
	offset -= skipped;
	length += skipped;
	return msync((char *)region->data + offset, length, MS_SYNC) ? -errno : 0;
}
