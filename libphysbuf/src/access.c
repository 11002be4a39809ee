// SPDX-License-Identifier: MIT
/* Single accesses of a region, of one width each. */
#include <errno.h>

#include "region.h"

static int check(const struct physbuf_region *region, uint64_t offset, unsigned int width)
{
	if (!region->data)
		return -EOPNOTSUPP;
	if ((width != 1 && width != 2 && width != 4 && width != 8) || offset % width)
		return -EINVAL;
	if (width > sizeof(long))
		return -EOPNOTSUPP;
	return physbuf_holds(region, offset, width) ? 0 : -ERANGE;
}

int physbuf_peek(const struct physbuf_region *region, uint64_t offset, unsigned int width,
		 uint64_t *value)
{
	int err = check(region, offset, width);
	const volatile void *at;

	if (err)
		return err;
	at = (const char *)region->data + offset;
	if (width == 1)
		*value = *(const volatile uint8_t *)at;
	else if (width == 2)
		*value = *(const volatile uint16_t *)at;
	else if (width == 4)
		*value = *(const volatile uint32_t *)at;
	else
		*value = *(const volatile uint64_t *)at;
	return 0;
}

int physbuf_poke(struct physbuf_region *region, uint64_t offset, unsigned int width, uint64_t value)
{
	int err = check(region, offset, width);
	volatile void *at;

	if (err)
		return err;
	if (!region->writable)
		return -EBADF;
	at = (char *)region->data + offset;
	if (width == 1)
		*(volatile uint8_t *)at = value;
	else if (width == 2)
		*(volatile uint16_t *)at = value;
	else if (width == 4)
		*(volatile uint32_t *)at = value;
	else
		*(volatile uint64_t *)at = value;
	return 0;
}
