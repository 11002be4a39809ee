// SPDX-License-Identifier: GPL-2.0-only
/*
 * physbuf: the kind "dma", buffers that a device and the processor share.
 *
 * A buffer belongs to the open file that allocated it and is live until it is
 * freed there, or the file is closed. Its memory stays as long as a mapping, a
 * dma-buf or a driver's transfer refers to it.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/dma-mapping.h>
#include <linux/file.h>
#include <linux/idr.h>
#include <linux/iommu.h>
#include <linux/kref.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/platform_device.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "compat.h"
#include "dma.h"

/*
 * A buffer's offset is its number times a step. 32 bit programs on a 64 bit
 * kernel reach 4095 of 4 GiB; a 32 bit kernel maps nothing beyond 4 GiB.
 */
#ifdef CONFIG_64BIT
#define PHYSBUF_DMA_MAX_BUFFERS	4000
#define PHYSBUF_DMA_SHIFT	32
#else
#define PHYSBUF_DMA_MAX_BUFFERS	254
#define PHYSBUF_DMA_SHIFT	24
#endif
#define PHYSBUF_DMA_INSIDE	GENMASK_ULL(PHYSBUF_DMA_SHIFT - 1, 0)

static ulong dma_limit = SZ_64M;
module_param(dma_limit, ulong, 0644);
MODULE_PARM_DESC(dma_limit, "bytes that all DMA buffers together may take (64 MiB)");

static ulong dma_file_limit = SZ_16M;
module_param(dma_file_limit, ulong, 0644);
MODULE_PARM_DESC(dma_file_limit, "bytes that the DMA buffers of an open file may take (16 MiB)");

static uint dma_file_buffers = 256;
module_param(dma_file_buffers, uint, 0644);
MODULE_PARM_DESC(dma_file_buffers, "DMA buffers an open file may have (256, at most 4000)");

/**
 * struct physbuf_dma_pool - where the buffers of a region come from
 * @device: they are allocated for it, and good for any without an IOMMU
 * @used: bytes
 */
struct physbuf_dma_pool {
	struct platform_device *device;
	u64 used;
};

/**
 * struct physbuf_dma_file - the buffers of an open file
 * @ref: the file's, and one for each buffer whose memory is not gone
 * @lock: of @live
 * @live: the buffers by number
 * @used: bytes
 * @buffers: how many
 */
struct physbuf_dma_file {
	struct kref ref;
	struct mutex lock; /* of live */
	struct idr live;
	u64 used;
	u32 buffers;
};

/* Of all the used and buffers counts. */
static DEFINE_SPINLOCK(dma_accounts);
static u64 dma_used;

static void dma_file_free(struct kref *ref)
{
	kfree(container_of(ref, struct physbuf_dma_file, ref));
}

static int dma_charge(struct physbuf_region *region,
		      struct physbuf_dma_file *owner, u64 size)
{
	struct physbuf_dma_pool *pool = region->pool;
	int err = -EDQUOT;

	spin_lock(&dma_accounts);
	if (dma_used + size <= READ_ONCE(dma_limit) &&
	    pool->used + size <= region->size &&
	    owner->used + size <= READ_ONCE(dma_file_limit) &&
	    owner->buffers < min_t(u32, READ_ONCE(dma_file_buffers),
				   PHYSBUF_DMA_MAX_BUFFERS)) {
		dma_used += size;
		pool->used += size;
		owner->used += size;
		owner->buffers++;
		err = 0;
	}
	spin_unlock(&dma_accounts);
	return err;
}

static void dma_uncharge(struct physbuf_region *region,
			 struct physbuf_dma_file *owner, u64 size)
{
	spin_lock(&dma_accounts);
	dma_used -= size;
	region->pool->used -= size;
	owner->used -= size;
	owner->buffers--;
	spin_unlock(&dma_accounts);
}

u64 physbuf_dma_used(const struct physbuf_region *region)
{
	u64 used = 0;

	if (region->pool) {
		spin_lock(&dma_accounts);
		used = region->pool->used;
		spin_unlock(&dma_accounts);
	}
	return used;
}

static struct physbuf_dma *dma_new(struct physbuf_region *region,
				   struct physbuf_dma_file *owner, size_t size)
{
	struct physbuf_dma *dma;
	int err;

	err = dma_charge(region, owner, size);
	if (err)
		return ERR_PTR(err);
	dma = kzalloc(sizeof(*dma), GFP_KERNEL_ACCOUNT);
	if (!dma)
		goto out_uncharge;
	dma->size = size;
	dma->dev = &region->pool->device->dev;
	dma->cpu = dma_alloc_coherent(dma->dev, size, &dma->address,
				      GFP_KERNEL | __GFP_NOWARN |
				      __GFP_RETRY_MAYFAIL);
	if (!dma->cpu)
		goto out_free;
	kref_init(&dma->ref);
	kref_get(&owner->ref);
	get_device(&region->dev);
	dma->region = region;
	dma->owner = owner;
	return dma;

out_free:
	kfree(dma);
out_uncharge:
	dma_uncharge(region, owner, size);
	return ERR_PTR(-ENOMEM);
}

static void dma_free(struct kref *ref)
{
	struct physbuf_dma *dma = container_of(ref, struct physbuf_dma, ref);
	struct physbuf_region *region = dma->region;

	dma_free_coherent(dma->dev, dma->size, dma->cpu, dma->address);
	dma_uncharge(region, dma->owner, dma->size);
	kref_put(&dma->owner->ref, dma_file_free);
	kfree(dma);
	put_device(&region->dev);
}

/**
 * physbuf_dma_put() - a driver's transfer is over
 * @dma: as physbuf_dma_get() returned it
 *
 * Context: may sleep: the memory may go now.
 */
void physbuf_dma_put(struct physbuf_dma *dma)
{
	kref_put(&dma->ref, dma_free);
}
EXPORT_SYMBOL_GPL(physbuf_dma_put);

/* The live buffer that an offset names, or NULL; the lock is held. */
static struct physbuf_dma *dma_at(struct physbuf_dma_file *owner, u64 offset)
{
	u64 id = offset >> PHYSBUF_DMA_SHIFT;

	if ((offset & PHYSBUF_DMA_INSIDE) || id > PHYSBUF_DMA_MAX_BUFFERS)
		return NULL;
	return idr_find(&owner->live, id);
}

/* The same, with a reference. */
static struct physbuf_dma *dma_get_at(struct physbuf_dma_file *owner,
				      u64 offset)
{
	struct physbuf_dma *dma;

	mutex_lock(&owner->lock);
	dma = dma_at(owner, offset);
	if (dma)
		kref_get(&dma->ref);
	mutex_unlock(&owner->lock);
	return dma;
}

/* The live buffer that holds a transfer whole, or NULL; the lock is held. */
static struct physbuf_dma *dma_holding(struct physbuf_dma_file *owner,
				       u64 address, u64 length)
{
	struct physbuf_dma *dma;
	int id;

	idr_for_each_entry(&owner->live, dma, id) {
		u64 start = dma->address;

		if (address >= start && length <= dma->size &&
		    address - start <= dma->size - length)
			return dma;
	}
	return NULL;
}

static int dma_check(struct physbuf_dma_file *owner, u64 address, u64 length,
		     struct physbuf_dma **found)
{
	struct physbuf_dma *dma;
	u64 last;

	if (!length || check_add_overflow(address, length - 1, &last))
		return -EINVAL;
	mutex_lock(&owner->lock);
	dma = dma_holding(owner, address, length);
	if (dma && found) {
		kref_get(&dma->ref);
		*found = dma;
	}
	mutex_unlock(&owner->lock);
	return dma ? 0 : -ERANGE;
}

/* Does a device see memory at the addresses that the buffer's device sees? */
static bool dma_is_good_for(const struct physbuf_dma *dma, struct device *dev)
{
	struct iommu_domain *domain = iommu_get_domain_for_dev(dev);

	return (!domain || domain->type == IOMMU_DOMAIN_IDENTITY) &&
	       dev->dma_range_map == dma->dev->dma_range_map;
}

/**
 * physbuf_dma_get() - may a device do this transfer, and keep its memory
 * @dev: the device
 * @fd: a file descriptor of the calling process, open for writing on a region
 *	of kind dma
 * @address: bus address of the transfer's first byte
 * @length: its bytes
 *
 * What a driver must ask before its device reads or writes memory that a
 * program names. A device behind an IOMMU imports the dma-buf instead.
 *
 * Context: may sleep.
 * Return: a reference to give back by physbuf_dma_put(), or an ERR_PTR():
 * -EBADF: the descriptor is not one of these; -EINVAL: no bytes, or beyond the
 * last address; -ERANGE: not wholly in one live buffer of this file; -EXDEV:
 * the address means something else to this device.
 */
struct physbuf_dma *physbuf_dma_get(struct device *dev, int fd,
				    dma_addr_t address, size_t length)
{
	struct physbuf_dma *dma = ERR_PTR(-EBADF);
	struct physbuf_file *pf;
	struct file *file;
	int err;

	file = fget(fd);
	if (!file)
		return dma;
	if (file->f_op == &physbuf_fops) {
		pf = file->private_data;
		if (pf->buffers && pf->writable) {
			err = dma_check(pf->buffers, address, length, &dma);
			if (err)
				dma = ERR_PTR(err);
		}
	}
	fput(file);
	if (!IS_ERR(dma) && !dma_is_good_for(dma, dev)) {
		physbuf_dma_put(dma);
		return ERR_PTR(-EXDEV);
	}
	return dma;
}
EXPORT_SYMBOL_GPL(physbuf_dma_get);

/**
 * physbuf_dma_ring() - tell who polls the buffer's region: there is something
 * @dma: as physbuf_dma_get() returned it
 *
 * Context: any, also interrupts.
 */
void physbuf_dma_ring(struct physbuf_dma *dma)
{
	physbuf_ring(dma->region);
}
EXPORT_SYMBOL_GPL(physbuf_dma_ring);

static long dma_ioctl_alloc(struct physbuf_file *file, void __user *arg)
{
	struct physbuf_dma_file *owner = file->buffers;
	struct physbuf_dma_alloc alloc;
	struct physbuf_dma *dma;
	int id;

	if (copy_from_user(&alloc, arg, sizeof(alloc)))
		return -EFAULT;
	if (!alloc.length || alloc.flags)
		return -EINVAL;
	if (alloc.length > file->region->size ||
	    alloc.length > PHYSBUF_DMA_INSIDE)
		return -EDQUOT;

	dma = dma_new(file->region, owner, PAGE_ALIGN(alloc.length));
	if (IS_ERR(dma))
		return PTR_ERR(dma);

	/* Its number is taken first, and live only when the caller knows it. */
	mutex_lock(&owner->lock);
	id = idr_alloc(&owner->live, NULL, 1, PHYSBUF_DMA_MAX_BUFFERS + 1,
		       GFP_KERNEL);
	mutex_unlock(&owner->lock);
	if (id < 0) {
		physbuf_dma_put(dma);
		return id == -ENOSPC ? -EDQUOT : id;
	}

	alloc.length = dma->size;
	alloc.address = dma->address;
	alloc.offset = (u64)id << PHYSBUF_DMA_SHIFT;
	if (copy_to_user(arg, &alloc, sizeof(alloc))) {
		mutex_lock(&owner->lock);
		idr_remove(&owner->live, id);
		mutex_unlock(&owner->lock);
		physbuf_dma_put(dma);
		return -EFAULT;
	}
	mutex_lock(&owner->lock);
	idr_replace(&owner->live, dma, id);
	mutex_unlock(&owner->lock);
	return 0;
}

static long dma_ioctl_free(struct physbuf_file *file, void __user *arg)
{
	struct physbuf_dma_file *owner = file->buffers;
	struct physbuf_dma_free free;
	struct physbuf_dma *dma;

	if (copy_from_user(&free, arg, sizeof(free)))
		return -EFAULT;
	mutex_lock(&owner->lock);
	dma = dma_at(owner, free.offset);
	if (dma)
		idr_remove(&owner->live, free.offset >> PHYSBUF_DMA_SHIFT);
	mutex_unlock(&owner->lock);
	if (!dma)
		return -ENOENT;
	physbuf_dma_put(dma);
	return 0;
}

static long dma_ioctl_check(struct physbuf_file *file, void __user *arg)
{
	struct physbuf_dma_check check;

	if (copy_from_user(&check, arg, sizeof(check)))
		return -EFAULT;
	return dma_check(file->buffers, check.address, check.length, NULL);
}

static long dma_ioctl_export(struct physbuf_file *file, void __user *arg)
{
	struct physbuf_dma_export export;
	struct physbuf_dma *dma;
	struct file *shared;
	int fd;

	if (copy_from_user(&export, arg, sizeof(export)))
		return -EFAULT;
	if ((export.flags & ~(O_CLOEXEC | O_ACCMODE)) ||
	    ((export.flags & O_ACCMODE) != O_RDONLY &&
	     (export.flags & O_ACCMODE) != O_RDWR))
		return -EINVAL;

	dma = dma_get_at(file->buffers, export.offset);
	if (!dma)
		return -ENOENT;

	fd = get_unused_fd_flags(export.flags & O_CLOEXEC);
	if (fd < 0) {
		physbuf_dma_put(dma);
		return fd;
	}
	shared = physbuf_dmabuf(dma, export.flags & O_ACCMODE);
	if (IS_ERR(shared)) {
		put_unused_fd(fd);
		physbuf_dma_put(dma);
		return PTR_ERR(shared);
	}
	export.fd = fd;
	if (copy_to_user(arg, &export, sizeof(export))) {
		put_unused_fd(fd);
		fput(shared);
		return -EFAULT;
	}
	fd_install(fd, shared);
	return 0;
}

static long dma_ioctl(struct physbuf_file *file, unsigned int cmd,
		      void __user *arg)
{
	if (cmd == PHYSBUF_IOC_DMA_CHECK)
		return dma_ioctl_check(file, arg);
	if (cmd != PHYSBUF_IOC_DMA_ALLOC && cmd != PHYSBUF_IOC_DMA_FREE &&
	    cmd != PHYSBUF_IOC_DMA_EXPORT)
		return -ENOTTY;
	if (!file->writable)
		return -EBADF;
	if (cmd == PHYSBUF_IOC_DMA_ALLOC)
		return dma_ioctl_alloc(file, arg);
	if (cmd == PHYSBUF_IOC_DMA_FREE)
		return dma_ioctl_free(file, arg);
	return dma_ioctl_export(file, arg);
}

static void dma_vm_open(struct vm_area_struct *vma)
{
	struct physbuf_dma *dma = vma->vm_private_data;

	kref_get(&dma->ref);
	physbuf_mapping_opened(dma->region);
}

static void dma_vm_close(struct vm_area_struct *vma)
{
	struct physbuf_dma *dma = vma->vm_private_data;

	physbuf_mapping_closed(dma->region);
	physbuf_dma_put(dma);
}

static const struct vm_operations_struct dma_vm_ops = {
	.open = dma_vm_open,
	.close = dma_vm_close,
};

/**
 * physbuf_dma_map() - map a part of a buffer; the area keeps the memory
 * @dma: the buffer
 * @offset: of the part
 * @vma: the memory area, which the caller counts as a mapping
 *
 * Return: 0; -EINVAL for a part that leaves the buffer; an errno.
 */
int physbuf_dma_map(struct physbuf_dma *dma, u64 offset,
		    struct vm_area_struct *vma)
{
	unsigned long pgoff = vma->vm_pgoff;
	u64 length = vma->vm_end - vma->vm_start;
	int err;

	if (offset >= dma->size || length > dma->size - offset)
		return -EINVAL;
	/* It takes the offset in the buffer from the area. */
	vma->vm_pgoff = offset >> PAGE_SHIFT;
	err = dma_mmap_coherent(dma->dev, vma, dma->cpu, dma->address,
				dma->size);
	vma->vm_pgoff = pgoff;
	if (err)
		return err;
	kref_get(&dma->ref);
	vma->vm_private_data = dma;
	vma->vm_ops = &dma_vm_ops;
	return 0;
}

static int dma_mmap(struct physbuf_file *file, u64 offset,
		    struct vm_area_struct *vma)
{
	struct physbuf_dma *dma;
	int err;

	dma = dma_get_at(file->buffers, offset & ~PHYSBUF_DMA_INSIDE);
	if (!dma)
		return -EINVAL;
	err = physbuf_dma_map(dma, offset & PHYSBUF_DMA_INSIDE, vma);
	physbuf_dma_put(dma);
	return err;
}

static int dma_open(struct physbuf_file *file)
{
	struct physbuf_dma_file *owner;

	owner = kzalloc(sizeof(*owner), GFP_KERNEL_ACCOUNT);
	if (!owner)
		return -ENOMEM;
	kref_init(&owner->ref);
	mutex_init(&owner->lock);
	idr_init(&owner->live);
	file->buffers = owner;
	return 0;
}

static void dma_close(struct physbuf_file *file)
{
	struct physbuf_dma_file *owner = file->buffers;
	struct physbuf_dma *dma;
	int id;

	idr_for_each_entry(&owner->live, dma, id)
		physbuf_dma_put(dma);
	idr_destroy(&owner->live);
	kref_put(&owner->ref, dma_file_free);
}

static int dma_acquire(struct physbuf_region *region,
		       const struct physbuf_spec *spec)
{
	struct physbuf_dma_pool *pool;
	int err;

	pool = kzalloc(sizeof(*pool), GFP_KERNEL);
	if (!pool)
		return -ENOMEM;
	pool->device = platform_device_register_simple("physbuf-dma",
						       PLATFORM_DEVID_AUTO,
						       NULL, 0);
	if (IS_ERR(pool->device)) {
		err = PTR_ERR(pool->device);
		goto out_free;
	}
	err = dma_coerce_mask_and_coherent(&pool->device->dev,
					   DMA_BIT_MASK(32));
	if (err) {
		pr_err("%s: this machine has no memory below 4 GiB for devices, error %d\n",
		       region->name, err);
		goto out_device;
	}
	region->pool = pool;
	return 0;

out_device:
	platform_device_unregister(pool->device);
out_free:
	kfree(pool);
	return err;
}

static void dma_release(struct physbuf_region *region)
{
	platform_device_unregister(region->pool->device);
	kfree(region->pool);
}

const struct physbuf_kind physbuf_dma = {
	.id = PHYSBUF_KIND_DMA,
	.name = "dma",
	.caches = BIT(PHYSBUF_CACHE_COHERENT),
	.cache = PHYSBUF_CACHE_COHERENT,
	.own_offsets = true,
	.acquire = dma_acquire,
	.release = dma_release,
	.mmap = dma_mmap,
	.open = dma_open,
	.close = dma_close,
	.ioctl = dma_ioctl,
};
