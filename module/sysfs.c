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
	switch (cache) {
	case PHYSBUF_CACHE_WB:
		return "wb";
	case PHYSBUF_CACHE_WC:
		return "wc";
	case PHYSBUF_CACHE_UC:
		return "uc";
	case PHYSBUF_CACHE_DEVICE:
		return "device";
	default:
		return "coherent";
	}
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

static ssize_t cleaner_show(struct device *dev, struct device_attribute *attr,
			    char *buf)
{
	return sysfs_emit(buf, "%s\n", physbuf_cleaner(to_region(dev)));
}
static DEVICE_ATTR_RO(cleaner);

static ssize_t mappings_show(struct device *dev, struct device_attribute *attr,
			     char *buf)
{
	return sysfs_emit(buf, "%d\n", atomic_read(&to_region(dev)->mappings));
}
static DEVICE_ATTR_RO(mappings);

static ssize_t rings_show(struct device *dev, struct device_attribute *attr,
			  char *buf)
{
	return sysfs_emit(buf, "%llu\n",
			  (u64)atomic64_read(&to_region(dev)->rings));
}
static DEVICE_ATTR_RO(rings);

static ssize_t boots_show(struct device *dev, struct device_attribute *attr,
			  char *buf)
{
	u32 boots = to_region(dev)->boots;

	if (!boots)
		return sysfs_emit(buf, "unknown\n");
	return sysfs_emit(buf, "%u\n", boots);
}
static DEVICE_ATTR_RO(boots);

static ssize_t moved_show(struct device *dev, struct device_attribute *attr,
			  char *buf)
{
	switch (to_region(dev)->moved) {
	case PHYSBUF_MOVED_NO:
		return sysfs_emit(buf, "no\n");
	case PHYSBUF_MOVED_YES:
		return sysfs_emit(buf, "yes\n");
	default:
		return sysfs_emit(buf, "unknown\n");
	}
}
static DEVICE_ATTR_RO(moved);

static struct attribute *physbuf_attrs[] = {
	&dev_attr_base.attr,
	&dev_attr_size.attr,
	&dev_attr_kind.attr,
	&dev_attr_cache.attr,
	&dev_attr_cleaner.attr,
	&dev_attr_mappings.attr,
	&dev_attr_rings.attr,
	&dev_attr_boots.attr,
	&dev_attr_moved.attr,
	NULL,
};

/* Where the kernel's own pages lie is nobody's business. */
static umode_t physbuf_visible(struct kobject *kobj, struct attribute *attr,
			       int index)
{
	struct physbuf_region *region = to_region(kobj_to_dev(kobj));

	if (attr == &dev_attr_base.attr && region->kind == &physbuf_pages)
		return 0400;
	return attr->mode;
}

static const struct attribute_group physbuf_group = {
	.attrs = physbuf_attrs,
	.is_visible = physbuf_visible,
};

static ssize_t used_show(struct device *dev, struct device_attribute *attr,
			 char *buf)
{
	return sysfs_emit(buf, "%llu\n", physbuf_dma_used(to_region(dev)));
}
static DEVICE_ATTR_RO(used);

static struct attribute *physbuf_dma_attrs[] = {
	&dev_attr_used.attr,
	NULL,
};

static umode_t physbuf_dma_visible(struct kobject *kobj, struct attribute *attr,
				   int index)
{
	return to_region(kobj_to_dev(kobj))->pool ? attr->mode : 0;
}

static const struct attribute_group physbuf_dma_group = {
	.attrs = physbuf_dma_attrs,
	.is_visible = physbuf_dma_visible,
};

static ssize_t last_exit_show(struct device *dev, struct device_attribute *attr,
			      char *buf)
{
	return sysfs_emit(buf, "%s\n", physbuf_state_last_exit());
}
static DEVICE_ATTR_RO(last_exit);

static ssize_t last_cleaned_show(struct device *dev,
				 struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%llu\n", physbuf_state_last_cleaned());
}
static DEVICE_ATTR_RO(last_cleaned);

static ssize_t reset_cause_show(struct device *dev,
				struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", physbuf_state_reset_cause());
}
static DEVICE_ATTR_RO(reset_cause);

static struct attribute *physbuf_state_attrs[] = {
	&dev_attr_last_exit.attr,
	&dev_attr_last_cleaned.attr,
	&dev_attr_reset_cause.attr,
	NULL,
};

static umode_t physbuf_state_visible(struct kobject *kobj,
				     struct attribute *attr, int index)
{
	return to_region(kobj_to_dev(kobj))->is_state ? attr->mode : 0;
}

static const struct attribute_group physbuf_state_group = {
	.attrs = physbuf_state_attrs,
	.is_visible = physbuf_state_visible,
};

const struct attribute_group *physbuf_groups[] = {
	&physbuf_group,
	&physbuf_dma_group,
	&physbuf_state_group,
	NULL,
};
