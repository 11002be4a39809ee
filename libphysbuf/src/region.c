// SPDX-License-Identifier: MIT
/* Find and map a region. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "region.h"

static int measure(struct physbuf_region *region)
{
	struct stat stat;
	off_t end;

	if (fstat(region->fd, &stat))
		return -errno;
	if (S_ISDIR(stat.st_mode))
		return -EISDIR;
	if (S_ISCHR(stat.st_mode)) {
		if (ioctl(region->fd, PHYSBUF_IOC_INFO, &region->info))
			return errno == ENOTTY ? -ENODEV : -errno;
		region->size = region->info.length;
		region->name = region->info.name;
		return 0;
	}
	end = lseek(region->fd, 0, SEEK_END);
	if (end < 0)
		return -ENODEV;
	region->size = end;
	return 0;
}

static int map(struct physbuf_region *region)
{
	int protection = PROT_READ | (region->writable ? PROT_WRITE : 0);

	if (region->info.kind == PHYSBUF_KIND_DMA)
		return 0;
	if (!region->size)
		return -ENODATA;
	if (region->size > SIZE_MAX / 2)
		return -EFBIG;
	region->data = mmap(NULL, region->size, protection, MAP_SHARED, region->fd, 0);
	if (region->data == MAP_FAILED) {
		region->data = NULL;
		return -errno;
	}
	return 0;
}

int physbuf_open(const char *target, enum physbuf_access access, struct physbuf_region **region)
{
	const char *directory = strchr(target, '/') ? "" : PHYSBUF_DEVICES;
	size_t room = strlen(directory) + strlen(target) + 1;
	struct physbuf_region *r;
	int err;

	if (!*target)
		return -ENOENT;
	r = calloc(1, sizeof(*r) + room);
	if (!r)
		return -ENOMEM;
	snprintf(r->path, room, "%s%s", directory, target);
	r->name = strrchr(r->path, '/') + 1;
	r->writable = access == PHYSBUF_WRITE;
	/* O_NONBLOCK: a FIFO given by mistake is refused, not waited for. */
	r->fd = open(r->path, (r->writable ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NONBLOCK);
	err = r->fd < 0 ? -errno : measure(r);
	if (!err)
		err = map(r);
	if (err) {
		physbuf_close(r);
		return err;
	}
	*region = r;
	return 0;
}

void physbuf_close(struct physbuf_region *region)
{
	if (!region)
		return;
	if (region->data)
		munmap(region->data, region->size);
	if (region->fd >= 0)
		close(region->fd);
	free(region);
}

void *physbuf_data(const struct physbuf_region *region)
{
	return region->data;
}

uint64_t physbuf_size(const struct physbuf_region *region)
{
	return region->size;
}

int physbuf_base(const struct physbuf_region *region, uint64_t *base)
{
	switch (region->info.kind) {
	case PHYSBUF_KIND_RESERVED:
	case PHYSBUF_KIND_PAGES:
	case PHYSBUF_KIND_REGS:
		*base = region->info.base;
		return 0;
	default:
		return -ENODATA;
	}
}

const char *physbuf_kind(const struct physbuf_region *region)
{
	static const char *const names[] = {
		[0] = "file",
		[PHYSBUF_KIND_RESERVED] = "reserved",
		[PHYSBUF_KIND_DMA] = "dma",
		[PHYSBUF_KIND_PAGES] = "pages",
		[PHYSBUF_KIND_VMALLOC] = "vmalloc",
		[PHYSBUF_KIND_REGS] = "regs",
	};
	uint32_t kind = region->info.kind;

	return kind < sizeof(names) / sizeof(*names) ? names[kind] : "unknown";
}

int physbuf_fd(const struct physbuf_region *region)
{
	return region->fd;
}

const char *physbuf_name(const struct physbuf_region *region)
{
	return region->name;
}

const char *physbuf_path(const struct physbuf_region *region)
{
	return region->path;
}

int physbuf_lock(struct physbuf_region *region)
{
	if (!region->writable)
		return -EBADF;
	if (region->locked)
		return -EBUSY;
	if (flock(region->fd, LOCK_EX | LOCK_NB))
		return errno == EWOULDBLOCK ? -EBUSY : -errno;
	region->locked = true;
	return 0;
}

void physbuf_unlock(struct physbuf_region *region)
{
	if (region->locked)
		flock(region->fd, LOCK_UN);
	region->locked = false;
}
