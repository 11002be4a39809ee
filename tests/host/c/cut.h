/* SPDX-License-Identifier: MIT */
/* Forced into the log core by the compiler's -include: lets a test cut the power before any store.
 */
#ifndef CUT_H
#define CUT_H

void cut_before_store(void);

#define PHYSBUF_BEFORE_STORE(base, offset, value) cut_before_store()

#endif
