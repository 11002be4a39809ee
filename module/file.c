// SPDX-License-Identifier: GPL-2.0-only
/*
 * physbuf: open, read, write, lseek and ioctl, the same for every kind.
 */

#include <linux/fs.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/uio.h>

#include "physbuf.h"

static int physbuf_open(struct inode *inode, struct file *file)
{
	struct physbuf_region *region =
		container_of(inode->i_cdev, struct physbuf_region, cdev);
	struct physbuf_file *pf;
	int err;

	if (region->is_state && (file->f_mode & FMODE_WRITE))
		return -EPERM;

	pf = kzalloc(sizeof(*pf), GFP_KERNEL_ACCOUNT);
	if (!pf)
		return -ENOMEM;
	pf->region = region;
	pf->writable = file->f_mode & FMODE_WRITE;
	spin_lock_init(&pf->lock);
	pf->seen = atomic64_read(&region->rings);

	if (region->kind->open) {
		err = region->kind->open(pf);
		if (err) {
			kfree(pf);
			return err;
		}
	}
	file->private_data = pf;
	return 0;
}

static int physbuf_release(struct inode *inode, struct file *file)
{
	struct physbuf_file *pf = file->private_data;

	if (pf->region->kind->close)
		pf->region->kind->close(pf);
	kfree(pf);
	return 0;
}

static loff_t physbuf_llseek(struct file *file, loff_t offset, int whence)
{
	struct physbuf_file *pf = file->private_data;

	if (pf->region->kind->own_offsets)
		return -ESPIPE;
	return fixed_size_llseek(file, offset, whence, pf->region->size);
}

static ssize_t physbuf_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	struct physbuf_file *pf = iocb->ki_filp->private_data;
	struct physbuf_region *region = pf->region;
	loff_t pos = iocb->ki_pos;
	ssize_t done;

	if (!region->kind->read || pos < 0 || pos > region->size)
		return -EINVAL;
	if (!iov_iter_count(to) || pos == region->size)
		return 0;

	done = region->kind->read(region, pos, to);
	if (done > 0)
		iocb->ki_pos = pos + done;
	return done;
}

static ssize_t physbuf_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	struct physbuf_file *pf = iocb->ki_filp->private_data;
	struct physbuf_region *region = pf->region;
	loff_t pos = iocb->ki_pos;
	ssize_t done;
	int err;

	if (!region->kind->write || pos < 0 || pos > region->size)
		return -EINVAL;
	if (!iov_iter_count(from))
		return 0;
	if (pos == region->size)
		return -ENOSPC;

	done = region->kind->write(region, pos, from);
	if (done <= 0)
		return done;
	if ((iocb->ki_flags & IOCB_DSYNC) && physbuf_is_cleanable(region)) {
		err = physbuf_clean(region, pos, done);
		if (err)
			return err;
	}
	iocb->ki_pos = pos + done;
	return done;
}

/* fsync() and msync(MS_SYNC): in memory, not in a cache, is as far as it goes. */
static int physbuf_fsync(struct file *file, loff_t start, loff_t end,
			 int datasync)
{
	struct physbuf_file *pf = file->private_data;
	struct physbuf_region *region = pf->region;

	if (region->kind->own_offsets || start < 0 || start >= region->size ||
	    end < start)
		return -EINVAL;
	end = min_t(u64, end, region->size - 1);
	return physbuf_clean(region, start, end - start + 1);
}

static long physbuf_ioctl_info(struct physbuf_region *region, size_t want,
			       void __user *to)
{
	size_t fill = min(want, sizeof(struct physbuf_info));
	struct physbuf_info info;

	BUILD_BUG_ON(sizeof(info) != PHYSBUF_INFO_SIZE_V1);

	if (want < PHYSBUF_INFO_SIZE_V1)
		return -EINVAL;

	memset(&info, 0, sizeof(info));
	info.size = fill;
	info.version = PHYSBUF_UAPI_VERSION;
	info.kind = region->kind->id;
	info.cache = region->cache;
	info.base = region->base;
	info.length = region->size;
	info.flags = region->kind->flags;
	if (physbuf_is_cleanable(region))
		info.flags |= PHYSBUF_FLAG_CLEANABLE;
	if (region->moved == PHYSBUF_MOVED_YES)
		info.flags |= PHYSBUF_FLAG_MOVED;
	if (region->is_state)
		info.flags |= PHYSBUF_FLAG_STATE;
	info.mappings = atomic_read(&region->mappings);
	info.boots = region->boots;
	strscpy(info.name, region->name, sizeof(info.name));
	info.used = physbuf_dma_used(region);
	info.rings = atomic64_read(&region->rings);

	if (copy_to_user(to, &info, fill))
		return -EFAULT;
	if (clear_user(to + fill, want - fill))
		return -EFAULT;
	return 0;
}

static long physbuf_ioctl(struct file *file, unsigned int cmd,
			  unsigned long argument)
{
	struct physbuf_file *pf = file->private_data;
	void __user *arg = (void __user *)argument;

	/* The size is the caller's: see the uapi header. */
	if ((cmd & ~IOCSIZE_MASK) == (PHYSBUF_IOC_INFO & ~IOCSIZE_MASK))
		return physbuf_ioctl_info(pf->region, _IOC_SIZE(cmd), arg);

	switch (cmd) {
	case PHYSBUF_IOC_CLEAN:
		return physbuf_ioctl_clean(pf, arg);
	case PHYSBUF_IOC_RING:
		return physbuf_ioctl_ring(pf);
	case PHYSBUF_IOC_RINGS:
		return physbuf_ioctl_rings(pf, arg);
	default:
		if (pf->region->kind->ioctl)
			return pf->region->kind->ioctl(pf, cmd, arg);
		return -ENOTTY;
	}
}

const struct file_operations physbuf_fops = {
	.owner = THIS_MODULE,
	.open = physbuf_open,
	.release = physbuf_release,
	.llseek = physbuf_llseek,
	.read_iter = physbuf_read_iter,
	.write_iter = physbuf_write_iter,
	.fsync = physbuf_fsync,
	.poll = physbuf_poll,
	.unlocked_ioctl = physbuf_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = physbuf_mmap,
};
