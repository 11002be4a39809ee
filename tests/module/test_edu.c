// SPDX-License-Identifier: MIT
/*
 * A real device does DMA to a buffer and from it: QEMU's "edu", by the sample
 * driver physbuf_edu. Run by root; nobody else may use the region.
 *
 *	test_edu NAME
 */
#include <signal.h>

#include "../../module/samples/physbuf_edu.h"
#include "region.h"

static const char *name;
static int edu;
static size_t page;

static int transfer(int fd, uint32_t flags, uint64_t address, uint64_t offset, uint64_t length)
{
	struct physbuf_edu_transfer order = {
		.fd = fd,
		.flags = flags,
		.address = address,
		.offset = offset,
		.length = length,
	};

	return ioctl(edu, PHYSBUF_EDU_TRANSFER, &order);
}

static int to_device(int fd, uint64_t address, uint64_t length)
{
	return transfer(fd, 0, address, 0, length);
}

static int to_memory(int fd, uint64_t address, uint64_t length)
{
	return transfer(fd, PHYSBUF_EDU_TO_MEMORY, address, 0, length);
}

static struct physbuf_dma_alloc alloc_ok(int fd, uint64_t length)
{
	struct physbuf_dma_alloc buffer = {.length = length};

	gives(ioctl(fd, PHYSBUF_IOC_DMA_ALLOC, &buffer), 0, "ALLOC");
	return buffer;
}

static void release(int fd, uint64_t offset)
{
	struct physbuf_dma_free buffer = {.offset = offset};

	gives(ioctl(fd, PHYSBUF_IOC_DMA_FREE, &buffer), 0, "FREE");
}

static void test_both_directions(void)
{
	int fd = must_open(name);
	struct physbuf_dma_alloc a = alloc_ok(fd, page);
	struct physbuf_dma_alloc b = alloc_ok(fd, page);
	volatile unsigned char *from = map_ok(fd, page, RW, (off_t)a.offset, "mmap of one buffer");
	volatile unsigned char *to = map_ok(fd, page, RW, (off_t)b.offset, "mmap of another");

	fill(from, page, 42);
	gives(to_device(fd, a.address, 3000), 0, "the device reads 3000 bytes of one buffer");
	gives(to_memory(fd, b.address + 100, 3000), 0, "and writes them to the other, at 100");
	check(holds(to + 100, 3000, 42), "where user space sees them");
	check(zero(to, 100) && zero(to + 3100, page - 3100), "and the rest is as it was");
	gives(transfer(fd, PHYSBUF_EDU_TO_MEMORY, b.address, 1000, 50), 0,
	      "the device writes from the middle of its own buffer");
	check(holds(to, 50, 42 + 1000), "and these are the right bytes");
	fill(from, page, 43);
	gives(to_device(fd, a.address + 1, PHYSBUF_EDU_SIZE), 0,
	      "the device reads all that it can hold");
	gives(to_memory(fd, b.address + 1, PHYSBUF_EDU_SIZE), 0, "and writes all of it");
	check(holds(to + 1, PHYSBUF_EDU_SIZE, 44), "up to the last byte of the buffer");
	unmap(from, page);
	unmap(to, page);
	close(fd);
}

/* Nothing of these may reach memory: the neighbours are watched. */
static void test_refusals(void)
{
	int fd = must_open(name);
	int second = must_open(name);
	int ro = open_region(name, O_RDONLY);
	struct physbuf_dma_alloc a = alloc_ok(fd, 2 * page);
	volatile unsigned char *map = map_ok(fd, 2 * page, RW, (off_t)a.offset, "mmap of a buffer");
	struct physbuf_dma_alloc gone;

	fill(map, page, 7);
	gives(to_device(fd, a.address, 1000), 0, "the device holds something");
	fill(map, 2 * page, 9);

	refused(to_memory(fd, a.address + 2 * page - 10, 11), ERANGE,
		"over a buffer's end: ERANGE");
	refused(to_memory(fd, a.address - 1, 11), ERANGE, "from before it: ERANGE");
	refused(to_memory(fd, a.address + 2 * page, 1), ERANGE, "behind it: ERANGE");
	refused(to_memory(fd, 0x100000, 100), ERANGE, "to the kernel's memory: ERANGE");
	refused(to_memory(fd, UINT64_MAX - 10, 100), ERANGE, "over 2^64: ERANGE");
	refused(to_memory(fd, a.address + (1ULL << 32), 100), ERANGE, "4 GiB further: ERANGE");
	refused(to_memory(second, a.address, 100), ERANGE, "by another file: ERANGE");
	refused(to_memory(ro, a.address, 100), EBADF, "by a read-only file: EBADF");
	refused(to_memory(edu, a.address, 100), EBADF, "by a file that is no region's: EBADF");
	refused(to_memory(-1, a.address, 100), EBADF, "by no file: EBADF");
	gone = alloc_ok(fd, page);
	release(fd, gone.offset);
	refused(to_memory(fd, gone.address, 100), ERANGE, "after FREE: ERANGE");

	refused(to_memory(fd, a.address, 0), EINVAL, "nothing: EINVAL");
	refused(to_memory(fd, a.address, 4096), EINVAL, "more than the device can: EINVAL");
	refused(transfer(fd, PHYSBUF_EDU_TO_MEMORY, a.address, 4000, 96), EINVAL,
		"over the end of the device's buffer: EINVAL");
	refused(transfer(fd, PHYSBUF_EDU_TO_MEMORY, a.address, UINT64_MAX, 2), EINVAL,
		"far outside of it: EINVAL");
	refused(transfer(fd, 2, a.address, 0, 100), EINVAL, "unknown flags: EINVAL");
	refused(ioctl(edu, PHYSBUF_EDU_TRANSFER, bad_pointer()), EFAULT, "a bad pointer: EFAULT");
	refused(ioctl(edu, PHYSBUF_IOC_RING), ENOTTY, "another command: ENOTTY");
	check(holds(map, 2 * page, 9), "no byte of memory has changed");
	unmap(map, 2 * page);
	close(ro);
	close(second);
	close(fd);
}

/* What may end while the device is at it: the buffer, its file, the process. */
static void test_memory_stays_during_a_transfer(void)
{
	int fd = must_open(name);
	struct physbuf_dma_alloc a = alloc_ok(fd, page);
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid)
		_exit(to_memory(fd, a.address, 1000) ? 1 : 0);
	await_state(pid, 'D');
	release(fd, a.offset);
	close(fd);
	check(ended_well(pid), "a transfer ends well although FREE and close overtake it");
	attribute_is(name, "used", "0");

	fd = must_open(name);
	a = alloc_ok(fd, page);
	pid = fork();
	if (!pid)
		_exit(to_memory(fd, a.address, 1000) ? 1 : 0);
	close(fd);
	await_state(pid, 'D');
	kill(pid, SIGKILL);
	check(waitpid(pid, NULL, 0) == pid, "a process that is killed in a transfer ends");
	attribute_is(name, "used", "0");
}

static void test_rings(void)
{
	int fd = must_open(name);
	struct physbuf_dma_alloc a = alloc_ok(fd, page);
	struct pollfd poller = {.fd = fd, .events = POLLIN};
	__u64 rings = 0;
	pid_t pid;

	check(!rung(fd), "nothing has rung yet");
	fflush(stdout);
	pid = fork();
	if (!pid)
		_exit(to_memory(fd, a.address, 1000) ? 1 : 0);
	gives(poll(&poller, 1, PATIENCE_MS), 1, "poll returns when the transfer is done");
	equal(poller.revents, POLLIN, "poll: rung");
	check(ended_well(pid), "the transfer was done");
	ioctl(fd, PHYSBUF_IOC_RINGS, &rings);
	equal((long long)rings, 1, "RINGS: once");
	refused(to_memory(fd, a.address, 0), EINVAL, "a refused transfer");
	check(!rung(fd), "does not ring");
	close(fd);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: test_edu NAME\n");
		return 2;
	}
	name = argv[1];
	page = page_size();
	edu = open("/dev/physbuf_edu", O_RDWR | O_CLOEXEC);
	if (edu < 0)
		bail_out("/dev/physbuf_edu");
	test_both_directions();
	test_refusals();
	test_memory_stays_during_a_transfer();
	test_rings();
	close(edu);
	return tap_end();
}
