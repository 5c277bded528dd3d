/*
 * clock: what time it is, and how WeChat writes it.
 *
 * Knows Beijing time, which is UTC+8 without summer time.  Hides the system
 * clocks.  Owns nothing, and never touches the TZ variable.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

typedef int64_t epoch_t;	/* whole seconds since 1970, UTC */

#define CLOCK_COMPACT_SIZE 15	/* "20260301093000" */
#define CLOCK_RFC3339_SIZE 26	/* "2026-03-01T09:30:00+08:00" */
#define CLOCK_SPACED_SIZE 20	/* "2026-03-01 09:30:00" */

epoch_t clock_now(void);
int64_t clock_monotonic_ms(void);	/* for deadlines and durations */

/* Years 1970 to 9999. */
void clock_format_compact(epoch_t at, char out[static CLOCK_COMPACT_SIZE]);
void clock_format_rfc3339(epoch_t at, char out[static CLOCK_RFC3339_SIZE]);

/* "yyyyMMddHHmmss", Beijing; false if that is no such moment. */
MUSTUSE bool clock_parse_compact(const char *text, epoch_t *out);
/* "yyyy-MM-dd HH:mm:ss", Beijing, as V2 refunds write it. */
MUSTUSE bool clock_parse_spaced(const char *text, epoch_t *out);
/* "yyyy-MM-ddTHH:mm:ss+08:00" or any other whole offset, or Z; a fraction of
 * a second, ".120", is dropped. */
MUSTUSE bool clock_parse_rfc3339(const char *text, epoch_t *out);

#endif
