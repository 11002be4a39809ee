/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every difference between kernel versions that the module meets, 5.10 and up.
 */
#ifndef PHYSBUF_COMPAT_H
#define PHYSBUF_COMPAT_H

#include <linux/device.h>
#include <linux/mm.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 10, 0)
#error "physbuf wants Linux 5.10 or newer"
#endif

/* 6.2: the devnode callback of a class got a const device. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
#define PHYSBUF_DEVNODE_CONST	const
#else
#define PHYSBUF_DEVNODE_CONST
#endif

/* 6.3: vm_flags became read only, changed by functions. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
#define physbuf_vm_flags_set(vma, flags)	vm_flags_set(vma, flags)
#define physbuf_vm_flags_clear(vma, flags)	vm_flags_clear(vma, flags)
#else
static inline void physbuf_vm_flags_set(struct vm_area_struct *vma,
					unsigned long flags)
{
	vma->vm_flags |= flags;
}

static inline void physbuf_vm_flags_clear(struct vm_area_struct *vma,
					  unsigned long flags)
{
	vma->vm_flags &= ~flags;
}
#endif

/*
 * What needs no switch here, and why: the class is registered, not created
 * (class_create lost its owner in 6.4); seeking is fixed_size_llseek (no_llseek
 * went in 6.12).
 */

#endif /* PHYSBUF_COMPAT_H */
