#include "base/conf.h"

#include <assert.h>
#include <errno.h>
#include <libconfig.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/str.h"

#define INT_DIGITS_MAX 9	/* what libconfig reads without a wrap */

struct conf_value {
	const struct conf_key *key;	/* borrowed: tables are static */
	bool is_there;			/* in the file */
	char *text;			/* CONF_TEXT; or where the secret is */
	long number;			/* CONF_INT */
	struct secret *secret;		/* CONF_SECRET */
};

struct conf {
	size_t count;
	struct conf_value values[];	/* in the order of the table */
};

static const struct conf_key *
key_find(const struct conf_key *keys, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (str_eq(keys[i].name, name))
			return &keys[i];
	return NULL;
}

static bool
int_is_inside(const struct conf_key *key, long long number)
{
	return number >= key->min && number <= key->max;
}

static bool
setting_judge_int(const config_setting_t *setting,
    const struct conf_key *key, struct err *err)
{
	int type = config_setting_type(setting);

	if ((type != CONFIG_TYPE_INT && type != CONFIG_TYPE_INT64)
	    || config_setting_get_format(setting) != CONFIG_FORMAT_DEFAULT)
		return err_set(err, ERR_INPUT, "not a decimal number");
	if (!int_is_inside(key, config_setting_get_int64(setting)))
		return err_set(err, ERR_INPUT, "not %ld to %ld", key->min,
		    key->max);
	return true;
}

static bool
setting_judge_text(const config_setting_t *setting, struct err *err)
{
	if (config_setting_type(setting) != CONFIG_TYPE_STRING)
		return err_set(err, ERR_INPUT, "not a text in quotes");
	return true;
}

/* Put "path:line: name" before what went wrong. */
static bool
setting_blame(const config_setting_t *setting, const char *path,
    struct err *err)
{
	const char *file = config_setting_source_file(setting);
	char where[150];

	snprintf(where, sizeof(where), "%s:%u: %s",
	    file == NULL ? path : file, config_setting_source_line(setting),
	    config_setting_name(setting));
	return err_in(err, where);
}

/* Every setting of the file, ours or another program's, must be right. */
static bool
settings_judge(const config_t *config, const char *path,
    const struct conf_key *keys, size_t count, struct err *err)
{
	const config_setting_t *root = config_root_setting(config);

	for (int i = 0; i < config_setting_length(root); i++) {
		const config_setting_t *setting =
		    config_setting_get_elem(root, (unsigned)i);
		const struct conf_key *key = key_find(keys, count,
		    config_setting_name(setting));
		bool ok = false;

		if (config_setting_source_file(setting) != NULL)
			err_set(err, ERR_INPUT, "in an included file");
		else if (key == NULL)
			err_set(err, ERR_INPUT, "no such key");
		else if (key->type == CONF_INT)
			ok = setting_judge_int(setting, key, err);
		else
			ok = setting_judge_text(setting, err);
		if (!ok)
			return setting_blame(setting, path, err);
	}
	return true;
}

/* Keep a text, or the secret that lies where it says. */
static bool
value_keep(struct conf_value *value, const char *text, struct err *err)
{
	struct buf copy;

	buf_init(&copy, strlen(text));
	buf_text(&copy, text);
	value->text = buf_take(&copy);
	if (value->text == NULL)
		return err_set(err, ERR_BUG, "out of memory");
	if (value->key->type == CONF_SECRET)
		return secret_read(value->text, &value->secret, err);
	return true;
}

static bool
value_from_setting(struct conf_value *value,
    const config_setting_t *setting, const char *path, struct err *err)
{
	if (value->key->type == CONF_INT) {
		value->number = (long)config_setting_get_int64(setting);
		return true;
	}
	return value_keep(value, config_setting_get_string(setting), err)
	    || setting_blame(setting, path, err);
}

/* A fallback is ours: if it is no number, the table is wrong. */
static bool
value_from_fallback(struct conf_value *value, const char *path,
    struct err *err)
{
	const struct conf_key *key = value->key;

	if (key->type == CONF_INT) {
		char *end = NULL;

		value->number = strtol(key->fallback, &end, 10);
		assert(end != key->fallback && *end == '\0');
		assert(int_is_inside(key, value->number));
		return true;
	}
	return value_keep(value, key->fallback, err)
	    || err_in(err, key->name) || err_in(err, path);
}

static bool
value_read(struct conf_value *value, const config_t *config,
    const char *path, unsigned who, struct err *err)
{
	const struct conf_key *key = value->key;
	const config_setting_t *setting = config_setting_get_member(
	    config_root_setting(config), key->name);

	value->is_there = setting != NULL;
	if (((key->needs | key->takes) & who) == 0)
		return true;
	if (setting != NULL)
		return value_from_setting(value, setting, path, err);
	if (key->fallback != NULL)
		return value_from_fallback(value, path, err);
	if ((key->needs & who) != 0)
		return err_set(err, ERR_INPUT, "%s: \"%s\" is missing", path,
		    key->name);
	return true;
}

static bool
conf_new(const config_t *config, const char *path,
    const struct conf_key *keys, size_t count, unsigned who,
    struct conf **out, struct err *err)
{
	struct conf *conf = calloc(1,
	    sizeof(*conf) + count * sizeof(conf->values[0]));
	size_t done = 0;

	if (conf == NULL)
		return err_set(err, ERR_BUG, "out of memory");
	conf->count = count;
	for (size_t i = 0; i < count; i++)
		conf->values[i].key = &keys[i];
	while (done < count
	    && value_read(&conf->values[done], config, path, who, err))
		done++;
	if (done < count) {
		conf_free(conf);
		return false;
	}
	*out = conf;
	return true;
}

enum scan {			/* where a character of the file stands */
	SCAN_CODE,
	SCAN_TEXT,
	SCAN_LINE_COMMENT,
	SCAN_BLOCK_COMMENT,
};

static enum scan
scan_step(enum scan in, int before, int c)
{
	if (in == SCAN_TEXT)
		return c == '"' && before != '\\' ? SCAN_CODE : in;
	if (in == SCAN_LINE_COMMENT)
		return c == '\n' ? SCAN_CODE : in;
	if (in == SCAN_BLOCK_COMMENT)
		return before == '*' && c == '/' ? SCAN_CODE : in;
	if (c == '"')
		return SCAN_TEXT;
	if (c == '#' || (before == '/' && c == '/'))
		return SCAN_LINE_COMMENT;
	return before == '/' && c == '*' ? SCAN_BLOCK_COMMENT : in;
}

/*
 * libconfig 1.5 takes 4294967297 for 1, without a word, and does not show
 * its digits.  So the file is looked through for long numbers before.
 */
static bool
numbers_judge(FILE *file, const char *path, struct err *err)
{
	enum scan in = SCAN_CODE;
	unsigned line = 1;
	unsigned digits = 0;
	int before = 0;

	for (int c = fgetc(file); c != EOF; c = fgetc(file)) {
		in = scan_step(in, before, c);
		digits = in == SCAN_CODE && c >= '0' && c <= '9'
		    ? digits + 1 : 0;
		if (digits > INT_DIGITS_MAX)
			return err_set(err, ERR_INPUT,
			    "%s:%u: a number of more than %d digits", path,
			    line, INT_DIGITS_MAX);
		if (c == '\n')
			line++;
		/* A backslash that is itself escaped escapes nothing. */
		before = before == '\\' && c == '\\' ? 0 : c;
	}
	rewind(file);
	return true;
}

/* libconfig ends the process when it is given a directory to read. */
static FILE *
conf_open(const char *path, struct err *err)
{
	FILE *file = fopen(path, "re");
	struct stat st = { 0 };

	if (file == NULL) {
		err_set(err, ERR_INPUT, "%s: %s", path, strerror(errno));
	} else if (fstat(fileno(file), &st) != 0 || !S_ISREG(st.st_mode)) {
		err_set(err, ERR_INPUT, "%s: not a regular file", path);
		fclose(file);
		file = NULL;
	}
	return file;
}

bool
conf_read(const char *path, const struct conf_key *keys, size_t count,
    unsigned who, struct conf **out, struct err *err)
{
	FILE *file = conf_open(path, err);
	config_t config;
	bool ok = false;

	if (file == NULL)
		return false;
	config_init(&config);
	if (!numbers_judge(file, path, err))
		goto out;
	if (config_read(&config, file) != CONFIG_TRUE) {
		const char *in = config_error_file(&config);

		err_set(err, ERR_INPUT, "%s:%d: %s", in == NULL ? path : in,
		    config_error_line(&config), config_error_text(&config));
		goto out;
	}
	ok = settings_judge(&config, path, keys, count, err)
	    && conf_new(&config, path, keys, count, who, out, err);
out:
	config_destroy(&config);
	fclose(file);
	return ok;
}

void
conf_free(struct conf *conf)
{
	if (conf == NULL)
		return;
	for (size_t i = 0; i < conf->count; i++) {
		free(conf->values[i].text);
		secret_free(conf->values[i].secret);
	}
	free(conf);
}

static const struct conf_value *
conf_find(const struct conf *conf, const char *name)
{
	size_t i = 0;

	while (i < conf->count && !str_eq(conf->values[i].key->name, name))
		i++;
	assert(i < conf->count);
	return &conf->values[i];
}

static const struct conf_value *
conf_find_type(const struct conf *conf, const char *name, enum conf_type type)
{
	const struct conf_value *value = conf_find(conf, name);

	assert(value->key->type == type);
	return value;
}

const char *
conf_text(const struct conf *conf, const char *name)
{
	return conf_find_type(conf, name, CONF_TEXT)->text;
}

long
conf_int(const struct conf *conf, const char *name)
{
	return conf_find_type(conf, name, CONF_INT)->number;
}

const struct secret *
conf_secret(const struct conf *conf, const char *name)
{
	return conf_find_type(conf, name, CONF_SECRET)->secret;
}

bool
conf_has(const struct conf *conf, const char *name)
{
	return conf_find(conf, name)->is_there;
}
