/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* CRC32C (Castagnoli), the checksum of iSCSI and ext4. */
#ifndef PHYSBUF_CRC32C_H
#define PHYSBUF_CRC32C_H

#include "physbuf_record.h"

/*
 * The CRC32C of @length bytes at @data, going on from @crc: 0 to begin, else the result of the
 * bytes before. "123456789" gives 0xe3069283.
 */
uint32_t physbuf_crc32c(uint32_t crc, const void *data, size_t length);

#endif
