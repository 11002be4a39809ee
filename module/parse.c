// SPDX-License-Identifier: GPL-2.0-only
/*
 * physbuf: the grammar of the module parameter,
 *
 *	name@place+size[,key=value...]
 *
 * where the place is an address or a word for the region's kind;
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

/**
 * physbuf_name_ok() - may a region be called so
 * @name: the name
 *
 * Return: true for a letter a to z, then up to 30 of a-z 0-9 _ -.
 */
bool physbuf_name_ok(const char *name)
{
	size_t len = strlen(name);

	if (!len || len >= PHYSBUF_NAME_LEN || name[0] < 'a' || name[0] > 'z')
		return false;
	return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") == len;
}

/**
 * physbuf_parse_cache() - the memory type for a word
 * @word: wb, wc, uc or device
 *
 * Return: PHYSBUF_CACHE_*, or 0 for any other word.
 */
u32 physbuf_parse_cache(const char *word)
{
	u32 cache;

	for (cache = PHYSBUF_CACHE_WB; cache <= PHYSBUF_CACHE_DEVICE; cache++)
		if (!strcmp(word, physbuf_cache_name(cache)))
			return cache;
	return 0;
}

/* DDDD:BB:DD.F:N */
static int __init physbuf_parse_bar(const char *text,
				    struct physbuf_spec *spec)
{
	unsigned int domain, bus, slot, function;
	int found, len = 0;

	found = sscanf(text, "%x:%x:%x.%x:%u%n", &domain, &bus, &slot,
		       &function, &spec->bar, &len);
	if (found != 5 || text[len] || domain > INT_MAX || bus > 0xff ||
	    slot > 0x1f || function > 7 || spec->bar >= PCI_STD_NUM_BARS) {
		pr_err("%s: \"%s\" is no PCI BAR; write the device as lspci -D does and the BAR's number, as in bar:0000:00:04.0:0\n",
		       spec->name, text);
		return -EINVAL;
	}
	spec->has_pci = true;
	spec->domain = domain;
	spec->bus = bus;
	spec->devfn = PCI_DEVFN(slot, function);
	return 0;
}

static int __init physbuf_parse_label(const char *label,
				      struct physbuf_spec *spec)
{
	if (!*label ||
	    strscpy(spec->label, label, sizeof(spec->label)) < 0) {
		pr_err("%s: reserve_mem:%s has no name, or one of more than %d characters\n",
		       spec->name, label, PHYSBUF_NAME_LEN - 1);
		return -EINVAL;
	}
	return 0;
}

/*
 * Where the region is: an address, or a word for its kind with what the kind
 * wants to know behind a colon.
 */
static int __init physbuf_parse_place(char *place, struct physbuf_spec *spec)
{
	char *detail;

	spec->kind = &physbuf_reserved;
	if (isdigit(*place))
		return physbuf_parse_number(spec->name, "base", place,
					    &spec->base);

	detail = strchr(place, ':');
	if (detail)
		*detail++ = '\0';

	if (!strcmp(place, "reserve_mem") && detail)
		return physbuf_parse_label(detail, spec);
	if (!strcmp(place, "bar") && detail) {
		spec->kind = &physbuf_regs;
		return physbuf_parse_bar(detail, spec);
	}
	if (!strcmp(place, "regs") && detail) {
		spec->kind = &physbuf_regs;
		return physbuf_parse_number(spec->name, "base", detail,
					    &spec->base);
	}
	if (!detail && !strcmp(place, "dma")) {
		spec->kind = &physbuf_dma;
		return 0;
	}
	if (!detail && !strcmp(place, "pages")) {
		spec->kind = &physbuf_pages;
		return 0;
	}
	if (!detail && !strcmp(place, "vmalloc")) {
		spec->kind = &physbuf_vmalloc;
		return 0;
	}
	pr_err("%s: \"%s\" is no place; write an address, reserve_mem:NAME, dma, pages, vmalloc, regs:ADDRESS or bar:PCI:N\n",
	       spec->name, place);
	return -EINVAL;
}

static bool physbuf_place_has_size(const struct physbuf_spec *spec)
{
	return *spec->label || (spec->kind == &physbuf_regs && spec->has_pci);
}

static int __init physbuf_parse_size(char *size, struct physbuf_spec *spec)
{
	phys_addr_t last;
	int err;

	if (!size) {
		if (physbuf_place_has_size(spec))
			return 0;
		pr_err("%s: it has no size; write it behind a +, for example %s@0x30000000+16M\n",
		       spec->name, spec->name);
		return -EINVAL;
	}
	err = physbuf_parse_number(spec->name, "size", size, &spec->size);
	if (err)
		return err;
	if (!spec->size) {
		pr_err("%s: size 0 holds nothing; give at least one page, %lu bytes\n",
		       spec->name, PAGE_SIZE);
		return -EINVAL;
	}
	if (check_add_overflow(spec->base, spec->size - 1, &last) ||
	    spec->size > min_t(u64, SIZE_MAX, LLONG_MAX)) {
		pr_err("%s: the base and %s together go beyond the last physical address; make it smaller\n",
		       spec->name, size);
		return -EINVAL;
	}
	return 0;
}

static int __init physbuf_parse_region(char *entry, struct physbuf_spec *spec)
{
	char *place = strchr(entry, '@');
	char *size;
	int err;

	*place++ = '\0';
	if (!physbuf_name_ok(entry)) {
		pr_err("\"%s\" is no name for a region; take a letter a to z, then up to 30 of a-z 0-9 _ -\n",
		       entry);
		return -EINVAL;
	}
	strscpy(spec->name, entry, sizeof(spec->name));

	size = strchr(place, '+');
	if (size)
		*size++ = '\0';
	err = physbuf_parse_place(place, spec);
	return err ? err : physbuf_parse_size(size, spec);
}

static int __init physbuf_parse_option(char *option, struct physbuf_spec *spec)
{
	char *value = strchr(option, '=');

	if (!*option) {
		pr_err("%s: there is a separator too many behind it; remove it\n",
		       spec->name);
		return -EINVAL;
	}
	if (value)
		*value++ = '\0';
	if (!value || !*value) {
		pr_err("%s: option \"%s\" is not key=value; write for example cache=wb\n",
		       spec->name, option);
		return -EINVAL;
	}
	if (!strcmp(option, "cache")) {
		spec->cache = physbuf_parse_cache(value);
		if (spec->cache)
			return 0;
		pr_err("%s: cache=%s is unknown; wb, wc, uc and device are known\n",
		       spec->name, value);
		return -EINVAL;
	}
	if (!strcmp(option, "role")) {
		spec->is_state = !strcmp(value, "state");
		if (spec->is_state)
			return 0;
		pr_err("%s: role=%s is unknown; only role=state is known\n",
		       spec->name, value);
		return -EINVAL;
	}
	/* How the range is kept free is the boot's business, not ours. */
	if (!strcmp(option, "method"))
		return 0;
	pr_err("%s: option %s=%s is unknown; cache=, role= and method= are known\n",
	       spec->name, option, value);
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

	err = physbuf_parse_region(entry, spec);
	while (separator == ',' && *cursor && physbuf_is_option(*cursor)) {
		separator = (*cursor)[strcspn(*cursor, ",;")];
		entry = strim(strsep(cursor, ",;"));
		if (!err)
			err = physbuf_parse_option(entry, spec);
	}
	return err;
}
