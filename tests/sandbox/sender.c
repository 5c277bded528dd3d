#include "sender.h"

#include <curl/curl.h>
#include <pthread.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "faults.h"
#include "notice2.h"
#include "notice3.h"
#include "wire/jsonmsg.h"

#define SENDER_AT_ONCE 64	/* deliveries under way */
#define SENDER_REPLY_MAX 4096	/* bytes kept of an answer */
#define SENDER_TICK_MS 50
#define SENDER_RETRY_MS 200	/* while the books are down */

struct sender {
	const struct sandbox *sandbox;	/* borrowed */
	pthread_t thread;
	struct naps *ticks;

	pthread_mutex_t lock;
	pthread_cond_t idle;
	int under_way;
	bool is_ending;
};

struct sender_reply {
	int status;			/* HTTP; 0: no answer in time */
	int ms;
	char body[SENDER_REPLY_MAX + 1];
};

struct message {			/* of one notice, as it is sent */
	struct buf body;
	struct fields headers;		/* Wechatpay-* */
};

struct delivery {
	const struct sandbox *sandbox;
	struct sender *sender;		/* NULL: somebody waits for it */
	char id[21];			/* of the notice */
	char kind[16], url[257], version[3], sign_type[16];
	enum fault fault;
	bool was_due;			/* its outcome moves the schedule */
	long answer_ms;
	const struct message *message;	/* borrowed */

	struct sender_reply reply;	/* received */
};

static bool
is_v3(const struct delivery *delivery)
{
	return str_eq(delivery->version, "v3");
}

static void
message_clear(struct message *message)
{
	buf_clear(&message->body);
	fields_clear(&message->headers);
}

static bool
message_make(const struct delivery *delivery, struct message *out,
    struct err *err)
{
	buf_init(&out->body, WEB_REPLY_MAX);
	if (is_v3(delivery))
		return notice3_format(delivery->sandbox, delivery->id,
		    delivery->fault, &out->body, &out->headers, err);
	return notice2_format(delivery->sandbox, delivery->id,
	    delivery->kind, delivery->sign_type,
	    delivery->fault == FAULT_FORGED, &out->body, err);
}

static size_t
sender_receive(char *bytes, size_t size, size_t count, void *arg)
{
	struct buf *body = arg;

	buf_add(body, bytes, size * count);
	return buf_ok(body) ? size * count : 0;
}

static void
sender_setup(CURL *curl, const struct delivery *delivery,
    struct curl_slist *headers, struct buf *body)
{
	curl_easy_setopt(curl, CURLOPT_URL, delivery->url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "Mozilla/4.0");
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS,
	    buf_get(&delivery->message->body));
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, delivery->answer_ms);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, sender_receive);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, body);
	if (delivery->sandbox->notify_ca != NULL)
		curl_easy_setopt(curl, CURLOPT_CAINFO,
		    delivery->sandbox->notify_ca);
}

/* NULL if memory is out. */
static struct curl_slist *
sender_headers(const struct delivery *delivery)
{
	const struct fields *headers = &delivery->message->headers;
	struct curl_slist *list = curl_slist_append(NULL,
	    is_v3(delivery) ? "Content-Type: application/json"
	    : "Content-Type: text/xml");
	struct curl_slist *longer = list;
	struct buf line;

	buf_init(&line, 1024);
	for (size_t i = 0; longer != NULL && i < headers->count; i++) {
		buf_reset(&line);
		buf_format(&line, "%s: %s", headers->list[i].name,
		    headers->list[i].value);
		longer = buf_ok(&line) ? curl_slist_append(list,
		    buf_get(&line)) : NULL;
	}
	buf_clear(&line);
	if (longer != NULL)
		return list;
	curl_slist_free_all(list);
	return NULL;
}

/* An answer that is late or broken counts as none. */
static void
sender_post(struct delivery *delivery)
{
	struct sender_reply *reply = &delivery->reply;
	struct curl_slist *headers = NULL;
	int64_t began_ms = clock_monotonic_ms();
	CURL *curl = curl_easy_init();
	struct buf body;
	long status = 0;

	buf_init(&body, SENDER_REPLY_MAX);
	headers = sender_headers(delivery);
	if (curl != NULL && headers != NULL) {
		sender_setup(curl, delivery, headers, &body);
		if (curl_easy_perform(curl) == CURLE_OK)
			curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE,
			    &status);
	}
	reply->status = (int)status;
	reply->ms = (int)(clock_monotonic_ms() - began_ms);
	if (status == 0 || !str_is_utf8(buf_get(&body), body.len)
	    || !str_copy(reply->body, sizeof(reply->body), buf_get(&body)))
		reply->body[0] = '\0';
	buf_clear(&body);
	curl_slist_free_all(headers);
	curl_easy_cleanup(curl);
}

static const char *
sender_verdict(const struct delivery *delivery)
{
	const struct sender_reply *reply = &delivery->reply;
	bool success = is_v3(delivery) ? notice3_is_success(reply->status)
	    : reply->status == 200 && notice2_is_success(reply->body);

	switch (delivery->fault) {
	case FAULT_LOST:
		return "lost";
	case FAULT_FORGED:
		return success ? "forged_accepted" : "refused";
	case FAULT_PROBE:
		return success && is_v3(delivery) ? "probe_accepted"
		    : success ? "success" : "refused";
	default:
		return success ? "success" : "refused";
	}
}

static bool
sender_spell(const struct fields *headers, struct buf *out, struct err *err)
{
	struct jsonmsg *msg = jsonmsg_new();
	bool ok;

	for (size_t i = 0; i < headers->count; i++)
		jsonmsg_text(msg, headers->list[i].name,
		    headers->list[i].value);
	ok = jsonmsg_format(msg, out);
	jsonmsg_free(msg);
	return ok || err_set(err, ERR_BUG, "out of memory");
}

static bool
sender_record(const struct delivery *delivery, struct err *err)
{
	char ms[16], status[16];
	struct buf headers;
	bool ok;

	snprintf(ms, sizeof(ms), "%d", delivery->reply.ms);
	snprintf(status, sizeof(status), "%d", delivery->reply.status);
	buf_init(&headers, 4096);
	ok = sender_spell(&delivery->message->headers, &headers, err)
	    && books_tell(delivery->sandbox->books,
	    "select sandbox.delivery_add($1, $2, $3, $4, $5, $6, $7, $8, $9)",
	    BOOKS_ARGS(delivery->id, delivery->was_due ? "true" : "false",
	    ms, fault_word(delivery->fault), status, delivery->reply.body,
	    sender_verdict(delivery), buf_get(&headers),
	    buf_get(&delivery->message->body)), err);
	buf_clear(&headers);
	return ok;
}

static bool
sender_is_ending(struct sender *sender)
{
	bool is_ending;

	pthread_mutex_lock(&sender->lock);
	is_ending = sender->is_ending;
	pthread_mutex_unlock(&sender->lock);
	return is_ending;
}

/* A delivery that happened must stand in the books, even if they are down
 * just now: the merchant has settled by it. */
static void
sender_record_surely(const struct delivery *delivery)
{
	struct err err = { 0 };

	while (!sender_record(delivery, &err)) {
		if (sender_is_ending(delivery->sender)) {
			log_error("delivery.forgotten", "notice",
			    delivery->id, "why", err.text, NULL);
			return;
		}
		naps_take(delivery->sender->ticks, SENDER_RETRY_MS);
		err = (struct err){ 0 };
	}
}

static void
sender_leave(struct sender *sender)
{
	pthread_mutex_lock(&sender->lock);
	sender->under_way--;
	pthread_cond_broadcast(&sender->idle);
	pthread_mutex_unlock(&sender->lock);
}

static void *
sender_post_thread(void *arg)
{
	sender_post(arg);
	return NULL;
}

/* One notice that is due: make it, send it, twice if it is a duplicate. */
static void *
sender_deliver_thread(void *arg)
{
	struct delivery *delivery = arg;
	struct sender *sender = delivery->sender;
	enum fault fault = delivery->fault;
	struct delivery copy;
	struct message message = { 0 };
	struct err err = { 0 };
	pthread_t twin;
	bool twice = false;

	if (!message_make(delivery, &message, &err)) {
		log_warn("notice.unmade", "notice", delivery->id, "why",
		    err.text, NULL);
		goto out;		/* its lease ends, it is due again */
	}
	delivery->message = &message;
	copy = *delivery;
	copy.was_due = false;
	if (fault == FAULT_DUPLICATE)
		twice = pthread_create(&twin, NULL, sender_post_thread,
		    &copy) == 0;
	if (fault != FAULT_LOST)
		sender_post(delivery);
	if (twice)
		pthread_join(twin, NULL);
	sender_record_surely(delivery);
	if (twice)
		sender_record_surely(&copy);
out:
	message_clear(&message);
	free(delivery);
	sender_leave(sender);
	return NULL;
}

static bool
sender_read(const struct sandbox *sandbox, const PGresult *rows, int row,
    struct delivery *out)
{
	*out = (struct delivery){ .sandbox = sandbox };
	out->fault = fault_parse(books_value(rows, row, "fault"));
	return str_copy(out->id, sizeof(out->id),
	    books_value(rows, row, "id"))
	    && str_copy(out->kind, sizeof(out->kind),
	    books_value(rows, row, "kind"))
	    && str_copy(out->url, sizeof(out->url),
	    books_value(rows, row, "url"))
	    && str_copy(out->version, sizeof(out->version),
	    books_value(rows, row, "version"))
	    && str_copy(out->sign_type, sizeof(out->sign_type),
	    books_value(rows, row, "sign_type"))
	    && str_to_long(books_value(rows, row, "answer_ms"), INT32_MAX,
	    &out->answer_ms);
}

/* Give a notice that is due a thread of its own. */
static void
sender_start(struct sender *sender, const PGresult *rows, int row)
{
	struct delivery *delivery = calloc(1, sizeof(*delivery));
	pthread_attr_t attr;
	pthread_t thread;
	bool ok;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	ok = delivery != NULL
	    && sender_read(sender->sandbox, rows, row, delivery);
	if (ok) {
		delivery->sender = sender;
		delivery->was_due = true;
		pthread_mutex_lock(&sender->lock);
		sender->under_way++;
		pthread_mutex_unlock(&sender->lock);
		ok = pthread_create(&thread, &attr, sender_deliver_thread,
		    delivery) == 0;
		if (!ok)
			sender_leave(sender);
	}
	if (!ok)
		free(delivery);		/* its lease ends, it is due again */
	pthread_attr_destroy(&attr);
}

static int
sender_room(struct sender *sender)
{
	int room;

	pthread_mutex_lock(&sender->lock);
	room = SENDER_AT_ONCE - sender->under_way;
	pthread_mutex_unlock(&sender->lock);
	return room;
}

static void *
sender_thread(void *arg)
{
	struct sender *sender = arg;

	while (!sender_is_ending(sender)) {
		PGresult *rows = NULL;
		struct err err = { 0 };
		char room[16];

		snprintf(room, sizeof(room), "%d", sender_room(sender));
		if (books_ask(sender->sandbox->books,
		    "select * from sandbox.notices_due($1)",
		    BOOKS_ARGS(room), &rows, &err)) {
			for (int i = 0; i < PQntuples(rows); i++)
				sender_start(sender, rows, i);
			PQclear(rows);
		}
		naps_take(sender->ticks, err.kind == ERR_NONE
		    ? SENDER_TICK_MS : SENDER_RETRY_MS);
	}
	return NULL;
}

bool
sender_open(const struct sandbox *sandbox, struct sender **out,
    struct err *err)
{
	struct sender *sender = calloc(1, sizeof(*sender));

	if (sender == NULL)
		return err_set(err, ERR_BUG, "out of memory");
	sender->sandbox = sandbox;
	pthread_mutex_init(&sender->lock, NULL);
	pthread_cond_init(&sender->idle, NULL);
	curl_global_init(CURL_GLOBAL_DEFAULT);
	if (!naps_open(&sender->ticks, err)
	    || pthread_create(&sender->thread, NULL, sender_thread,
	    sender) != 0) {
		naps_close(sender->ticks);
		pthread_cond_destroy(&sender->idle);
		pthread_mutex_destroy(&sender->lock);
		free(sender);
		return err_set(err, ERR_BUG, "cannot start the sender");
	}
	*out = sender;
	return true;
}

void
sender_close(struct sender *sender)
{
	if (sender == NULL)
		return;
	pthread_mutex_lock(&sender->lock);
	sender->is_ending = true;
	pthread_mutex_unlock(&sender->lock);
	naps_end(sender->ticks);
	pthread_join(sender->thread, NULL);
	pthread_mutex_lock(&sender->lock);
	while (sender->under_way > 0)
		pthread_cond_wait(&sender->idle, &sender->lock);
	pthread_mutex_unlock(&sender->lock);
	naps_close(sender->ticks);
	pthread_cond_destroy(&sender->idle);
	pthread_mutex_destroy(&sender->lock);
	free(sender);
}

static bool
sender_newest(const struct sandbox *sandbox, const char *kind,
    const char *number, struct delivery *out, struct err *err)
{
	PGresult *rows = NULL;
	bool ok = books_ask(sandbox->books,
	    "select n.id, n.kind, n.url, n.version, n.sign_type, s.answer_ms,"
	    " null as fault from sandbox.notices n, sandbox.settings s"
	    " where n.kind = $1 and $2 = case n.kind when 'paid'"
	    " then n.out_trade_no else n.out_refund_no end"
	    " order by n.id desc limit 1", BOOKS_ARGS(kind, number), &rows,
	    err);

	if (ok && (PQntuples(rows) == 0
	    || !sender_read(sandbox, rows, 0, out)))
		ok = err_set(err, ERR_MISSING, "no notice about it");
	PQclear(rows);
	return ok;
}

/* Send list[count], which share message, at once; wait, and journal them. */
static bool
sender_all(struct delivery *list, int count, const struct message *message,
    struct err *err)
{
	pthread_t threads[SENDER_COPIES_MAX];
	int started = 0;
	bool ok = true;

	while (started < count) {
		list[started].message = message;
		if (pthread_create(&threads[started], NULL,
		    sender_post_thread, &list[started]) != 0)
			break;
		started++;
	}
	for (int i = 0; i < started; i++) {
		pthread_join(threads[i], NULL);
		ok = ok && sender_record(&list[i], err);
	}
	return ok && (started == count
	    || err_set(err, ERR_BUG, "cannot start so many threads"));
}

static void
sender_tell(const struct delivery *list, int count, struct buf *out)
{
	buf_text(out, "{\"replies\":[");
	for (int i = 0; i < count; i++) {
		struct jsonmsg *msg = jsonmsg_new();

		jsonmsg_int(msg, "status", list[i].reply.status);
		jsonmsg_int(msg, "ms", list[i].reply.ms);
		jsonmsg_text(msg, "reply", list[i].reply.body);
		jsonmsg_text(msg, "verdict", sender_verdict(&list[i]));
		buf_text(out, i > 0 ? "," : "");
		if (!jsonmsg_format(msg, out))
			out->broken = true;
		jsonmsg_free(msg);
	}
	buf_text(out, "]}");
}

bool
sender_repeat(const struct sandbox *sandbox, const char *kind,
    const char *number, int copies, enum fault fault, struct buf *out,
    struct err *err)
{
	struct delivery *list = calloc((size_t)copies, sizeof(*list));
	struct message message = { 0 };
	bool ok;

	if (list == NULL)
		return err_set(err, ERR_BUG, "out of memory");
	ok = sender_newest(sandbox, kind, number, &list[0], err);
	if (ok) {
		list[0].fault = fault;
		for (int i = 1; i < copies; i++)
			list[i] = list[0];
		ok = message_make(&list[0], &message, err)
		    && sender_all(list, copies, &message, err);
	}
	if (ok)
		sender_tell(list, copies, out);
	message_clear(&message);
	free(list);
	return ok && (buf_ok(out)
	    || err_set(err, ERR_BUG, "replies too long"));
}
