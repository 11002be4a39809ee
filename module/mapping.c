// SPDX-License-Identifier: GPL-2.0-only
/*
 * physbuf: mmap, what it refuses, and the count of mappings.
 */

#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/vmalloc.h>

#include "compat.h"
#include "physbuf.h"

void physbuf_mapping_opened(struct physbuf_region *region)
{
	atomic_inc(&region->mappings);
}

void physbuf_mapping_closed(struct physbuf_region *region)
{
	atomic_dec(&region->mappings);
}

/* Also after fork(), and for the second half when munmap() splits an area. */
static void physbuf_vm_open(struct vm_area_struct *vma)
{
	physbuf_mapping_opened(vma->vm_private_data);
}

static void physbuf_vm_close(struct vm_area_struct *vma)
{
	physbuf_mapping_closed(vma->vm_private_data);
}

static const struct vm_operations_struct physbuf_vm_ops = {
	.open = physbuf_vm_open,
	.close = physbuf_vm_close,
};

static pgprot_t physbuf_page_prot(u32 cache, pgprot_t prot)
{
	switch (cache) {
	case PHYSBUF_CACHE_WC:
		return pgprot_writecombine(prot);
	case PHYSBUF_CACHE_UC:
		return pgprot_noncached(prot);
	case PHYSBUF_CACHE_DEVICE:
		return pgprot_device(prot);
	default:
		return prot;
	}
}

/**
 * physbuf_remap() - map a part of a region that has a physical address
 * @region: the region
 * @offset: of the part
 * @vma: the memory area
 *
 * Return: 0; -EBUSY when the memory is mapped with another type; an errno.
 */
int physbuf_remap(struct physbuf_region *region, u64 offset,
		  struct vm_area_struct *vma)
{
	unsigned long pfn = (region->base + offset) >> PAGE_SHIFT;
	unsigned long size = vma->vm_end - vma->vm_start;
	int err;

	vma->vm_page_prot = pgprot_decrypted(physbuf_page_prot(region->cache,
							       vma->vm_page_prot));

	/*
	 * In two pieces, on purpose. A remap of the whole area makes x86 book
	 * its memory type for this area; a munmap() of a part then looks for a
	 * booking that does not exist, leaks the real one or, worse, shortens
	 * the one of our own mapping. A remap of less than the area takes the
	 * type that the range has already: ours. One page cannot be split.
	 */
	err = remap_pfn_range(vma, vma->vm_start, pfn, PAGE_SIZE,
			      vma->vm_page_prot);
	if (!err && size > PAGE_SIZE)
		err = remap_pfn_range(vma, vma->vm_start + PAGE_SIZE, pfn + 1,
				      size - PAGE_SIZE, vma->vm_page_prot);
	return err == -EINVAL ? -EBUSY : err;
}

static vm_fault_t physbuf_fault(struct vm_fault *vmf)
{
	struct physbuf_region *region = vmf->vma->vm_private_data;
	u64 offset = (u64)vmf->pgoff << PAGE_SHIFT;
	void *at = region->vaddr + offset;

	if (offset >= region->size)
		return VM_FAULT_SIGBUS;
	vmf->page = is_vmalloc_addr(at) ? vmalloc_to_page(at) :
					  virt_to_page(at);
	get_page(vmf->page);
	return 0;
}

static const struct vm_operations_struct physbuf_pages_vm_ops = {
	.open = physbuf_vm_open,
	.close = physbuf_vm_close,
	.fault = physbuf_fault,
};

/**
 * physbuf_map_pages() - map pages of the kernel, each when it is first touched
 * @file: the open file
 * @offset: in the region
 * @vma: the memory area
 *
 * Each page is mapped with its reference: direct I/O to the mapping works.
 *
 * Return: 0.
 */
int physbuf_map_pages(struct physbuf_file *file, u64 offset,
		      struct vm_area_struct *vma)
{
	vma->vm_ops = &physbuf_pages_vm_ops;
	return 0;
}

static bool physbuf_is_inside(const struct physbuf_region *region,
			      struct vm_area_struct *vma)
{
	phys_addr_t pages = region->size >> PAGE_SHIFT;

	return vma->vm_pgoff < pages &&
	       vma_pages(vma) <= pages - vma->vm_pgoff;
}

/**
 * physbuf_mmap() - map a part of a region
 * @file: the open file
 * @vma: the memory area
 *
 * Return: 0; -EINVAL for a private mapping or a range that leaves the region;
 * -EPERM for PROT_EXEC; -EBUSY where O_SYNC asks, as it does of /dev/mem, for
 * an uncached mapping of cached memory.
 */
int physbuf_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct physbuf_file *pf = file->private_data;
	struct physbuf_region *region = pf->region;
	int err;

	/* VM_SHARED would not do: it is dropped for a read-only open. */
	if (!(vma->vm_flags & VM_MAYSHARE))
		return -EINVAL;
	if (vma->vm_flags & VM_EXEC)
		return -EPERM;
	if (!region->kind->own_offsets && !physbuf_is_inside(region, vma))
		return -EINVAL;
	if ((file->f_flags & __O_SYNC) && region->cache == PHYSBUF_CACHE_WB)
		return -EBUSY;

	/*
	 * Neither may mprotect() make it executable. Nor writable after a
	 * read-only open: mmap() has cleared VM_MAYWRITE then.
	 */
	physbuf_vm_flags_clear(vma, VM_MAYEXEC);
	physbuf_vm_flags_set(vma, VM_DONTEXPAND |
				  (region->kind->dump ? 0 : VM_DONTDUMP));

	vma->vm_private_data = region;
	vma->vm_ops = &physbuf_vm_ops;
	err = region->kind->mmap(pf, (u64)vma->vm_pgoff << PAGE_SHIFT, vma);
	if (err)
		return err;
	physbuf_mapping_opened(region);
	return 0;
}
