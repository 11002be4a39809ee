// SPDX-License-Identifier: MIT
/* The pattern that proves retention, and the digest of pages that compares it. */
#include <errno.h>
#include <string.h>

#include "../../log/crc32c.h"
#include "region.h"

/* Word @index of the pattern: output @index + 1 of SplitMix64, so that any word stands alone. */
static uint64_t word(uint64_t seed, uint64_t index)
{
	uint64_t z = seed + (index + 1) * 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static void store_le64(uint8_t *p, uint64_t value)
{
	for (int i = 0; i < 8; i++)
		p[i] = value >> (8 * i);
}

void physbuf_pattern(uint64_t seed, uint64_t offset, void *out, size_t length)
{
	uint8_t *p = out, bytes[8];

	while (length) {
		size_t skip = offset % 8;
		size_t part = 8 - skip < length ? 8 - skip : length;

		store_le64(bytes, word(seed, offset / 8));
		memcpy(p, bytes + skip, part);
		p += part;
		offset += part;
		length -= part;
	}
}

int physbuf_fill(struct physbuf_region *region, uint64_t seed)
{
	int err = region->data ? physbuf_lock(region) : -EOPNOTSUPP;

	if (err)
		return err;
	physbuf_pattern(seed, 0, region->data, region->size);
	physbuf_unlock(region);
	return 0;
}

size_t physbuf_pages(const struct physbuf_region *region)
{
	return region->data ? (region->size + PHYSBUF_PAGE - 1) / PHYSBUF_PAGE : 0;
}

void physbuf_page_crcs(const struct physbuf_region *region, uint8_t *out)
{
	const uint8_t *data = region->data;
	size_t pages = physbuf_pages(region);

	for (uint64_t at = 0; pages; pages--, at += PHYSBUF_PAGE, out += 4) {
		uint64_t rest = region->size - at;
		uint32_t crc =
			physbuf_crc32c(0, data + at, rest < PHYSBUF_PAGE ? rest : PHYSBUF_PAGE);

		for (int i = 0; i < 4; i++)
			out[i] = crc >> (8 * i);
	}
}

uint32_t physbuf_crc(uint32_t crc, const void *data, size_t length)
{
	return physbuf_crc32c(crc, data, length);
}
