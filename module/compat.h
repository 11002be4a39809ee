/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every difference between kernel versions that the module meets, 5.10 and up.
 */
#ifndef PHYSBUF_COMPAT_H
#define PHYSBUF_COMPAT_H

#include <linux/device.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/module.h>
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

/* 5.13: ioremap_np() for memory that not even posts a write. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 13, 0)
static inline void __iomem *physbuf_ioremap_uc(phys_addr_t base, size_t size)
{
	void __iomem *io = ioremap_np(base, size);

	/* It is NULL where the machine has no such type, as on x86. */
	return io ? io : ioremap(base, size);
}
#elif defined(CONFIG_ARM64)
#define physbuf_ioremap_uc(base, size) \
	__ioremap(base, size, pgprot_noncached(PAGE_KERNEL))
#else
#define physbuf_ioremap_uc(base, size)	ioremap(base, size)
#endif

/* 5.14: the panic notifiers got a header of their own. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 14, 0)
#include <linux/panic_notifier.h>
#else
#include <linux/kernel.h>
#endif

/* 5.16: dma-buf's symbols live in a namespace; 6.13: its name is a string. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
#define PHYSBUF_IMPORT_DMA_BUF	MODULE_IMPORT_NS("DMA_BUF")
#elif LINUX_VERSION_CODE >= KERNEL_VERSION(5, 16, 0)
#define PHYSBUF_IMPORT_DMA_BUF	MODULE_IMPORT_NS(DMA_BUF)
#else
#define PHYSBUF_IMPORT_DMA_BUF	struct physbuf_no_namespace
#endif

/* 6.12: reserve_mem= ranges have names. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
#include <linux/cc_platform.h>

static inline int physbuf_reserve_mem_find(const char *name, phys_addr_t *base,
					   phys_addr_t *size)
{
	/* It stays in the kernel's encrypted mapping of all RAM. */
	if (cc_platform_has(CC_ATTR_MEM_ENCRYPT))
		return -EACCES;
	return reserve_mem_find_by_name(name, base, size) ? 0 : -ENOENT;
}
#else
static inline int physbuf_reserve_mem_find(const char *name, phys_addr_t *base,
					   phys_addr_t *size)
{
	return -EOPNOTSUPP;
}
#endif

/*
 * What needs no switch here, and why: the class is registered, not created
 * (class_create lost its owner in 6.4); seeking is fixed_size_llseek (no_llseek
 * went in 6.12); a platform device is unbound by devm (its remove callback
 * returns nothing since 6.11).
 */

#endif /* PHYSBUF_COMPAT_H */
