// SPDX-License-Identifier: GPL-2.0-only
/*
 * physbuf: the regions there are, and the life of one.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "physbuf.h"

static dev_t physbuf_devt;
static unsigned int physbuf_minors;

/* Changed by the module's beginning and end only, which never run together. */
static LIST_HEAD(physbuf_list);

/* The last reference is gone: no file is open, no area maps the region. */
static void physbuf_region_free(struct device *dev)
{
	struct physbuf_region *region =
		container_of(dev, struct physbuf_region, dev);

	region->kind->release(region);
	kfree(region);
}

static int physbuf_region_check(const struct physbuf_spec *spec)
{
	struct resource range = physbuf_range(spec->base, spec->size);
	struct physbuf_region *other;

	list_for_each_entry(other, &physbuf_list, node) {
		struct resource taken = physbuf_range(other->base, other->size);

		if (!strcmp(spec->name, other->name)) {
			pr_err("%s: there is a region of this name already, %pR; give the second another name\n",
			       spec->name, &taken);
			return -EEXIST;
		}
		if (resource_overlaps(&range, &taken)) {
			pr_err("%s: %pR overlaps region %s %pR; move one of them\n",
			       spec->name, &range, other->name, &taken);
			return -EBUSY;
		}
	}
	if (physbuf_minors == PHYSBUF_MAX_REGIONS) {
		pr_err("%s: there are %d regions already; join some of them\n",
		       spec->name, PHYSBUF_MAX_REGIONS);
		return -ENOSPC;
	}
	return 0;
}

/**
 * physbuf_region_add() - take the memory of a region and show its device
 * @kind: what the region is made of
 * @spec: its name, place and options
 *
 * Return: 0, or an errno after a message that names the region and the remedy.
 */
int physbuf_region_add(const struct physbuf_kind *kind,
		       const struct physbuf_spec *spec)
{
	struct resource range = physbuf_range(spec->base, spec->size);
	struct physbuf_region *region;
	int err;

	err = physbuf_region_check(spec);
	if (err)
		return err;

	region = kzalloc(sizeof(*region), GFP_KERNEL);
	if (!region)
		return -ENOMEM;
	region->kind = kind;
	region->base = spec->base;
	region->size = spec->size;
	region->cache = spec->cache;
	strscpy(region->name, spec->name, sizeof(region->name));
	snprintf(region->label, sizeof(region->label), "physbuf %s",
		 region->name);

	err = kind->acquire(region);
	if (err) {
		kfree(region);
		return err;
	}

	device_initialize(&region->dev);
	region->dev.class = &physbuf_class;
	region->dev.release = physbuf_region_free;
	region->dev.devt = MKDEV(MAJOR(physbuf_devt),
				 MINOR(physbuf_devt) + physbuf_minors);
	cdev_init(&region->cdev, &physbuf_fops);
	region->cdev.owner = THIS_MODULE;

	err = dev_set_name(&region->dev, "%s", region->name);
	if (!err)
		err = cdev_device_add(&region->cdev, &region->dev);
	if (err) {
		pr_err("%s: no device could be made for it, error %d; the region is left out\n",
		       region->name, err);
		put_device(&region->dev);
		return err;
	}
	physbuf_minors++;
	list_add_tail(&region->node, &physbuf_list);

	pr_info("%s: %pR, kind %s, cache %s\n", region->name, &range,
		kind->name, physbuf_cache_name(region->cache));
	return 0;
}

/**
 * physbuf_regions_init() - take the device numbers
 *
 * Return: 0, or an errno.
 */
int physbuf_regions_init(void)
{
	return alloc_chrdev_region(&physbuf_devt, 0, PHYSBUF_MAX_REGIONS,
				   "physbuf");
}

/**
 * physbuf_regions_exit() - take all regions down and give the numbers back
 */
void physbuf_regions_exit(void)
{
	struct physbuf_region *region, *next;

	list_for_each_entry_safe(region, next, &physbuf_list, node) {
		list_del(&region->node);
		cdev_device_del(&region->cdev, &region->dev);
		put_device(&region->dev);
	}
	unregister_chrdev_region(physbuf_devt, PHYSBUF_MAX_REGIONS);
}
