// SPDX-License-Identifier: MIT
/* Ring a region, and wait until somebody does. */
#include <errno.h>
#include <poll.h>
#include <sys/ioctl.h>

#include "region.h"

int physbuf_ring(struct physbuf_region *region)
{
	return ioctl(region->fd, PHYSBUF_IOC_RING) ? -errno : 0;
}

int physbuf_wait(struct physbuf_region *region, int timeout_ms, uint64_t *rings)
{
	struct pollfd bell = {.fd = region->fd, .events = POLLIN};
	int ready = poll(&bell, 1, timeout_ms);

	if (ready < 0)
		return -errno;
	if (!ready)
		return -ETIMEDOUT;
	return ioctl(region->fd, PHYSBUF_IOC_RINGS, rings) ? -errno : 0;
}
