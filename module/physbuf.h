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
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/physbuf.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/uio.h>
#include <linux/wait.h>

/* Regions one module can hold: the minors it takes. */
#define PHYSBUF_MAX_REGIONS	64

struct physbuf_dma_pool;
struct physbuf_file;
struct physbuf_region;
struct physbuf_spec;

/* Whether a region lies where it lay at the last boot. */
enum physbuf_moved {
	PHYSBUF_MOVED_UNKNOWN,
	PHYSBUF_MOVED_NO,
	PHYSBUF_MOVED_YES,
};

/**
 * struct physbuf_kind - one kind of memory behind the common file operations
 * @id: the kind's number in the uapi
 * @name: the kind's name in sysfs and in messages
 * @flags: PHYSBUF_FLAG_* bits that every region of this kind has
 * @caches: the memory types it can have, a bit 1 << PHYSBUF_CACHE_* each
 * @cache: the memory type it has when nothing is said
 * @dump: its mappings belong in a core dump
 * @own_offsets: @mmap itself checks the range, offsets are not the region's
 * @acquire: take the memory of the region, or say why not and return an errno
 * @release: give the memory back
 * @read: copy from the region; the offset lies in it, the short count is right
 * @write: copy into the region, likewise
 * @mmap: map from an offset on; rights and flags of the area are checked
 * @open: may be absent: refuse, or prepare, an open file
 * @close: may be absent: the last user of the open file is gone
 * @ioctl: may be absent: the kind's own commands; -ENOTTY for an unknown one
 */
struct physbuf_kind {
	u32 id;
	const char *name;
	u64 flags;
	u32 caches;
	u32 cache;
	bool dump;
	bool own_offsets;

	int (*acquire)(struct physbuf_region *region,
		       const struct physbuf_spec *spec);
	void (*release)(struct physbuf_region *region);
	ssize_t (*read)(struct physbuf_region *region, u64 offset,
			struct iov_iter *to);
	ssize_t (*write)(struct physbuf_region *region, u64 offset,
			 struct iov_iter *from);
	int (*mmap)(struct physbuf_file *file, u64 offset,
		    struct vm_area_struct *vma);

	int (*open)(struct physbuf_file *file);
	void (*close)(struct physbuf_file *file);
	long (*ioctl)(struct physbuf_file *file, unsigned int cmd,
		      void __user *arg);
};

/**
 * struct physbuf_region - named memory and its character device
 * @dev: the class device; the last reference frees the region
 * @cdev: the character device, which holds @dev while a file is open
 * @node: in the list of registered regions
 * @kind: the functions behind the file operations
 * @name: the name in /dev/physbuf
 * @label: the name in /proc/iomem
 * @base: physical address, 0 where there is not one
 * @size: bytes
 * @cache: PHYSBUF_CACHE_*
 * @mappings: memory areas that map the region now
 * @res: the claim in the resource tree
 * @vaddr: the kernel's mapping of memory
 * @io: the kernel's mapping of what must be accessed as a device is
 * @pci: the device whose BAR it is
 * @pool: where the buffers of a DMA region come from
 * @is_state: this is the module's notebook, see state.c
 * @boots: boots that found the region here, 0 when nobody counts
 * @moved: enum physbuf_moved
 * @rings: how often the region was rung
 * @bell: who waits for the next time
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
	void __iomem *io;
	struct pci_dev *pci;
	struct physbuf_dma_pool *pool;

	bool is_state;
	u32 boots;
	u32 moved;

	atomic64_t rings;
	wait_queue_head_t bell;
};

/**
 * struct physbuf_file - an open file
 * @region: what it is open on
 * @writable: it was opened for writing
 * @lock: of @seen
 * @seen: the region's rings that this file knows of
 * @buffers: the DMA buffers it allocated
 */
struct physbuf_file {
	struct physbuf_region *region;
	bool writable;
	spinlock_t lock; /* of seen */
	u64 seen;
	struct physbuf_dma_file *buffers;
};

/**
 * struct physbuf_spec - a region as it was asked for
 * @kind: what it is made of
 * @name: the name in /dev/physbuf
 * @label: the name of a reserve_mem boot argument, or empty
 * @base: physical address, page aligned, where the kind takes one
 * @size: bytes, page aligned; @base + @size does not overflow; may be 0 where
 *	the place itself has a size
 * @cache: PHYSBUF_CACHE_*, 0 for the kind's own
 * @is_state: the module keeps its notebook there
 * @from_tree: the device tree says so, not a parameter
 * @has_pci: the fields that follow are given
 * @domain: PCI domain
 * @bus: PCI bus
 * @devfn: PCI device and function
 * @bar: number of the BAR
 */
struct physbuf_spec {
	const struct physbuf_kind *kind;
	char name[PHYSBUF_NAME_LEN];
	char label[PHYSBUF_NAME_LEN];
	phys_addr_t base;
	phys_addr_t size;
	u32 cache;
	bool is_state;
	bool from_tree;

	bool has_pci;
	int domain;
	unsigned int bus;
	unsigned int devfn;
	unsigned int bar;
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
u32 physbuf_parse_cache(const char *word);
bool physbuf_name_ok(const char *name);

/* region.c: the list changes under the lock; to read it, rcu_read_lock() does */
extern struct mutex physbuf_lock;
extern struct list_head physbuf_list;
int physbuf_regions_init(void);
void physbuf_regions_exit(void);
struct physbuf_region *physbuf_region_add(const struct physbuf_spec *spec,
					  struct device *parent);
void physbuf_region_remove(struct physbuf_region *region);
int physbuf_region_apart(const struct physbuf_region *region);
int physbuf_region_has_size(const struct physbuf_region *region,
			    const struct physbuf_spec *spec);

/* devicetree.c */
int physbuf_devicetree_init(void);
void physbuf_devicetree_exit(void);

/* file.c */
extern const struct file_operations physbuf_fops;

/* mapping.c */
int physbuf_mmap(struct file *file, struct vm_area_struct *vma);
int physbuf_remap(struct physbuf_region *region, u64 offset,
		  struct vm_area_struct *vma);
int physbuf_map_pages(struct physbuf_file *file, u64 offset,
		      struct vm_area_struct *vma);
void physbuf_mapping_opened(struct physbuf_region *region);
void physbuf_mapping_closed(struct physbuf_region *region);

/* copy.c */
ssize_t physbuf_copy_out(struct physbuf_region *region, u64 offset,
			 struct iov_iter *to);
ssize_t physbuf_copy_in(struct physbuf_region *region, u64 offset,
			struct iov_iter *from);

/* notify.c */
void physbuf_ring(struct physbuf_region *region);
__poll_t physbuf_poll(struct file *file, struct poll_table_struct *wait);
long physbuf_ioctl_ring(struct physbuf_file *file);
long physbuf_ioctl_rings(struct physbuf_file *file, void __user *arg);

/* clean.c */
int physbuf_clean_init(void);
void physbuf_clean_exit(void);
bool physbuf_is_cleanable(const struct physbuf_region *region);
const char *physbuf_cleaner(const struct physbuf_region *region);
void physbuf_clean_now(void *at, size_t length);
void physbuf_clean_whole(struct physbuf_region *region);
int physbuf_clean(struct physbuf_region *region, u64 offset, u64 length);
long physbuf_ioctl_clean(struct physbuf_file *file, void __user *arg);

/* state.c */
enum physbuf_exit {
	PHYSBUF_EXIT_NONE,
	PHYSBUF_EXIT_UNLOADED,
	PHYSBUF_EXIT_OOPS,
	PHYSBUF_EXIT_PANIC,
	PHYSBUF_EXIT_RESTART,
	PHYSBUF_EXIT_HALT,
	PHYSBUF_EXIT_POWEROFF,
	PHYSBUF_EXIT_UNKNOWN,
};

int physbuf_state_check(const struct physbuf_spec *spec);
void physbuf_state_meet(struct physbuf_region *region);
void physbuf_state_leave(struct physbuf_region *region);
void physbuf_state_note(enum physbuf_exit how, u64 cleaned);
const char *physbuf_state_reset_cause(void);
const char *physbuf_state_last_exit(void);
u64 physbuf_state_last_cleaned(void);

/* sysfs.c */
extern const struct attribute_group *physbuf_groups[];
const char *physbuf_cache_name(u32 cache);

/* iomem.c */
int physbuf_iomem_claim_ram(struct physbuf_region *region);
int physbuf_iomem_claim_device(struct physbuf_region *region);
void physbuf_iomem_unclaim(struct physbuf_region *region);

/* dma.c */
u64 physbuf_dma_used(const struct physbuf_region *region);

/* One file a kind. */
extern const struct physbuf_kind physbuf_reserved;
extern const struct physbuf_kind physbuf_dma;
extern const struct physbuf_kind physbuf_pages;
extern const struct physbuf_kind physbuf_vmalloc;
extern const struct physbuf_kind physbuf_regs;

#endif /* PHYSBUF_H */
