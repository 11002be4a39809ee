// SPDX-License-Identifier: GPL-2.0-only
/*
 * physbuf: regions from the device tree, bindings/physbuf,region.yaml.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/device.h>
#include <linux/mod_devicetable.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/of_address.h>
#include <linux/platform_device.h>
#include <linux/string.h>

#include "physbuf.h"

static int physbuf_read_range(struct device *dev, struct physbuf_spec *spec)
{
	struct device_node *memory;
	struct resource range;
	int err;

	memory = of_parse_phandle(dev->of_node, "memory-region", 0);
	if (!memory) {
		dev_err(dev, "memory-region is missing; point it to a no-map node under /reserved-memory\n");
		return -EINVAL;
	}
	err = of_address_to_resource(memory, 0, &range);
	of_node_put(memory);
	if (err) {
		dev_err(dev, "the node of memory-region has no reg; give it a fixed address\n");
		return err;
	}
	spec->base = range.start;
	spec->size = resource_size(&range);
	if (!spec->size || !PAGE_ALIGNED(spec->base) || !PAGE_ALIGNED(spec->size)) {
		dev_err(dev, "%pR is not made of whole pages of %lu bytes; align it\n",
			&range, PAGE_SIZE);
		return -EINVAL;
	}
	return 0;
}

static int physbuf_read_name(struct device *dev, struct physbuf_spec *spec)
{
	char node[PHYSBUF_NAME_LEN];
	const char *name = node;

	snprintf(node, sizeof(node), "%pOFn", dev->of_node);
	of_property_read_string(dev->of_node, "label", &name);
	if (!physbuf_name_ok(name)) {
		dev_err(dev, "\"%s\" is no name for a region; set label to a letter a to z, then up to 30 of a-z 0-9 _ -\n",
			name);
		return -EINVAL;
	}
	strscpy(spec->name, name, sizeof(spec->name));
	return 0;
}

static int physbuf_read_options(struct device *dev, struct physbuf_spec *spec)
{
	const char *cache = NULL, *role = NULL;

	of_property_read_string(dev->of_node, "physbuf,cache", &cache);
	of_property_read_string(dev->of_node, "physbuf,role", &role);
	if (cache) {
		spec->cache = physbuf_parse_cache(cache);
		if (!spec->cache) {
			dev_err(dev, "physbuf,cache = \"%s\" is none of wb, wc, uc, device\n",
				cache);
			return -EINVAL;
		}
	}
	if (role && strcmp(role, "state")) {
		dev_err(dev, "physbuf,role = \"%s\" is unknown; only \"state\" is\n",
			role);
		return -EINVAL;
	}
	spec->is_state = role;
	return 0;
}

static void physbuf_unbind(void *region)
{
	physbuf_region_remove(region);
}

static int physbuf_probe(struct platform_device *pdev)
{
	struct physbuf_spec spec = {
		.kind = &physbuf_reserved,
		.from_tree = true,
	};
	struct device *dev = &pdev->dev;
	struct physbuf_region *region;
	int err;

	err = physbuf_read_name(dev, &spec);
	if (!err)
		err = physbuf_read_range(dev, &spec);
	if (!err)
		err = physbuf_read_options(dev, &spec);
	if (err)
		return err;

	region = physbuf_region_add(&spec, dev);
	if (IS_ERR(region))
		return PTR_ERR(region);
	return devm_add_action_or_reset(dev, physbuf_unbind, region);
}

static const struct of_device_id physbuf_of_match[] = {
	{ .compatible = "physbuf,region" },
	{ }
};
MODULE_DEVICE_TABLE(of, physbuf_of_match);

static struct platform_driver physbuf_driver = {
	.probe = physbuf_probe,
	.driver = {
		.name = "physbuf",
		.of_match_table = physbuf_of_match,
		.probe_type = PROBE_FORCE_SYNCHRONOUS,
	},
};

/**
 * physbuf_devicetree_init() - add the regions that the device tree has
 *
 * Return: 0, also when it has none; or an errno.
 */
int physbuf_devicetree_init(void)
{
	return platform_driver_register(&physbuf_driver);
}

/**
 * physbuf_devicetree_exit() - take them down
 */
void physbuf_devicetree_exit(void)
{
	platform_driver_unregister(&physbuf_driver);
}
