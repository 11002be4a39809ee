// SPDX-License-Identifier: MIT
/*
 * RING, RINGS and poll: a producer wakes those who wait. For every kind that
 * opens for writing; nobody else may ring the region.
 *
 *	test_notify NAME
 */
#include <sys/epoll.h>

#include "region.h"

#define WAITERS 4

static const char *name;

static int ring(int fd)
{
	return ioctl(fd, PHYSBUF_IOC_RING);
}

/* What RINGS says, -1 when it is refused. */
static long long rings(int fd)
{
	__u64 count = 0x5a5a;

	return ioctl(fd, PHYSBUF_IOC_RINGS, &count) ? -1 : (long long)count;
}

static void test_one_file(void)
{
	int fd = must_open(name);

	equal(events_of(fd), POLLOUT | POLLWRNORM, "poll: writable, and nothing to read yet");
	gives(rings(fd), 0, "RINGS is 0 after open");
	gives(ring(fd), 0, "RING");
	equal(events_of(fd), POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM, "poll: rung");
	check(rung(fd), "poll: still so, until RINGS");
	gives(rings(fd), 1, "RINGS is 1");
	check(!rung(fd), "poll: nothing to read after RINGS");
	gives(rings(fd), 0, "RINGS is 0 again");
	ring(fd);
	ring(fd);
	ring(fd);
	gives(rings(fd), 3, "RINGS after three is 3");
	close(fd);
}

static void test_each_file_counts(void)
{
	int a = must_open(name);
	int b = must_open(name);
	int later;

	ring(a);
	later = must_open(name);
	check(rung(a) && rung(b), "every open file is rung");
	check(!rung(later), "but not one that was opened afterwards");
	gives(rings(a), 1, "RINGS of one");
	check(rung(b), "leaves the other rung");
	ring(later);
	gives(rings(b), 2, "RINGS of the other counts both");
	gives(rings(later), 1, "RINGS of the late one counts its own");
	close(a);
	close(b);
	close(later);
}

static void test_refusals(void)
{
	int fd = must_open(name);
	int ro = open_region(name, O_RDONLY);

	refused(ring(ro), EBADF, "RING after a read-only open is EBADF");
	check(!rung(fd), "and rings nothing");
	ring(fd);
	check(rung(ro), "a read-only open is rung as well");
	refused(ioctl(ro, PHYSBUF_IOC_RINGS, bad_pointer()), EFAULT,
		"RINGS to a bad pointer is EFAULT");
	gives(rings(ro), 1, "RINGS after it has lost nothing");
	refused(ioctl(fd, _IOR(PHYSBUF_IOC_MAGIC, 3, __u32), bad_pointer()), ENOTTY,
		"RINGS of a wrong size is ENOTTY");
	close(fd);
	close(ro);
}

static void test_totals(void)
{
	int fd = must_open(name);
	long long before = attribute_number(name, "rings");

	check(before >= 0, "sysfs: rings is a number");
	ring(fd);
	ring(fd);
	equal(attribute_number(name, "rings"), before + 2, "sysfs: rings grows with each");
	equal((long long)info_of(fd).rings, before + 2, "INFO: rings is sysfs'");
	close(fd);
}

static void test_epoll(void)
{
	struct epoll_event event = {.events = EPOLLIN};
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	int fd = must_open(name);

	gives(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), 0, "epoll takes it");
	gives(epoll_wait(epoll, &event, 1, 0), 0, "epoll: nothing yet");
	ring(fd);
	gives(epoll_wait(epoll, &event, 1, PATIENCE_MS), 1, "epoll: rung");
	close(epoll);
	close(fd);
}

static pid_t waiter(int fd)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		struct pollfd poller = {.fd = fd, .events = POLLIN};

		_exit(poll(&poller, 1, PATIENCE_MS) == 1 && poller.revents == POLLIN ? 0 : 1);
	}
	return pid;
}

static void test_waiters(void)
{
	int files[WAITERS];
	pid_t pids[WAITERS];
	int producer = must_open(name);
	int woken = 0;

	for (int i = 0; i < WAITERS; i++) {
		files[i] = must_open(name);
		pids[i] = waiter(files[i]);
	}
	for (int i = 0; i < WAITERS; i++)
		await_state(pids[i], 'S');
	gives(ring(producer), 0, "RING while processes wait in poll");
	for (int i = 0; i < WAITERS; i++) {
		woken += ended_well(pids[i]);
		close(files[i]);
	}
	equal(woken, WAITERS, "every waiter is woken");
	close(producer);
}

/* fork() shares the open file, and so what it has been told. */
static void test_fork(void)
{
	int fd = must_open(name);
	pid_t pid;

	pid = waiter(fd);
	await_state(pid, 'S');
	ring(fd);
	check(ended_well(pid), "a child that waits on its parent's file is woken");

	pid = fork();
	if (!pid)
		_exit(rings(fd) == 1 ? 0 : 1);
	check(ended_well(pid), "RINGS in the child counts what the parent rang");
	check(!rung(fd), "and the parent's file, the same, has been told");

	pid = fork();
	if (!pid)
		_exit(ring(fd) ? 1 : 0);
	check(ended_well(pid) && rung(fd), "a child rings its parent");
	close(fd);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: test_notify NAME\n");
		return 2;
	}
	name = argv[1];
	test_one_file();
	test_each_file_counts();
	test_refusals();
	test_totals();
	test_epoll();
	test_waiters();
	test_fork();
	return tap_end();
}
