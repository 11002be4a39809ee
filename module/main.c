// SPDX-License-Identifier: GPL-2.0-only
/*
 * physbuf: RAM that survives a reboot. The module's beginning and end.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "compat.h"
#include "physbuf.h"

#ifndef PHYSBUF_VERSION
#define PHYSBUF_VERSION "0.1.0"
#endif

static char *regions;
module_param(regions, charp, 0444);
MODULE_PARM_DESC(regions,
		 "name@place+size[,key=value...], separated by , or ; for example log@0x30000000+16M;big@vmalloc+64M");

static char *physbuf_devnode(PHYSBUF_DEVNODE_CONST struct device *dev,
			     umode_t *mode)
{
	if (mode)
		*mode = 0660;
	return kasprintf(GFP_KERNEL, "physbuf/%s", dev_name(dev));
}

struct class physbuf_class = {
	.name = "physbuf",
	.devnode = physbuf_devnode,
	.dev_groups = physbuf_groups,
};

/*
 * One bad region does not take the good ones down; the errno is that of the
 * first bad one.
 */
static int __init physbuf_add_regions(void)
{
	struct physbuf_region *region;
	struct physbuf_spec spec;
	char *list, *cursor;
	int first = 0;
	int err;

	if (!regions || !*strim(regions))
		return 0;
	list = kstrdup(regions, GFP_KERNEL);
	if (!list)
		return -ENOMEM;

	cursor = list;
	while (cursor) {
		err = physbuf_parse(&cursor, &spec);
		if (!err) {
			region = physbuf_region_add(&spec, NULL);
			err = PTR_ERR_OR_ZERO(region);
		}
		if (!first)
			first = err;
	}
	kfree(list);
	return first;
}

/*
 * Loading fails when there is no region at all: that is always a mistake. What
 * is built in stays, for the nodes that a device tree may get later.
 */
static int __init physbuf_have_regions(int err)
{
	if (!list_empty(&physbuf_list) || IS_BUILTIN(CONFIG_PHYSBUF))
		return 0;
	if (!err) {
		pr_err("the parameter regions= is empty, and the device tree has no region; say for example regions=log@0x30000000+16M\n");
		err = -EINVAL;
	}
	return err;
}

static int __init physbuf_init(void)
{
	int err;

	err = class_register(&physbuf_class);
	if (err)
		return err;
	err = physbuf_regions_init();
	if (err)
		goto out_class;
	err = physbuf_clean_init();
	if (err)
		goto out_regions;
	err = physbuf_devicetree_init();
	if (err)
		goto out_clean;
	/* From the first region on, programs may be in here. */
	err = physbuf_have_regions(physbuf_add_regions());
	if (err)
		goto out_devicetree;
	return 0;

out_devicetree:
	physbuf_devicetree_exit();
out_clean:
	physbuf_clean_exit();
out_regions:
	physbuf_regions_exit();
out_class:
	class_unregister(&physbuf_class);
	return err;
}

static void __exit physbuf_exit(void)
{
	physbuf_devicetree_exit();
	physbuf_regions_exit();
	physbuf_clean_exit();
	class_unregister(&physbuf_class);
}

module_init(physbuf_init);
module_exit(physbuf_exit);

MODULE_DESCRIPTION("RAM that survives a reboot, as character devices");
MODULE_AUTHOR("The physbuf authors");
MODULE_LICENSE("GPL");
MODULE_VERSION(PHYSBUF_VERSION);
