/*
 * What risactl prints: columns that stand under each other, times, and no
 * byte that a terminal would act on.
 */
#include <fcntl.h>
#include <jansson.h>
#include <locale.h>
#include <unistd.h>

#include "../../risactl/output.h"
#include "unit.h"

static char	 text[65536];
static int	 keep_fd = -1;

/* Standard output goes to a file from here to printed(). */
static void
print_to_file(void)
{
	FILE	*fp;

	fflush(stdout);
	if ((keep_fd = dup(STDOUT_FILENO)) == -1 || (fp = tmpfile()) == NULL ||
	    dup2(fileno(fp), STDOUT_FILENO) == -1)
		exit(1);
	fclose(fp);
}

static const char *
printed(void)
{
	ssize_t	 n;

	fflush(stdout);
	n = pread(STDOUT_FILENO, text, sizeof(text) - 1, 0);
	text[n < 0 ? 0 : n] = '\0';
	(void)dup2(keep_fd, STDOUT_FILENO);
	close(keep_fd);
	return (text);
}

static void
start(const struct output *out, uint32_t type)
{
	static struct command	 cm;

	memset(&cm, 0, sizeof(cm));
	cm.cm_type = type;
	print_to_file();
	out->out_begin(&cm);
}

static void
test_visible(void)
{
	static const struct {
		const char	*in, *out;
	}		 all[] = {
		{ "", "" },
		{ "plain", "plain" },
		{ "日本語 ｱ é", "日本語 ｱ é" },
		{ "か\xe3\x82\x99", "か\xe3\x82\x99" },	/* combining */
		{ "a\\b", "a\\\\b" },
		{ "\033[2J", "\\033[2J" },
		{ "a\nb\rc\td\x7f", "a\\012b\\015c\\011d\\177" },
		{ "\xc2\x9b" "31m", "\\302\\23331m" },		/* CSI */
		{ "\xe2\x80\xae", "\\342\\200\\256" },		/* RLO */
		{ "\xe2\x81\xa6", "\\342\\201\\246" },		/* LRI */
		{ "\xe2\x80\x8b", "\\342\\200\\213" },		/* ZWSP */
		{ "\xef\xbb\xbf", "\\357\\273\\277" },		/* BOM */
		{ "\xff\xc3", "\\377\\303" },
		{ "\xed\xa0\x80", "\\355\\240\\200" },		/* surrogate */
	};
	size_t		 i;
	char		*s;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		s = visible(all[i].in);
		CHECK_STR(s, all[i].out);
		free(s);
	}
}

static const struct m_c_floor_row	 floors[] = {
	{ 1, 1, RIGHT_TALK, WAY_TENANT, 0, 0, 3297, "Lobby", "", "" },
	{ 12, 0, RIGHT_VOICE, WAY_443, 3, 11, 10892, "３Ｆ 開発",
	    "group dev, a@b.example", "192.0.2.0/24" },
};

static void
test_text(void)
{
	struct m_c_stat_row	 stat = { "b", 7 };
	struct m_c_link		 link = { "https://a.example/x", 5000 };

	start(&output_text, IMSG_C_FLOOR_LIST);
	output_text.out_floor(&floors[0]);
	output_text.out_floor(&floors[1]);
	output_text.out_end();
	CHECK_STR(printed(),
	    "id  open to  users  groups  bytes  talk                way"
	    "     name\n"
	    " 1  all          0       0   3297  voice,video,screen  tenant"
	    "  Lobby\n"
	    "12  some         3      11  10892  voice               443"
	    "     ３Ｆ 開発\n");

	start(&output_text, IMSG_C_FLOOR_SHOW);
	output_text.out_floor(&floors[1]);
	output_text.out_end();
	CHECK_STR(printed(),
	    "id:       12\nopen to:  some\nusers:    3\ngroups:   11\n"
	    "bytes:    10892\ntalk:     voice\nway:      443\n"
	    "name:     ３Ｆ 開発\n"
	    "networks: 192.0.2.0/24\nwho:      group dev, a@b.example\n");

	start(&output_text, IMSG_C_STATS);
	output_text.out_stat(&stat);
	stat.name = "a";
	stat.value = 100;
	output_text.out_stat(&stat);
	stat.name = "risad.started";
	stat.value = 1764000000000;
	output_text.out_stat(&stat);
	output_text.out_end();
	CHECK_STR(printed(),
	    "name                          value\n"
	    "a                               100\n"
	    "b                                 7\n"
	    "risad.started  2025-11-24T16:00:00Z\n");

	start(&output_text, IMSG_C_USER_ADD);
	output_text.out_link(&link);
	output_text.out_end();
	CHECK_STR(printed(), "https://a.example/x\n");

	start(&output_text, IMSG_C_FLOOR_LIST);
	output_text.out_end();
	CHECK_STR(printed(), "");
}

/* A wide name in the middle moves nothing behind it. */
static void
test_wide(void)
{
	struct m_c_session_row	 m = { 1, 1000, 1000, 0, 2, "a@b.example",
				    "::1", "日本" };
	const char		*p, *q;

	start(&output_text, IMSG_C_SESSION_LIST);
	output_text.out_session(&m);
	m.addr = "日本";		/* four columns, six bytes */
	m.agent = "\033]0;x\007";
	output_text.out_session(&m);
	output_text.out_end();
	p = strstr(printed(), "address");
	CHECK(p != NULL);
	CHECK(strstr(text, "::1      日本\n") != NULL);
	CHECK(strstr(text, "日本     \\033]0;x\\007\n") != NULL);
	CHECK(strchr(text, '\033') == NULL);
	q = strstr(text, "agent");
	CHECK_INT(q - p, 9);
}

static void
test_json(void)
{
	struct m_c_user_row	 user = { 7, USER_LOCKED, 0, 1764000000000,
				    0, FACTOR_TOTP, LOCK_NEVER,
				    "a@b.example", "admin" };
	struct m_c_floor_row	 bad = { 1, 0, 0, 0, 0, 0, 0,
				    "\xc2\x9b\xe2\x80\xae\U000e0041\"日", "",
				    "" };
	struct m_c_stat_row	 stat = { "x", UINT64_MAX };
	const struct command	 export = { .cm_type = IMSG_C_LOG_SHOW,
				    .cm_arg = LOG_CSV };
	json_t			*doc;

	start(&output_json, IMSG_C_USER_LIST);
	output_json.out_end();
	CHECK_STR(printed(), "{\n  \"users\": []\n}\n");

	start(&output_json, IMSG_C_USER_SHOW);
	output_json.out_user(&user);
	output_json.out_end();
	CHECK_STR(printed(),
	    "{\n  \"user\": {\n    \"id\": 7,\n"
	    "    \"mail\": \"a@b.example\",\n    \"role\": \"admin\",\n"
	    "    \"state\": \"locked\",\n"
	    "    \"created\": \"2025-11-24T16:00:00Z\",\n"
	    "    \"last\": null,\n    \"link_until\": null,\n"
	    "    \"second_factor\": true,\n"
	    "    \"locked_until\": \"9999-12-31T23:59:59Z\"\n  }\n}\n");

	start(&output_json, IMSG_C_RELOAD);
	output_json.out_end();
	CHECK_STR(printed(), "{\n  \"done\": true\n}\n");

	/* An export has its lines in the file, and none here. */
	print_to_file();
	output_json.out_begin(&export);
	output_json.out_end();
	CHECK_STR(printed(), "{\n  \"done\": true\n}\n");

	start(&output_json, IMSG_C_STATS);
	output_json.out_stat(&stat);
	stat.name = "a";
	stat.value = 1;
	output_json.out_stat(&stat);
	output_json.out_end();
	CHECK_STR(printed(), "{\n  \"stats\": {\n    \"a\": 1,\n"
	    "    \"x\": 9223372036854775807\n  }\n}\n");

	/* Escaped, and still the same text to who reads it. */
	start(&output_json, IMSG_C_FLOOR_SHOW);
	output_json.out_floor(&bad);
	output_json.out_end();
	CHECK(strstr(printed(), "\\u009b\\u202e\\udb40\\udc41\\\"日\"") !=
	    NULL);
	CHECK((doc = json_loads(text, 0, NULL)) != NULL);
	CHECK_STR(json_string_value(json_object_get(json_object_get(doc,
	    "floor"), "name")), bad.name);
	json_decref(doc);
}

/* Every kind of row in both outputs, all members filled. */
static void
test_rows(const struct output *out, const char *name)
{
	struct m_c_tenant_row	 tenant = { 3, TENANT_SUSPENDED, 41, 42, 43,
				    1764000000000, 44, 4000, "acme", "Acme",
				    "c@d" };
	struct m_c_session_row	 session = { 9, 1000, 2000, 3000, 4, "e@f",
				    "192.0.2.1", "agent" };
	struct m_c_operator_row	 op = { 4712, 4713, OP_AUDITOR, 1, 1000, 2000,
				    "ann", "bob" };
	struct m_c_proc_row	 proc = { PROC_STORAGE, 5, 4711, 6, 1000, 1 };

	start(out, IMSG_C_TENANT_LIST);
	out->out_tenant(&tenant);
	out->out_end();
	CHECK(strstr(printed(), "acme") != NULL);
	CHECK(strstr(text, "suspended") && strstr(text, "41") &&
	    strstr(text, "42") && strstr(text, "43") && strstr(text, "44") &&
	    strstr(text, "c@d") && strstr(text, "Acme") &&
	    strstr(text, "1970-01-01T00:00:04Z") &&
	    strstr(text, "2025-11-24T16:00:00Z"));
	start(out, IMSG_C_SESSION_LIST);
	out->out_session(&session);
	out->out_end();
	CHECK(strstr(printed(), "192.0.2.1") && strstr(text, "e@f") &&
	    strstr(text, "agent") && strstr(text, "1970-01-01T00:00:01Z") &&
	    strstr(text, "1970-01-01T00:00:02Z") &&
	    strstr(text, "1970-01-01T00:00:03Z"));
	start(out, IMSG_C_OPERATOR_LIST);
	out->out_operator(&op);
	op.role = OP_NONE;
	op.expired = 0;
	out->out_operator(&op);
	out->out_end();
	CHECK(strstr(printed(), "4712") && strstr(text, "ann") &&
	    strstr(text, "auditor") && strstr(text, "expired") &&
	    strstr(text, "damaged") && strstr(text, "bob") &&
	    strstr(text, "4713") && strstr(text, "1970-01-01T00:00:01Z") &&
	    strstr(text, "1970-01-01T00:00:02Z"));
	start(out, IMSG_C_PROCESSES);
	out->out_process(&proc);
	out->out_end();
	CHECK(strstr(printed(), "storage") && strstr(text, "4711"));
	if (unit_failed > 0)
		fprintf(stderr, "in %s\n", name);
}

/* The same of what the records of exports and alerts are told in. */
static void
test_records(const struct output *out, const char *name)
{
	struct m_c_alert_row	 alert = { "disk-low", "", 1, 1000, 2000, 77,
				    "3 MB\033 are left" };
	struct m_c_export_row	 ex = { 8, 1000, 2000, 4711, EXPORT_CSV,
				    EXPORT_FAILED, 501, 502, 1, "acme",
				    "a reason" };
	struct m_c_confirm_row	 co = { 9, 503, 504, 0, 1000, 3600000,
				    "tenant erase acme" };
	struct m_c_storage_row	 so = { "acme", STORE_CHAT, 90, 12, 3456,
				    1000, 2000, 3000, "日本" };

	start(out, IMSG_C_ALERTS);
	out->out_alert(&alert);
	out->out_end();
	CHECK(strstr(printed(), "disk-low") && strstr(text, "critical") &&
	    strstr(text, "77") && strstr(text, "MB") &&
	    strstr(text, "1970-01-01T00:00:02Z"));
	CHECK(strchr(text, '\033') == NULL);
	start(out, IMSG_C_EXPORTS);
	out->out_export(&ex);
	out->out_end();
	CHECK(strstr(printed(), "log-csv") && strstr(text, "failed") &&
	    strstr(text, "4711") && strstr(text, "501") &&
	    strstr(text, "502") && strstr(text, "a reason"));
	start(out, IMSG_C_CONFIRMS);
	out->out_confirm(&co);
	out->out_end();
	CHECK(strstr(printed(), "503") && strstr(text, "504") == NULL &&
	    strstr(text, "tenant erase acme") &&
	    strstr(text, "1970-01-01T01:00:00Z"));
	start(out, IMSG_C_STORAGE);
	out->out_storage(&so);
	out->out_end();
	CHECK(strstr(printed(), "chat") && strstr(text, "12") &&
	    strstr(text, "3456") && strstr(text, "1970-01-01T00:00:03Z"));
	if (unit_failed > 0)
		fprintf(stderr, "in %s\n", name);
}

int
main(void)
{
	if (setlocale(LC_CTYPE, "C.UTF-8") == NULL)
		return (1);
	output_json_init();
	test_visible();
	test_text();
	test_wide();
	test_json();
	test_rows(&output_text, "text");
	test_rows(&output_json, "json");
	test_records(&output_text, "text");
	test_records(&output_json, "json");
	return (unit_end());
}
