// SPDX-License-Identifier: MIT
/* Buffers for devices, in regions of kind dma. */
#include <errno.h>
#include <sys/ioctl.h>

#include "region.h"

int physbuf_dma_alloc(struct physbuf_region *region, uint64_t length,
		      struct physbuf_dma_buffer *buffer)
{
	struct physbuf_dma_alloc request = {.length = length};

	if (ioctl(region->fd, PHYSBUF_IOC_DMA_ALLOC, &request))
		return -errno;
	buffer->length = request.length;
	buffer->address = request.address;
	buffer->offset = request.offset;
	return 0;
}

int physbuf_dma_free(struct physbuf_region *region, const struct physbuf_dma_buffer *buffer)
{
	struct physbuf_dma_free request = {.offset = buffer->offset};

	return ioctl(region->fd, PHYSBUF_IOC_DMA_FREE, &request) ? -errno : 0;
}

int physbuf_dma_check(struct physbuf_region *region, uint64_t address, uint64_t length)
{
	struct physbuf_dma_check request = {.address = address, .length = length};

	return ioctl(region->fd, PHYSBUF_IOC_DMA_CHECK, &request) ? -errno : 0;
}
