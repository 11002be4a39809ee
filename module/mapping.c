// SPDX-License-Identifier: GPL-2.0-only
/*
 * physbuf: mmap, what it refuses, and the count of mappings.
 */

#include <linux/fs.h>
#include <linux/mm.h>

#include "compat.h"
#include "physbuf.h"

/* Also after fork(), and for the second half when munmap() splits an area. */
static void physbuf_vm_open(struct vm_area_struct *vma)
{
	struct physbuf_region *region = vma->vm_private_data;

	atomic_inc(&region->mappings);
}

static void physbuf_vm_close(struct vm_area_struct *vma)
{
	struct physbuf_region *region = vma->vm_private_data;

	atomic_dec(&region->mappings);
}

static const struct vm_operations_struct physbuf_vm_ops = {
	.open = physbuf_vm_open,
	.close = physbuf_vm_close,
};

/**
 * physbuf_mmap() - map a part of a region
 * @file: the open file
 * @vma: the memory area
 *
 * Return: 0; -EINVAL for a private mapping or a range that leaves the region;
 * -EPERM for PROT_EXEC.
 */
int physbuf_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct physbuf_region *region = file->private_data;
	phys_addr_t pages = region->size >> PAGE_SHIFT;
	int err;

	/* VM_SHARED would not do: it is dropped for a read-only open. */
	if (!(vma->vm_flags & VM_MAYSHARE))
		return -EINVAL;
	if (vma->vm_flags & VM_EXEC)
		return -EPERM;
	if (vma->vm_pgoff >= pages || vma_pages(vma) > pages - vma->vm_pgoff)
		return -EINVAL;

	/*
	 * Neither may mprotect() make it executable. Nor writable after a
	 * read-only open: mmap() has cleared VM_MAYWRITE then.
	 */
	physbuf_vm_flags_clear(vma, VM_MAYEXEC);
	physbuf_vm_flags_set(vma, VM_DONTEXPAND | VM_DONTDUMP);

	vma->vm_private_data = region;
	vma->vm_ops = &physbuf_vm_ops;
	err = region->kind->mmap(region, (u64)vma->vm_pgoff << PAGE_SHIFT, vma);
	if (err)
		return err;
	physbuf_vm_open(vma);
	return 0;
}
