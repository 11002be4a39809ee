/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * physbuf_edu: the interface of the sample driver to user space.
 */
#ifndef _UAPI_PHYSBUF_EDU_H
#define _UAPI_PHYSBUF_EDU_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* The device writes to memory; without it, the device reads from memory. */
#define PHYSBUF_EDU_TO_MEMORY	0x1

/* Bytes of the device's buffer that a transfer may use. */
#define PHYSBUF_EDU_SIZE	4095

/**
 * struct physbuf_edu_transfer - one transfer between device and memory
 * @fd: the file of the physbuf region that owns the memory, open for writing
 * @flags: PHYSBUF_EDU_TO_MEMORY or zero
 * @address: bus address, within a buffer of PHYSBUF_IOC_DMA_ALLOC
 * @offset: first byte in the device's buffer
 * @length: bytes, not zero
 */
struct physbuf_edu_transfer {
	__s32 fd;
	__u32 flags;
	__aligned_u64 address;
	__aligned_u64 offset;
	__aligned_u64 length;
};

/*
 * Done when it returns 0. EBADF: not a dma region's file, or read-only; ERANGE:
 * not wholly in a live buffer of that file; EINVAL: not in the device's buffer,
 * or flags unknown; EIO: the device did not answer, now or earlier; ENODEV: the
 * device is gone.
 */
#define PHYSBUF_EDU_TRANSFER	_IOW(0xBE, 0x80, struct physbuf_edu_transfer)

#endif /* _UAPI_PHYSBUF_EDU_H */
