// SPDX-License-Identifier: GPL-2.0-only
/*
 * physbuf: open, read, write, lseek and ioctl, the same for every kind.
 */

#include <linux/fs.h>
#include <linux/module.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/uio.h>

#include "physbuf.h"

static int physbuf_open(struct inode *inode, struct file *file)
{
	file->private_data = container_of(inode->i_cdev, struct physbuf_region,
					  cdev);
	return 0;
}

static loff_t physbuf_llseek(struct file *file, loff_t offset, int whence)
{
	struct physbuf_region *region = file->private_data;

	return fixed_size_llseek(file, offset, whence, region->size);
}

static ssize_t physbuf_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	struct physbuf_region *region = iocb->ki_filp->private_data;
	loff_t pos = iocb->ki_pos;
	ssize_t done;

	if (pos < 0 || pos > region->size)
		return -EINVAL;
	iov_iter_truncate(to, region->size - pos);
	if (!iov_iter_count(to))
		return 0;

	done = region->kind->read(region, pos, to);
	if (done > 0)
		iocb->ki_pos = pos + done;
	return done;
}

static ssize_t physbuf_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	struct physbuf_region *region = iocb->ki_filp->private_data;
	loff_t pos = iocb->ki_pos;
	ssize_t done;

	if (pos < 0 || pos > region->size)
		return -EINVAL;
	if (!iov_iter_count(from))
		return 0;
	if (pos == region->size)
		return -ENOSPC;
	iov_iter_truncate(from, region->size - pos);

	done = region->kind->write(region, pos, from);
	if (done > 0)
		iocb->ki_pos = pos + done;
	return done;
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
	info.mappings = atomic_read(&region->mappings);
	strscpy(info.name, region->name, sizeof(info.name));

	if (copy_to_user(to, &info, fill))
		return -EFAULT;
	if (clear_user(to + fill, want - fill))
		return -EFAULT;
	return 0;
}

static long physbuf_ioctl(struct file *file, unsigned int cmd,
			  unsigned long arg)
{
	struct physbuf_region *region = file->private_data;

	/* The size is the caller's: see the uapi header. */
	if ((cmd & ~IOCSIZE_MASK) == (PHYSBUF_IOC_INFO & ~IOCSIZE_MASK))
		return physbuf_ioctl_info(region, _IOC_SIZE(cmd),
					  (void __user *)arg);
	return -ENOTTY;
}

const struct file_operations physbuf_fops = {
	.owner = THIS_MODULE,
	.open = physbuf_open,
	.llseek = physbuf_llseek,
	.read_iter = physbuf_read_iter,
	.write_iter = physbuf_write_iter,
	.unlocked_ioctl = physbuf_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = physbuf_mmap,
};
