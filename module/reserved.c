// SPDX-License-Identifier: GPL-2.0-only
/*
 * physbuf: the kind "reserved", RAM that the boot kept away from the kernel.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/io.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/uio.h>

#include "physbuf.h"

/* Between two looks at the scheduler and at fatal signals. */
#define PHYSBUF_COPY_CHUNK	SZ_64K

static int reserved_acquire(struct physbuf_region *region)
{
	struct resource range = physbuf_range(region->base, region->size);
	int err;

	err = physbuf_iomem_claim(region);
	if (err)
		return err;

	/*
	 * Not ioremap(): this is RAM. Decrypted: where memory is encrypted with
	 * a key of this boot, nothing else could be read after the next.
	 */
	region->vaddr = memremap(region->base, region->size,
				 MEMREMAP_WB | MEMREMAP_DEC);
	if (!region->vaddr) {
		pr_err("%s: %pR cannot be mapped into the kernel; make the region smaller\n",
		       region->name, &range);
		physbuf_iomem_unclaim(region);
		return -ENOMEM;
	}
	return 0;
}

static void reserved_release(struct physbuf_region *region)
{
	memunmap(region->vaddr);
	physbuf_iomem_unclaim(region);
}

static ssize_t reserved_copy(struct physbuf_region *region, u64 offset,
			     struct iov_iter *iter, bool write)
{
	void *at = region->vaddr + offset;
	size_t done = 0;

	while (iov_iter_count(iter)) {
		size_t want = min_t(size_t, iov_iter_count(iter),
				    PHYSBUF_COPY_CHUNK);
		size_t got;

		if (write)
			got = copy_from_iter(at + done, want, iter);
		else
			got = copy_to_iter(at + done, want, iter);
		done += got;
		if (got < want)
			return done ? done : -EFAULT;
		if (fatal_signal_pending(current))
			return done;
		cond_resched();
	}
	return done;
}

static ssize_t reserved_read(struct physbuf_region *region, u64 offset,
			     struct iov_iter *to)
{
	return reserved_copy(region, offset, to, false);
}

static ssize_t reserved_write(struct physbuf_region *region, u64 offset,
			      struct iov_iter *from)
{
	return reserved_copy(region, offset, from, true);
}

static int reserved_mmap(struct physbuf_region *region, u64 offset,
			 struct vm_area_struct *vma)
{
	unsigned long pfn = (region->base + offset) >> PAGE_SHIFT;
	unsigned long size = vma->vm_end - vma->vm_start;
	int err;

	vma->vm_page_prot = pgprot_decrypted(vma->vm_page_prot);

	/*
	 * In two pieces, on purpose. A remap of the whole area makes x86 book
	 * its memory type for this area; a munmap() of a part then looks for a
	 * booking that does not exist, leaks the real one or, worse, shortens
	 * the one of our own memremap(). A remap of less than the area takes
	 * the type that the range has already: ours. One page cannot be split.
	 */
	err = remap_pfn_range(vma, vma->vm_start, pfn, PAGE_SIZE,
			      vma->vm_page_prot);
	if (!err && size > PAGE_SIZE)
		err = remap_pfn_range(vma, vma->vm_start + PAGE_SIZE, pfn + 1,
				      size - PAGE_SIZE, vma->vm_page_prot);
	return err;
}

const struct physbuf_kind physbuf_reserved = {
	.id = PHYSBUF_KIND_RESERVED,
	.name = "reserved",
	.flags = PHYSBUF_FLAG_PERSISTENT,
	.acquire = reserved_acquire,
	.release = reserved_release,
	.read = reserved_read,
	.write = reserved_write,
	.mmap = reserved_mmap,
};
