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
		 "name@base+size[,key=value...], separated by , or ; for example log@0x30000000+16M");

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
 * One bad region does not take the good ones down. Loading fails, with the
 * first region's errno, only when none could be had.
 */
static int __init physbuf_add_regions(void)
{
	struct physbuf_spec spec;
	char *list, *cursor;
	int good = 0;
	int first = 0;

	list = kstrdup(regions, GFP_KERNEL);
	if (!list)
		return -ENOMEM;

	cursor = list;
	while (cursor) {
		int err = physbuf_parse(&cursor, &spec);

		if (!err)
			err = physbuf_region_add(&physbuf_reserved, &spec);
		if (!err)
			good++;
		else if (!first)
			first = err;
	}
	kfree(list);
	return good ? 0 : first;
}

static int __init physbuf_init(void)
{
	int err;

	if (!regions || !*strim(regions)) {
		pr_err("the parameter regions= is empty; say for example regions=log@0x30000000+16M\n");
		return -EINVAL;
	}

	err = class_register(&physbuf_class);
	if (err)
		return err;
	err = physbuf_regions_init();
	if (err)
		goto out_class;
	err = physbuf_add_regions();
	if (err)
		goto out_regions;
	return 0;

out_regions:
	physbuf_regions_exit();
out_class:
	class_unregister(&physbuf_class);
	return err;
}

static void __exit physbuf_exit(void)
{
	physbuf_regions_exit();
	class_unregister(&physbuf_class);
}

module_init(physbuf_init);
module_exit(physbuf_exit);

MODULE_DESCRIPTION("RAM that survives a reboot, as character devices");
MODULE_AUTHOR("The physbuf authors");
MODULE_LICENSE("GPL");
MODULE_VERSION(PHYSBUF_VERSION);
