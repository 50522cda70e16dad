#include <sys/socket.h>

#include <fcntl.h>
#include <unistd.h>

#include "unit.h"

#include "msg.h"

/* Both ends of a pipe: what msg_compose queues on one, the other reads. */
static struct imsgbuf	 out, in;

static void
pipe_open(void)
{
	int	 sv[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sv) == -1 ||
	    imsgbuf_init(&out, sv[0]) == -1 || imsgbuf_init(&in, sv[1]) == -1)
		exit(1);
	imsgbuf_set_maxsize(&out, MAX_PAYLOAD);
	imsgbuf_set_maxsize(&in, MAX_PAYLOAD);
	imsgbuf_allow_fdpass(&out);
	imsgbuf_allow_fdpass(&in);
}

/* Send what is queued; 1 with the imsg. */
static int
transfer(struct imsg *imsg)
{
	int	 n;

	while ((n = imsgbuf_get(&in, imsg)) == 0) {
		if (imsgbuf_queuelen(&out) > 0 && imsgbuf_write(&out) == -1)
			return (-1);
		if (imsgbuf_read(&in) != 1)
			return (-1);
	}
	return (n);
}

/* Compose, send, decode.  The imsg stays for what points into it. */
static int
round_trip(enum imsg_type type, const void *m, union msg_any *any,
    struct imsg *imsg)
{
	if (msg_compose(&out, type, 7, -1, m) == -1)
		return (-1);
	if (transfer(imsg) != 1)
		return (-2);
	if (imsg_get_id(imsg) != 7 || imsg_get_type(imsg) != type)
		return (-3);
	return (msg_decode(imsg, any));
}

/* Every type: empty members travel; one byte more or less does not. */
static void
test_all_types(void)
{
	union msg_any	 zero, any;
	struct imsg	 imsg;
	uint8_t		 raw[8192];
	uint32_t	 type;
	size_t		 len;

	memset(&zero, 0, sizeof(zero));
	for (type = 1; type < IMSG_MAX; type++) {
		CHECK(strcmp(msg_name(type), "?") != 0);
		CHECK(msg_max(type) <= MAX_PAYLOAD - 1024);
		if (msg_has_fd(type))
			continue;
		CHECK_INT(msg_compose(&out, type, 7, -1, &zero), 0);
		CHECK_INT(transfer(&imsg), 1);
		len = imsg_get_len(&imsg);
		CHECK(len <= msg_max(type) && len < sizeof(raw) - 1);
		if (len > 0)
			CHECK_INT(imsg_get_data(&imsg, raw, len), 0);
		imsg_free(&imsg);
		CHECK_INT(round_trip(type, &zero, &any, &imsg), 0);
		imsg_free(&imsg);
		raw[len] = 0;
		imsg_compose(&out, type, 7, 0, -1, raw, len + 1);
		CHECK_INT(transfer(&imsg), 1);
		CHECK_INT(msg_decode(&imsg, &any), -1);
		imsg_free(&imsg);
		if (len == 0)
			continue;
		imsg_compose(&out, type, 7, 0, -1, raw, len - 1);
		CHECK_INT(transfer(&imsg), 1);
		CHECK_INT(msg_decode(&imsg, &any), -1);
		imsg_free(&imsg);
	}
	CHECK_STR(msg_name(0), "?");
	CHECK_STR(msg_name(IMSG_MAX), "?");
	CHECK_STR(msg_name(UINT32_MAX), "?");
}

/* Nobody but whom the table names: the most telling cells of it. */
static void
test_table(void)
{
	uint32_t	 type;
	unsigned int	 p;

	CHECK(msg_allowed(IMSG_SAY, PROC_SESSION, PROC_STORAGE));
	CHECK(!msg_allowed(IMSG_SAY, PROC_AUTH, PROC_STORAGE));
	CHECK(!msg_allowed(IMSG_GRANT_NEW, PROC_SESSION, PROC_STORAGE));
	CHECK(msg_allowed(IMSG_GRANT_NEW, PROC_AUTH, PROC_STORAGE));
	for (type = 0; type <= IMSG_MAX; type++) {
		/* Nobody sends to himself but sessions to each other. */
		for (p = 0; p < PROC_MAX; p++)
			if (p != PROC_SESSION)
				CHECK(!msg_allowed(type, p, p));
		/* risactl speaks to auth alone; keys hears few. */
		for (p = 0; p < PROC_MAX; p++) {
			if (p != PROC_AUTH)
				CHECK(!msg_allowed(type, PROC_CONTROL, p));
			if (p != PROC_PARENT && p != PROC_SESSION &&
			    type != IMSG_PROVE)
				CHECK(!msg_allowed(type, p, PROC_KEYS));
		}
		CHECK(type == IMSG_PROVE || !msg_allowed(type, PROC_STORAGE,
		    PROC_KEYS));
		CHECK(!msg_allowed(type, PROC_MAX, PROC_AUTH));
		CHECK(!msg_allowed(type, PROC_AUTH, PROC_MAX));
	}
}

/* Each command of risactl, and nothing else, takes a role. */
static void
test_commands(void)
{
	static const char	*const looks[] = { "_LIST", "_SHOW", "_STATUS",
				    "_PROCESSES", "_STATS", "_ALERTS",
				    "_VERIFY", "_POINTS", "_KEY", "_ERASED",
				    "_CERT", "_ATTACKS", "_EXPORTS",
				    "_CONFIRMS", "_STORAGE" };
	const char		*name;
	uint32_t		 type;
	size_t			 i;
	int			 look;

	for (type = 0; type <= IMSG_MAX; type++) {
		name = msg_name(type);
		for (i = 0, look = 0; i < sizeof(looks) / sizeof(looks[0]);
		    i++)
			look |= strlen(name) > strlen(looks[i]) &&
			    strcmp(name + strlen(name) - strlen(looks[i]),
			    looks[i]) == 0;
		if (!msg_allowed(type, PROC_CONTROL, PROC_AUTH) ||
		    type == IMSG_C_HELLO)
			CHECK_INT(msg_role(type), OP_NONE);
		else if (look)
			CHECK_INT(msg_role(type), OP_AUDITOR);
		else
			CHECK(msg_role(type) > OP_AUDITOR);
	}
	CHECK_INT(msg_role(IMSG_C_USER_DEL), OP_OPERATOR);
	CHECK_INT(msg_role(IMSG_C_OPERATOR_ADD), OP_OWNER);
	CHECK_INT(msg_role(IMSG_C_OPERATOR_DEL), OP_OWNER);
	CHECK_INT(msg_role(IMSG_C_RELOAD), OP_OWNER);
	CHECK_INT(msg_role(IMSG_C_VERBOSE), OP_OWNER);
	for (i = 0; i < OP_MAX; i++)
		CHECK(strcmp(op_role_word((enum op_role)i), "?") != 0);
	CHECK_STR(op_role_word(OP_MAX), "?");
}

static void
test_fields(void)
{
	struct m_say	 say = { .grant = 0x0123456789abcdefULL, .kind = 1,
			    .a = 0xfffffffe, .b = 3, .ref = "c1",
			    .text = "\xe3\x81\x82<b>" };
	const struct m_say *back;
	union msg_any	 any;
	struct imsg	 imsg;

	CHECK_INT(round_trip(IMSG_SAY, &say, &any, &imsg), 0);
	back = (const void *)any.bytes;
	CHECK(back->grant == say.grant);
	CHECK_INT(back->kind, 1);
	CHECK(back->a == say.a);
	CHECK_STR(back->ref, "c1");
	CHECK_STR(back->text, say.text);
	imsg_free(&imsg);

	say.kind = CHANNEL_MAX;			/* over its limit */
	CHECK_INT(round_trip(IMSG_SAY, &say, &any, &imsg), -1);
	say.kind = 0;
	say.text = "\xff";			/* not UTF-8 */
	CHECK_INT(round_trip(IMSG_SAY, &say, &any, &imsg), -1);
}

/* Lengths at the limit of a string and of a blob. */
static void
test_limits(void)
{
	static char		 text[MAX_TEXT + 2];
	static uint8_t		 map[MAX_MAP + 1];
	struct m_say		 say = { .ref = "r", .text = text };
	struct m_floor_doc	 doc = { .map = { map, MAX_MAP } };
	const struct m_floor_doc *back;
	union msg_any		 any;
	struct imsg		 imsg;

	memset(text, 'a', MAX_TEXT);
	CHECK_INT(round_trip(IMSG_SAY, &say, &any, &imsg), 0);
	imsg_free(&imsg);
	text[MAX_TEXT] = 'a';
	CHECK_INT(round_trip(IMSG_SAY, &say, &any, &imsg), -1);
	map[0] = 0xff;				/* blobs are any bytes */
	CHECK_INT(round_trip(IMSG_FLOOR_DOC, &doc, &any, &imsg), 0);
	back = (const void *)any.bytes;
	CHECK(back->map.mb_len == MAX_MAP);
	CHECK(memcmp(back->map.mb_data, map, MAX_MAP) == 0);
	imsg_free(&imsg);
	doc.map.mb_len = MAX_MAP + 1;
	CHECK_INT(round_trip(IMSG_FLOOR_DOC, &doc, &any, &imsg), -1);
}

/* What only a hostile sender writes: lengths that lie, a NUL inside. */
static void
test_lies(void)
{
	static const struct {
		uint8_t	 raw[16];
		size_t	 len;
	} t[] = {
		{ { 0, 1, 'a', 0 }, 4 },		/* the good one */
		{ { 0, 2, 'a', 0 }, 4 },
		{ { 0, 0, 'a', 0 }, 4 },
		{ { 0, 1, 'a', 'b' }, 4 },		/* no NUL */
		{ { 0, 3, 'a', 0, 'b', 0 }, 6 },	/* one inside */
		{ { 0xff, 0xff, 'a', 0 }, 4 },
		{ { 0 }, 1 },
		{ { 0, 1 }, 2 },
		{ { 0, 1, 'a' }, 3 },
		{ { 0, 2, 0xc3, 0x28, 0 }, 5 },		/* not UTF-8 */
	};
	union msg_any	 any;
	struct imsg	 imsg;
	size_t		 i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		imsg_compose(&out, IMSG_A_TEMPLATE, 1, 0, -1, t[i].raw,
		    t[i].len);
		CHECK_INT(transfer(&imsg), 1);
		CHECK_INT(msg_decode(&imsg, &any), i == 0 ? 0 : -1);
		imsg_free(&imsg);
	}
}

static void
test_fd(void)
{
	struct m_conf_file	 m = { FILE_CERT, "" };
	union msg_any		 any;
	struct imsg		 imsg;
	int			 fd = open("/dev/null", O_RDONLY);

	CHECK_INT(msg_compose(&out, IMSG_CONF_FILE, 0, -1, &m), -1);
	CHECK_INT(msg_compose(&out, IMSG_READY, 0, fd, NULL), -1);
	CHECK_INT(msg_compose(&out, IMSG_CONF_FILE, 0, fd, &m), 0);
	CHECK_INT(transfer(&imsg), 1);
	CHECK_INT(msg_decode(&imsg, &any), 0);
	fd = imsg_get_fd(&imsg);
	CHECK(fd != -1);
	close(fd);
	imsg_free(&imsg);
}

int
main(void)
{
	pipe_open();
	test_all_types();
	test_table();
	test_commands();
	test_fields();
	test_limits();
	test_lies();
	test_fd();
	imsgbuf_clear(&out);
	imsgbuf_clear(&in);
	return (unit_end());
}
