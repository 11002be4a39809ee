// SPDX-License-Identifier: GPL-2.0-only
/*
 * physbuf: the kind "reserved", RAM that the boot kept away from the kernel.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/io.h>
#include <linux/security.h>

#include "compat.h"
#include "physbuf.h"

/*
 * RAM is memremap()ed. Only the types that memremap() does not know come from
 * ioremap(): the range was just proven not to be the kernel's RAM.
 *
 * Decrypted: where memory is encrypted with a key of this boot, nothing else
 * could be read after the next.
 */
static int reserved_map(struct physbuf_region *region)
{
	switch (region->cache) {
	case PHYSBUF_CACHE_WB:
		region->vaddr = memremap(region->base, region->size,
					 MEMREMAP_WB | MEMREMAP_DEC);
		break;
	case PHYSBUF_CACHE_WC:
		region->vaddr = memremap(region->base, region->size,
					 MEMREMAP_WC | MEMREMAP_DEC);
		break;
	case PHYSBUF_CACHE_UC:
		region->io = physbuf_ioremap_uc(region->base, region->size);
		break;
	default:
		region->io = ioremap(region->base, region->size);
		break;
	}
	return region->vaddr || region->io ? 0 : -ENOMEM;
}

static void reserved_unmap(struct physbuf_region *region)
{
	if (region->vaddr)
		memunmap(region->vaddr);
	if (region->io)
		iounmap(region->io);
}

/* A reserve_mem range stays System RAM that the kernel never gives away. */
static int reserved_find(struct physbuf_region *region,
			 const struct physbuf_spec *spec)
{
	const char *label = spec->label;
	int err;

	if (region->cache != PHYSBUF_CACHE_WB) {
		pr_err("%s: cache=%s is not to be had for reserve_mem: the kernel has it mapped with wb\n",
		       region->name, physbuf_cache_name(region->cache));
		return -EINVAL;
	}
	err = physbuf_reserve_mem_find(label, &region->base, &region->size);
	if (err == -EACCES)
		pr_err("%s: memory is encrypted with a key of this boot; no reserve_mem range outlives it, reserve a fixed range\n",
		       region->name);
	else if (err == -EOPNOTSUPP)
		pr_err("%s: there is no reserve_mem range %s: that wants Linux 6.12; reserve a fixed range\n",
		       region->name, label);
	else if (err)
		pr_err("%s: there is no reserve_mem range called %s; add the boot argument reserve_mem=16M:4096:%s\n",
		       region->name, label, label);
	if (err)
		return err;
	if (!PAGE_ALIGNED(region->base) || !PAGE_ALIGNED(region->size)) {
		pr_err("%s: the range of reserve_mem %s is not made of whole pages; ask for a multiple of %lu, aligned to it\n",
		       region->name, label, PAGE_SIZE);
		return -EINVAL;
	}
	err = physbuf_region_has_size(region, spec);
	return err ? err : physbuf_region_apart(region);
}

static int reserved_acquire(struct physbuf_region *region,
			    const struct physbuf_spec *spec)
{
	struct resource range;
	int err;

	/* As for every parameter that lets root at physical addresses. */
	err = spec->from_tree ? 0 :
	      security_locked_down(LOCKDOWN_MODULE_PARAMETERS);
	if (err)
		return err;
	if (*spec->label)
		err = reserved_find(region, spec);
	else
		err = physbuf_iomem_claim_ram(region);
	if (err)
		return err;

	err = reserved_map(region);
	if (err) {
		range = physbuf_range(region->base, region->size);
		pr_err("%s: %pR cannot be mapped into the kernel with cache %s; make the region smaller, or look in /sys/kernel/debug/x86/pat_memtype_list who has it with another type\n",
		       region->name, &range, physbuf_cache_name(region->cache));
		physbuf_iomem_unclaim(region);
	}
	return err;
}

static void reserved_release(struct physbuf_region *region)
{
	/* Nobody cleans for it at a reset from now on. */
	if (physbuf_is_cleanable(region))
		physbuf_clean_whole(region);
	reserved_unmap(region);
	physbuf_iomem_unclaim(region);
}

static int reserved_mmap(struct physbuf_file *file, u64 offset,
			 struct vm_area_struct *vma)
{
	return physbuf_remap(file->region, offset, vma);
}

const struct physbuf_kind physbuf_reserved = {
	.id = PHYSBUF_KIND_RESERVED,
	.name = "reserved",
	.flags = PHYSBUF_FLAG_PERSISTENT,
	.caches = BIT(PHYSBUF_CACHE_WB) | BIT(PHYSBUF_CACHE_WC) |
		  BIT(PHYSBUF_CACHE_UC) | BIT(PHYSBUF_CACHE_DEVICE),
	.cache = PHYSBUF_CACHE_WB,
	.acquire = reserved_acquire,
	.release = reserved_release,
	.read = physbuf_copy_out,
	.write = physbuf_copy_in,
	.mmap = reserved_mmap,
};
