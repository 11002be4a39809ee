/* SPDX-License-Identifier: MIT */
/*
 * The Test Anything Protocol, for the programs that run in the guest. Their
 * exit status: 0 all passed, 1 a test failed, 2 usage or set-up.
 */
#ifndef TAP_H
#define TAP_H

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned int tap_tests;
static unsigned int tap_failures;

static inline void result(bool good, const char *what, const char *detail)
{
	tap_tests++;
	if (!good)
		tap_failures++;
	printf("%sok %u - %s%s%s\n", good ? "" : "not ", tap_tests, what, good ? "" : ": ",
	       good ? "" : detail);
	fflush(stdout);
}

static inline void check(bool good, const char *what)
{
	result(good, what, "is not so");
}

/* For what cannot be tried by this user or on this machine, with the reason. */
static inline void skip(const char *what, const char *why)
{
	tap_tests++;
	printf("ok %u - %s # SKIP %s\n", tap_tests, what, why);
}

static inline void equal(long long got, long long want, const char *what)
{
	char detail[80];

	snprintf(detail, sizeof(detail), "got %lld, want %lld", got, want);
	result(got == want, what, detail);
}

/* A call that has to fail with one errno, or with either of two. */
static inline void refused2(long long got, int want, int other, const char *what)
{
	int saved = errno;
	char detail[160];

	if (got == -1)
		snprintf(detail, sizeof(detail), "got %s, want %s", strerror(saved),
			 strerror(want));
	else
		snprintf(detail, sizeof(detail), "got %lld, want %s", got, strerror(want));
	result(got == -1 && (saved == want || saved == other), what, detail);
}

static inline void refused(long long got, int want, const char *what)
{
	refused2(got, want, want, what);
}

/* A call that has to succeed with a value, or else says its errno. */
static inline void gives(long long got, long long want, const char *what)
{
	char detail[160];

	if (got == -1)
		snprintf(detail, sizeof(detail), "got %s, want %lld", strerror(errno), want);
	else
		snprintf(detail, sizeof(detail), "got %lld, want %lld", got, want);
	result(got == want, what, detail);
}

/* The test cannot go on. */
static inline void bail_out(const char *what)
{
	printf("Bail out! %s: %s\n", what, strerror(errno));
	exit(2);
}

static inline int tap_end(void)
{
	printf("1..%u\n", tap_tests);
	return tap_failures ? 1 : 0;
}

#endif /* TAP_H */
