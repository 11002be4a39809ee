// SPDX-License-Identifier: MIT
/* libphysbuf on a board's device, as somebody who is not root. argv[1]: a region, it is written. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "physbuf.h"

#define CHECK(what)                                                                        \
	do {                                                                               \
		if (!(what)) {                                                             \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #what); \
			exit(1);                                                           \
		}                                                                          \
	} while (0)

/* An address as it stands in the code that is ported. */
#define OLD ((volatile uint8_t *)0x12345678)

int main(int argc, char **argv)
{
	const size_t page = sysconf(_SC_PAGESIZE);
	const uintptr_t into = (uintptr_t)OLD % page;
	void *start = (void *)((uintptr_t)OLD - into), *data;
	struct physbuf_region *region, *reader;
	uint64_t rings, value;

	CHECK(argc == 2);
	CHECK(!physbuf_open(argv[1], PHYSBUF_WRITE, &region));
	CHECK(!physbuf_open(argv[1], PHYSBUF_READ, &reader));
	CHECK(!strcmp(physbuf_kind(region), "reserved"));

	CHECK(!physbuf_map_at(region, page, page, start, PHYSBUF_WRITE));
	*OLD = 0xa5;
	CHECK(((volatile uint8_t *)physbuf_data(reader))[page + into] == 0xa5);
	CHECK(physbuf_map_at(region, 0, page, start, PHYSBUF_WRITE) == -EEXIST);
	CHECK(*OLD == 0xa5 && !physbuf_unmap(start, page));
	CHECK(physbuf_map_at(region, physbuf_size(region), page, start, PHYSBUF_READ) == -ERANGE);
	CHECK(physbuf_map_at(reader, 0, page, start, PHYSBUF_WRITE) == -EBADF);

	CHECK(!physbuf_map(region, 3 * page, page, PHYSBUF_WRITE, &data));
	strcpy(data, "a part");
	CHECK(!strcmp((char *)physbuf_data(reader) + 3 * page, "a part"));
	CHECK(!physbuf_unmap(data, page));

	CHECK(!physbuf_poke(region, 8, 4, 0x12345678));
	CHECK(!physbuf_peek(reader, 8, 4, &value) && value == 0x12345678);

	CHECK(physbuf_wait(reader, 0, &rings) == -ETIMEDOUT);
	CHECK(!physbuf_ring(region) && !physbuf_ring(region));
	CHECK(!physbuf_wait(reader, -1, &rings) && rings == 2);
	CHECK(physbuf_wait(reader, 0, &rings) == -ETIMEDOUT);
	CHECK(physbuf_ring(reader) == -EBADF);

	CHECK(physbuf_clean(reader, 0, 1) == -EBADF);
	CHECK(physbuf_clean(region, physbuf_size(region), 1) == -ERANGE);

	physbuf_close(reader);
	physbuf_close(region);
	puts("ok");
	return 0;
}
