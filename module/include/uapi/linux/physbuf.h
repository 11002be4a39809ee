/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * physbuf: the interface between the kernel module and user space.
 *
 * Every structure here has a fixed layout, the same for 32 and 64 bit callers.
 * A field called reserved is zero: the kernel refuses anything else with
 * EINVAL, so that it can get a meaning later.
 */
#ifndef _UAPI_LINUX_PHYSBUF_H
#define _UAPI_LINUX_PHYSBUF_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* Bytes for a region's name, with the terminating zero byte. */
#define PHYSBUF_NAME_LEN	32

/* The version of this interface; it grows when a field gets a meaning. */
#define PHYSBUF_UAPI_VERSION	2

/**
 * enum physbuf_kind_id - what a region is made of
 * @PHYSBUF_KIND_RESERVED: a range that the boot kept away from the kernel
 * @PHYSBUF_KIND_DMA: buffers that a device and the processor share, allocated
 *	by PHYSBUF_IOC_DMA_ALLOC and gone with the open file
 * @PHYSBUF_KIND_PAGES: physically contiguous pages of the kernel
 * @PHYSBUF_KIND_VMALLOC: pages of the kernel, contiguous to programs only
 * @PHYSBUF_KIND_REGS: registers or memory of a device
 */
enum physbuf_kind_id {
	PHYSBUF_KIND_RESERVED = 1,
	PHYSBUF_KIND_DMA = 2,
	PHYSBUF_KIND_PAGES = 3,
	PHYSBUF_KIND_VMALLOC = 4,
	PHYSBUF_KIND_REGS = 5,
};

/**
 * enum physbuf_cache_id - the one memory type of all mappings of a region
 * @PHYSBUF_CACHE_WB: write back, ordinary cached memory
 * @PHYSBUF_CACHE_WC: not cached, stores are gathered (ARM: Normal Non-cacheable)
 * @PHYSBUF_CACHE_UC: not cached, no store gathered (ARM: Device-nGnRnE, aligned
 *	accesses only)
 * @PHYSBUF_CACHE_DEVICE: as device drivers map registers (ARM: Device-nGnRE)
 * @PHYSBUF_CACHE_COHERENT: what this machine needs so that processor and device
 *	see the same
 */
enum physbuf_cache_id {
	PHYSBUF_CACHE_WB = 1,
	PHYSBUF_CACHE_WC = 2,
	PHYSBUF_CACHE_UC = 3,
	PHYSBUF_CACHE_DEVICE = 4,
	PHYSBUF_CACHE_COHERENT = 5,
};

/* The content of the region is meant to survive a warm reset. */
#define PHYSBUF_FLAG_PERSISTENT	0x1ULL
/* PHYSBUF_IOC_CLEAN works, and the module cleans before a reset. */
#define PHYSBUF_FLAG_CLEANABLE	0x2ULL
/* The region lies elsewhere than at the last boot: its content is not there. */
#define PHYSBUF_FLAG_MOVED	0x4ULL
/* The module's own notebook: programs may read it only. */
#define PHYSBUF_FLAG_STATE	0x8ULL

/**
 * struct physbuf_info - what PHYSBUF_IOC_INFO tells about a region
 * @size: bytes of this structure that the kernel filled in
 * @version: PHYSBUF_UAPI_VERSION of the kernel module
 * @kind: one of &enum physbuf_kind_id
 * @cache: one of &enum physbuf_cache_id
 * @base: physical address of the first byte; 0 where there is not one (dma,
 *	vmalloc)
 * @length: size of the region in bytes; of a dma region, what all its buffers
 *	together may take
 * @flags: PHYSBUF_FLAG_* bits; ignore the ones you do not know
 * @mappings: memory areas of all processes that map the region now
 * @boots: boots that found the region at this place, this one included; 0 when
 *	no region of role state keeps count (version 2)
 * @name: name of the region, zero terminated
 * @used: bytes that the buffers of a dma region take now (version 2)
 * @rings: how often the region was rung since it was added (version 2)
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
	__u32 boots;
	char name[PHYSBUF_NAME_LEN];
	__aligned_u64 used;
	__aligned_u64 rings;
	__aligned_u64 reserved[4];
};

/* sizeof(struct physbuf_info) since version 1; it never shrinks. */
#define PHYSBUF_INFO_SIZE_V1	128

/**
 * struct physbuf_clean - a range to write back from the caches to memory
 * @offset: first byte, from the region's beginning
 * @length: bytes, not zero; the range must lie in the region
 */
struct physbuf_clean {
	__aligned_u64 offset;
	__aligned_u64 length;
};

/**
 * struct physbuf_dma_alloc - a buffer for a device
 * @length: bytes wanted, not zero; on return what there is, whole pages
 * @address: returned: the bus address to give to the device
 * @offset: returned: where to mmap it, and its name for DMA_FREE and DMA_EXPORT
 * @flags: zero
 */
struct physbuf_dma_alloc {
	__aligned_u64 length;
	__aligned_u64 address;
	__aligned_u64 offset;
	__aligned_u64 flags;
};

/**
 * struct physbuf_dma_free - a buffer to give back
 * @offset: as PHYSBUF_IOC_DMA_ALLOC returned it
 */
struct physbuf_dma_free {
	__aligned_u64 offset;
};

/**
 * struct physbuf_dma_check - a transfer that somebody intends
 * @address: bus address of its first byte
 * @length: bytes, not zero
 */
struct physbuf_dma_check {
	__aligned_u64 address;
	__aligned_u64 length;
};

/**
 * struct physbuf_dma_export - a buffer to share as a dma-buf
 * @offset: as PHYSBUF_IOC_DMA_ALLOC returned it
 * @flags: flags for the new descriptor: O_CLOEXEC and one of O_RDONLY, O_RDWR
 * @fd: returned: the dma-buf's descriptor
 */
struct physbuf_dma_export {
	__aligned_u64 offset;
	__u32 flags;
	__s32 fd;
};

#define PHYSBUF_IOC_MAGIC	0xBE

/*
 * The size that the command carries is the size the caller knows: the kernel
 * accepts any from PHYSBUF_INFO_SIZE_V1 up and zeroes what it does not fill.
 */
#define PHYSBUF_IOC_INFO	_IOR(PHYSBUF_IOC_MAGIC, 0x00, struct physbuf_info)

/* Write a range back to memory; wants a file opened for writing. */
#define PHYSBUF_IOC_CLEAN	_IOW(PHYSBUF_IOC_MAGIC, 0x01, struct physbuf_clean)

/* Wake everybody who polls the region; wants a file opened for writing. */
#define PHYSBUF_IOC_RING	_IO(PHYSBUF_IOC_MAGIC, 0x02)

/*
 * How often the region was rung since this file asked last, or was opened;
 * never waits, poll() does. Afterwards poll() finds nothing to read.
 */
#define PHYSBUF_IOC_RINGS	_IOR(PHYSBUF_IOC_MAGIC, 0x03, __u64)

/* Regions of kind dma; all but DMA_CHECK want a file opened for writing. */
#define PHYSBUF_IOC_DMA_ALLOC	_IOWR(PHYSBUF_IOC_MAGIC, 0x10, struct physbuf_dma_alloc)
#define PHYSBUF_IOC_DMA_FREE	_IOW(PHYSBUF_IOC_MAGIC, 0x11, struct physbuf_dma_free)

/* 0 when the transfer lies wholly in one live buffer of this file, or ERANGE. */
#define PHYSBUF_IOC_DMA_CHECK	_IOW(PHYSBUF_IOC_MAGIC, 0x12, struct physbuf_dma_check)
#define PHYSBUF_IOC_DMA_EXPORT	_IOWR(PHYSBUF_IOC_MAGIC, 0x13, struct physbuf_dma_export)

#endif /* _UAPI_LINUX_PHYSBUF_H */
