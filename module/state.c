// SPDX-License-Identifier: GPL-2.0-only
/*
 * physbuf: the region of role "state", the module's own notebook over resets:
 * how many boots found each region where it is, whether one has moved, and how
 * the last boot ended.
 *
 * Two slots are written by turns, each with a generation and a checksum, so
 * that a reset in the middle of a store costs the newest note at most.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/crc32.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/of.h>
#include <linux/string.h>
#include <linux/uuid.h>

#include "physbuf.h"

#define PHYSBUF_STATE_MAGIC	0x54534250 /* "PBST" */
#define PHYSBUF_STATE_VERSION	1
#define PHYSBUF_STATE_PLACES	24
#define PHYSBUF_STATE_SLOT	2048
#define PHYSBUF_STATE_TRIES	10000 /* microseconds */
#define PHYSBUF_BOOT_ID		"/proc/sys/kernel/random/boot_id"

/**
 * struct physbuf_place - where a region lies
 * @name: the region's
 * @base: at the boot that saw it last
 * @was_base: at the boot before that one
 * @boots: boots that found it at @base
 * @was_boots: boots that had found it at @was_base; 0: it was not seen before
 * @boot: number of the boot that saw it last; 0: the place is free
 * @reserved: zero
 */
struct physbuf_place {
	char name[PHYSBUF_NAME_LEN];
	__le64 base;
	__le64 was_base;
	__le32 boots;
	__le32 was_boots;
	__le32 boot;
	__le32 reserved;
};

/**
 * struct physbuf_notes - a slot
 * @magic: PHYSBUF_STATE_MAGIC
 * @version: PHYSBUF_STATE_VERSION
 * @generation: of two valid slots, the higher one counts
 * @boot_id: the kernel's own name of this boot, so that loading the module
 *	again does not count as a boot
 * @boot: number of this boot
 * @exit: enum physbuf_exit of this boot, so far
 * @cleaned: bytes that were cleaned then
 * @last_cleaned: likewise, of the last boot
 * @last_exit: likewise
 * @crc: CRC-32 of the slot with this field zero
 * @places: the regions
 */
struct physbuf_notes {
	__le32 magic;
	__le32 version;
	__le64 generation;
	u8 boot_id[16];
	__le32 boot;
	__le32 exit;
	__le64 cleaned;
	__le64 last_cleaned;
	__le32 last_exit;
	__le32 crc;
	struct physbuf_place places[PHYSBUF_STATE_PLACES];
};

static_assert(sizeof(struct physbuf_notes) <= PHYSBUF_STATE_SLOT);

/* Of what follows. */
static DEFINE_RAW_SPINLOCK(state_lock);
static struct physbuf_region *state_region;
static struct physbuf_notes notes;

static const char * const exit_names[] = {
	[PHYSBUF_EXIT_NONE] = "none",
	[PHYSBUF_EXIT_UNLOADED] = "unloaded",
	[PHYSBUF_EXIT_OOPS] = "oops",
	[PHYSBUF_EXIT_PANIC] = "panic",
	[PHYSBUF_EXIT_RESTART] = "restart",
	[PHYSBUF_EXIT_HALT] = "halt",
	[PHYSBUF_EXIT_POWEROFF] = "poweroff",
	[PHYSBUF_EXIT_UNKNOWN] = "unknown",
};

static u32 state_crc(const struct physbuf_notes *slot)
{
	size_t before = offsetof(struct physbuf_notes, crc);
	const __le32 zero = 0;
	u32 crc;

	crc = crc32_le(~0, (const u8 *)slot, before);
	crc = crc32_le(crc, (const u8 *)&zero, sizeof(zero));
	return ~crc32_le(crc, (const u8 *)slot + before + sizeof(zero),
			 sizeof(*slot) - before - sizeof(zero));
}

static bool state_is_valid(const struct physbuf_notes *slot)
{
	return le32_to_cpu(slot->magic) == PHYSBUF_STATE_MAGIC &&
	       le32_to_cpu(slot->version) == PHYSBUF_STATE_VERSION &&
	       le32_to_cpu(slot->crc) == state_crc(slot);
}

static void state_store(void)
{
	u64 generation = le64_to_cpu(notes.generation) + 1;
	u64 offset = (generation & 1) * PHYSBUF_STATE_SLOT;

	notes.generation = cpu_to_le64(generation);
	notes.crc = cpu_to_le32(state_crc(&notes));
	memcpy(state_region->vaddr + offset, &notes, sizeof(notes));
	physbuf_clean_now(state_region->vaddr + offset, sizeof(notes));
}

static bool state_load(const struct physbuf_region *region)
{
	const struct physbuf_notes *slot;
	bool found = false;
	int i;

	memset(&notes, 0, sizeof(notes));
	for (i = 0; i < 2; i++) {
		slot = region->vaddr + i * PHYSBUF_STATE_SLOT;
		if (!state_is_valid(slot))
			continue;
		if (!found || le64_to_cpu(slot->generation) >
			      le64_to_cpu(notes.generation))
			memcpy(&notes, slot, sizeof(notes));
		found = true;
	}
	return found;
}

/*
 * The kernel has no other name for this boot that outlives the module. Where
 * /proc is not mounted, as for a module that is built in, any name will do:
 * each load is a boot then.
 */
static void state_read_boot_id(u8 *id)
{
	char text[UUID_STRING_LEN + 1] = "";
	struct file *file;
	loff_t pos = 0;
	uuid_t uuid;

	generate_random_uuid(id);
	file = filp_open(PHYSBUF_BOOT_ID, O_RDONLY, 0);
	if (IS_ERR(file))
		return;
	if (kernel_read(file, text, UUID_STRING_LEN, &pos) == UUID_STRING_LEN &&
	    !uuid_parse(text, &uuid))
		memcpy(id, &uuid, sizeof(uuid));
	filp_close(file, NULL);
}

static bool state_is_this_boot(const u8 *id)
{
	return !memcmp(id, notes.boot_id, sizeof(notes.boot_id));
}

static void state_begin_boot(const u8 *id, bool found)
{
	notes.magic = cpu_to_le32(PHYSBUF_STATE_MAGIC);
	notes.version = cpu_to_le32(PHYSBUF_STATE_VERSION);
	memcpy(notes.boot_id, id, sizeof(notes.boot_id));
	notes.last_exit = found ? notes.exit : cpu_to_le32(PHYSBUF_EXIT_UNKNOWN);
	notes.last_cleaned = notes.cleaned;
	notes.cleaned = 0;
	le32_add_cpu(&notes.boot, 1);
}

/* Its own place, a free one, or that of the region unseen for longest. */
static struct physbuf_place *state_place(const char *name)
{
	struct physbuf_place *place, *oldest = &notes.places[0];
	int i;

	for (i = 0; i < PHYSBUF_STATE_PLACES; i++) {
		place = &notes.places[i];
		if (!strncmp(place->name, name, sizeof(place->name)))
			return place;
		if (le32_to_cpu(place->boot) < le32_to_cpu(oldest->boot))
			oldest = place;
	}
	memset(oldest, 0, sizeof(*oldest));
	strscpy(oldest->name, name, sizeof(oldest->name));
	return oldest;
}

static void state_note_place(struct physbuf_region *region)
{
	struct physbuf_place *place = state_place(region->name);
	u64 was;

	if (place->boot != notes.boot) {
		place->was_base = place->base;
		place->was_boots = place->boots;
		place->boot = notes.boot;
	}
	was = le64_to_cpu(place->was_base);
	place->base = cpu_to_le64(region->base);
	if (!place->was_boots)
		region->moved = PHYSBUF_MOVED_UNKNOWN;
	else if (was == region->base)
		region->moved = PHYSBUF_MOVED_NO;
	else
		region->moved = PHYSBUF_MOVED_YES;
	region->boots = 1;
	if (region->moved == PHYSBUF_MOVED_NO)
		region->boots += le32_to_cpu(place->was_boots);
	place->boots = cpu_to_le32(region->boots);
}

/* Without the lock: a console may be slow. */
static void state_tell_moved(const struct physbuf_region *region)
{
	if (region->moved == PHYSBUF_MOVED_YES)
		pr_warn("%s: moved since the last boot; what it held is not here\n",
			region->name);
}

static void state_begin(struct physbuf_region *region)
{
	struct physbuf_region *other;
	static u8 id[sizeof(notes.boot_id)];
	unsigned long flags;
	bool found;

	if (!memchr_inv(id, 0, sizeof(id)))
		state_read_boot_id(id);
	raw_spin_lock_irqsave(&state_lock, flags);
	found = state_load(region);
	if (!found || !state_is_this_boot(id))
		state_begin_boot(id, found);
	notes.exit = cpu_to_le32(PHYSBUF_EXIT_NONE);
	state_region = region;
	list_for_each_entry(other, &physbuf_list, node)
		if (other->kind->flags & PHYSBUF_FLAG_PERSISTENT)
			state_note_place(other);
	state_store();
	raw_spin_unlock_irqrestore(&state_lock, flags);
	list_for_each_entry(other, &physbuf_list, node)
		state_tell_moved(other);
}

/**
 * physbuf_state_check() - can a region be the notebook
 * @spec: the region that was asked for
 *
 * Return: 0, or -EINVAL or -EEXIST after a message.
 */
int physbuf_state_check(const struct physbuf_spec *spec)
{
	if (!spec->is_state)
		return 0;
	if (spec->kind != &physbuf_reserved || *spec->label ||
	    (spec->cache && spec->cache != PHYSBUF_CACHE_WB)) {
		pr_err("%s: role=state is for reserved RAM at a fixed address with cache=wb only\n",
		       spec->name);
		return -EINVAL;
	}
	if (state_region) {
		pr_err("%s: region %s has role=state already; one is enough\n",
		       spec->name, state_region->name);
		return -EEXIST;
	}
	return 0;
}

/**
 * physbuf_state_meet() - note where a region lies, and tell it what is known
 * @region: the region, in the list of regions
 *
 * The list's lock is held.
 */
void physbuf_state_meet(struct physbuf_region *region)
{
	unsigned long flags;

	if (region->is_state) {
		state_begin(region);
		return;
	}
	if (!state_region || !(region->kind->flags & PHYSBUF_FLAG_PERSISTENT))
		return;
	raw_spin_lock_irqsave(&state_lock, flags);
	state_note_place(region);
	state_store();
	raw_spin_unlock_irqrestore(&state_lock, flags);
	state_tell_moved(region);
}

/**
 * physbuf_state_leave() - a region goes; without its notebook nobody notes
 * @region: the region
 *
 * The list's lock is held.
 */
void physbuf_state_leave(struct physbuf_region *region)
{
	unsigned long flags;

	if (!region->is_state)
		return;
	physbuf_state_note(PHYSBUF_EXIT_UNLOADED, 0);
	raw_spin_lock_irqsave(&state_lock, flags);
	state_region = NULL;
	raw_spin_unlock_irqrestore(&state_lock, flags);
}

/* The first cause counts; but an oops was survived, and a panic is the end. */
static bool state_is_news(enum physbuf_exit how)
{
	u32 before = le32_to_cpu(notes.exit);

	return how == PHYSBUF_EXIT_PANIC || before == PHYSBUF_EXIT_NONE ||
	       before == PHYSBUF_EXIT_OOPS;
}

/**
 * physbuf_state_note() - note how this boot ends, as far as one can see
 * @how: the way
 * @cleaned: bytes that were cleaned before
 *
 * Context: any. When the notes are locked for long, by a processor that stands
 * still for good, nothing is noted.
 */
void physbuf_state_note(enum physbuf_exit how, u64 cleaned)
{
	unsigned int tries = PHYSBUF_STATE_TRIES;
	unsigned long flags;

	local_irq_save(flags);
	while (!raw_spin_trylock(&state_lock)) {
		if (!--tries)
			goto out;
		udelay(1);
	}
	if (state_region && state_is_news(how)) {
		notes.exit = cpu_to_le32(how);
		notes.cleaned = cpu_to_le64(cleaned);
		state_store();
	}
	raw_spin_unlock(&state_lock);
out:
	local_irq_restore(flags);
}

/* The boot loader may know what the kernel cannot see. */
static char *reset_cause;
module_param(reset_cause, charp, 0444);
MODULE_PARM_DESC(reset_cause, "what the boot loader knows of the cause of the reset, for sysfs");

/**
 * physbuf_state_reset_cause() - why the machine started, as its firmware says
 *
 * Return: the parameter reset_cause; or what barebox leaves in /chosen; or
 * "unknown".
 */
const char *physbuf_state_reset_cause(void)
{
	const char *cause = "unknown";
	struct device_node *chosen;

	if (reset_cause && *reset_cause)
		return reset_cause;
	chosen = of_find_node_by_path("/chosen");
	of_property_read_string(chosen, "reset-source", &cause);
	of_node_put(chosen); /* the kernel never lets go of this one */
	return cause;
}

/**
 * physbuf_state_last_exit() - how the last boot ended
 *
 * Return: the word that sysfs shows.
 */
const char *physbuf_state_last_exit(void)
{
	u32 how = le32_to_cpu(notes.last_exit);

	return exit_names[min_t(u32, how, PHYSBUF_EXIT_UNKNOWN)];
}

/**
 * physbuf_state_last_cleaned() - what was cleaned then
 *
 * Return: bytes.
 */
u64 physbuf_state_last_cleaned(void)
{
	return le64_to_cpu(notes.last_cleaned);
}
