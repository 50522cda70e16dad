/*
 * control.c: real clients on a real socket; storage, the parent and session
 * processes are played by the test.  As root it also plays a stranger.
 */

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <errno.h>
#include <event.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "auth.h"
#include "control.h"
#include "fake_proc.h"
#include "ledger.h"
#include "log.h"
#include "unit.h"

#define TURNS	2000		/* of the loop, until something must be there */

static char	 dir[] = "/tmp/risad-control.XXXXXX";
static char	 path[64];

struct conn {
	struct imsgbuf	 cn_ibuf;
	struct imsg	 cn_imsg;
	union msg_any	 cn_m;
	int		 cn_have;
};

static int
dial(void)
{
	struct sockaddr_un	 sun = { .sun_family = AF_UNIX };
	int			 fd;

	(void)strlcpy(sun.sun_path, path, sizeof(sun.sun_path));
	if ((fd = socket(AF_UNIX, SOCK_STREAM, 0)) == -1 ||
	    connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1 ||
	    fcntl(fd, F_SETFL, O_NONBLOCK) == -1)
		abort();
	return (fd);
}

static struct conn *
open_conn(void)
{
	struct conn	*cn = calloc(1, sizeof(*cn));

	if (cn == NULL || imsgbuf_init(&cn->cn_ibuf, dial()) == -1 ||
	    imsgbuf_set_maxsize(&cn->cn_ibuf, MAX_PAYLOAD) == -1)
		abort();
	return (cn);
}

/* Another user's: the kernel tells who connects. */
static struct conn *
open_as(uid_t uid)
{
	struct conn	*cn;

	if (seteuid(uid) == -1)
		abort();
	cn = open_conn();
	if (seteuid(0) == -1)
		abort();
	return (cn);
}

static void
close_conn(struct conn *cn)
{
	if (cn->cn_have)
		imsg_free(&cn->cn_imsg);
	imsgbuf_clear(&cn->cn_ibuf);
	close(cn->cn_ibuf.fd);
	free(cn);
}

static void
turn_loop(unsigned int n)
{
	while (n-- > 0)
		event_loop(EVLOOP_NONBLOCK);
}

static void
command(struct conn *cn, enum imsg_type type, uint32_t id, const void *m)
{
	if (msg_compose(&cn->cn_ibuf, type, id, -1, m) == -1)
		abort();
	while (imsgbuf_queuelen(&cn->cn_ibuf) > 0)
		if (imsgbuf_write(&cn->cn_ibuf) == -1)
			abort();
	turn_loop(20);
}

static void
hello(struct conn *cn)
{
	struct m_c_hello	 m = { CONTROL_VERSION };

	command(cn, IMSG_C_HELLO, 1, &m);
}

/* The next answer; NULL when risad has hung up instead. */
static const void *
answer(struct conn *cn, enum imsg_type type, uint32_t id)
{
	unsigned int	 i;
	int		 n = 0;

	if (cn->cn_have)
		imsg_free(&cn->cn_imsg);
	cn->cn_have = 0;
	for (i = 0; i < TURNS; i++) {
		if ((n = imsgbuf_get(&cn->cn_ibuf, &cn->cn_imsg)) != 0)
			break;
		turn_loop(1);
		if (imsgbuf_read(&cn->cn_ibuf) != 1)
			return (NULL);
	}
	if (n != 1)
		return (NULL);
	cn->cn_have = 1;
	CHECK_STR(msg_name(imsg_get_type(&cn->cn_imsg)), msg_name(type));
	CHECK_INT(imsg_get_id(&cn->cn_imsg), id);
	if (imsg_get_type(&cn->cn_imsg) != type ||
	    msg_decode(&cn->cn_imsg, &cn->cn_m) == -1)
		return (NULL);
	return (cn->cn_m.bytes);
}

static void
ends(struct conn *cn, uint32_t id, enum result code, const char *field)
{
	const struct m_result	*r = answer(cn, IMSG_RESULT, id);

	CHECK(r != NULL);
	if (r == NULL)
		return;
	CHECK_INT(r->code, code);
	CHECK_STR(r->field, field);
}

/* risad has hung up, saying nothing more. */
static int
closed(struct conn *cn)
{
	struct imsg	 imsg;
	unsigned int	 i;

	for (i = 0; i < TURNS; i++) {
		turn_loop(1);
		if (imsgbuf_get(&cn->cn_ibuf, &imsg) != 0)
			return (0);
		if (imsgbuf_read(&cn->cn_ibuf) != 1)
			return (1);
	}
	return (0);
}

static void
enter(uint32_t uid, enum op_role role, uint64_t until)
{
	struct m_operator	 m = { uid, (uint8_t)role, until };

	CHECK_INT(ledger_set(&m), 0);
}

/* Something for the audit trail; the id it is to be answered with. */
static uint32_t
noted(uint32_t uid, enum imsg_type type, enum note what)
{
	const struct m_note	*m;
	uint32_t		 id;

	m = fake_take(PROC_STORAGE, 0, IMSG_NOTE, &id);
	CHECK_INT(m->op, uid);
	CHECK_STR(msg_name(m->type), msg_name(type));
	CHECK_INT(m->note, what);
	CHECK_INT((id & CONTROL_ID) != 0, what == NOTE_BEGIN);
	return (id);
}

static int
result(enum proc_type proc, unsigned int inst, uint32_t id, enum result code,
    const char *field)
{
	struct m_result	 m = { code, 0, field };

	return (control_imsg(fake_peer(proc, inst), IMSG_RESULT, id, &m));
}

static void
test_command(void)
{
	const struct m_c_name	*name;
	const struct m_c_user_row *got;
	struct m_c_name		 m = { 12345, "acme" };
	struct m_c_user_row	 row = { .user = 3, .email = "a@b.example" };
	struct conn		*cn = open_conn();
	uint32_t		 id, next;

	hello(cn);
	command(cn, IMSG_C_USER_LIST, 77, &m);
	name = fake_take(PROC_STORAGE, 0, IMSG_C_USER_LIST, &id);
	/* The operator is who the kernel says, the id is ours. */
	CHECK_INT(name->op, 0);
	CHECK_STR(name->name, "acme");
	CHECK((id & CONTROL_ID) != 0);
	CHECK_INT(control_imsg(fake_peer(PROC_STORAGE, 0), IMSG_C_USER_ROW,
	    id, &row), 0);
	row.user = 4;
	CHECK_INT(control_imsg(fake_peer(PROC_STORAGE, 0), IMSG_C_USER_ROW,
	    id, &row), 0);
	CHECK((got = answer(cn, IMSG_C_USER_ROW, 77)) != NULL);
	CHECK_INT(got->user, 3);
	CHECK_STR(got->email, "a@b.example");
	CHECK((got = answer(cn, IMSG_C_USER_ROW, 77)) != NULL);
	CHECK_INT(got->user, 4);
	CHECK_INT(result(PROC_STORAGE, 0, id, R_OK, ""), 0);
	ends(cn, 77, R_OK, "");
	/* Late and doubled answers find nobody. */
	CHECK_INT(result(PROC_STORAGE, 0, id, R_OK, ""), 0);
	/* Two at once: the second when the first is through. */
	if (msg_compose(&cn->cn_ibuf, IMSG_C_USER_LIST, 78, -1, &m) == -1)
		abort();
	command(cn, IMSG_C_USER_LIST, 79, &m);
	(void)fake_take(PROC_STORAGE, 0, IMSG_C_USER_LIST, &id);
	CHECK(fake_quiet());
	CHECK_INT(result(PROC_STORAGE, 0, id, R_REFUSED, "no such tenant"), 0);
	ends(cn, 78, R_REFUSED, "no such tenant");
	turn_loop(20);
	(void)fake_take(PROC_STORAGE, 0, IMSG_C_USER_LIST, &next);
	CHECK(next != id);
	CHECK_INT(result(PROC_STORAGE, 0, next, R_NOTFOUND, "x"), 0);
	ends(cn, 79, R_NOTFOUND, "x");
	close_conn(cn);
	turn_loop(20);
}

static void
test_parent(void)
{
	const struct m_c_verbose *got;
	struct m_c_verbose	 m = { 5, 1 };
	struct m_c_none		 none = { 5 };
	struct m_c_proc_row	 row = { .proc = PROC_KEYS, .pid = 7 };
	struct conn		*cn = open_conn();
	uint32_t		 id;

	hello(cn);
	command(cn, IMSG_C_VERBOSE, 5, &m);
	id = noted(0, IMSG_C_VERBOSE, NOTE_BEGIN);
	CHECK(fake_quiet());		/* not before that is written */
	CHECK_INT(result(PROC_STORAGE, 0, id, R_OK, ""), 0);
	got = fake_take(PROC_PARENT, 0, IMSG_C_VERBOSE, &id);
	CHECK_INT(got->op, 0);
	CHECK_INT(got->verbose, 1);
	CHECK_INT(result(PROC_PARENT, 0, id, R_OK, ""), 0);
	(void)noted(0, IMSG_C_VERBOSE, NOTE_DONE);
	ends(cn, 5, R_OK, "");
	command(cn, IMSG_C_PROCESSES, 6, &none);
	(void)fake_take(PROC_PARENT, 0, IMSG_C_PROCESSES, &id);
	CHECK_INT(control_imsg(fake_peer(PROC_PARENT, 0), IMSG_C_PROC_ROW, id,
	    &row), 0);
	CHECK_INT(result(PROC_PARENT, 0, id, R_OK, ""), 0);
	CHECK(answer(cn, IMSG_C_PROC_ROW, 6) != NULL);
	ends(cn, 6, R_OK, "");
	close_conn(cn);
	turn_loop(20);
}

static void
link_case(uint16_t port, const char *url)
{
	const struct m_c_link	*got;
	struct m_c_user		 m = { .tenant = "acme", .email = "a@b.c",
				    .name = "" };
	struct m_c_link_token	 t = { .tenant = "acme", .expires = 99 };
	struct conn		*cn = open_conn();
	uint32_t		 id;

	control_site("office.example", port);
	memset(t.token, 0xff, sizeof(t.token));
	hello(cn);
	command(cn, IMSG_C_USER_LINK, 8, &m);
	(void)fake_take(PROC_STORAGE, 0, IMSG_C_USER_LINK, &id);
	CHECK_INT(control_imsg(fake_peer(PROC_STORAGE, 0), IMSG_C_LINK_TOKEN,
	    id, &t), 0);
	CHECK_INT(result(PROC_STORAGE, 0, id, R_OK, ""), 0);
	CHECK((got = answer(cn, IMSG_C_LINK, 8)) != NULL);
	CHECK_STR(got->url, url);
	CHECK_INT(got->expires, 99);
	ends(cn, 8, R_OK, "");
	close_conn(cn);
	turn_loop(20);
}

/* Everybody is asked; the answer ends when the last has ended. */
static void
test_stats(void)
{
	const struct m_c_stat_row *got;
	struct m_c_none		 m = { 0 };
	struct m_c_stat_row	 row = { "session.1.x", 5 };
	struct conn		*cn = open_conn();
	uint32_t		 id, same;
	unsigned int		 own = 0;

	hello(cn);
	command(cn, IMSG_C_STATS, 9, &m);
	(void)fake_take(PROC_PARENT, 0, IMSG_C_STATS, &id);
	(void)fake_take(PROC_STORAGE, 0, IMSG_C_STATS, &same);
	CHECK_INT(id, same);
	(void)fake_take(PROC_SESSION, 0, IMSG_C_STATS, &same);
	(void)fake_take(PROC_SESSION, 1, IMSG_C_STATS, &same);
	CHECK(fake_quiet());
	CHECK_INT(result(PROC_STORAGE, 0, id, R_OK, ""), 0);
	CHECK_INT(result(PROC_PARENT, 0, id, R_OK, ""), 0);
	/* Once is enough. */
	CHECK_INT(result(PROC_PARENT, 0, id, R_OK, ""), -1);
	CHECK_INT(control_imsg(fake_peer(PROC_SESSION, 1), IMSG_C_STAT_ROW,
	    id, &row), 0);
	CHECK_INT(result(PROC_SESSION, 1, id, R_OK, ""), 0);
	control_down(fake_peer(PROC_SESSION, 0));
	while ((got = answer(cn, IMSG_C_STAT_ROW, 9)) != NULL &&
	    strncmp(got->name, "auth.", 5) == 0)
		own++;
	CHECK(own > 5);
	CHECK(got != NULL && strcmp(got->name, "session.1.x") == 0);
	ends(cn, 9, R_OK, "");
	close_conn(cn);
	turn_loop(20);
}

static void
test_down(void)
{
	struct m_c_none	 m = { 0 };
	struct conn	*cn = open_conn();
	uint32_t	 id;

	hello(cn);
	command(cn, IMSG_C_TENANT_LIST, 1, &m);
	(void)fake_take(PROC_STORAGE, 0, IMSG_C_TENANT_LIST, &id);
	fake_peer(PROC_STORAGE, 0)->pe_up = 0;
	control_down(fake_peer(PROC_STORAGE, 0));
	ends(cn, 1, R_UNAVAILABLE, "");
	command(cn, IMSG_C_TENANT_LIST, 2, &m);
	ends(cn, 2, R_UNAVAILABLE, "");
	fake_peer(PROC_STORAGE, 0)->pe_up = 1;
	command(cn, IMSG_C_TENANT_LIST, 3, &m);
	(void)fake_take(PROC_STORAGE, 0, IMSG_C_TENANT_LIST, &id);
	/* The client goes first. */
	close_conn(cn);
	turn_loop(20);
	CHECK_INT(result(PROC_STORAGE, 0, id, R_OK, ""), 0);
	turn_loop(20);
}

/* A peer may say what it was asked, and only then. */
static void
test_peers(void)
{
	struct m_c_none		 m = { 0 };
	struct m_c_stat_row	 row = { "x", 5 };
	struct m_cred		 cred = { .user = 1 };
	struct conn		*cn = open_conn();
	uint32_t		 id;

	hello(cn);
	command(cn, IMSG_C_TENANT_LIST, 1, &m);
	(void)fake_take(PROC_STORAGE, 0, IMSG_C_TENANT_LIST, &id);
	CHECK_INT(result(PROC_SESSION, 0, id, R_OK, ""), -1);
	CHECK_INT(result(PROC_PARENT, 0, id, R_OK, ""), -1);
	CHECK_INT(result(PROC_KEYS, 0, id, R_OK, ""), -1);
	CHECK_INT(control_imsg(fake_peer(PROC_SESSION, 0), IMSG_C_STAT_ROW,
	    id, &row), -1);
	CHECK_INT(control_imsg(fake_peer(PROC_STORAGE, 0), IMSG_CRED, id,
	    &cred), -1);
	CHECK_INT(result(PROC_STORAGE, 0, id, R_MAX, ""), -1);
	CHECK_INT(result(PROC_STORAGE, 0, id ^ 1, R_OK, ""), 0);
	CHECK_INT(result(PROC_STORAGE, 0, id, R_OK, ""), 0);
	ends(cn, 1, R_OK, "");
	close_conn(cn);
	turn_loop(20);
}

static void
test_version(void)
{
	struct m_c_hello	 old = { CONTROL_VERSION + 1 };
	struct m_c_none		 m = { 0 };
	struct conn		*cn;

	cn = open_conn();
	command(cn, IMSG_C_HELLO, 3, &old);
	ends(cn, 3, R_REFUSED, "risactl and risad are of different versions");
	CHECK(closed(cn));
	close_conn(cn);

	cn = open_conn();
	command(cn, IMSG_C_TENANT_LIST, 4, &m);
	CHECK(closed(cn));
	close_conn(cn);

	cn = open_conn();
	hello(cn);
	hello(cn);
	CHECK(closed(cn));
	close_conn(cn);
	CHECK(fake_quiet());
}

/* Bytes that are no imsg, or none of a client's. */
static void
test_garbage(void)
{
	static const enum imsg_type	 others[] = {
		IMSG_SHUTDOWN, IMSG_HASH_MAKE, IMSG_RESULT,
		IMSG_C_TENANT_ROW, IMSG_C_LINK, IMSG_LOGIN_OK
	};
	struct conn	*cn;
	union msg_any	 zero;
	unsigned int	 i, n;
	uint32_t	 seed = 1;
	uint8_t		 bytes[512];
	ssize_t		 len;

	memset(&zero, 0, sizeof(zero));
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		cn = open_conn();
		hello(cn);
		command(cn, others[i], 4, &zero);
		CHECK(closed(cn));
		close_conn(cn);
	}
	for (i = 0; i < 500; i++) {
		for (n = 0; n < sizeof(bytes); n++) {
			seed = seed * 1103515245 + 12345;
			bytes[n] = (uint8_t)(seed >> 16);
		}
		/* A plausible length now and then, so that more is read. */
		if (i % 2) {
			memset(bytes, 0, 16);
			bytes[0] = (uint8_t)(i % IMSG_MAX);
			bytes[4] = (uint8_t)(16 + i % 100);
		}
		cn = open_conn();
		if (i % 3)
			hello(cn);
		len = write(cn->cn_ibuf.fd, bytes, sizeof(bytes));
		CHECK_INT(len, sizeof(bytes));
		turn_loop(20);
		close_conn(cn);
		turn_loop(5);
	}
	while (!fake_quiet())		/* commands that came out of it */
		fake_out++;
	cn = open_conn();
	hello(cn);
	command(cn, IMSG_C_TENANT_LIST, 4, &zero);
	(void)fake_take(PROC_STORAGE, 0, IMSG_C_TENANT_LIST, &seed);
	CHECK_INT(result(PROC_STORAGE, 0, seed, R_OK, ""), 0);
	ends(cn, 4, R_OK, "");
	close_conn(cn);
	turn_loop(20);
}

static void
test_many(void)
{
	struct conn	*cn[9];
	unsigned int	 i;

	for (i = 0; i < 9; i++) {
		cn[i] = open_conn();
		turn_loop(5);
	}
	ends(cn[8], 0, R_BUSY, "too many commands are under way");
	CHECK(closed(cn[8]));
	close_conn(cn[8]);
	close_conn(cn[0]);
	turn_loop(20);
	cn[0] = open_conn();
	turn_loop(5);
	for (i = 0; i < 8; i++) {
		hello(cn[i]);
		CHECK_INT(imsgbuf_read(&cn[i]->cn_ibuf), 1);
		close_conn(cn[i]);
	}
	turn_loop(20);
}

/* A client that asks and does not read is let go, not fed for ever. */
static void
test_deaf(void)
{
	struct m_c_name		 m = { 0, "acme" };
	struct m_c_user_row	 row = { .user = 3, .email = "a@b.example" };
	struct conn		*cn = open_conn();
	uint32_t		 id;
	unsigned int		 i, bad = 0;

	hello(cn);
	command(cn, IMSG_C_USER_LIST, 1, &m);
	(void)fake_take(PROC_STORAGE, 0, IMSG_C_USER_LIST, &id);
	for (i = 0; i < 100000; i++)
		bad += control_imsg(fake_peer(PROC_STORAGE, 0),
		    IMSG_C_USER_ROW, id, &row) != 0;
	CHECK_INT(bad, 0);
	/* Had it been kept, the result would come from a wrong peer. */
	CHECK_INT(result(PROC_PARENT, 0, id, R_OK, ""), 0);
	close_conn(cn);
	turn_loop(20);
}

/* What the parent does is in the audit trail before and after. */
static void
test_trail(void)
{
	struct m_c_none		 m = { 0 };
	struct m_c_tenant_row	 row = { .name = "a", .title = "b",
				    .contact = "c" };
	struct conn		*cn = open_conn(), *own;
	uint32_t		 id, i;

	enter(1000, OP_OWNER, 0);
	own = open_as(1000);
	hello(cn);
	hello(own);
	command(cn, IMSG_C_RELOAD, 1, &m);
	CHECK_INT(result(PROC_STORAGE, 0, noted(0, IMSG_C_RELOAD, NOTE_BEGIN),
	    R_OK, ""), 0);
	(void)fake_take(PROC_PARENT, 0, IMSG_C_RELOAD, &id);
	CHECK_INT(result(PROC_PARENT, 0, id, R_REFUSED, "bad"), 0);
	(void)noted(0, IMSG_C_RELOAD, NOTE_FAILED);
	ends(cn, 1, R_REFUSED, "bad");

	/* It can't be written: nothing is done, but for root. */
	command(own, IMSG_C_RELOAD, 2, &m);
	id = noted(1000, IMSG_C_RELOAD, NOTE_BEGIN);
	CHECK_INT(result(PROC_PARENT, 0, id, R_OK, ""), -1);
	CHECK_INT(result(PROC_STORAGE, 0, id, R_REFUSED, ""), 0);
	ends(own, 2, R_REFUSED, "the audit trail cannot be written");
	CHECK(fake_quiet());
	command(cn, IMSG_C_RELOAD, 3, &m);
	CHECK_INT(result(PROC_STORAGE, 0, noted(0, IMSG_C_RELOAD, NOTE_BEGIN),
	    R_REFUSED, ""), 0);
	(void)fake_take(PROC_PARENT, 0, IMSG_C_RELOAD, &id);
	CHECK_INT(result(PROC_PARENT, 0, id, R_OK, ""), 0);
	ends(cn, 3, R_OK, "");

	/* Storage dies meanwhile, or is not there. */
	command(own, IMSG_C_RELOAD, 4, &m);
	(void)noted(1000, IMSG_C_RELOAD, NOTE_BEGIN);
	command(cn, IMSG_C_RELOAD, 5, &m);
	(void)noted(0, IMSG_C_RELOAD, NOTE_BEGIN);
	fake_peer(PROC_STORAGE, 0)->pe_up = 0;
	control_down(fake_peer(PROC_STORAGE, 0));
	ends(own, 4, R_REFUSED, "the audit trail cannot be written");
	(void)fake_take(PROC_PARENT, 0, IMSG_C_RELOAD, &id);
	CHECK_INT(result(PROC_PARENT, 0, id, R_OK, ""), 0);
	ends(cn, 5, R_OK, "");
	command(cn, IMSG_C_RELOAD, 6, &m);
	(void)fake_take(PROC_PARENT, 0, IMSG_C_RELOAD, &id);
	CHECK_INT(result(PROC_PARENT, 0, id, R_OK, ""), 0);
	ends(cn, 6, R_OK, "");
	fake_peer(PROC_STORAGE, 0)->pe_up = 1;

	/* It has not read the answer before, and goes: the end is open. */
	command(own, IMSG_C_TENANT_LIST, 7, &m);
	(void)fake_take(PROC_STORAGE, 0, IMSG_C_TENANT_LIST, &id);
	for (i = 0; i < 20000; i++)
		CHECK_INT(control_imsg(fake_peer(PROC_STORAGE, 0),
		    IMSG_C_TENANT_ROW, id, &row), 0);
	CHECK_INT(result(PROC_STORAGE, 0, id, R_OK, ""), 0);
	command(own, IMSG_C_RELOAD, 8, &m);
	CHECK_INT(result(PROC_STORAGE, 0, noted(1000, IMSG_C_RELOAD,
	    NOTE_BEGIN), R_OK, ""), 0);
	(void)fake_take(PROC_PARENT, 0, IMSG_C_RELOAD, &id);
	close_conn(own);
	turn_loop(20);
	(void)noted(1000, IMSG_C_RELOAD, NOTE_LEFT);
	CHECK_INT(result(PROC_PARENT, 0, id, R_OK, ""), 0);
	close_conn(cn);
	enter(1000, OP_NONE, 0);
	turn_loop(20);
	CHECK(fake_quiet());
}

/* Whoever was asked is through with it. */
static void
answer_all(void)
{
	struct fake_sent	*fs;

	while (!fake_quiet()) {
		fs = &fake_sent[fake_out++ % FAKE_MAX];
		if ((fs->fs_id & CONTROL_ID) != 0)
			CHECK_INT(result(fs->fs_proc, fs->fs_inst, fs->fs_id,
			    R_OK, ""), 0);
	}
}

/* Every command in every role: it reaches somebody, or is refused. */
static void
test_roles(void)
{
	union msg_any	 zero;
	struct conn	*cn;
	enum op_role	 role;
	uint32_t	 type, n = 0;
	const char	*why;

	memset(&zero, 0, sizeof(zero));
	for (role = OP_AUDITOR; role < OP_MAX; role++) {
		enter(1000, role, 0);
		for (type = 1; type < IMSG_MAX; type++) {
			if (msg_role(type) == OP_NONE)
				continue;
			cn = open_as(1000);
			hello(cn);
			command(cn, type, 9, &zero);
			if (msg_role(type) <= role) {
				CHECK(!fake_quiet());
				CHECK_INT(*(uint32_t *)fake_sent[fake_out %
				    FAKE_MAX].fs_m.bytes, 1000);
				CHECK(fake_sent[fake_out % FAKE_MAX].fs_type ==
				    type || type == IMSG_C_RELOAD ||
				    type == IMSG_C_VERBOSE);
				n++;
			} else {
				why = msg_role(type) == OP_OWNER ?
				    "this is for the role owner, yours is " :
				    "this is for the role operator at least, "
				    "yours is ";
				CHECK((answer(cn, IMSG_RESULT, 9)) != NULL);
				CHECK_INT(((const struct m_result *)
				    cn->cn_m.bytes)->code, R_FORBIDDEN);
				CHECK(strncmp(((const struct m_result *)
				    cn->cn_m.bytes)->field, why,
				    strlen(why)) == 0);
				CHECK(fake_quiet() || fake_sent[fake_out %
				    FAKE_MAX].fs_type == IMSG_NOTE);
			}
			answer_all();
			close_conn(cn);
			turn_loop(20);
		}
	}
	CHECK(n > 40);
	enter(1000, OP_NONE, 0);
}

/* An entry ends while its owner is connected: so does what he may. */
static void
test_removed(void)
{
	struct m_c_none	 m = { 0 };
	struct conn	*cn, *other;
	uint32_t	 id;

	enter(1001, OP_OPERATOR, 0);
	cn = open_as(1001);
	hello(cn);
	command(cn, IMSG_C_TENANT_LIST, 1, &m);
	(void)fake_take(PROC_STORAGE, 0, IMSG_C_TENANT_LIST, &id);
	enter(1001, OP_NONE, 0);
	CHECK_INT(result(PROC_STORAGE, 0, id, R_OK, ""), 0);
	ends(cn, 1, R_OK, "");
	command(cn, IMSG_C_TENANT_LIST, 2, &m);
	ends(cn, 2, R_FORBIDDEN, "you are not in the ledger of operators");
	(void)noted(1001, IMSG_C_TENANT_LIST, NOTE_ROLE);
	other = open_as(1001);
	ends(other, 0, R_FORBIDDEN, "you are not in the ledger of operators");
	CHECK(closed(other));
	close_conn(other);
	(void)noted(1001, IMSG_NONE, NOTE_STRANGER);
	/* Another role, and one that is over. */
	enter(1001, OP_AUDITOR, 0);
	command(cn, IMSG_C_TENANT_LIST, 3, &m);
	(void)fake_take(PROC_STORAGE, 0, IMSG_C_TENANT_LIST, &id);
	CHECK_INT(result(PROC_STORAGE, 0, id, R_OK, ""), 0);
	ends(cn, 3, R_OK, "");
	enter(1001, OP_OWNER, 1);
	command(cn, IMSG_C_TENANT_LIST, 4, &m);
	ends(cn, 4, R_FORBIDDEN, "you are not in the ledger of operators");
	fake_out = fake_in;
	/* Storage is down: there is root alone, and no blame for it. */
	enter(1001, OP_OWNER, 0);
	ledger_clear();
	command(cn, IMSG_C_PROCESSES, 5, &m);
	ends(cn, 5, R_UNAVAILABLE, "");
	other = open_as(1001);
	ends(other, 0, R_UNAVAILABLE, "");
	close_conn(other);
	other = open_conn();
	hello(other);
	command(other, IMSG_C_PROCESSES, 6, &m);
	(void)fake_take(PROC_PARENT, 0, IMSG_C_PROCESSES, &id);
	CHECK_INT(result(PROC_PARENT, 0, id, R_OK, ""), 0);
	ends(other, 6, R_OK, "");
	close_conn(other);
	close_conn(cn);
	ledger_told();
	turn_loop(20);
	CHECK(fake_quiet());
}

/* Four users take all places; for root there is one. */
static void
test_room(void)
{
	struct m_c_none	 m = { 0 };
	struct conn	*cn[33], *root;
	uint32_t	 id;
	unsigned int	 i;

	for (i = 0; i < 33; i++) {
		enter(2000 + i / 8, OP_AUDITOR, 0);
		cn[i] = open_as(2000 + i / 8);
		turn_loop(5);
	}
	ends(cn[32], 0, R_BUSY, "too many commands are under way");
	CHECK(closed(cn[32]));
	root = open_conn();
	hello(root);
	command(root, IMSG_C_TENANT_LIST, 1, &m);
	(void)fake_take(PROC_STORAGE, 0, IMSG_C_TENANT_LIST, &id);
	CHECK_INT(result(PROC_STORAGE, 0, id, R_OK, ""), 0);
	ends(root, 1, R_OK, "");
	close_conn(root);
	for (i = 0; i < 33; i++)
		close_conn(cn[i]);
	turn_loop(50);
	for (i = 0; i < 5; i++)
		enter(2000 + i, OP_NONE, 0);
}

/* Any other user: he may connect, and that is all. */
static void
test_stranger(void)
{
	struct m_c_hello	 m = { CONTROL_VERSION };
	struct imsgbuf		 ib;
	struct imsg		 imsg;
	union msg_any		 any;
	const struct m_result	*r = (const void *)any.bytes;
	int			 status, i;
	pid_t			 pid;

	if ((pid = fork()) == -1)
		abort();
	if (pid == 0) {
		if (setuid(65534) == -1 || imsgbuf_init(&ib, dial()) == -1 ||
		    msg_compose(&ib, IMSG_C_HELLO, 3, -1, &m) == -1)
			_exit(1);
		(void)imsgbuf_write(&ib);	/* nobody may read it */
		for (i = 0; i < TURNS; i++) {
			if (imsgbuf_get(&ib, &imsg) == 1)
				break;
			if (imsgbuf_read(&ib) != 1)
				_exit(2);
			usleep(5000);
		}
		if (i == TURNS || imsg_get_type(&imsg) != IMSG_RESULT ||
		    msg_decode(&imsg, &any) == -1)
			_exit(3);
		_exit(r->code == R_FORBIDDEN ? 0 : 4);
	}
	while (waitpid(pid, &status, WNOHANG) == 0) {
		turn_loop(1);
		usleep(1000);
	}
	CHECK_INT(status, 0);
	turn_loop(20);
}

int
main(void)
{
	struct sockaddr_un	 sun = { .sun_family = AF_UNIX };
	int			 fd;

	signal(SIGPIPE, SIG_IGN);
	log_init(1);
	event_init();
	fake_init();
	fake_peer(PROC_PARENT, 0)->pe_up = 1;
	fake_peer(PROC_STORAGE, 0)->pe_up = 1;
	fake_peer(PROC_SESSION, 0)->pe_up = 1;
	fake_peer(PROC_SESSION, 1)->pe_up = 1;
	auth_ops.po_init();
	auth_ops.po_start();

	if (mkdtemp(dir) == NULL || chmod(dir, 0755) == -1)
		abort();
	snprintf(path, sizeof(path), "%s/sock", dir);
	(void)strlcpy(sun.sun_path, path, sizeof(sun.sun_path));
	if ((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0)) == -1 ||
	    bind(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1 ||
	    chmod(path, 0666) == -1 || listen(fd, 16) == -1)
		abort();
	control_site("office.example", 443);
	control_listen(fd);
	ledger_told();
	if (getuid() == 0) {
		test_command();
		test_parent();
		link_case(8443, "https://acme.office.example:8443/invite/"
		    "__________________________________________8");
		link_case(443, "https://acme.office.example/invite/"
		    "__________________________________________8");
		test_stats();
		test_down();
		test_peers();
		test_version();
		test_garbage();
		test_many();
		test_deaf();
		test_trail();
		test_roles();
		test_removed();
		test_room();
	}
	test_stranger();
	unlink(path);
	rmdir(dir);
	return (unit_end());
}
