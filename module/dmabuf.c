// SPDX-License-Identifier: GPL-2.0-only
/*
 * physbuf: a DMA buffer as a dma-buf, for other devices and other processes.
 */

#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "compat.h"
#include "dma.h"

PHYSBUF_IMPORT_DMA_BUF;

/* A device that cannot reach it would get a copy, and write to that. */
static int dmabuf_attach(struct dma_buf *dmabuf,
			 struct dma_buf_attachment *attachment)
{
	struct physbuf_dma *dma = dmabuf->priv;

	if (dma_get_mask(attachment->dev) < dma->address + dma->size - 1)
		return -EOPNOTSUPP;
	return 0;
}

static struct sg_table *dmabuf_map(struct dma_buf_attachment *attachment,
				   enum dma_data_direction direction)
{
	struct physbuf_dma *dma = attachment->dmabuf->priv;
	struct sg_table *table;
	int err;

	table = kzalloc(sizeof(*table), GFP_KERNEL);
	if (!table)
		return ERR_PTR(-ENOMEM);
	err = dma_get_sgtable(dma->dev, table, dma->cpu, dma->address,
			      dma->size);
	if (err)
		goto out_free;
	err = dma_map_sgtable(attachment->dev, table, direction,
			      DMA_ATTR_SKIP_CPU_SYNC);
	if (err)
		goto out_table;
	return table;

out_table:
	sg_free_table(table);
out_free:
	kfree(table);
	return ERR_PTR(err);
}

static void dmabuf_unmap(struct dma_buf_attachment *attachment,
			 struct sg_table *table,
			 enum dma_data_direction direction)
{
	dma_unmap_sgtable(attachment->dev, table, direction,
			  DMA_ATTR_SKIP_CPU_SYNC);
	sg_free_table(table);
	kfree(table);
}

static int dmabuf_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma)
{
	struct physbuf_dma *dma = dmabuf->priv;
	int err;

	if (!(vma->vm_flags & VM_MAYSHARE))
		return -EINVAL;
	if (vma->vm_flags & VM_EXEC)
		return -EPERM;
	physbuf_vm_flags_clear(vma, VM_MAYEXEC);
	physbuf_vm_flags_set(vma, VM_DONTEXPAND | VM_DONTDUMP);
	err = physbuf_dma_map(dma, (u64)vma->vm_pgoff << PAGE_SHIFT, vma);
	if (!err)
		physbuf_mapping_opened(dma->region);
	return err;
}

static void dmabuf_release(struct dma_buf *dmabuf)
{
	physbuf_dma_put(dmabuf->priv);
}

static const struct dma_buf_ops dmabuf_ops = {
	.attach = dmabuf_attach,
	.map_dma_buf = dmabuf_map,
	.unmap_dma_buf = dmabuf_unmap,
	.mmap = dmabuf_mmap,
	.release = dmabuf_release,
};

/**
 * physbuf_dmabuf() - make a dma-buf of a buffer
 * @dma: the buffer, and a reference to it that passes to the dma-buf
 * @access: O_RDONLY or O_RDWR
 *
 * Return: its file, not yet installed; or an ERR_PTR(), and the reference is
 * still the caller's.
 */
struct file *physbuf_dmabuf(struct physbuf_dma *dma, u32 access)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct dma_buf *dmabuf;

	info.ops = &dmabuf_ops;
	info.size = dma->size;
	info.flags = access;
	info.priv = dma;
	dmabuf = dma_buf_export(&info);
	return IS_ERR(dmabuf) ? ERR_CAST(dmabuf) : dmabuf->file;
}
