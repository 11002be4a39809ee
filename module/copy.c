// SPDX-License-Identifier: GPL-2.0-only
/*
 * physbuf: read and write of memory that the kernel has mapped.
 */

#include <linux/io.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/uio.h>

#include "physbuf.h"

/* Between two looks at the scheduler and at fatal signals. */
#define PHYSBUF_COPY_CHUNK	SZ_64K

/* Memory that must be accessed as a device is, by way of a page of our own. */
static size_t physbuf_copy_io(void __iomem *io, size_t want, void *page,
			      struct iov_iter *iter, bool write)
{
	if (!write) {
		memcpy_fromio(page, io, want);
		return copy_to_iter(page, want, iter);
	}
	want = copy_from_iter(page, want, iter);
	memcpy_toio(io, page, want);
	return want;
}

static size_t physbuf_copy_memory(void *at, size_t want, struct iov_iter *iter,
				  bool write)
{
	if (write)
		return copy_from_iter(at, want, iter);
	return copy_to_iter(at, want, iter);
}

static ssize_t physbuf_copy(struct physbuf_region *region, u64 offset,
			    struct iov_iter *iter, bool write)
{
	size_t chunk = region->io ? PAGE_SIZE : PHYSBUF_COPY_CHUNK;
	void *page = NULL;
	size_t done = 0;

	iov_iter_truncate(iter, region->size - offset);
	if (region->io) {
		page = kmalloc(PAGE_SIZE, GFP_KERNEL);
		if (!page)
			return -ENOMEM;
	}
	while (iov_iter_count(iter)) {
		size_t want = min(iov_iter_count(iter), chunk);
		size_t got;

		if (page)
			got = physbuf_copy_io(region->io + offset + done, want,
					      page, iter, write);
		else
			got = physbuf_copy_memory(region->vaddr + offset + done,
						  want, iter, write);
		done += got;
		if (got < want || fatal_signal_pending(current))
			break;
		cond_resched();
	}
	kfree(page);
	return done ? done : -EFAULT;
}

/**
 * physbuf_copy_out() - read from a region
 * @region: the region
 * @offset: first byte, in the region
 * @to: where to; shortened at the region's end
 *
 * Return: bytes copied; -EFAULT when none could be, -ENOMEM.
 */
ssize_t physbuf_copy_out(struct physbuf_region *region, u64 offset,
			 struct iov_iter *to)
{
	return physbuf_copy(region, offset, to, false);
}

/**
 * physbuf_copy_in() - write into a region
 * @region: the region
 * @offset: first byte, in the region
 * @from: where from; shortened at the region's end
 *
 * Return: bytes copied; -EFAULT when none could be, -ENOMEM.
 */
ssize_t physbuf_copy_in(struct physbuf_region *region, u64 offset,
			struct iov_iter *from)
{
	return physbuf_copy(region, offset, from, true);
}
