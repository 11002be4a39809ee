// SPDX-License-Identifier: GPL-2.0-only
/*
 * physbuf: write dirty cache lines back to memory, when a program asks and
 * before a reset, which would lose them.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kdebug.h>
#include <linux/libnvdimm.h>
#include <linux/nmi.h>
#include <linux/notifier.h>
#include <linux/rculist.h>
#include <linux/reboot.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/uaccess.h>

#include "compat.h"
#include "physbuf.h"

/* Between two looks at the scheduler and at fatal signals. */
#define PHYSBUF_CLEAN_CHUNK	SZ_256K

static bool physbuf_has_cleaner(void)
{
	return IS_ENABLED(CONFIG_ARCH_HAS_PMEM_API);
}

/**
 * physbuf_is_cleanable() - can stores to a region stay in a cache, and be
 *	cleaned out of it
 * @region: the region
 *
 * Return: true for persistent regions that are mapped cached, on machines with
 * arch_wb_cache_pmem().
 */
bool physbuf_is_cleanable(const struct physbuf_region *region)
{
	return (region->kind->flags & PHYSBUF_FLAG_PERSISTENT) &&
	       region->cache == PHYSBUF_CACHE_WB && physbuf_has_cleaner();
}

/**
 * physbuf_cleaner() - the word for what cleans a region
 * @region: the region
 *
 * Return: the word that sysfs shows.
 */
const char *physbuf_cleaner(const struct physbuf_region *region)
{
	if (!(region->kind->flags & PHYSBUF_FLAG_PERSISTENT) ||
	    region->cache != PHYSBUF_CACHE_WB)
		return "not needed";
	return physbuf_has_cleaner() ? "arch_wb_cache_pmem" : "none";
}

/**
 * physbuf_clean_now() - write memory back, as far as this machine can
 * @at: the kernel's cached mapping
 * @length: bytes
 *
 * Context: any.
 */
void physbuf_clean_now(void *at, size_t length)
{
#ifdef CONFIG_ARCH_HAS_PMEM_API
	arch_wb_cache_pmem(at, length);
#endif
	wmb(); /* on x86 the instructions themselves do not wait */
}

/**
 * physbuf_clean() - write a range of a region back to memory
 * @region: the region
 * @offset: first byte
 * @length: bytes, in the region
 *
 * Return: 0; -EOPNOTSUPP when there is no way, or no point: the region does not
 * survive anyhow; -EINTR when a fatal signal came first.
 */
int physbuf_clean(struct physbuf_region *region, u64 offset, u64 length)
{
	if (!(region->kind->flags & PHYSBUF_FLAG_PERSISTENT))
		return -EOPNOTSUPP;
	if (region->cache != PHYSBUF_CACHE_WB) {
		wmb(); /* write combining buffers */
		return 0;
	}
	if (!physbuf_has_cleaner())
		return -EOPNOTSUPP;
	while (length) {
		u64 chunk = min_t(u64, length, PHYSBUF_CLEAN_CHUNK);

		physbuf_clean_now(region->vaddr + offset, chunk);
		offset += chunk;
		length -= chunk;
		if (length && fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

long physbuf_ioctl_clean(struct physbuf_file *file, void __user *arg)
{
	struct physbuf_region *region = file->region;
	struct physbuf_clean range;

	if (copy_from_user(&range, arg, sizeof(range)))
		return -EFAULT;
	if (!file->writable)
		return -EBADF;
	if (!range.length || range.offset >= region->size ||
	    range.length > region->size - range.offset)
		return -EINVAL;
	return physbuf_clean(region, range.offset, range.length);
}

/**
 * physbuf_clean_whole() - write a region back, all of it
 * @region: a cleanable region
 *
 * Context: any.
 */
void physbuf_clean_whole(struct physbuf_region *region)
{
	u64 offset;

	for (offset = 0; offset < region->size; offset += PHYSBUF_CLEAN_CHUNK) {
		physbuf_clean_now(region->vaddr + offset,
				  min_t(u64, region->size - offset,
					PHYSBUF_CLEAN_CHUNK));
		touch_nmi_watchdog();
	}
}

/* All of every region, from wherever the machine is going down. */
static void physbuf_clean_all(enum physbuf_exit how)
{
	struct physbuf_region *region;
	u64 cleaned = 0;

	rcu_read_lock();
	list_for_each_entry_rcu(region, &physbuf_list, node) {
		if (!physbuf_is_cleanable(region) || region->is_state)
			continue;
		physbuf_clean_whole(region);
		cleaned += region->size;
	}
	physbuf_state_note(how, cleaned);
	rcu_read_unlock();
}

static int physbuf_at_panic(struct notifier_block *block, unsigned long event,
			    void *data)
{
	physbuf_clean_all(PHYSBUF_EXIT_PANIC);
	return NOTIFY_DONE;
}

static int physbuf_at_die(struct notifier_block *block, unsigned long event,
			  void *data)
{
	if (event == DIE_OOPS)
		physbuf_clean_all(PHYSBUF_EXIT_OOPS);
	return NOTIFY_DONE;
}

static int physbuf_at_reboot(struct notifier_block *block, unsigned long event,
			     void *data)
{
	if (event == SYS_HALT)
		physbuf_clean_all(PHYSBUF_EXIT_HALT);
	else if (event == SYS_POWER_OFF)
		physbuf_clean_all(PHYSBUF_EXIT_POWEROFF);
	else
		physbuf_clean_all(PHYSBUF_EXIT_RESTART);
	return NOTIFY_DONE;
}

/* Once more at the very end: what drivers stored while they shut down. */
static int physbuf_at_restart(struct notifier_block *block, unsigned long event,
			      void *data)
{
	physbuf_clean_all(PHYSBUF_EXIT_RESTART);
	return NOTIFY_DONE;
}

/* Behind the others, which may still store. */
static struct notifier_block physbuf_panic_block = {
	.notifier_call = physbuf_at_panic,
	.priority = INT_MIN,
};

static struct notifier_block physbuf_die_block = {
	.notifier_call = physbuf_at_die,
};

/* Likewise. */
static struct notifier_block physbuf_reboot_block = {
	.notifier_call = physbuf_at_reboot,
	.priority = INT_MIN,
};

/* Before the others, one of which restarts the machine. */
static struct notifier_block physbuf_restart_block = {
	.notifier_call = physbuf_at_restart,
	.priority = 255,
};

/**
 * physbuf_clean_init() - clean before every reset that announces itself
 *
 * Return: 0, or an errno.
 */
int physbuf_clean_init(void)
{
	int err;

	err = register_reboot_notifier(&physbuf_reboot_block);
	if (err)
		return err;
	err = register_restart_handler(&physbuf_restart_block);
	if (err)
		goto out_reboot;
	err = register_die_notifier(&physbuf_die_block);
	if (err)
		goto out_restart;
	err = atomic_notifier_chain_register(&panic_notifier_list,
					     &physbuf_panic_block);
	if (err)
		goto out_die;
	return 0;

out_die:
	unregister_die_notifier(&physbuf_die_block);
out_restart:
	unregister_restart_handler(&physbuf_restart_block);
out_reboot:
	unregister_reboot_notifier(&physbuf_reboot_block);
	return err;
}

/**
 * physbuf_clean_exit() - let resets alone
 */
void physbuf_clean_exit(void)
{
	atomic_notifier_chain_unregister(&panic_notifier_list,
					 &physbuf_panic_block);
	unregister_die_notifier(&physbuf_die_block);
	unregister_restart_handler(&physbuf_restart_block);
	unregister_reboot_notifier(&physbuf_reboot_block);
}
