/* xmlmsg: WeChat's XML is read, and everything else is refused, at once and
 * without opening anything. [threats N10-N16, RN3] */
#include "wire/xmlmsg.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/filter.h>
#include <linux/seccomp.h>

#include "pairs.h"

#ifdef UNIT_SANITIZED
#define SLOWER 10		/* times, at most, than what runs for real */
#else
#define SLOWER 1
#endif

/* libxml2's own reader; only lib/wire is compiled with its headers. */
void *xmlReadMemory(const char *xml, int len, const char *url,
    const char *encoding, int options);
#define LIBXML2_NOENT 2		/* follow entities, as many programs do */

/* True if it is taken; if not, nothing may be left behind. */
static bool
parses(const char *xml, size_t len, const char *root, struct fields *fields,
    struct err *err)
{
	bool ok = xmlmsg_parse(xml, len, root, fields, err);

	if (!ok) {
		expect(err->kind == ERR_INPUT, "%s: %s", xml, err->text);
		assert_int_equal(fields->count, 0);
		assert_null(fields->list);
	}
	return ok;
}

static void
test_vectors(void **state)
{
	json_t *all = vectors_open();
	const json_t *list = vectors_list(all, "xml", 18);
	const json_t *vector = NULL;
	size_t i = 0;

	(void)state;
	json_array_foreach(list, i, vector) {
		const char *id = vector_text(vector, "id");
		const char *xml = vector_text(vector, "xml");
		/* Comments: threats.md N14 refuses what the vector skips. */
		bool accept = str_eq(vector_text(vector, "expect"), "accept")
		    && !str_eq(id, "xml-comment");
		struct fields fields = { 0 };
		struct err err = { 0 };

		expect(parses(xml, strlen(xml), "xml", &fields, &err)
		    == accept, "%s: %s", id, err.text);
		if (accept)
			pairs_compare(&fields,
			    json_object_get(vector, "params"), id);
		fields_clear(&fields);
	}
	list = vectors_list(all, "xml_build", 7);
	json_array_foreach(list, i, vector) {
		struct fields fields = { 0 };
		struct err err = { 0 };
		struct buf out;
		char want[200];

		buf_init(&out, 1000);
		assert_true(fields_add(&fields, "v",
		    vector_text(vector, "value"), &err));
		xmlmsg_format(&fields, &out);
		snprintf(want, sizeof(want), "<xml>%s</xml>",
		    vector_text(vector, "expected_element"));
		assert_string_equal(buf_get(&out), want);
		buf_clear(&out);
		fields_clear(&fields);
	}
	json_decref(all);
}

static void
test_taken(void **state)
{
	static const struct {
		const char *xml, *value;	/* of the field a */
	} cases[] = {
		{ "<xml><a>1</a></xml>", "1" },
		{ " \n<xml ><a >1</a\n></xml>\n", "1" },
		{ "<xml><a> 1 </a></xml>", " 1 " },
		{ "<xml><a>\n</a></xml>", "\n" },
		{ "<xml><a>&lt;&gt;&amp;&quot;&apos;</a></xml>", "<>&\"'" },
		{ "<xml><a>&#x4e2d;&#20013;</a></xml>",
		    "\xe4\xb8\xad\xe4\xb8\xad" },
		{ "<xml><a>&#13;&#10;&#9;</a></xml>", "\r\n\t" },
		{ "<xml><a>a\r\nb</a></xml>", "a\nb" },
		{ "<xml><a>&#x1F600;</a></xml>", "\xf0\x9f\x98\x80" },
		{ "<xml><a><![CDATA[<b>&amp;&#1;<!--?-->]]></a></xml>",
		    "<b>&amp;&#1;<!--?-->" },
		{ "<xml><a><![CDATA[]]><![CDATA[1]]><![CDATA[]]></a></xml>",
		    "1" },
		{ "<xml><a><![CDATA[]]]]><![CDATA[>]]></a></xml>", "]]>" },
		{ "<xml><a/></xml>", "" },
		{ "<xml><a></a></xml>", "" },
		{ "<xml><a><![CDATA[ ]]></a></xml>", " " },
		{ "<?xml version=\"1.0\"?><xml><a>1</a></xml>", "1" },
		{ "<?xml version='1.0' encoding = 'utf-8' "
		    "standalone='yes' ?><xml><a>1</a></xml>", "1" },
		{ "<xml><b>2</b><a>1</a><A>3</A></xml>", "1" },
		{ "<xml><\xe4\xb8\xad>2</\xe4\xb8\xad><a>1</a></xml>", "1" },
		{ "<xml><xml>2</xml><a>1</a></xml>", "1" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct fields fields = { 0 };
		struct err err = { 0 };

		expect(parses(cases[i].xml, strlen(cases[i].xml), "xml",
		    &fields, &err), "%s: %s", cases[i].xml, err.text);
		expect(str_eq(fields_text(&fields, "a"), cases[i].value),
		    "%s", cases[i].xml);
		fields_clear(&fields);
	}
	print_message("    taken: %zu\n", COUNT_OF(cases));
}

static void
test_empty_message(void **state)
{
	struct fields fields = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_true(parses("<xml/>", 6, "xml", &fields, &err));
	assert_int_equal(fields.count, 0);
	assert_true(parses("<root><a>1</a></root>", 21, "root", &fields,
	    &err));
	assert_string_equal(fields_text(&fields, "a"), "1");
	fields_clear(&fields);
}

#define A "<a>1</a>"

static const struct {
	const char *row, *xml;
} refused[] = {
	{ "N10", "<!DOCTYPE xml><xml>" A "</xml>" },
	{ "N10", "<!DOCTYPE xml []><xml>" A "</xml>" },
	{ "N10", "<!DOCTYPE xml [<!ENTITY e \"1\">]><xml><a>&e;</a></xml>" },
	{ "N10", "<!DOCTYPE xml [<!ELEMENT a ANY>]><xml>" A "</xml>" },
	{ "N10", "<!DOCTYPE xml [<!ATTLIST a b CDATA \"1\">]><xml>" A
	    "</xml>" },
	{ "N10", "<?xml version=\"1.0\"?>\n<!DOCTYPE xml>\n<xml>" A "</xml>" },
	{ "N10", "<!doctype xml><xml>" A "</xml>" },
	{ "N10", "<xml><!DOCTYPE xml>" A "</xml>" },
	{ "N10", "<xml><!ENTITY e \"1\">" A "</xml>" },
	{ "N11", "<!DOCTYPE xml SYSTEM \"file:///etc/passwd\"><xml>" A
	    "</xml>" },
	{ "N11", "<!DOCTYPE xml PUBLIC \"-//x\" \"http://127.0.0.1:1/x\">"
	    "<xml>" A "</xml>" },
	{ "N11", "<!DOCTYPE xml [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>"
	    "<xml><a>&e;</a></xml>" },
	{ "N11", "<!DOCTYPE xml [<!ENTITY % p SYSTEM \"ftp://127.0.0.1/x\">"
	    " %p;]><xml>" A "</xml>" },
	{ "N11", "<!DOCTYPE xml [<!ENTITY e SYSTEM \"jar:file:/x!/y\">]>"
	    "<xml><a>&e;</a></xml>" },
	{ "N11", "<!DOCTYPE xml [<!ENTITY e SYSTEM \"php://filter/x\">]>"
	    "<xml><a>&e;</a></xml>" },
	{ "N11", "<xml xmlns:xi=\"http://www.w3.org/2001/XInclude\">"
	    "<xi:include href=\"file:///etc/passwd\"/></xml>" },
	{ "N11", "<?xml-stylesheet href=\"file:///etc/passwd\"?><xml>" A
	    "</xml>" },
	{ "N12", "<!DOCTYPE xml [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b "
	    "\"&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;\"><!ENTITY c "
	    "\"&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;\">]><xml><a>&c;</a></xml>" },
	{ "N12", "<!DOCTYPE xml [<!ENTITY a \"&a;\">]><xml><a>&a;</a></xml>" },
	{ "N13", "<xml><total_fee>1</total_fee><total_fee>100</total_fee>"
	    "</xml>" },
	{ "N13", "<xml><total_fee>1</total_fee><sign>A</sign>"
	    "<total_fee>100</total_fee></xml>" },
	{ "N13", "<xml><a/><a/></xml>" },
	{ "N14", "<xml><a>1<b>2</b></a></xml>" },
	{ "N14", "<xml><a><b/></a></xml>" },
	{ "N14", "<xml><a>1<!-- -->00</a></xml>" },
	{ "N14", "<xml><a><!-- --></a></xml>" },
	{ "N14", "<xml><!-- -->" A "</xml>" },
	{ "N14", "<!-- --><xml>" A "</xml>" },
	{ "N14", "<xml>" A "</xml><!-- -->" },
	{ "N14", "<xml><a>1<?p x?>00</a></xml>" },
	{ "N14", "<xml><?p x?>" A "</xml>" },
	{ "N14", "<?p x?><xml>" A "</xml>" },
	{ "N14", "<xml>" A "</xml><?p x?>" },
	{ "N14", "<xml><a>1<![CDATA[00]]></a></xml>" },
	{ "N14", "<xml><a><![CDATA[1]]>00</a></xml>" },
	{ "N14", "<xml><a> <![CDATA[1]]></a></xml>" },
	{ "N14", "<xml><a><![CDATA[1]]> <![CDATA[2]]></a></xml>" },
	{ "N14", "<xml><a>1<![CDATA[]]>2</a></xml>" },
	{ "N14", "<xml><a><![CDATA[]]>2</a></xml>" },
	{ "N14", "<xml><a>&#49;<![CDATA[]]></a></xml>" },
	{ "N14", "<xml><a>&nope;</a></xml>" },
	{ "N14", "<xml>&nope;</xml>" },
	{ "N14", "<xml><a>1&nope;</a></xml>" },
	{ "N14", "<xml><a>&#1;</a></xml>" },
	{ "N14", "<xml><a>&#xD800;</a></xml>" },
	{ "N14", "<xml><a>&#x110000;</a></xml>" },
	{ "N14", "<xml><a>&#99999999999999999999;</a></xml>" },
	{ "N14", "<xml><a>1 & 2</a></xml>" },
	{ "N14", "<xml><a>1 < 2</a></xml>" },
	{ "N14", "<xml><a>]]></a></xml>" },
	{ "N14", "<xml><a><![cdata[1]]></a></xml>" },
	{ "N15", "<xml xmlns=\"urn:x\">" A "</xml>" },
	{ "N15", "<xml xmlns:p=\"urn:x\">" A "</xml>" },
	{ "N15", "<p:xml xmlns:p=\"urn:x\">" A "</p:xml>" },
	{ "N15", "<xml><p:a>1</p:a></xml>" },
	{ "N15", "<xml><a:>1</a:></xml>" },
	{ "N15", "<xml><:a>1</:a></xml>" },
	{ "N15", "<xml><a b=\"1\">1</a></xml>" },
	{ "N15", "<xml><a b>1</a></xml>" },
	{ "N15", "<xml a=\"1\">" A "</xml>" },
	{ "N15", "<xml xml:base=\"file:///\">" A "</xml>" },
	{ "N15", "<xml><a xml:space=\"preserve\">1</a></xml>" },
	{ "N15", "<XML>" A "</XML>" },
	{ "N15", "<root>" A "</root>" },
	{ "N15", "<xmlx>" A "</xmlx>" },
	{ "N15", "<xml>" A "</xml><xml/>" },
	{ "N15", "<xml>" A "</xml>x" },
	{ "N15", "x<xml>" A "</xml>" },
	{ "N15", "<xml>x" A "</xml>" },
	{ "N15", "<xml>" A "x</xml>" },
	{ "N15", "<xml>" A "&#120;</xml>" },
	{ "N15", "<xml><![CDATA[x]]>" A "</xml>" },
	{ "N15", "<xml><![CDATA[ ]]>" A "</xml>" },
	{ "N15", "<xml>1</xml>" },
	{ "N15", "<xml>" A "</xmlx>" },
	{ "N15", "<xml><a>1</b></xml>" },
	{ "N15", "<xml>" A },
	{ "N15", "<xml><a>1</xml>" },
	{ "N15", "<xml><a><![CDATA[1]]</a></xml>" },
	{ "N15", "<xml>" A "</xml" },
	{ "N15", "<" },
	{ "N15", "<xml" },
	{ "N15", "   " },
	{ "N16", "\xef\xbb\xbf<xml>" A "</xml>" },
	{ "N16", "<?xml version=\"1.0\" encoding=\"GBK\"?><xml>" A "</xml>" },
	{ "N16", "<?xml version=\"1.0\" encoding=\"UTF-7\"?><xml>" A
	    "</xml>" },
	{ "N16", "<?xml version=\"1.0\" encoding=\"UTF-16\"?><xml>" A
	    "</xml>" },
	{ "N16", "<?xml version=\"1.0\" encoding='ISO-8859-1'?><xml>" A
	    "</xml>" },
	{ "N16", "<?xml version=\"1.0\" encoding=\"UTF-8x\"?><xml>" A
	    "</xml>" },
	{ "N16", "<?xml version=\"1.0\" encoding=\"\"?><xml>" A "</xml>" },
	{ "N16", "<?xml version=\"1.0\" encoding=UTF-8?><xml>" A "</xml>" },
	{ "N16", "<?xml version=\"1.0\" encoding \"UTF-8\"?><xml>" A "</xml>" },
	{ "N16", "<?xml encoding=\"UTF-8\"?><xml>" A "</xml>" },
	{ "N16", " <?xml version=\"1.0\"?><xml>" A "</xml>" },
	{ "N16", "<?xml version=\"1.0\"?><?xml version=\"1.0\"?><xml/>" },
	{ "N16", "<xml><a>\xc0\xaf</a></xml>" },
	{ "N16", "<xml><a>\xff</a></xml>" },
	{ "N16", "<xml><a>\xed\xa0\x80</a></xml>" },
	{ "N16", "<xml><a>\xd6\xd0</a></xml>" },	/* GBK */
	{ "N16", "<xml><a>&#0;</a></xml>" },
	{ "N16", "<xml><a>\x0b</a></xml>" },
	{ "N16", "<xml><a>\xef\xbf\xbf</a></xml>" },	/* U+FFFF */
	{ "N16", "+ADw-xml+AD4-+ADw-/xml+AD4-" },
	{ "N20", "{\"out_trade_no\":\"T-1001\"}" },
	{ "N20", "out_trade_no=T-1001&total_fee=1" },
	{ "N20", "" },
};

static void
test_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(refused); i++) {
		struct fields fields = { 0 };
		struct err err = { 0 };

		expect(!parses(refused[i].xml, strlen(refused[i].xml), "xml",
		    &fields, &err), "%s: %s", refused[i].row, refused[i].xml);
		fields_clear(&fields);
	}
	print_message("    refused: %zu\n", COUNT_OF(refused));
}

/* What has NULs in it, and so cannot stand in the table. */
static void
test_refused_bytes(void **state)
{
	static const char utf16[] = "\xff\xfe<\0x\0m\0l\0/\0>\0";
	static const char utf16_bare[] = "<\0x\0m\0l\0/\0>\0";
	static const char utf32[] = "\0\0\0<\0\0\0x\0\0\0/\0\0\0>";
	static const char inside[] = "<xml><a>1\0" "2</a></xml>";
	static const char behind[] = "<xml><a>1</a></xml>\0";
	static const char ebcdic[] = "\x4c\x6f\xa7\x94\x93";
	static const struct {
		const char *bytes;
		size_t len;
	} cases[] = {
		{ utf16, sizeof(utf16) - 1 },
		{ utf16_bare, sizeof(utf16_bare) - 1 },
		{ utf32, sizeof(utf32) - 1 },
		{ inside, sizeof(inside) - 1 },
		{ behind, sizeof(behind) - 1 },
		{ ebcdic, sizeof(ebcdic) - 1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct fields fields = { 0 };
		struct err err = { 0 };

		expect(!parses(cases[i].bytes, cases[i].len, "xml", &fields,
		    &err), "%zu", i);
	}
}

/* Every truncation of a message, each in memory that ends with it. */
static void
test_cut(void **state)
{
	static const char xml[] = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>"
	    "<xml><appid><![CDATA[wx1]]></appid><fee>&#49;</fee></xml>";

	(void)state;
	for (size_t len = 0; len < sizeof(xml); len++) {
		char *copy = malloc(len + 1);
		struct fields fields = { 0 };
		struct err err = { 0 };

		assert_non_null(copy);
		memcpy(copy, xml, len);
		copy[len] = '>';	/* must not be looked at */
		expect(parses(copy, len, "xml", &fields, &err)
		    == (len == sizeof(xml) - 1), "%zu", len);
		fields_clear(&fields);
		free(copy);
	}
}

static int64_t
cpu_us(void)
{
	struct timespec now = { 0 };

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
}

/* What costs a parser most; "#" is a number that grows. */
static const struct {
	const char *before, *each, *after;
} bombs[] = {
	{ "<xml><a ", "a#=\"\" ", ">1</a></xml>" },
	{ "<xml ", "xmlns:a#=\"u\" ", "/>" },
	{ "", "<a#>", "" },
	{ "<xml>", "<a#/>", "</xml>" },
	{ "<xml><a>", "&##;", "</a></xml>" },
	{ "<xml><a>", "<![CDATA[#]]>", "</a></xml>" },
	{ "<xml><a>", "&e#;", "</a></xml>" },
	{ "<!DOCTYPE xml [", "<!ENTITY e# \"x\">", "]><xml/>" },
	{ "<xml><", "x#", "/></xml>" },
	{ "<!--", "<#", "--><xml/>" },
	{ "<xml>", "\n", "</xml>" },
};

/* As large as we let it be. */
static void
bomb_make(struct buf *out, size_t which)
{
	buf_init(out, XMLMSG_MAX);
	buf_text(out, bombs[which].before);
	for (unsigned i = 1000; out->len < XMLMSG_MAX - 40; i++) {
		const char *each = bombs[which].each;
		const char *number = strrchr(each, '#');

		if (number == NULL) {
			buf_text(out, each);
			continue;
		}
		buf_add(out, each, (size_t)(number - each));
		buf_format(out, "%u%s", i, number + 1);
	}
	buf_text(out, bombs[which].after);
	assert_true(buf_ok(out));
}

static void
test_bombs(void **state)
{
	int64_t worst = 0;
	struct rusage before = { 0 };
	struct rusage after = { 0 };

	(void)state;
	getrusage(RUSAGE_SELF, &before);
	for (size_t which = 0; which < COUNT_OF(bombs); which++) {
		struct buf bomb;
		int64_t best = INT64_MAX;

		bomb_make(&bomb, which);
		for (int turn = 0; turn < 5; turn++) {
			struct fields fields = { 0 };
			struct err err = { 0 };
			int64_t begin = cpu_us();

			(void)parses(bomb.data, bomb.len, "xml", &fields,
			    &err);
			fields_clear(&fields);
			if (cpu_us() - begin < best)
				best = cpu_us() - begin;
		}
		expect(best <= 10000 * SLOWER, "bomb %zu: %lld us", which,
		    (long long)best);
		if (best > worst)
			worst = best;
		buf_clear(&bomb);
	}
	getrusage(RUSAGE_SELF, &after);
	print_message("    worst of %zu: %lld us; memory: %ld KiB\n",
	    COUNT_OF(bombs), (long long)worst,
	    after.ru_maxrss - before.ru_maxrss);
#ifndef UNIT_SANITIZED
	assert_true(after.ru_maxrss - before.ru_maxrss <= 4096);
#endif
}

static void
test_too_long(void **state)
{
	struct fields fields = { 0 };
	struct err at = { 0 };
	struct err above = { 0 };
	struct buf xml;

	(void)state;
	buf_init(&xml, XMLMSG_MAX + 1);
	buf_text(&xml, "<xml><a>1</a></xml>");
	while (xml.len < XMLMSG_MAX)
		buf_char(&xml, '\n');
	assert_true(parses(xml.data, xml.len, "xml", &fields, &at));
	fields_clear(&fields);
	buf_char(&xml, '\n');
	assert_false(parses(xml.data, xml.len, "xml", &fields, &above));
	buf_clear(&xml);
}

static void
test_field_count(void **state)
{
	(void)state;
	for (int count = FIELDS_MAX; count <= FIELDS_MAX + 1; count++) {
		struct fields fields = { 0 };
		struct err err = { 0 };
		struct buf xml;

		buf_init(&xml, XMLMSG_MAX);
		buf_text(&xml, "<xml>");
		for (int i = 0; i < count; i++)
			buf_format(&xml, "<coupon_id_%d>%d</coupon_id_%d>", i,
			    i, i);
		buf_text(&xml, "</xml>");
		expect(parses(xml.data, xml.len, "xml", &fields, &err)
		    == (count <= FIELDS_MAX), "%d: %s", count, err.text);
		fields_clear(&fields);
		buf_clear(&xml);
	}
}

/* From here on, opening anything kills the process. */
static bool
opens_forbid(void)
{
	static const int calls[] = { SYS_openat, SYS_socket, SYS_connect,
#ifdef SYS_open
		SYS_open,
#endif
	};
	struct sock_filter filter[COUNT_OF(calls) * 2 + 2] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		    offsetof(struct seccomp_data, nr)),
	};
	struct sock_fprog program = {
		.len = COUNT_OF(filter), .filter = filter
	};

	for (size_t i = 0; i < COUNT_OF(calls); i++) {
		filter[1 + 2 * i] = (struct sock_filter)BPF_JUMP(
		    BPF_JMP | BPF_JEQ | BPF_K, (unsigned)calls[i], 0, 1);
		filter[2 + 2 * i] = (struct sock_filter)BPF_STMT(
		    BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	}
	filter[COUNT_OF(filter) - 1] = (struct sock_filter)BPF_STMT(
	    BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
	    && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static void
all_refuse(void)
{
	for (size_t i = 0; i < COUNT_OF(refused); i++) {
		struct fields fields = { 0 };
		struct err err = { 0 };

		if (xmlmsg_parse(refused[i].xml, strlen(refused[i].xml),
		    "xml", &fields, &err))
			_exit(2);
	}
}

static void
libxml2_follow(void)
{
	static const char xml[] = "<!DOCTYPE xml [<!ENTITY e SYSTEM "
	    "\"file:///etc/passwd\">]><xml><a>&e;</a></xml>";

	(void)xmlReadMemory(xml, sizeof(xml) - 1, NULL, NULL, LIBXML2_NOENT);
}

/* How a child ends that may open nothing and does this. */
static int
status_without_opens(void (*act)(void))
{
	int status = 0;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		const struct rlimit no_core = { 0, 0 };

		setrlimit(RLIMIT_CORE, &no_core);
		if (!opens_forbid())
			_exit(3);
		act();
		_exit(0);
	}
	assert_true(waitpid(child, &status, 0) == child);
	return status;
}

/*
 * The planted fault comes first: libxml2 as it is opens what an entity names,
 * and is killed.  After xmlmsg_start it opens nothing, whoever uses it how.
 */
static void
test_start(void **state)
{
	int status = 0;

	(void)state;
	status = status_without_opens(libxml2_follow);
	assert_true(WIFSIGNALED(status));
	xmlmsg_start();
	status = status_without_opens(libxml2_follow);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void
test_nothing_is_opened(void **state)
{
	int status = status_without_opens(all_refuse);

	(void)state;
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* What xmlmsg_format writes is read back as it was, CR and all. */
static void
test_round_trip(void **state)
{
	static const char *const values[] = { "", " ", "1", "]]>", "]]]>>",
		"]]>]]>", "]]", "]", ">", "a\rb", "a\r\nb", "\r", "\r]]>&<>",
		"&amp;", "&#13;", "<a>", "\t\n", "\"'", "{\"k\":\"v\"}",
		"\xe4\xb8\xad\r\xf0\x9f\x98\x80", "<![CDATA[x]]>", "100%d" };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(values); i++) {
		struct fields fields = { 0 };
		struct fields back = { 0 };
		struct err err = { 0 };
		struct buf xml;

		buf_init(&xml, XMLMSG_MAX);
		assert_true(fields_add(&fields, "before", values[i], &err));
		assert_true(fields_add(&fields, "after", "1", &err));
		xmlmsg_format(&fields, &xml);
		expect(parses(xml.data, xml.len, "xml", &back, &err),
		    "%s: %s", values[i], err.text);
		assert_int_equal(back.count, 2);
		assert_string_equal(fields_text(&back, "before"), values[i]);
		fields_clear(&back);
		fields_clear(&fields);
		buf_clear(&xml);
	}
	print_message("    values: %zu\n", COUNT_OF(values));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_start),
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_taken),
		cmocka_unit_test(test_empty_message),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_refused_bytes),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_bombs),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_field_count),
		cmocka_unit_test(test_nothing_is_opened),
		cmocka_unit_test(test_round_trip),
	};

	return cmocka_run_group_tests_name("xmlmsg", tests, NULL, NULL);
}
