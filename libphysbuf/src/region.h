/* SPDX-License-Identifier: MIT */
#ifndef PHYSBUF_SRC_REGION_H
#define PHYSBUF_SRC_REGION_H

#include <stdbool.h>

#include <linux/physbuf.h>

#include "physbuf.h"

struct physbuf_region {
	int fd;
	void *data;
	uint64_t size;
	struct physbuf_info info; /* of a physbuf device, else zero */
	bool writable;
	bool locked;
	const char *name;
	char path[];
};

#endif
