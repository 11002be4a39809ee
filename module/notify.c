// SPDX-License-Identifier: GPL-2.0-only
/*
 * physbuf: tell who polls a region that a producer has something there.
 */

#include <linux/poll.h>
#include <linux/uaccess.h>

#include "physbuf.h"

/**
 * physbuf_ring() - wake everybody who polls a region
 * @region: the region
 *
 * Context: any, also interrupts.
 */
void physbuf_ring(struct physbuf_region *region)
{
	atomic64_inc(&region->rings);
	wake_up_interruptible_poll(&region->bell, EPOLLIN | EPOLLRDNORM);
}

static bool physbuf_is_rung(struct physbuf_file *file)
{
	unsigned long flags;
	bool rung;

	spin_lock_irqsave(&file->lock, flags);
	rung = (u64)atomic64_read(&file->region->rings) != file->seen;
	spin_unlock_irqrestore(&file->lock, flags);
	return rung;
}

__poll_t physbuf_poll(struct file *file, struct poll_table_struct *wait)
{
	struct physbuf_file *pf = file->private_data;
	__poll_t ready = EPOLLOUT | EPOLLWRNORM;

	poll_wait(file, &pf->region->bell, wait);
	if (physbuf_is_rung(pf))
		ready |= EPOLLIN | EPOLLRDNORM;
	return ready;
}

long physbuf_ioctl_ring(struct physbuf_file *file)
{
	if (!file->writable)
		return -EBADF;
	physbuf_ring(file->region);
	return 0;
}

long physbuf_ioctl_rings(struct physbuf_file *file, void __user *arg)
{
	unsigned long flags;
	u64 rings;

	spin_lock_irqsave(&file->lock, flags);
	rings = (u64)atomic64_read(&file->region->rings) - file->seen;
	file->seen += rings;
	spin_unlock_irqrestore(&file->lock, flags);

	if (!copy_to_user(arg, &rings, sizeof(rings)))
		return 0;

	/* Not delivered, so not seen. */
	spin_lock_irqsave(&file->lock, flags);
	file->seen -= rings;
	spin_unlock_irqrestore(&file->lock, flags);
	return -EFAULT;
}
