// SPDX-License-Identifier: GPL-2.0-only
/*
 * physbuf: the kind "pages", physically contiguous pages of the kernel.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/mm.h>

#include "physbuf.h"

static int pages_acquire(struct physbuf_region *region,
			 const struct physbuf_spec *spec)
{
	region->vaddr = alloc_pages_exact(region->size,
					  GFP_KERNEL | __GFP_ZERO |
					  __GFP_NOWARN);
	if (!region->vaddr) {
		u64 size = region->size;

		pr_err("%s: the kernel has no %llu contiguous bytes, and never more than some MiB; load the module earlier, or make the region smaller, or of kind vmalloc\n",
		       region->name, size);
		return -ENOMEM;
	}
	region->base = virt_to_phys(region->vaddr);
	return 0;
}

static void pages_release(struct physbuf_region *region)
{
	free_pages_exact(region->vaddr, region->size);
}

const struct physbuf_kind physbuf_pages = {
	.id = PHYSBUF_KIND_PAGES,
	.name = "pages",
	.caches = BIT(PHYSBUF_CACHE_WB),
	.cache = PHYSBUF_CACHE_WB,
	.dump = true,
	.acquire = pages_acquire,
	.release = pages_release,
	.read = physbuf_copy_out,
	.write = physbuf_copy_in,
	.mmap = physbuf_map_pages,
};
