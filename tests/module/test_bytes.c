// SPDX-License-Identifier: MIT
/*
 * read, write and lseek, and what an open allows: the same for the kinds
 * reserved, pages and vmalloc. The content is put back at the end.
 *
 *	test_bytes NAME
 */
#include <limits.h>
#include <sys/uio.h>

#include "region.h"

#define MUCH (3UL * 512UL * 1024UL)

static const char *name;
static int fd;
static off_t end;
static size_t page;
static unsigned char *buffer;

static void test_lseek(void)
{
	gives(lseek(fd, 0, SEEK_END), end, "lseek to the end gives the size");
	gives(lseek(fd, end, SEEK_SET), end, "lseek to the size");
	gives(lseek(fd, -end, SEEK_END), 0, "lseek back from the end");
	gives(lseek(fd, 100, SEEK_SET), 100, "lseek to 100");
	gives(lseek(fd, 11, SEEK_CUR), 111, "lseek on by 11");
	refused(lseek(fd, end + 1, SEEK_SET), EINVAL, "lseek beyond the size is EINVAL");
	refused(lseek(fd, 1, SEEK_END), EINVAL, "lseek beyond the end is EINVAL");
	refused(lseek(fd, end, SEEK_CUR), EINVAL, "lseek on beyond the end is EINVAL");
	refused(lseek(fd, -1, SEEK_SET), EINVAL, "lseek before the start is EINVAL");
	refused(lseek(fd, LLONG_MAX, SEEK_SET), EINVAL, "lseek to 2^63 - 1 is EINVAL");
	refused2(lseek(fd, LLONG_MAX, SEEK_CUR), EINVAL, EOVERFLOW,
		 "lseek on by 2^63 - 1 is refused");
	refused(lseek(fd, 0, 99), EINVAL, "lseek of unknown whence is EINVAL");
	gives(lseek(fd, 0, SEEK_CUR), 111, "a refused lseek moves nothing");
}

static void test_read(void)
{
	struct iovec iov[2] = {
		{.iov_base = buffer, .iov_len = 7},
		{.iov_base = buffer + 7, .iov_len = 20},
	};

	fill(buffer, page, 1);
	gives(pwrite(fd, buffer, page, end - (off_t)page), (long long)page,
	      "pwrite of the last page");
	memset(buffer, 0, page);
	gives(pread(fd, buffer, page, end - 10), 10, "pread over the end is short");
	check(holds(buffer, 10, page - 10 + 1) && !buffer[10], "and gives the last bytes, no more");
	memset(buffer, 0, page);
	gives(pread(fd, buffer, 7, end - 13), 7, "pread of an odd number at an odd place");
	check(holds(buffer, 7, page - 13 + 1) && !buffer[7], "and gives just those bytes");
	gives(pread(fd, buffer, page, end), 0, "pread at the size is 0");
	refused(pread(fd, buffer, page, end + 1), EINVAL, "pread beyond the size is EINVAL");
	refused(pread(fd, buffer, 0, end + 1), EINVAL,
		"pread of nothing beyond the size is EINVAL");
	refused(pread(fd, buffer, 1, LLONG_MAX - 1), EINVAL, "pread near 2^63 is EINVAL");
	refused(pread(fd, buffer, 1, -1), EINVAL, "pread before the start is EINVAL");
	gives(pread(fd, buffer, 0, 0), 0, "pread of nothing is 0");
	refused(pread(fd, bad_pointer(), 10, 0), EFAULT, "pread to a bad pointer is EFAULT");
	gives(lseek(fd, end - 20, SEEK_SET), end - 20, "lseek near the end");
	gives(readv(fd, iov, 2), 20, "readv over the end is short");
	check(holds(buffer, 20, page - 20 + 1), "and gives the right bytes");
	gives(lseek(fd, 0, SEEK_CUR), end, "read moves the position");
	gives(read(fd, buffer, 10), 0, "read at the end is 0");
}

static void test_write(void)
{
	size_t much = end < (off_t)MUCH ? (size_t)end : MUCH;
	struct iovec iov[2] = {
		{.iov_base = buffer, .iov_len = 7},
		{.iov_base = buffer + 7, .iov_len = 20},
	};

	fill(buffer, page, 2);
	gives(pwrite(fd, buffer, page, end - 10), 10, "pwrite over the end is short");
	memset(buffer, 0, page);
	gives(pread(fd, buffer, 10, end - 10), 10, "pread of it");
	check(holds(buffer, 10, 2), "and it is there");
	fill(buffer, 5, 9);
	gives(pwrite(fd, buffer, 5, end - 8), 5, "pwrite of an odd number at an odd place");
	gives(pread(fd, buffer, 10, end - 10), 10, "pread of it and its neighbours");
	check(holds(buffer, 2, 2) && holds(buffer + 2, 5, 9) && holds(buffer + 7, 3, 2 + 7),
	      "and the neighbours are as they were");
	refused(pwrite(fd, buffer, 1, end), ENOSPC, "pwrite at the size is ENOSPC");
	gives(pwrite(fd, buffer, 0, end), 0, "pwrite of nothing at the size is 0");
	refused(pwrite(fd, buffer, 1, end + 1), EINVAL, "pwrite beyond the size is EINVAL");
	refused(pwrite(fd, buffer, 1, LLONG_MAX - 1), EINVAL, "pwrite near 2^63 is EINVAL");
	refused(pwrite(fd, buffer, 1, -1), EINVAL, "pwrite before the start is EINVAL");
	refused(pwrite(fd, bad_pointer(), 10, 0), EFAULT, "pwrite from a bad pointer is EFAULT");
	fill(buffer, 27, 3);
	gives(lseek(fd, end - 20, SEEK_SET), end - 20, "lseek near the end");
	gives(writev(fd, iov, 2), 20, "writev over the end is short");
	gives(lseek(fd, 0, SEEK_CUR), end, "write moves the position");
	refused(write(fd, buffer, 1), ENOSPC, "write at the end is ENOSPC");
	memset(buffer, 0, 20);
	gives(pread(fd, buffer, 20, end - 20), 20, "pread of it");
	check(holds(buffer, 20, 3), "and it is there");

	fill(buffer, much, 4);
	gives(pwrite(fd, buffer, much, 0), (long long)much, "pwrite of up to 1.5 MiB in one go");
	memset(buffer, 0, much);
	gives(pread(fd, buffer, much, 0), (long long)much, "pread of it in one go");
	check(holds(buffer, much, 4), "and it is all there");
}

static void test_rights(void)
{
	int ro = open_region(name, O_RDONLY);
	int wo = open_region(name, O_WRONLY);

	check(ro >= 0, "it opens to read only");
	check(wo >= 0, "it opens to write only");
	refused(pwrite(ro, buffer, 1, 0), EBADF, "pwrite after a read-only open is EBADF");
	refused(pread(wo, buffer, 1, 0), EBADF, "pread after a write-only open is EBADF");
	close(ro);
	close(wo);
}

int main(int argc, char **argv)
{
	unsigned char *content;

	if (argc != 2) {
		fprintf(stderr, "usage: test_bytes NAME\n");
		return 2;
	}
	name = argv[1];
	page = page_size();
	fd = must_open(name);
	end = lseek(fd, 0, SEEK_END);
	if (end <= 0)
		bail_out("lseek to the end");
	content = malloc((size_t)end);
	buffer = malloc((size_t)end);
	if (!content || !buffer || pread(fd, content, (size_t)end, 0) != end)
		bail_out("pread of the whole region");

	test_lseek();
	test_read();
	test_write();
	test_rights();

	gives(pwrite(fd, content, (size_t)end, 0), end, "the content is put back");
	gives(pread(fd, buffer, (size_t)end, 0), end, "and reads");
	check(!memcmp(content, buffer, (size_t)end), "and is the same as before");
	close(fd);
	return tap_end();
}
