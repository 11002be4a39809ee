// SPDX-License-Identifier: GPL-2.0-only
/*
 * physbuf: the kind "vmalloc", large memory of the kernel that is contiguous
 * to programs only.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/mm.h>
#include <linux/vmalloc.h>

#include "physbuf.h"

static int vmalloc_acquire(struct physbuf_region *region,
			   const struct physbuf_spec *spec)
{
	u64 size = region->size;

	/* More than all there is would send the kernel killing processes. */
	if (size >> PAGE_SHIFT < totalram_pages())
		region->vaddr = vmalloc_user(size);
	if (!region->vaddr) {
		pr_err("%s: the kernel has no %llu bytes left; make the region smaller\n",
		       region->name, size);
		return -ENOMEM;
	}
	return 0;
}

static void vmalloc_release(struct physbuf_region *region)
{
	vfree(region->vaddr);
}

const struct physbuf_kind physbuf_vmalloc = {
	.id = PHYSBUF_KIND_VMALLOC,
	.name = "vmalloc",
	.caches = BIT(PHYSBUF_CACHE_WB),
	.cache = PHYSBUF_CACHE_WB,
	.dump = true,
	.acquire = vmalloc_acquire,
	.release = vmalloc_release,
	.read = physbuf_copy_out,
	.write = physbuf_copy_in,
	.mmap = physbuf_map_pages,
};
