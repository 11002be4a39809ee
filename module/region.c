// SPDX-License-Identifier: GPL-2.0-only
/*
 * physbuf: the regions there are, and the life of one.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/idr.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "physbuf.h"

static dev_t physbuf_devt;
static DEFINE_IDA(physbuf_minors);

/* Of changes to the list. */
DEFINE_MUTEX(physbuf_lock);
LIST_HEAD(physbuf_list);

static void physbuf_region_discard(struct physbuf_region *region)
{
	pci_dev_put(region->pci);
	kfree(region);
}

/* The last reference is gone: no file is open, no area maps the region. */
static void physbuf_region_free(struct device *dev)
{
	struct physbuf_region *region =
		container_of(dev, struct physbuf_region, dev);

	region->kind->release(region);
	ida_free(&physbuf_minors, MINOR(dev->devt));
	physbuf_region_discard(region);
}

/**
 * physbuf_region_apart() - is a region's memory no other region's
 * @region: a region that is not in the list yet
 *
 * Return: 0, or -EBUSY after a message.
 */
int physbuf_region_apart(const struct physbuf_region *region)
{
	struct resource range = physbuf_range(region->base, region->size);
	struct physbuf_region *other;

	list_for_each_entry(other, &physbuf_list, node) {
		struct resource taken = physbuf_range(other->base, other->size);

		if (other->base && resource_overlaps(&range, &taken)) {
			pr_err("%s: %pR overlaps region %s %pR; move one of them\n",
			       region->name, &range, other->name, &taken);
			return -EBUSY;
		}
	}
	return 0;
}

static int physbuf_region_check(const struct physbuf_spec *spec)
{
	u32 cache = spec->cache ?: spec->kind->cache;
	struct physbuf_region *other;

	list_for_each_entry(other, &physbuf_list, node) {
		if (!strcmp(spec->name, other->name)) {
			pr_err("%s: there is a region of this name already, of kind %s; give the second another name\n",
			       spec->name, other->kind->name);
			return -EEXIST;
		}
	}
	if (!(spec->kind->caches & BIT(cache))) {
		pr_err("%s: cache=%s is not to be had for the kind %s; leave it out for %s\n",
		       spec->name, physbuf_cache_name(cache), spec->kind->name,
		       physbuf_cache_name(spec->kind->cache));
		return -EINVAL;
	}
	if (spec->size > min_t(u64, SIZE_MAX, LLONG_MAX)) {
		pr_err("%s: it is larger than this kernel can map; make it smaller\n",
		       spec->name);
		return -EINVAL;
	}
	return physbuf_state_check(spec);
}

static int physbuf_region_find_pci(struct physbuf_region *region,
				   const struct physbuf_spec *spec)
{
	if (!spec->has_pci)
		return 0;
	region->pci = pci_get_domain_bus_and_slot(spec->domain, spec->bus,
						  spec->devfn);
	if (region->pci)
		return 0;
	pr_err("%s: there is no PCI device %04x:%02x:%02x.%x; lspci -D lists them\n",
	       region->name, spec->domain, spec->bus, PCI_SLOT(spec->devfn),
	       PCI_FUNC(spec->devfn));
	return -ENODEV;
}

/**
 * physbuf_region_has_size() - is the size that was asked for the place's own
 * @region: the region, with the size of its place
 * @spec: what was asked for
 *
 * Return: 0, or -EINVAL after a message.
 */
int physbuf_region_has_size(const struct physbuf_region *region,
			    const struct physbuf_spec *spec)
{
	u64 size = region->size;

	if (!spec->size || spec->size == size)
		return 0;
	pr_err("%s: its place has %llu bytes, not the size that was asked for; leave the size out\n",
	       region->name, size);
	return -EINVAL;
}

/* The region with its memory and number, not yet visible. */
static struct physbuf_region *
physbuf_region_make(const struct physbuf_spec *spec)
{
	struct physbuf_region *region;
	int minor, err;

	region = kzalloc(sizeof(*region), GFP_KERNEL);
	if (!region)
		return ERR_PTR(-ENOMEM);
	region->kind = spec->kind;
	region->base = spec->base;
	region->size = spec->size;
	region->cache = spec->cache ?: spec->kind->cache;
	region->is_state = spec->is_state;
	init_waitqueue_head(&region->bell);
	strscpy(region->name, spec->name, sizeof(region->name));
	snprintf(region->label, sizeof(region->label), "physbuf %s",
		 region->name);

	minor = ida_alloc_max(&physbuf_minors, PHYSBUF_MAX_REGIONS - 1,
			      GFP_KERNEL);
	if (minor < 0) {
		err = minor;
		if (err == -ENOSPC)
			pr_err("%s: there are %d regions already; join some of them\n",
			       spec->name, PHYSBUF_MAX_REGIONS);
		goto out_discard;
	}
	region->dev.devt = MKDEV(MAJOR(physbuf_devt), minor);

	err = physbuf_region_find_pci(region, spec);
	if (!err)
		err = region->kind->acquire(region, spec);
	if (err)
		goto out_minor;
	return region;

out_minor:
	ida_free(&physbuf_minors, minor);
out_discard:
	physbuf_region_discard(region);
	return ERR_PTR(err);
}

static int physbuf_region_show(struct physbuf_region *region,
			       struct device *parent)
{
	int err;

	device_initialize(&region->dev);
	region->dev.class = &physbuf_class;
	region->dev.parent = parent;
	region->dev.release = physbuf_region_free;
	cdev_init(&region->cdev, &physbuf_fops);
	region->cdev.owner = THIS_MODULE;

	err = dev_set_name(&region->dev, "%s", region->name);
	if (!err)
		err = cdev_device_add(&region->cdev, &region->dev);
	if (err)
		pr_err("%s: no device could be made for it, error %d; the region is left out\n",
		       region->name, err);
	return err;
}

static void physbuf_region_announce(const struct physbuf_region *region)
{
	struct resource range = physbuf_range(region->base, region->size);
	const char *cache = physbuf_cache_name(region->cache);
	u64 size = region->size;

	if (region->base && region->kind != &physbuf_pages)
		pr_info("%s: %pR, kind %s, cache %s\n", region->name, &range,
			region->kind->name, cache);
	else
		pr_info("%s: %llu bytes, kind %s, cache %s\n", region->name,
			size, region->kind->name, cache);
}

/**
 * physbuf_region_add() - take the memory of a region and show its device
 * @spec: its kind, name, place and options
 * @parent: the device that it belongs to, or NULL
 *
 * Return: the region; or an ERR_PTR() after a message that names the region and
 * the remedy.
 */
struct physbuf_region *physbuf_region_add(const struct physbuf_spec *spec,
					  struct device *parent)
{
	struct physbuf_region *region;
	int err;

	mutex_lock(&physbuf_lock);
	err = physbuf_region_check(spec);
	region = err ? ERR_PTR(err) : physbuf_region_make(spec);
	if (IS_ERR(region))
		goto out;

	list_add_tail_rcu(&region->node, &physbuf_list);
	physbuf_state_meet(region);
	err = physbuf_region_show(region, parent);
	if (!err) {
		physbuf_region_announce(region);
		goto out;
	}
	physbuf_state_leave(region);
	list_del_rcu(&region->node);
	synchronize_rcu();
	put_device(&region->dev);
	region = ERR_PTR(err);
out:
	mutex_unlock(&physbuf_lock);
	return region;
}

/**
 * physbuf_region_remove() - take a region down
 * @region: the region; its memory stays until nobody uses it any more
 */
void physbuf_region_remove(struct physbuf_region *region)
{
	mutex_lock(&physbuf_lock);
	cdev_device_del(&region->cdev, &region->dev);
	physbuf_state_leave(region);
	list_del_rcu(&region->node);
	synchronize_rcu();
	mutex_unlock(&physbuf_lock);
	put_device(&region->dev);
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

	list_for_each_entry_safe(region, next, &physbuf_list, node)
		physbuf_region_remove(region);
	ida_destroy(&physbuf_minors);
	unregister_chrdev_region(physbuf_devt, PHYSBUF_MAX_REGIONS);
}
