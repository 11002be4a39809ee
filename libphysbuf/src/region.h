/* SPDX-License-Identifier: MIT */
#ifndef PHYSBUF_SRC_REGION_H
#define PHYSBUF_SRC_REGION_H

#include <stdbool.h>

#include <linux/physbuf.h>

#include "physbuf.h"

struct physbuf_region {
	int fd;
	void *data; /* NULL for the kind dma */
	uint64_t size;
	struct physbuf_info info; /* of a physbuf device, else zero */
	bool writable;
	bool locked;
	const char *name;
	char path[];
};

/* Whether @length bytes from @offset on lie in the region. */
static inline bool physbuf_holds(const struct physbuf_region *region, uint64_t offset,
				 uint64_t length)
{
	return offset <= region->size && length <= region->size - offset;
}

#endif
