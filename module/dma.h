/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * physbuf: a DMA buffer, between its allocation and its export as a dma-buf.
 */
#ifndef PHYSBUF_DMA_H
#define PHYSBUF_DMA_H

#include <linux/kref.h>

#include "physbuf.h"

struct physbuf_dma_file;

/**
 * struct physbuf_dma - a buffer
 * @ref: the owner's, and one for each mapping, dma-buf and transfer
 * @region: the region it came from
 * @owner: the open file whose it is
 * @dev: the device it is allocated for
 * @cpu: the kernel's mapping
 * @address: bus address
 * @size: bytes, whole pages
 */
struct physbuf_dma {
	struct kref ref;
	struct physbuf_region *region;
	struct physbuf_dma_file *owner;
	struct device *dev;
	void *cpu;
	dma_addr_t address;
	size_t size;
};

/* dma.c */
int physbuf_dma_map(struct physbuf_dma *dma, u64 offset,
		    struct vm_area_struct *vma);

/* dmabuf.c */
#if IS_ENABLED(CONFIG_DMA_SHARED_BUFFER)
struct file *physbuf_dmabuf(struct physbuf_dma *dma, u32 access);
#else
static inline struct file *physbuf_dmabuf(struct physbuf_dma *dma, u32 access)
{
	return ERR_PTR(-EOPNOTSUPP);
}
#endif

#endif /* PHYSBUF_DMA_H */
