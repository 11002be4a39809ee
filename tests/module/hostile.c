// SPDX-License-Identifier: MIT
/*
 * Hostile use: random calls with random arguments to the regions named. Every
 * call has to succeed or to be refused with an errno of its list below.
 *
 *	hostile SEED CALLS NAME...
 *
 * In three phases: alone, where the same seed makes the same calls with the same
 * results (the digest says so); racing, four threads on the same files and
 * mappings; storm, processes that fork and are killed while threads race.
 * Prints TAP and how often each call succeeded and was refused. The content of
 * the regions is lost.
 */
#include <linux/dma-buf.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "region.h"

#define MAX_REGIONS   8
#define FILES_EACH    4
#define FILES	      ((MAX_REGIONS + 1) * FILES_EACH) /* the last are dma-bufs */
#define WINDOWS	      16
#define WINDOW	      (64UL * 1024UL)
#define LARGEST	      (256UL * 1024UL) /* region */
#define ERRNOS	      12
#define ADDRESSES     8
#define THREADS	      4
#define STORM_THREADS 2
#define STORM_CALLS   150 /* that a child makes, unless it is killed */

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif

/* What threads and processes share. */
struct shared {
	atomic_long tickets; /* calls still to be made in this phase */
	atomic_long faults;  /* refusals that are not in the list */
	atomic_long done[32];
	atomic_long refused[32];
};

static struct shared *shared;
static const char *names[MAX_REGIONS];
static unsigned int regions;
static unsigned int dma_region;
static size_t page;
static bool repeatable;

/* Files are taken out by exchange, so that none is closed twice. */
static _Atomic int files[FILES];
static unsigned char *arena;	/* WINDOWS windows to map in, and a guard behind them */
static unsigned char *buffer;	/* LARGEST bytes to read to, and a guard behind them */
static unsigned char *constant; /* a page that can only be read */
static _Atomic uint64_t addresses[ADDRESSES]; /* of DMA buffers, live or not */

static _Thread_local uint64_t state;
static _Thread_local uint64_t digest;
static _Thread_local sigjmp_buf *landing;

/* splitmix64 */
static uint64_t draw(void)
{
	uint64_t z = (state += 0x9e3779b97f4a7c15ULL);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

static unsigned int below(unsigned int n)
{
	return (unsigned int)(draw() >> 32) % n;
}

static bool one_in(unsigned int n)
{
	return !below(n);
}

static uint64_t any_of(const uint64_t *values, size_t n)
{
	return values[below((unsigned int)n)];
}

#define ANY_OF(...)                             \
	any_of((const uint64_t[]){__VA_ARGS__}, \
	       sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t))

/* A number near a border, or anything. */
static uint64_t number(void)
{
	uint64_t border = ANY_OF(0, 0, page, page * 3, LARGEST / 4, LARGEST, 1ULL << 31, 1ULL << 32,
				 2ULL << 32, 1ULL << 44, 1ULL << 63, 0);

	if (one_in(16))
		return draw();
	if (one_in(3))
		border += ANY_OF(1, 2, 4, 8, 100, page);
	else if (one_in(3))
		border -= ANY_OF(1, 2, 4, 8, 100, page);
	return border;
}

/* Most in the region, on a page; the others anywhere. */
static uint64_t offset(void)
{
	return one_in(3) ? number() : below(LARGEST / 4096 + 2) * page;
}

/* Most short, so that a million calls do not take hours. */
static uint64_t length(void)
{
	return one_in(4) ? number() : below(one_in(8) ? 20000 : 300);
}

static void *address(uint64_t at)
{
	return (void *)(uintptr_t)at;
}

static unsigned char *window(void)
{
	return arena + below(WINDOWS) * WINDOW;
}

/* For the kernel to read and write: most good; none leads into this program. */
static void *pointer(void)
{
	switch (below(14)) {
	case 0:
		return NULL;
	case 1:
		return bad_pointer();
	case 2:
		return address((uint64_t)-4096);
	case 3:
		return address(sizeof(void *) == 8 ? 0xffff888000000000ULL : 0xc0000000ULL);
	case 4:
		return constant;
	case 5:
		return buffer + LARGEST - 16; /* into the guard */
	case 6:
		return buffer + 3;
	case 7:
		return window();
	default:
		return buffer;
	}
}

/*
 * For an ioctl that reads its argument: the content, or what lies anywhere else.
 * Where calls must have the same results each time, not what lies in memory.
 */
static void *argument(void *content)
{
	unsigned char *at = pointer();
	bool readable = (at >= buffer && at < buffer + LARGEST) ||
			(at >= arena && at < arena + WINDOWS * WINDOW);

	return at == buffer || (repeatable && readable) ? content : at;
}

/* A place for a file of a region. */
static unsigned int place(unsigned int region)
{
	return region * FILES_EACH + below(FILES_EACH);
}

static int file(void)
{
	return files[place(below(regions + 1))];
}

/* Most of a kind that a call is for. */
static int file_of(unsigned int region)
{
	return one_in(4) ? file() : files[place(region)];
}

static void keep(unsigned int region, int fd)
{
	int before = atomic_exchange(&files[place(region)], fd);

	if (before >= 0)
		close(before);
}

static long do_open(void)
{
	int flags = (int)ANY_OF(O_RDWR, O_RDWR, O_RDWR, O_RDONLY, O_WRONLY);
	unsigned int region = below(regions);
	int fd;

	if (one_in(4))
		flags |= (int)ANY_OF(O_SYNC, O_DSYNC, O_NONBLOCK, O_APPEND, O_TRUNC, O_DIRECT,
				     O_DIRECTORY, O_NOFOLLOW, O_PATH, O_ASYNC);
	fd = open_region(names[region], flags);
	if (fd >= 0)
		keep(region, fd);
	return fd < 0 ? -1 : 0;
}

static long do_close(void)
{
	return close(atomic_exchange(&files[place(below(regions + 1))], -1));
}

static long do_read(void)
{
	struct iovec iov[2];

	switch (below(3)) {
	case 0:
		return read(file(), pointer(), (size_t)length());
	case 1:
		return pread(file(), pointer(), (size_t)length(), (off_t)offset());
	default:
		iov[0] = (struct iovec){.iov_base = buffer, .iov_len = below(100)};
		iov[1] = (struct iovec){.iov_base = pointer(), .iov_len = (size_t)length()};
		return preadv(file(), iov, 2, (off_t)offset());
	}
}

static long do_write(void)
{
	struct iovec iov[2];

	switch (below(3)) {
	case 0:
		return write(file(), pointer(), (size_t)length());
	case 1:
		return pwrite(file(), pointer(), (size_t)length(), (off_t)offset());
	default:
		iov[0] = (struct iovec){.iov_base = buffer, .iov_len = below(100)};
		iov[1] = (struct iovec){.iov_base = pointer(), .iov_len = (size_t)length()};
		return pwritev(file(), iov, 2, (off_t)offset());
	}
}

static long do_lseek(void)
{
	return lseek(file(), (off_t)number(), (int)ANY_OF(SEEK_SET, SEEK_CUR, SEEK_END, 3, 99)) < 0
		       ? -1
		       : 0;
}

static int protection(void)
{
	return (int)ANY_OF(PROT_READ, RW, RW, RW, RW, PROT_WRITE, PROT_NONE, RW | PROT_EXEC,
			   PROT_READ | PROT_EXEC);
}

/* Where a DMA buffer may be. */
static uint64_t buffer_offset(void)
{
	return one_in(4) ? number() : (uint64_t)(1 + below(6)) << 32;
}

/* At a window, over what is there; or of any length, wherever the kernel likes. */
static long do_mmap(void)
{
	int flags = one_in(8) ? MAP_PRIVATE : MAP_SHARED;
	int prot = protection();
	bool buffers = one_in(3);
	int fd = buffers ? file_of(dma_region) : file();
	off_t at = (off_t)(buffers ? buffer_offset() + below(3) * page : offset());
	size_t many = (1 + below(WINDOW / 4096)) * 4096UL;
	void *map;

	if (!one_in(6))
		return mmap(window(), many, prot, flags | MAP_FIXED, fd, at) == MAP_FAILED ? -1 : 0;
	many = (size_t)number();
	if (one_in(4))
		flags |= (int)ANY_OF(MAP_POPULATE, MAP_NORESERVE, MAP_HUGETLB, MAP_GROWSDOWN,
				     MAP_NONBLOCK);
	map = mmap(NULL, many, prot, flags, fd, at);
	if (map == MAP_FAILED)
		return -1;
	munmap(map, many);
	return 0;
}

static long do_munmap(void)
{
	unsigned char *at = window() + below(4) * page;
	size_t many = (size_t)ANY_OF(page, page, 2 * page, 0, 1, WINDOW / 2);

	if (one_in(8))
		at++;
	return munmap(at, many);
}

/* Within the arena: what is moved lands in another window. */
static long do_mremap(void)
{
	size_t from = (size_t)ANY_OF(page, 2 * page, WINDOW / 2, 0);
	size_t to = (size_t)ANY_OF(page, 2 * page, WINDOW / 2, 0);
	unsigned char *at = window();
	int flags = MREMAP_MAYMOVE | MREMAP_FIXED;

	if (one_in(4))
		return mremap(at, from, to, 0) == MAP_FAILED ? -1 : 0;
	if (one_in(8)) {
		flags |= MREMAP_DONTUNMAP;
		to = from;
	}
	return mremap(at, from, to, flags, window()) == MAP_FAILED ? -1 : 0;
}

static long do_mprotect(void)
{
	return mprotect(window() + below(2) * page, one_in(4) ? WINDOW : page, protection());
}

static long do_madvise(void)
{
	int advice = (int)ANY_OF(MADV_NORMAL, MADV_DONTNEED, MADV_WILLNEED, MADV_FREE, MADV_REMOVE,
				 MADV_DONTFORK, MADV_DOFORK, MADV_DONTDUMP, MADV_DODUMP,
				 MADV_HUGEPAGE, MADV_MERGEABLE, MADV_COLD, MADV_PAGEOUT,
				 MADV_HWPOISON, 4711);

	return madvise(window(), page, advice);
}

static long do_sync(void)
{
	switch (below(5)) {
	case 0:
		return fsync(file());
	case 1:
		return fdatasync(file());
	case 2:
		return msync(window(), page, (int)ANY_OF(MS_SYNC, MS_ASYNC, MS_INVALIDATE));
	case 3:
		return mlock(window(), page);
	default:
		return munlock(window(), page);
	}
}

/* Not every file is good for it, and none may get longer or shorter. */
static long do_other(void)
{
	switch (below(4)) {
	case 0:
		return ftruncate(file(), (off_t)number());
	case 1:
		return fallocate(file(), 0, 0, (off_t)page);
	case 2:
		return fcntl(file(), F_SETFL,
			     (int)ANY_OF(0, O_APPEND, O_NONBLOCK, O_DIRECT, O_SYNC));
	default:
		return syscall(SYS_delete_module, "physbuf", O_NONBLOCK);
	}
}

/* Loads and stores: of what another thread unmaps, they are a signal. */
static long do_touch(void)
{
	volatile unsigned char *at = window() + below(WINDOW);
	sigjmp_buf here;

	landing = &here;
	if (!sigsetjmp(here, 1)) {
		if (one_in(2))
			(void)*at;
		else
			*at = 0xa5;
	}
	landing = NULL;
	return 0;
}

static void landed(int signal)
{
	if (!landing)
		_exit(128 + signal);
	siglongjmp(*landing, 1);
}

static long do_poll(void)
{
	struct pollfd poller = {.fd = file(), .events = (short)number()};

	return poll(&poller, 1, 0);
}

static long do_info(void)
{
	unsigned int size = (unsigned int)ANY_OF(sizeof(struct physbuf_info), 0, 8, 127, 129, 4096,
						 (1 << _IOC_SIZEBITS) - 1);

	return ioctl(file(), _IOC(_IOC_READ, PHYSBUF_IOC_MAGIC, 0, size), pointer());
}

static long do_clean(void)
{
	struct physbuf_clean range = {.offset = offset(), .length = length()};

	return ioctl(file(), PHYSBUF_IOC_CLEAN, argument(&range));
}

static long do_ring(void)
{
	if (one_in(2))
		return ioctl(file(), PHYSBUF_IOC_RING, pointer());
	return ioctl(file(), PHYSBUF_IOC_RINGS, pointer());
}

static long do_alloc(void)
{
	struct physbuf_dma_alloc alloc = {
		.length = one_in(3) ? number() : below(4) * page,
		.flags = one_in(8) ? number() : 0,
	};
	unsigned int which = below(ADDRESSES);
	int got = ioctl(file_of(dma_region), PHYSBUF_IOC_DMA_ALLOC, argument(&alloc));

	if (!got && alloc.offset)
		addresses[which] = alloc.address;
	return got;
}

static long do_free(void)
{
	struct physbuf_dma_free old = {.offset = buffer_offset()};

	return ioctl(file_of(dma_region), PHYSBUF_IOC_DMA_FREE, argument(&old));
}

static long do_check(void)
{
	struct physbuf_dma_check transfer = {
		.address = one_in(2) ? addresses[below(ADDRESSES)] + below(3) * page : number(),
		.length = length(),
	};

	return ioctl(file_of(dma_region), PHYSBUF_IOC_DMA_CHECK, argument(&transfer));
}

static long do_export(void)
{
	struct physbuf_dma_export wish = {
		.offset = buffer_offset(),
		.flags = (uint32_t)ANY_OF(O_RDWR, O_RDWR | O_CLOEXEC, O_RDONLY, O_WRONLY, 3,
					  O_NONBLOCK, 1U << 31),
		.fd = -1,
	};
	int got = ioctl(file_of(dma_region), PHYSBUF_IOC_DMA_EXPORT, argument(&wish));

	if (!got && wish.fd >= 0)
		keep(regions, wish.fd);
	return got;
}

static long do_dma_buf(void)
{
	struct dma_buf_sync sync = {
		.flags = ANY_OF(DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW,
				DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ, draw()),
	};

	return ioctl(file_of(regions), DMA_BUF_IOCTL_SYNC, argument(&sync));
}

/* No known command has so many bytes. */
static long do_unknown(void)
{
	unsigned int size = below(8192) + 8192;
	unsigned int command = _IOC(below(4), PHYSBUF_IOC_MAGIC, 1 + below(255), size);

	if (one_in(4))
		command = _IOC(_IOC_WRITE, PHYSBUF_IOC_MAGIC, 0, sizeof(struct physbuf_info));
	else if (one_in(8))
		command = 0x5401; /* a terminal's TCGETS */
	return ioctl(file(), command, pointer());
}

static const struct call {
	const char *name;
	long (*make)(void);
	unsigned int share; /* of all calls, in percent */
	int errnos[ERRNOS]; /* with which it may be refused */
} calls[] = {
	{"open", do_open, 10, {EPERM, EINVAL, ENOTDIR, EMFILE}},
	{"close", do_close, 2, {EBADF}},
	{"read", do_read, 7, {EBADF, EINVAL, EFAULT, ESPIPE}},
	{"write", do_write, 7, {EBADF, EINVAL, EFAULT, ESPIPE, ENOSPC}},
	{"lseek", do_lseek, 5, {EBADF, EINVAL, ESPIPE, EOVERFLOW}},
	{"mmap", do_mmap, 12, {EBADF, EINVAL, EACCES, EPERM, EBUSY, EOVERFLOW, ENOMEM}},
	{"munmap", do_munmap, 5, {EINVAL, ENOMEM}},
	{"mremap", do_mremap, 6, {EINVAL, EFAULT, ENOMEM}},
	{"mprotect", do_mprotect, 5, {EINVAL, EACCES, ENOMEM}},
	{"madvise",
	 do_madvise,
	 2,
	 {EINVAL, EACCES, EPERM, ENOMEM, EBADF, ENODEV, EOPNOTSUPP, ESPIPE}},
	{"sync", do_sync, 3, {EBADF, EINVAL, EOPNOTSUPP, EBUSY, ENOMEM, EPERM, EAGAIN}},
	{"other", do_other, 2, {EBADF, EINVAL, ENODEV, EOPNOTSUPP, ESPIPE, EPERM}},
	{"touch", do_touch, 5, {0}},
	{"poll", do_poll, 2, {0}},
	{"INFO", do_info, 4, {EBADF, EINVAL, EFAULT, ENOTTY}},
	{"CLEAN", do_clean, 3, {EBADF, EINVAL, EFAULT, ENOTTY, EOPNOTSUPP}},
	{"RING", do_ring, 4, {EBADF, EFAULT, ENOTTY}},
	{"DMA_ALLOC", do_alloc, 5, {EBADF, EINVAL, EFAULT, ENOTTY, EDQUOT, ENOMEM}},
	{"DMA_FREE", do_free, 3, {EBADF, EFAULT, ENOTTY, ENOENT}},
	{"DMA_CHECK", do_check, 3, {EBADF, EINVAL, EFAULT, ENOTTY, ERANGE}},
	{"DMA_EXPORT", do_export, 2, {EBADF, EINVAL, EFAULT, ENOTTY, ENOENT, EMFILE}},
	{"DMA_BUF_SYNC", do_dma_buf, 1, {EBADF, EINVAL, EFAULT, ENOTTY}},
	{"unknown", do_unknown, 2, {EBADF, ENOTTY}},
};

#define CALLS (sizeof(calls) / sizeof(*calls))

static const struct call *any_call(void)
{
	unsigned int left = below(100);
	const struct call *call = calls;

	while (left >= call->share)
		left -= call++->share;
	return call;
}

static bool is_listed(const struct call *call, int error)
{
	for (int i = 0; i < ERRNOS; i++)
		if (call->errnos[i] && call->errnos[i] == error)
			return true;
	return false;
}

static void mix(uint64_t value)
{
	digest = (digest ^ value) * 0x100000001b3ULL;
}

static void make_call(void)
{
	const struct call *call = any_call();
	uint64_t before = state;
	int error = 0;

	errno = 0;
	if (call->make() == -1)
		error = errno;
	atomic_fetch_add(error ? &shared->refused[call - calls] : &shared->done[call - calls], 1);
	mix((uint64_t)(call - calls));
	if (call->make !=
	    do_check) /* whether an address is live again is the allocator's business */
		mix((uint64_t)error);
	if (error && !is_listed(call, error) && atomic_fetch_add(&shared->faults, 1) < 20)
		dprintf(STDOUT_FILENO, "# %s refused with %s (%d), state %#llx\n", call->name,
			strerror(error), error, (unsigned long long)before);
}

static bool take_ticket(void)
{
	return atomic_fetch_sub(&shared->tickets, 1) > 0;
}

static void *race(void *seed)
{
	state = (uint64_t)(uintptr_t)seed;
	while (take_ticket())
		make_call();
	return NULL;
}

static void start(pthread_t *threads, int many, uint64_t seed)
{
	for (int i = 0; i < many; i++)
		if (pthread_create(&threads[i], NULL, race, address(seed * 1000 + (uint64_t)i)))
			bail_out("pthread_create");
}

static void join(pthread_t *threads, int many)
{
	for (int i = 0; i < many; i++)
		pthread_join(threads[i], NULL);
}

/* A process of its own, which forks too, and which its parent may kill. */
static void child(uint64_t seed)
{
	int generations = 3;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	state = seed;
	for (int i = 0; i < STORM_CALLS && take_ticket(); i++) {
		make_call();
		if (generations && one_in(STORM_CALLS)) {
			seed = draw();
			if (fork())
				continue;
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			state = seed;
			generations--;
		}
	}
	_exit(0);
}

static void storm(void)
{
	while (atomic_load(&shared->tickets) > 0) {
		uint64_t seed = draw();
		pid_t pid = fork();

		if (!pid)
			child(seed);
		if (pid > 0 && one_in(2)) {
			usleep(below(2000));
			kill(pid, SIGKILL);
		}
		waitpid(pid, NULL, 0);
	}
	while (waitpid(-1, NULL, 0) > 0)
		; /* grandchildren too: see PR_SET_CHILD_SUBREAPER */
}

/* One count a call, so that a process that is killed cannot make two of them differ. */
static long calls_made(void)
{
	long made = 0;

	for (size_t i = 0; i < CALLS; i++)
		made += atomic_load(&shared->done[i]) + atomic_load(&shared->refused[i]);
	return made;
}

static void phase(const char *what, long tickets)
{
	printf("# %s: %ld calls\n", what, tickets);
	fflush(stdout);
	atomic_store(&shared->tickets, tickets);
}

static void run(uint64_t seed, long many)
{
	pthread_t threads[THREADS];
	long alone = many / 2, racing = many / 10 * 3;

	phase("alone", alone);
	repeatable = true;
	race(address(seed));
	repeatable = false;
	equal(calls_made(), alone, "alone: all calls are made");
	printf("# digest %016llx\n", (unsigned long long)digest);

	phase("racing", racing);
	start(threads, THREADS, seed + 1);
	join(threads, THREADS);
	equal(calls_made(), alone + racing, "racing: all calls are made");

	/* A killed process may have taken tickets for calls that it never made. */
	phase("storm", many - alone - racing);
	while (calls_made() < many) {
		atomic_store(&shared->tickets, many - calls_made());
		start(threads, STORM_THREADS, seed + 2 + (uint64_t)calls_made());
		storm();
		join(threads, STORM_THREADS);
	}
	equal(calls_made(), many, "storm: all calls are made");
}

/* The same content each time: none. */
static void get_acquainted(void)
{
	for (unsigned int i = 0; i < regions; i++) {
		int fd = open_region(names[i], O_RDONLY);

		if (fd >= 0 && info_of(fd).kind == PHYSBUF_KIND_DMA)
			dma_region = i;
		close(fd);
		fd = open_region(names[i], O_WRONLY);
		if (fd >= 0)
			(void)!write(fd, buffer, LARGEST);
		close(fd);
	}
}

static void set_up(void)
{
	size_t guard = 2 * LARGEST;

	shared = mmap(NULL, sizeof(*shared), RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	arena = mmap(NULL, WINDOWS * WINDOW + guard, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	buffer = mmap(NULL, LARGEST + guard, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	constant = mmap(NULL, page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED || arena == MAP_FAILED || buffer == MAP_FAILED ||
	    constant == MAP_FAILED || mprotect(buffer, LARGEST, RW))
		bail_out("mmap");
	bad_pointer();
	for (int i = 0; i < FILES; i++)
		files[i] = -1;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	signal(SIGSEGV, landed);
	signal(SIGBUS, landed);
}

int main(int argc, char **argv)
{
	uint64_t seed;
	long many;

	if (argc < 4 || argc > 3 + MAX_REGIONS || !geteuid()) {
		fprintf(stderr, "usage, not as root: hostile SEED CALLS NAME...\n");
		return 2;
	}
	seed = strtoull(argv[1], NULL, 0);
	many = atol(argv[2]);
	page = page_size();
	for (regions = 0; argv[3 + regions]; regions++)
		names[regions] = argv[3 + regions];
	printf("# seed %llu\n", (unsigned long long)seed);
	set_up();
	get_acquainted();

	run(seed, many);

	for (size_t i = 0; i < CALLS; i++)
		printf("# %-12s %8ld done %8ld refused\n", calls[i].name,
		       atomic_load(&shared->done[i]), atomic_load(&shared->refused[i]));
	for (size_t i = 0; i < CALLS; i++)
		check(atomic_load(&shared->done[i]) || calls[i].make == do_unknown, calls[i].name);
	equal(atomic_load(&shared->faults), 0, "every refusal has an errno of its list");
	return tap_end();
}
