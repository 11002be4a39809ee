/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * physbuf: the interface between the kernel module and user space.
 *
 * Every structure here has a fixed layout, the same for 32 and 64 bit callers.
 */
#ifndef _UAPI_LINUX_PHYSBUF_H
#define _UAPI_LINUX_PHYSBUF_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* Bytes for a region's name, with the terminating zero byte. */
#define PHYSBUF_NAME_LEN	32

/* The version of this interface; it grows when a field gets a meaning. */
#define PHYSBUF_UAPI_VERSION	1

/**
 * enum physbuf_kind_id - what a region is made of
 * @PHYSBUF_KIND_RESERVED: a range that the boot kept away from the kernel
 */
enum physbuf_kind_id {
	PHYSBUF_KIND_RESERVED = 1,
};

/**
 * enum physbuf_cache_id - the one memory type of all mappings of a region
 * @PHYSBUF_CACHE_WB: write back, ordinary cached memory
 */
enum physbuf_cache_id {
	PHYSBUF_CACHE_WB = 1,
};

/* The content of the region is meant to survive a warm reset. */
#define PHYSBUF_FLAG_PERSISTENT	0x1ULL

/**
 * struct physbuf_info - what PHYSBUF_IOC_INFO tells about a region
 * @size: bytes of this structure that the kernel filled in
 * @version: PHYSBUF_UAPI_VERSION of the kernel module
 * @kind: one of &enum physbuf_kind_id
 * @cache: one of &enum physbuf_cache_id
 * @base: physical address of the first byte
 * @length: size of the region in bytes
 * @flags: PHYSBUF_FLAG_* bits; ignore the ones you do not know
 * @mappings: memory areas of all processes that map the region now
 * @reserved0: zero
 * @name: name of the region, zero terminated
 * @reserved: zero
 */
struct physbuf_info {
	__u32 size;
	__u32 version;
	__u32 kind;
	__u32 cache;
	__aligned_u64 base;
	__aligned_u64 length;
	__aligned_u64 flags;
	__u32 mappings;
	__u32 reserved0;
	char name[PHYSBUF_NAME_LEN];
	__aligned_u64 reserved[6];
};

/* sizeof(struct physbuf_info) in version 1; it never shrinks. */
#define PHYSBUF_INFO_SIZE_V1	128

#define PHYSBUF_IOC_MAGIC	0xBE

/*
 * The size that the command carries is the size the caller knows: the kernel
 * accepts any from PHYSBUF_INFO_SIZE_V1 up and zeroes what it does not fill.
 */
#define PHYSBUF_IOC_INFO	_IOR(PHYSBUF_IOC_MAGIC, 0x00, struct physbuf_info)

#endif /* _UAPI_LINUX_PHYSBUF_H */
