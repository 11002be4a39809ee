/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * physbuf: what the files of the module share.
 */
#ifndef PHYSBUF_H
#define PHYSBUF_H

#include <linux/atomic.h>
#include <linux/cdev.h>
#include <linux/device.h>
#include <linux/fs.h>
#include <linux/ioport.h>
#include <linux/list.h>
#include <linux/mm_types.h>
#include <linux/physbuf.h>
#include <linux/types.h>
#include <linux/uio.h>

/* Regions one module can hold: the minors it takes. */
#define PHYSBUF_MAX_REGIONS	64

struct physbuf_region;

/**
 * struct physbuf_kind - one kind of memory behind the common file operations
 * @id: the kind's number in the uapi
 * @name: the kind's name in sysfs and in messages
 * @flags: PHYSBUF_FLAG_* bits that every region of this kind has
 * @acquire: take the memory of the region, or say why not and return an errno
 * @release: give the memory back
 * @read: copy from the region; the range is checked, the short count is right
 * @write: copy into the region, likewise
 * @mmap: map from an offset on; range, rights and flags of the area are checked
 */
struct physbuf_kind {
	u32 id;
	const char *name;
	u64 flags;

	int (*acquire)(struct physbuf_region *region);
	void (*release)(struct physbuf_region *region);
	ssize_t (*read)(struct physbuf_region *region, u64 offset,
			struct iov_iter *to);
	ssize_t (*write)(struct physbuf_region *region, u64 offset,
			 struct iov_iter *from);
	int (*mmap)(struct physbuf_region *region, u64 offset,
		    struct vm_area_struct *vma);
};

/**
 * struct physbuf_region - a named range of memory and its character device
 * @dev: the class device; the last reference frees the region
 * @cdev: the character device, which holds @dev while a file is open
 * @node: in the list of registered regions
 * @kind: the functions behind the file operations
 * @name: the name in /dev/physbuf
 * @label: the name in /proc/iomem
 * @base: physical address
 * @size: bytes
 * @cache: PHYSBUF_CACHE_*
 * @mappings: memory areas that map the region now
 * @res: the claim in the resource tree
 * @vaddr: the kernel's own mapping
 */
struct physbuf_region {
	struct device dev;
	struct cdev cdev;
	struct list_head node;
	const struct physbuf_kind *kind;
	char name[PHYSBUF_NAME_LEN];
	char label[PHYSBUF_NAME_LEN + 8];
	phys_addr_t base;
	phys_addr_t size;
	u32 cache;
	atomic_t mappings;

	struct resource *res;
	void *vaddr;
};

/**
 * struct physbuf_spec - a region as the module parameter says it
 * @name: the name in /dev/physbuf
 * @base: physical address, page aligned
 * @size: bytes, page aligned, not zero; @base + @size does not overflow
 * @cache: PHYSBUF_CACHE_*
 */
struct physbuf_spec {
	char name[PHYSBUF_NAME_LEN];
	phys_addr_t base;
	phys_addr_t size;
	u32 cache;
};

/* For messages: print it with %pR. */
static inline struct resource physbuf_range(phys_addr_t base, phys_addr_t size)
{
	return (struct resource) {
		.start = base,
		.end = base + (size - 1),
		.flags = IORESOURCE_MEM,
	};
}

/* main.c */
extern struct class physbuf_class;

/* parse.c */
int physbuf_parse(char **cursor, struct physbuf_spec *spec);

/* region.c */
int physbuf_regions_init(void);
void physbuf_regions_exit(void);
int physbuf_region_add(const struct physbuf_kind *kind,
		       const struct physbuf_spec *spec);

/* file.c */
extern const struct file_operations physbuf_fops;

/* mapping.c */
int physbuf_mmap(struct file *file, struct vm_area_struct *vma);

/* sysfs.c */
extern const struct attribute_group *physbuf_groups[];
const char *physbuf_cache_name(u32 cache);

/* iomem.c */
int physbuf_iomem_claim(struct physbuf_region *region);
void physbuf_iomem_unclaim(struct physbuf_region *region);

/* reserved.c */
extern const struct physbuf_kind physbuf_reserved;

#endif /* PHYSBUF_H */
