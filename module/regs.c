// SPDX-License-Identifier: GPL-2.0-only
/*
 * physbuf: the kind "regs", registers of a device by bus address or PCI BAR.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/capability.h>
#include <linux/io.h>
#include <linux/pci.h>
#include <linux/security.h>

#include "compat.h"
#include "physbuf.h"

static int regs_find_bar(struct physbuf_region *region,
			 const struct physbuf_spec *spec)
{
	struct pci_dev *pci = region->pci;
	struct resource range;
	int err;

	if (!(pci_resource_flags(pci, spec->bar) & IORESOURCE_MEM) ||
	    !pci_resource_len(pci, spec->bar)) {
		pr_err("%s: %s has no memory BAR %u; lspci -v lists the ones it has\n",
		       region->name, pci_name(pci), spec->bar);
		return -ENXIO;
	}
	region->base = pci_resource_start(pci, spec->bar);
	region->size = pci_resource_len(pci, spec->bar);
	range = physbuf_range(region->base, region->size);
	if (!PAGE_ALIGNED(region->base) || !PAGE_ALIGNED(region->size)) {
		pr_err("%s: %s BAR %u, %pR, shares its page with others; it cannot be mapped alone\n",
		       region->name, pci_name(pci), spec->bar, &range);
		return -EINVAL;
	}
	err = physbuf_region_has_size(region, spec);
	if (err)
		return err;
	err = pci_enable_device(pci);
	if (err)
		pr_err("%s: %s cannot be enabled, error %d\n", region->name,
		       pci_name(pci), err);
	return err;
}

static void regs_map(struct physbuf_region *region)
{
	if (region->cache == PHYSBUF_CACHE_WC)
		region->io = ioremap_wc(region->base, region->size);
	else if (region->cache == PHYSBUF_CACHE_UC)
		region->io = physbuf_ioremap_uc(region->base, region->size);
	else
		region->io = ioremap(region->base, region->size);
}

static int regs_acquire(struct physbuf_region *region,
			const struct physbuf_spec *spec)
{
	struct resource range;
	int err;

	if (region->pci) {
		err = regs_find_bar(region, spec);
		if (err)
			return err;
	}
	err = physbuf_iomem_claim_device(region);
	if (err)
		goto out_disable;

	regs_map(region);
	if (!region->io) {
		range = physbuf_range(region->base, region->size);
		pr_err("%s: %pR cannot be mapped into the kernel with cache %s\n",
		       region->name, &range, physbuf_cache_name(region->cache));
		err = -ENOMEM;
		goto out_unclaim;
	}
	return 0;

out_unclaim:
	physbuf_iomem_unclaim(region);
out_disable:
	if (region->pci)
		pci_disable_device(region->pci);
	return err;
}

static void regs_release(struct physbuf_region *region)
{
	iounmap(region->io);
	physbuf_iomem_unclaim(region);
	if (region->pci)
		pci_disable_device(region->pci);
}

static int regs_open(struct physbuf_file *file)
{
	if (!capable(CAP_SYS_RAWIO))
		return -EPERM;
	return security_locked_down(LOCKDOWN_DEV_MEM);
}

/* A register is read or written whole, once, or not at all. */
static bool regs_is_access(u64 offset, size_t width)
{
	switch (width) {
	case 1:
	case 2:
	case 4:
#ifdef CONFIG_64BIT
	case 8:
#endif
		return IS_ALIGNED(offset, width);
	default:
		return false;
	}
}

static ssize_t regs_read(struct physbuf_region *region, u64 offset,
			 struct iov_iter *to)
{
	void __iomem *at = region->io + offset;
	size_t width = iov_iter_count(to);
	union {
		u8 b;
		u16 w;
		u32 l;
		u64 q;
	} value = { .q = 0 };

	if (!regs_is_access(offset, width))
		return -EINVAL;
	if (width == 1)
		value.b = readb(at);
	else if (width == 2)
		value.w = readw(at);
	else if (width == 4)
		value.l = readl(at);
#ifdef CONFIG_64BIT
	else
		value.q = readq(at);
#endif
	return copy_to_iter(&value, width, to) == width ? width : -EFAULT;
}

static ssize_t regs_write(struct physbuf_region *region, u64 offset,
			  struct iov_iter *from)
{
	void __iomem *at = region->io + offset;
	size_t width = iov_iter_count(from);
	union {
		u8 b;
		u16 w;
		u32 l;
		u64 q;
	} value = { .q = 0 };

	if (!regs_is_access(offset, width))
		return -EINVAL;
	if (copy_from_iter(&value, width, from) != width)
		return -EFAULT;
	if (width == 1)
		writeb(value.b, at);
	else if (width == 2)
		writew(value.w, at);
	else if (width == 4)
		writel(value.l, at);
#ifdef CONFIG_64BIT
	else
		writeq(value.q, at);
#endif
	return width;
}

static int regs_mmap(struct physbuf_file *file, u64 offset,
		     struct vm_area_struct *vma)
{
	return physbuf_remap(file->region, offset, vma);
}

const struct physbuf_kind physbuf_regs = {
	.id = PHYSBUF_KIND_REGS,
	.name = "regs",
	.caches = BIT(PHYSBUF_CACHE_WC) | BIT(PHYSBUF_CACHE_UC) |
		  BIT(PHYSBUF_CACHE_DEVICE),
	.cache = PHYSBUF_CACHE_DEVICE,
	.acquire = regs_acquire,
	.release = regs_release,
	.read = regs_read,
	.write = regs_write,
	.mmap = regs_mmap,
	.open = regs_open,
};
