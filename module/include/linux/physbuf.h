/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * physbuf: the interface for other drivers, those whose device does DMA to a
 * buffer that a program allocated by PHYSBUF_IOC_DMA_ALLOC.
 */
#ifndef _LINUX_PHYSBUF_H
#define _LINUX_PHYSBUF_H

#include <linux/types.h>
#include <uapi/linux/physbuf.h>

struct device;
struct physbuf_dma;

struct physbuf_dma *physbuf_dma_get(struct device *dev, int fd,
				    dma_addr_t address, size_t length);
void physbuf_dma_put(struct physbuf_dma *dma);
void physbuf_dma_ring(struct physbuf_dma *dma);

#endif /* _LINUX_PHYSBUF_H */
