// SPDX-License-Identifier: GPL-2.0-only
/*
 * physbuf: the attributes of a region in /sys/class/physbuf/NAME.
 */

#include <linux/device.h>
#include <linux/sysfs.h>

#include "physbuf.h"

static struct physbuf_region *to_region(struct device *dev)
{
	return container_of(dev, struct physbuf_region, dev);
}

/**
 * physbuf_cache_name() - the word for a memory type
 * @cache: PHYSBUF_CACHE_*
 *
 * Return: the word that the module parameter uses for it.
 */
const char *physbuf_cache_name(u32 cache)
{
	return cache == PHYSBUF_CACHE_WB ? "wb" : "unknown";
}

static ssize_t base_show(struct device *dev, struct device_attribute *attr,
			 char *buf)
{
	return sysfs_emit(buf, "0x%llx\n", (u64)to_region(dev)->base);
}
static DEVICE_ATTR_RO(base);

static ssize_t size_show(struct device *dev, struct device_attribute *attr,
			 char *buf)
{
	return sysfs_emit(buf, "%llu\n", (u64)to_region(dev)->size);
}
static DEVICE_ATTR_RO(size);

static ssize_t kind_show(struct device *dev, struct device_attribute *attr,
			 char *buf)
{
	return sysfs_emit(buf, "%s\n", to_region(dev)->kind->name);
}
static DEVICE_ATTR_RO(kind);

static ssize_t cache_show(struct device *dev, struct device_attribute *attr,
			  char *buf)
{
	return sysfs_emit(buf, "%s\n",
			  physbuf_cache_name(to_region(dev)->cache));
}
static DEVICE_ATTR_RO(cache);

static ssize_t mappings_show(struct device *dev, struct device_attribute *attr,
			     char *buf)
{
	return sysfs_emit(buf, "%d\n", atomic_read(&to_region(dev)->mappings));
}
static DEVICE_ATTR_RO(mappings);

static struct attribute *physbuf_attrs[] = {
	&dev_attr_base.attr,
	&dev_attr_size.attr,
	&dev_attr_kind.attr,
	&dev_attr_cache.attr,
	&dev_attr_mappings.attr,
	NULL,
};

static const struct attribute_group physbuf_group = {
	.attrs = physbuf_attrs,
};

const struct attribute_group *physbuf_groups[] = {
	&physbuf_group,
	NULL,
};
