#include "base/clock.h"

#include <assert.h>

#define BEIJING_SECONDS (8 * 3600)
#define DAY_SECONDS 86400
#define YEAR_LAST 9999

/* A date and a time of day, in whatever zone the caller means. */
struct moment {
	int year, month, day, hour, minute, second;
};

epoch_t
clock_now(void)
{
	struct timespec now = { 0 };

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec;
}

int64_t
clock_monotonic_ms(void)
{
	struct timespec now = { 0 };

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool
year_is_leap(int year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int
month_days(int year, int month)
{
	static const int days[] = {
		31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31
	};

	return days[month - 1] + (month == 2 && year_is_leap(year));
}

/* Days from 1970-01-01 to the first of January. */
static int64_t
year_begins(int year)
{
	int before = year - 1;

	return (year - 1970) * INT64_C(365) + before / 4 - before / 100
	    + before / 400 - 477;
}

/*
 * Not gmtime_r and timegm: they read the TZ variable and take a lock of the
 * C library for it.
 */
static struct moment
moment_of(int64_t seconds)
{
	int64_t days = seconds / DAY_SECONDS;
	int rest = (int)(seconds % DAY_SECONDS);
	struct moment m = { .year = (int)(1970 + days / 366), .month = 1 };

	while (days >= year_begins(m.year + 1))
		m.year++;
	days -= year_begins(m.year);
	while (days >= month_days(m.year, m.month)) {
		days -= month_days(m.year, m.month);
		m.month++;
	}
	m.day = (int)days + 1;
	m.hour = rest / 3600;
	m.minute = rest / 60 % 60;
	m.second = rest % 60;
	return m;
}

static int64_t
moment_seconds(const struct moment *m)
{
	int64_t days = year_begins(m->year) + m->day - 1;

	for (int month = 1; month < m->month; month++)
		days += month_days(m->year, month);
	return days * DAY_SECONDS + m->hour * 3600 + m->minute * 60
	    + m->second;
}

static bool
moment_is_real(const struct moment *m)
{
	return m->year >= 1970 && m->year <= YEAR_LAST
	    && m->month >= 1 && m->month <= 12
	    && m->day >= 1 && m->day <= month_days(m->year, m->month)
	    && m->hour <= 23 && m->minute <= 59 && m->second <= 59;
}

/* The moment that a Beijing clock shows. */
static struct moment
moment_beijing(epoch_t at)
{
	const struct moment last = { YEAR_LAST, 12, 31, 23, 59, 59 };
	int64_t seconds = at + BEIJING_SECONDS;

	assert(seconds >= 0 && seconds <= moment_seconds(&last));
	return moment_of(seconds);
}

void
clock_format_compact(epoch_t at, char out[static CLOCK_COMPACT_SIZE])
{
	struct moment m = moment_beijing(at);

	snprintf(out, CLOCK_COMPACT_SIZE, "%04u%02u%02u%02u%02u%02u",
	    (unsigned)m.year % 10000, (unsigned)m.month % 100,
	    (unsigned)m.day % 100, (unsigned)m.hour % 100,
	    (unsigned)m.minute % 100, (unsigned)m.second % 100);
}

void
clock_format_rfc3339(epoch_t at, char out[static CLOCK_RFC3339_SIZE])
{
	struct moment m = moment_beijing(at);

	snprintf(out, CLOCK_RFC3339_SIZE,
	    "%04u-%02u-%02uT%02u:%02u:%02u+08:00",
	    (unsigned)m.year % 10000, (unsigned)m.month % 100,
	    (unsigned)m.day % 100, (unsigned)m.hour % 100,
	    (unsigned)m.minute % 100, (unsigned)m.second % 100);
}

/* Read exactly so many digits and step over them. */
static bool
digits_read(const char **at, int digits, int *out)
{
	int value = 0;

	for (int i = 0; i < digits; i++) {
		if (**at < '0' || **at > '9')
			return false;
		value = value * 10 + (*(*at)++ - '0');
	}
	*out = value;
	return true;
}

/* Read by shape: Y M D h m s are numbers, the rest stands for itself. */
static bool
moment_read(const char **at, const char *shape, struct moment *m)
{
	static const char letters[] = "YMDhms";
	int *const numbers[] = {
		&m->year, &m->month, &m->day, &m->hour, &m->minute, &m->second
	};

	for (; *shape != '\0'; shape++) {
		const char *letter = strchr(letters, *shape);

		if (letter == NULL && *(*at)++ != *shape)
			return false;
		if (letter != NULL && !digits_read(at, *shape == 'Y' ? 4 : 2,
		    numbers[letter - letters]))
			return false;
	}
	return moment_is_real(m);
}

static bool
beijing_parse(const char *text, const char *shape, epoch_t *out)
{
	struct moment m = { 0 };

	if (!moment_read(&text, shape, &m) || *text != '\0')
		return false;
	*out = moment_seconds(&m) - BEIJING_SECONDS;
	return true;
}

bool
clock_parse_compact(const char *text, epoch_t *out)
{
	return beijing_parse(text, "YMDhms", out);
}

bool
clock_parse_spaced(const char *text, epoch_t *out)
{
	return beijing_parse(text, "Y-M-D h:m:s", out);
}

/* Step over ".120", if that is what stands there: we count whole seconds. */
static bool
fraction_skip(const char **at)
{
	size_t digits = 0;

	if (**at != '.')
		return true;
	digits = strspn(*at + 1, "0123456789");
	*at += 1 + digits;
	return digits > 0;
}

/* "Z" or "+hh:mm" or "-hh:mm", to the end of the text. */
static bool
offset_parse(const char *at, int *seconds)
{
	int sign = *at == '-' ? -1 : 1;
	int hours = 0;
	int minutes = 0;

	if (strcmp(at, "Z") == 0) {
		*seconds = 0;
		return true;
	}
	if ((*at != '+' && *at != '-') || strlen(at) != strlen("+hh:mm"))
		return false;
	at++;
	if (!digits_read(&at, 2, &hours) || *at++ != ':'
	    || !digits_read(&at, 2, &minutes) || hours > 23 || minutes > 59)
		return false;
	*seconds = sign * (hours * 3600 + minutes * 60);
	return true;
}

bool
clock_parse_rfc3339(const char *text, epoch_t *out)
{
	const struct moment last = { YEAR_LAST, 12, 31, 23, 59, 59 };
	struct moment m = { 0 };
	epoch_t at = 0;
	int offset = 0;

	if (!moment_read(&text, "Y-M-DTh:m:s", &m) || !fraction_skip(&text)
	    || !offset_parse(text, &offset))
		return false;
	/* What can be parsed can be formatted, in Beijing's years. */
	at = moment_seconds(&m) - offset;
	if (at + BEIJING_SECONDS < 0
	    || at + BEIJING_SECONDS > moment_seconds(&last))
		return false;
	*out = at;
	return true;
}
