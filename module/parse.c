// SPDX-License-Identifier: GPL-2.0-only
/*
 * physbuf: the grammar of the module parameter,
 *
 *	name@base+size[,key=value...]
 *
 * regions are separated by ',' or ';'; an entry without '@' is an option of
 * the region before it.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/ctype.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/string.h>

#include "physbuf.h"

/*
 * memparse() would take "16X", "" and 2^64 without a word and read 010 as 8;
 * an address that is wrong by a typing slip must not pass.
 */
static int __init physbuf_parse_number(const char *name, const char *what,
				       char *s, phys_addr_t *value)
{
	size_t len = strlen(s);
	unsigned int shift = 0;
	u64 n, scaled;
	char suffix = len ? toupper(s[len - 1]) : '\0';
	int err;

	if (suffix == 'K')
		shift = 10;
	else if (suffix == 'M')
		shift = 20;
	else if (suffix == 'G')
		shift = 30;

	if (!isdigit(s[0]) || (s[0] == '0' && isdigit(s[1])))
		goto bad;
	if (shift)
		s[len - 1] = '\0';
	err = kstrtoull(s, 0, &n);
	if (shift)
		s[len - 1] = suffix;
	if (err && err != -ERANGE)
		goto bad;
	if (err || check_shl_overflow(n, shift, &scaled) ||
	    scaled != (phys_addr_t)scaled) {
		pr_err("%s: %s %s is larger than a physical address; make it smaller\n",
		       name, what, s);
		return -EINVAL;
	}
	if (!IS_ALIGNED(scaled, PAGE_SIZE)) {
		pr_err("%s: %s %s is not a multiple of the page size %lu; round it\n",
		       name, what, s, PAGE_SIZE);
		return -EINVAL;
	}
	*value = scaled;
	return 0;

bad:
	pr_err("%s: %s \"%s\" is not a number; write it decimal or 0x hexadecimal, with K, M or G behind it if you like\n",
	       name, what, s);
	return -EINVAL;
}

static bool __init physbuf_name_ok(const char *name)
{
	size_t len = strlen(name);

	if (!len || len >= PHYSBUF_NAME_LEN || name[0] < 'a' || name[0] > 'z')
		return false;
	return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") == len;
}

static int __init physbuf_parse_range(char *entry, struct physbuf_spec *spec)
{
	char *base = strchr(entry, '@');
	char *size;
	phys_addr_t last;
	int err;

	*base++ = '\0';
	if (!physbuf_name_ok(entry)) {
		pr_err("\"%s\" is no name for a region; take a letter a to z, then up to 30 of a-z 0-9 _ -\n",
		       entry);
		return -EINVAL;
	}
	strscpy(spec->name, entry, sizeof(spec->name));

	size = strchr(base, '+');
	if (!size) {
		pr_err("%s: \"%s\" has no size; write %s@base+size, for example %s@0x30000000+16M\n",
		       entry, base, entry, entry);
		return -EINVAL;
	}
	*size++ = '\0';

	err = physbuf_parse_number(entry, "base", base, &spec->base);
	if (err)
		return err;
	err = physbuf_parse_number(entry, "size", size, &spec->size);
	if (err)
		return err;
	if (!spec->size) {
		pr_err("%s: size 0 holds nothing; give at least one page, %lu bytes\n",
		       entry, PAGE_SIZE);
		return -EINVAL;
	}
	if (check_add_overflow(spec->base, spec->size - 1, &last) ||
	    spec->size > min_t(u64, SIZE_MAX, LLONG_MAX)) {
		pr_err("%s: %s+%s goes beyond the last physical address; make it smaller\n",
		       entry, base, size);
		return -EINVAL;
	}
	return 0;
}

static int __init physbuf_parse_option(const char *name, char *option,
				       struct physbuf_spec *spec)
{
	char *value = strchr(option, '=');

	if (!*option) {
		pr_err("%s: there is a separator too many behind it; remove it\n",
		       name);
		return -EINVAL;
	}
	if (value)
		*value++ = '\0';
	if (!value || !*value) {
		pr_err("%s: option \"%s\" is not key=value; write for example cache=wb\n",
		       name, option);
		return -EINVAL;
	}
	if (!strcmp(option, "cache")) {
		if (!strcmp(value, "wb")) {
			spec->cache = PHYSBUF_CACHE_WB;
			return 0;
		}
		pr_err("%s: cache=%s is not to be had; only cache=wb is\n",
		       name, value);
		return -EINVAL;
	}
	/* How the range is kept free is the boot's business, not ours. */
	if (!strcmp(option, "method"))
		return 0;
	pr_err("%s: option %s=%s is unknown; only cache=wb and method=... are known\n",
	       name, option, value);
	return -EINVAL;
}

/* An entry that belongs to the region before it: no '@' before any '='. */
static bool __init physbuf_is_option(const char *s)
{
	return s[strcspn(s, ",;@")] != '@';
}

/**
 * physbuf_parse() - take the next region off a list
 * @cursor: the rest of the list, moved behind the region and its options, NULL
 *	at the end; the text is written to
 * @spec: what was read
 *
 * A region with a fault is consumed whole, so that the next call finds the
 * next region.
 *
 * Return: 0, or -EINVAL after a message that names the fault.
 */
int __init physbuf_parse(char **cursor, struct physbuf_spec *spec)
{
	char *entry;
	char separator;
	int err;

	memset(spec, 0, sizeof(*spec));
	spec->cache = PHYSBUF_CACHE_WB;

	entry = *cursor;
	separator = entry[strcspn(entry, ",;")];
	strsep(cursor, ",;");
	entry = strim(entry);
	if (!*entry) {
		pr_err("regions= has a separator too many; remove it\n");
		return -EINVAL;
	}
	if (!strchr(entry, '@')) {
		pr_err("\"%s\" in regions= belongs to no region; write name@base+size, for example log@0x30000000+16M\n",
		       entry);
		return -EINVAL;
	}

	err = physbuf_parse_range(entry, spec);
	while (separator == ',' && *cursor && physbuf_is_option(*cursor)) {
		separator = (*cursor)[strcspn(*cursor, ",;")];
		entry = strim(strsep(cursor, ",;"));
		if (!err)
			err = physbuf_parse_option(spec->name, entry, spec);
	}
	return err;
}
