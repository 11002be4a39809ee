// SPDX-License-Identifier: GPL-2.0-only
/*
 * physbuf: whose is a range of physical memory? Only one that the boot kept
 * away from the kernel, and that nobody else holds, may become a region.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/of.h>
#include <linux/of_address.h>
#include <linux/sizes.h>

#include "physbuf.h"

/* Room for the longest advice. */
#define PHYSBUF_REMEDY_LEN	160

#ifdef CONFIG_X86
static void physbuf_size_text(char *text, size_t len, u64 size)
{
	if (!(size & (SZ_1G - 1)))
		snprintf(text, len, "%lluG", size >> 30);
	else if (!(size & (SZ_1M - 1)))
		snprintf(text, len, "%lluM", size >> 20);
	else
		snprintf(text, len, "%lluK", size >> 10);
}

static void physbuf_remedy(const struct physbuf_region *region, char *text)
{
	u64 base = region->base;
	char size[24];

	physbuf_size_text(size, sizeof(size), region->size);
	snprintf(text, PHYSBUF_REMEDY_LEN,
		 "reserve it with the boot argument memmap=%s$0x%llx (write \\$ in grub.cfg)",
		 size, base);
}

static int physbuf_walk_reserved(struct resource *res, void *arg)
{
	u64 *next = arg;

	if (res->start > *next)
		return 1;
	*next = max_t(u64, *next, (u64)res->end + 1);
	return 0;
}

/*
 * region_intersects() cannot tell a hole from what it looks for, so add up the
 * pieces.
 */
static bool physbuf_is_reserved(const struct physbuf_region *region)
{
	u64 end = (u64)region->base + region->size;
	u64 next = region->base;

	walk_iomem_res_desc(IORES_DESC_RESERVED, IORESOURCE_MEM, region->base,
			    end - 1, &next, physbuf_walk_reserved);
	return next == end;
}

static bool physbuf_touches_reserved(const struct physbuf_region *region)
{
	return region_intersects(region->base, region->size, IORESOURCE_MEM,
				 IORES_DESC_RESERVED) != REGION_DISJOINT;
}

/* A claim inherits what it lies in: a device in a Reserved range is none. */
static bool physbuf_claim_is_reserved(const struct physbuf_region *region)
{
	return region->res->desc == IORES_DESC_RESERVED;
}
#else
static void physbuf_remedy(const struct physbuf_region *region, char *text)
{
	u64 base = region->base;
	u64 size = region->size;

	snprintf(text, PHYSBUF_REMEDY_LEN,
		 "reserve it with a node under /reserved-memory in the device tree: base 0x%llx, size 0x%llx, with the property no-map",
		 base, size);
}

/* Is there a no-map range for which this holds? */
static bool physbuf_any_reserved(const struct physbuf_region *region,
				 bool (*holds)(const struct resource *reserved,
					       const struct resource *range))
{
	struct resource range = physbuf_range(region->base, region->size);
	struct device_node *parent, *node;
	bool found = false;

	parent = of_find_node_by_path("/reserved-memory");
	if (!parent)
		return false;
	for_each_available_child_of_node(parent, node) {
		struct resource res;
		int i;

		if (!of_property_read_bool(node, "no-map"))
			continue;
		for (i = 0; !of_address_to_resource(node, i, &res); i++)
			found = found || holds(&res, &range);
	}
	of_node_put(parent);
	return found;
}

static bool physbuf_contains(const struct resource *reserved,
			     const struct resource *range)
{
	return reserved->start <= range->start && range->end <= reserved->end;
}

static bool physbuf_overlaps(const struct resource *reserved,
			     const struct resource *range)
{
	return reserved->start <= range->end && range->start <= reserved->end;
}

/* arm64 and riscv list such RAM; where nothing is listed, there is no RAM. */
static bool physbuf_is_hole(const struct physbuf_region *region)
{
	return (IS_ENABLED(CONFIG_ARM64) || IS_ENABLED(CONFIG_RISCV)) &&
	       region_intersects(region->base, region->size, IORESOURCE_MEM,
				 IORES_DESC_NONE) != REGION_INTERSECTS;
}

static bool physbuf_is_reserved(const struct physbuf_region *region)
{
	return physbuf_any_reserved(region, physbuf_contains) &&
	       !physbuf_is_hole(region);
}

static bool physbuf_touches_reserved(const struct physbuf_region *region)
{
	return physbuf_any_reserved(region, physbuf_overlaps);
}

static bool physbuf_claim_is_reserved(const struct physbuf_region *region)
{
	return true;
}
#endif

static int physbuf_walk_first(struct resource *res, void *arg)
{
	*(struct resource *)arg = *res;
	return 1;
}

static int physbuf_iomem_check(const struct physbuf_region *region)
{
	struct resource range = physbuf_range(region->base, region->size);
	struct resource ram = range;
	char remedy[PHYSBUF_REMEDY_LEN];

	physbuf_remedy(region, remedy);

	/*
	 * Anything but disjoint is RAM of the kernel, whole or in part. A
	 * memremap() of it would succeed, and the kernel's data be overwritten.
	 */
	if (region_intersects(region->base, region->size,
			      IORESOURCE_SYSTEM_RAM, IORES_DESC_NONE) !=
	    REGION_DISJOINT) {
		walk_iomem_res_desc(IORES_DESC_NONE, IORESOURCE_SYSTEM_RAM,
				    range.start, range.end, &ram,
				    physbuf_walk_first);
		pr_err("%s: %pR is System RAM, the kernel owns it; %s\n",
		       region->name, &ram, remedy);
		return -EADDRINUSE;
	}
	if (physbuf_is_reserved(region))
		return 0;
	if (region_intersects(region->base, region->size, IORESOURCE_MEM,
			      IORES_DESC_NONE) == REGION_DISJOINT)
		pr_err("%s: %pR is in no resource at all, there is no RAM; take a range of RAM from /proc/iomem, then %s\n",
		       region->name, &range, remedy);
	else
		pr_err("%s: %pR is not wholly Reserved, a part of it is a device or a hole; take a range of RAM from /proc/iomem, then %s\n",
		       region->name, &range, remedy);
	return -ENXIO;
}

static int physbuf_iomem_request(struct physbuf_region *region)
{
	struct resource range = physbuf_range(region->base, region->size);

	region->res = request_mem_region(region->base, region->size,
					 region->label);
	if (region->res)
		return 0;
	pr_err("%s: %pR is held by somebody else; find the holder in /proc/iomem and unload it, or move the region\n",
	       region->name, &range);
	return -EBUSY;
}

/**
 * physbuf_iomem_claim_ram() - check that a range is RAM put aside, and take it
 * @region: the region; its resource is set
 *
 * Return: 0; -EADDRINUSE for RAM of the kernel; -ENXIO for a hole or a device;
 * -EBUSY when somebody else holds it. Each after a message.
 */
int physbuf_iomem_claim_ram(struct physbuf_region *region)
{
	struct resource range = physbuf_range(region->base, region->size);
	int err;

	err = physbuf_region_apart(region);
	if (err)
		return err;
	err = physbuf_iomem_check(region);
	if (err)
		return err;
	err = physbuf_iomem_request(region);
	if (err)
		return err;
	if (!physbuf_claim_is_reserved(region)) {
		pr_err("%s: %pR is a device inside a Reserved range; take a range of RAM from /proc/iomem\n",
		       region->name, &range);
		physbuf_iomem_unclaim(region);
		return -ENXIO;
	}
	return 0;
}

/**
 * physbuf_iomem_claim_device() - check that a range is no RAM, and take it
 * @region: the region; its resource is set
 *
 * Return: 0; -EADDRINUSE for RAM, the kernel's or put aside; -ENXIO where there
 * is nothing; -EBUSY when somebody else holds it. Each after a message.
 */
int physbuf_iomem_claim_device(struct physbuf_region *region)
{
	struct resource range = physbuf_range(region->base, region->size);
	int err;

	err = physbuf_region_apart(region);
	if (err)
		return err;
	if (region_intersects(region->base, region->size,
			      IORESOURCE_SYSTEM_RAM, IORES_DESC_NONE) !=
	    REGION_DISJOINT || physbuf_touches_reserved(region)) {
		pr_err("%s: %pR is RAM, not a device, whole or in part; for RAM that was put aside write %s@0x...+size\n",
		       region->name, &range, region->name);
		return -EADDRINUSE;
	}
	if (region_intersects(region->base, region->size, IORESOURCE_MEM,
			      IORES_DESC_NONE) != REGION_INTERSECTS) {
		pr_err("%s: %pR is not wholly in a device's range; take one from /proc/iomem\n",
		       region->name, &range);
		return -ENXIO;
	}
	return physbuf_iomem_request(region);
}

/**
 * physbuf_iomem_unclaim() - give a region's range back
 * @region: the region; nothing happens when it has none
 */
void physbuf_iomem_unclaim(struct physbuf_region *region)
{
	if (!region->res)
		return;
	release_mem_region(region->base, region->size);
	region->res = NULL;
}
