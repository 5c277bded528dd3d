/*
 * store_query: a call of one of our SQL functions, and reading its answer.
 *
 * Knows the text of each call, and how values and words are spelled.  Hides
 * PQsendQueryParams.  Owns nothing.  Private to lib/store.
 */
#ifndef STORE_STORE_QUERY_H
#define STORE_STORE_QUERY_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "store/store.h"
#include "store/store_pool.h"

struct store {
	char mchid[MCHID_MAX + 1];
	struct store_pool *pool;
};

enum store_function {
	STORE_SQL_PING = 1,
	STORE_SQL_PAY_START,
	STORE_SQL_PREPAID,
	STORE_SQL_CLAIM,
	STORE_SQL_TOLD,
	STORE_SQL_CLOSED,
	STORE_SQL_ORDER_CLOSE,
	STORE_SQL_ORDER_CHECK,
	STORE_SQL_ORDER_SHOW,
	STORE_SQL_ORDER_CODE_URL,
	STORE_SQL_ORDER_STATE,
	STORE_SQL_ORDERS_LIST,
	STORE_SQL_ORDER_PAYMENTS,
	STORE_SQL_ORDER_EXPIRE,
	STORE_SQL_EVENTS_NUMBER,
	STORE_SQL_CALLS_SWEEP,
	STORE_SQL_PARTITIONS_AHEAD,
	STORE_SQL_NOTICE_PAID,
	STORE_SQL_NOTICE_REFUNDED,
	STORE_SQL_REFUND_REQUEST,
	STORE_SQL_REFUND_DECIDE,
	STORE_SQL_REFUND_CLAIM,
	STORE_SQL_REFUND_TOLD,
	STORE_SQL_REFUND_SHOW,
	STORE_SQL_REFUNDS_LIST,
	STORE_SQL_NOTICE_OTHER,
	STORE_SQL_KEYS_LIST,
	STORE_SQL_KEYS_CLAIM,
	STORE_SQL_KEY_PUT,
	STORE_SQL_KEYS_TOLD,
	STORE_SQL_KEY_SEEN,
	STORE_SQL_KEYS_WANTED,
	STORE_SQL_KEYS_REPORT,
	STORE_SQL_KEYS_SAFE,
	STORE_SQL_OAUTH_BEGIN,
	STORE_SQL_OAUTH_TAKE,
	STORE_SQL_OAUTH_USED,
	STORE_SQL_OAUTH_SWEEP,
	STORE_SQL_TOKENS_CLAIM,
	STORE_SQL_TOKEN_TOLD,
	STORE_SQL_TICKET_SHOW,
	STORE_SQL_ORDER_STAFF,
	STORE_SQL_MICROPAY_START,
	STORE_SQL_MICROPAY_TOLD,
	STORE_SQL_MICROPAY_CLAIM,
	STORE_SQL_MICROPAY_ASKED,
	STORE_SQL_MICROPAY_REVERSED,
	STORE_SQL_MICROPAY_EXPIRE,
	STORE_SQL_TRANSACTION_ASK,
	STORE_SQL_TRANSACTION_TOLD,
};

#define STORE_PARAMS_MAX 25
#define STORE_DIGITS_SIZE 21	/* of an int64, with sign and NUL */

struct store_query {
	enum store_function function;
	int count;
	const char *values[STORE_PARAMS_MAX];	/* borrowed */
	int lens[STORE_PARAMS_MAX];
	int formats[STORE_PARAMS_MAX];
	char digits[STORE_PARAMS_MAX][STORE_DIGITS_SIZE];
};

/* Parameters come in the order of the function's, the merchant first. */
void store_query_init(struct store_query *query,
    enum store_function function, const struct store *store);
/* For a function that is about no merchant, and takes nothing. */
void store_query_bare(struct store_query *query,
    enum store_function function);
void store_query_text(struct store_query *query, const char *text);
void store_query_int(struct store_query *query, int64_t value);
/* A number that is absent when it is 0. */
void store_query_int_or_null(struct store_query *query, int64_t value);
void store_query_bytes(struct store_query *query, const char *bytes,
    size_t len);

/* *rows is the caller's, who calls PQclear. */
MUSTUSE bool store_query_run(struct store *store,
    const struct store_query *query, int64_t deadline, PGresult **rows,
    struct err *err);
/* The same, and anything but one row is ERR_BUG. */
MUSTUSE bool store_query_row(struct store *store,
    const struct store_query *query, int64_t deadline, PGresult **rows,
    struct err *err);

/*
 * Reading by the name of the column.  A null is "", 0 or false.  What does
 * not fit, or is no such column, is ERR_BUG: SQL and C do not agree.
 */
MUSTUSE bool store_rows_text(const PGresult *rows, int row,
    const char *column, char *out, size_t size, struct err *err);
MUSTUSE bool store_rows_int(const PGresult *rows, const char *column,
    int64_t *out, struct err *err);
MUSTUSE bool store_rows_bool(const PGresult *rows, const char *column,
    bool *out, struct err *err);
/* *out is the caller's, who calls free(); NULL for a null. */
MUSTUSE bool store_rows_copy(const PGresult *rows, const char *column,
    char **out, struct err *err);

/* WeChat's API in the column "api"; a null leaves *out as it is. */
MUSTUSE bool store_rows_api(const PGresult *rows, enum payment_api *out,
    struct err *err);

struct store_word {
	const char *word;
	int value;
};

/* words ends with a NULL word. */
MUSTUSE bool store_rows_word(const PGresult *rows, const char *column,
    const struct store_word *words, int *out, struct err *err);

/* Run a function that answers with one word, in the only column. */
MUSTUSE bool store_query_word(struct store *store,
    const struct store_query *query, int64_t deadline,
    const struct store_word *words, int *out, struct err *err);
/* The same, with a text or null, which is the caller's: free(). */
MUSTUSE bool store_query_value(struct store *store,
    const struct store_query *query, int64_t deadline, char **text,
    struct err *err);
/* The same, with a count. */
MUSTUSE bool store_query_count(struct store *store,
    const struct store_query *query, int64_t deadline, long *count,
    struct err *err);

#endif
