/*
 * auth.c and its parts: the test plays session, storage, hash and the parent,
 * and sees every word that auth says.
 */

#include <sys/types.h>
#include <sys/socket.h>

#include <errno.h>
#include <event.h>
#include <string.h>

#include "auth.h"
#include "auth_request.h"
#include "control.h"
#include "fake_proc.h"
#include "log.h"
#include "unit.h"
#include "util.h"

#define T	5		/* a tenant in service */
#define OFF	6		/* one that is suspended */

static const uint8_t	 dummy[] = "the dummy's record";
static const uint8_t	 record[] = "somebody's record";
static unsigned int	 next_addr;

static int
say(enum proc_type proc, unsigned int inst, enum imsg_type type, uint32_t id,
    const void *m)
{
	return (auth_ops.po_imsg(fake_peer(proc, inst), type, id, m, NULL));
}

/* An address that has not tried yet. */
static const char *
fresh_addr(void)
{
	static char	 addr[MAX_ADDR + 1];

	next_addr++;
	snprintf(addr, sizeof(addr), "10.%u.%u.%u", next_addr >> 16 & 255,
	    next_addr >> 8 & 255, next_addr & 255);
	return (addr);
}

static int
try(uint32_t tenant, const char *addr, const char *email, uint32_t id)
{
	struct m_login	 m = { tenant, addr, "agent", email, "password 1" };

	return (say(PROC_SESSION, 1, IMSG_LOGIN, id, &m));
}

static void
tell_result(enum proc_type proc, uint32_t id, enum result code)
{
	struct m_result	 m = { code, 0, "" };

	CHECK_INT(say(proc, 0, IMSG_RESULT, id, &m), 0);
}

static void
tell_cred(uint32_t id, uint32_t user, enum user_state state, int has)
{
	struct m_cred	 m = { .user = user, .state = (uint8_t)state };

	if (has) {
		m.sealed.mb_data = record;
		m.sealed.mb_len = sizeof(record);
	}
	CHECK_INT(say(PROC_STORAGE, 0, IMSG_CRED, id, &m), 0);
}

static void
tell_checked(uint32_t id, enum hash_answer answer)
{
	struct m_hash_checked	 m = { (uint8_t)answer };

	CHECK_INT(say(PROC_HASH, 0, IMSG_HASH_CHECKED, id, &m), 0);
}

static void
tell_made(uint32_t id, const uint8_t *data, size_t len)
{
	struct m_hash_made	 m = { .ok = len != 0 };

	m.sealed.mb_data = data;
	m.sealed.mb_len = len;
	CHECK_INT(say(PROC_HASH, 0, IMSG_HASH_MADE, id, &m), 0);
}

/* Session's request id has ended with code. */
static uint64_t
ends(uint32_t want, enum result code)
{
	const struct m_result	*r;
	uint32_t		 id;

	r = fake_take(PROC_SESSION, 1, IMSG_RESULT, &id);
	CHECK_INT(id, want);
	CHECK_INT(r->code, code);
	CHECK(fake_quiet());
	return (r->arg);
}

static int
same(const struct m_blob *mb, const uint8_t *data, size_t len)
{
	return (mb->mb_len == len && memcmp(mb->mb_data, data, len) == 0);
}

static void
tell_tenant(uint32_t id, enum tenant_state state, int gone)
{
	struct m_tenant	 m = { .id = id, .state = (uint8_t)state,
			    .gone = (uint8_t)gone };

	m.name = "acme";
	m.title = "Acme";
	CHECK_INT(say(PROC_STORAGE, 0, IMSG_TENANT, 0, &m), 0);
}

/* Before the configuration there is no sign-in, and no crash. */
static void
test_early(void)
{
	CHECK_INT(try(T, "10.0.0.1", "a@example.org", 1), 0);
	ends(1, R_UNAVAILABLE);
}

static void
test_conf(void)
{
	const struct m_conf_ack	*ack;
	struct m_site		 site = { .generation = 1, .port = 8443 };
	struct m_conf_end	 end = { 1 };
	struct imsgbuf		 a, b;
	struct imsg		 imsg;
	struct m_conf_file	 file = { .kind = FILE_CONTROL, .name = "" };
	uint32_t		 id;
	int			 fd[2], s;

	site.domain = "office.example";
	site.country = "";
	site.idle = 1800;
	site.absolute = 43200;
	CHECK_INT(say(PROC_PARENT, 0, IMSG_CONF_SITE, 0, &site), 0);
	CHECK_INT(say(PROC_PARENT, 0, IMSG_CONF_END, 0, &end), 0);
	ack = fake_take(PROC_PARENT, 0, IMSG_CONF_ACK, &id);
	CHECK_INT(ack->ok, 0);
	CHECK_STR(ack->why, "the control socket has not arrived");

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == -1 ||
	    imsgbuf_init(&a, fd[0]) == -1 || imsgbuf_init(&b, fd[1]) == -1 ||
	    (s = socket(AF_UNIX, SOCK_STREAM, 0)) == -1)
		abort();
	imsgbuf_allow_fdpass(&a);
	imsgbuf_allow_fdpass(&b);
	if (msg_compose(&a, IMSG_CONF_FILE, 0, s, &file) == -1 ||
	    imsgbuf_write(&a) == -1 || imsgbuf_read(&b) != 1 ||
	    imsgbuf_get(&b, &imsg) != 1)
		abort();
	CHECK_INT(auth_ops.po_imsg(fake_peer(PROC_PARENT, 0), IMSG_CONF_FILE,
	    0, &file, &imsg), 0);
	imsg_free(&imsg);
	imsgbuf_clear(&a);
	imsgbuf_clear(&b);
	close(fd[0]);
	close(fd[1]);
	CHECK_INT(say(PROC_PARENT, 0, IMSG_CONF_END, 0, &end), 0);
	ack = fake_take(PROC_PARENT, 0, IMSG_CONF_ACK, &id);
	CHECK_INT(ack->ok, 1);
	CHECK_INT(say(PROC_PARENT, 0, IMSG_CONF_COMMIT, 0, &end), 0);
}

/* The dummy comes first: without it nobody may try. */
static void
test_dummy(void)
{
	uint32_t	 id, own;

	(void)fake_take(PROC_HASH, 0, IMSG_HASH_MAKE, &own);
	tell_tenant(T, TENANT_ACTIVE, 0);
	tell_tenant(OFF, TENANT_SUSPENDED, 0);
	CHECK_INT(try(T, fresh_addr(), "a@example.org", 2), 0);
	ends(2, R_UNAVAILABLE);
	/* Hash was not ready: it is asked again after a while. */
	tell_made(own, dummy, 0);
	CHECK(fake_quiet());
	while (fake_quiet())
		event_loop(EVLOOP_ONCE);
	(void)fake_take(PROC_HASH, 0, IMSG_HASH_MAKE, &id);
	CHECK(id != own);
	tell_made(id, dummy, sizeof(dummy));
	CHECK(fake_quiet());
}

/* From the mail to the request that hash gets; returns the id to answer. */
static uint32_t
until_hash(const char *email, uint32_t user, enum user_state state, int has)
{
	const struct m_cred_find	*find;
	const struct m_hash_check	*check;
	uint32_t			 id, hash;

	CHECK_INT(try(T, fresh_addr(), email, 3), 0);
	find = fake_take(PROC_STORAGE, 0, IMSG_CRED_FIND, &id);
	CHECK_INT(find->tenant, T);
	if (user == 0)
		tell_result(PROC_STORAGE, id, R_NOTFOUND);
	else
		tell_cred(id, user, state, has);
	check = fake_take(PROC_HASH, 0, IMSG_HASH_CHECK, &hash);
	CHECK_STR(check->password, "password 1");
	CHECK(user != 0 && has ? same(&check->sealed, record, sizeof(record)) :
	    same(&check->sealed, dummy, sizeof(dummy)));
	CHECK(fake_quiet());
	return (hash);
}

static void
test_login(void)
{
	const struct m_token_new	*new;
	const struct m_login_ok		*ok;
	uint8_t				 sha[TOKEN_LEN], want[TOKEN_LEN];
	uint32_t			 id;
	uint64_t			 now = now_ms();

	tell_checked(until_hash("good@example.org", 7, USER_ACTIVE, 1),
	    HASH_RIGHT);
	new = fake_take(PROC_STORAGE, 0, IMSG_TOKEN_NEW, &id);
	CHECK_INT(new->tenant, T);
	CHECK_INT(new->user, 7);
	CHECK_STR(new->agent, "agent");
	CHECK(new->expires >= now + 43200000 &&
	    new->expires < now + 43200000 + 60000);
	memcpy(sha, new->sha, sizeof(sha));
	/* No token before storage has it. */
	CHECK(fake_quiet());
	tell_result(PROC_STORAGE, id, R_OK);
	ok = fake_take(PROC_SESSION, 1, IMSG_LOGIN_OK, &id);
	CHECK_INT(id, 3);
	CHECK_INT(sha256(want, ok->token, TOKEN_LEN), 0);
	CHECK(memcmp(want, sha, TOKEN_LEN) == 0);
	CHECK(fake_quiet());
	/* The disk is full: no sign-in. */
	tell_checked(until_hash("good@example.org", 7, USER_ACTIVE, 1),
	    HASH_RIGHT);
	(void)fake_take(PROC_STORAGE, 0, IMSG_TOKEN_NEW, &id);
	tell_result(PROC_STORAGE, id, R_UNAVAILABLE);
	ends(3, R_UNAVAILABLE);
}

/* Whatever is wrong, the answer and the work are the same. */
static void
test_alike(void)
{
	static const struct {
		const char	*mail;
		uint32_t	 user;
		enum user_state	 state;
		int		 has;
		enum hash_answer answer;
	} cases[] = {
		{ "wrong@example.org", 7, USER_ACTIVE, 1, HASH_WRONG },
		{ "none@example.org", 0, USER_ACTIVE, 0, HASH_WRONG },
		{ "none@example.org", 0, USER_ACTIVE, 0, HASH_RIGHT },
		{ "locked@example.org", 8, USER_LOCKED, 1, HASH_RIGHT },
		{ "invited@example.org", 9, USER_INVITED, 0, HASH_RIGHT },
		{ "invited@example.org", 9, USER_INVITED, 1, HASH_RIGHT },
		{ "new@example.org", 9, USER_ACTIVE, 0, HASH_RIGHT },
		{ "no address", 7, USER_ACTIVE, 1, HASH_RIGHT },
		{ "", 7, USER_ACTIVE, 1, HASH_RIGHT },
	};
	size_t	 i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		tell_checked(until_hash(cases[i].mail, cases[i].user,
		    cases[i].state, cases[i].has), cases[i].answer);
		ends(3, R_SIGNIN);
	}
	/* Out of memory is no wrong password. */
	tell_checked(until_hash("good@example.org", 7, USER_ACTIVE, 1),
	    HASH_FAILED);
	ends(3, R_UNAVAILABLE);
	CHECK_INT(try(OFF, fresh_addr(), "a@example.org", 4), 0);
	ends(4, R_SIGNIN);
	CHECK_INT(try(99, fresh_addr(), "a@example.org", 4), 0);
	ends(4, R_UNAVAILABLE);
}

/* Ten tries an account, whoever asks and whether there is one. */
static void
test_account(const char *mail, uint32_t user)
{
	uint64_t	 seconds;
	unsigned int	 i;

	for (i = 0; i < 10; i++) {
		tell_checked(until_hash(mail, user, USER_ACTIVE, 1),
		    HASH_WRONG);
		ends(3, R_SIGNIN);
	}
	CHECK_INT(try(T, fresh_addr(), mail, 5), 0);
	seconds = ends(5, R_TOOMANY);
	CHECK(seconds >= 1 && seconds <= 6);
}

static void
test_throttle(void)
{
	const char	*addr;
	char		 mail[64];
	unsigned int	 i;
	uint32_t	 id;

	test_account("victim@example.org", 7);
	test_account("VICTIM2@example.org", 7);
	CHECK_INT(try(T, fresh_addr(), "victim2@Example.org", 5), 0);
	ends(5, R_TOOMANY);
	test_account("nobody@example.org", 0);
	/* Thirty of an address, whatever the account. */
	addr = fresh_addr();
	for (i = 0; i < 31; i++) {
		snprintf(mail, sizeof(mail), "list%u@example.org", i);
		CHECK_INT(try(T, addr, mail, 6), 0);
		if (i == 30)
			break;
		(void)fake_take(PROC_STORAGE, 0, IMSG_CRED_FIND, &id);
		tell_result(PROC_STORAGE, id, R_NOTFOUND);
		(void)fake_take(PROC_HASH, 0, IMSG_HASH_CHECK, &id);
		tell_checked(id, HASH_WRONG);
		ends(6, R_SIGNIN);
	}
	ends(6, R_TOOMANY);
}

/* An office that signs in at nine is let in, behind one address. */
static void
test_office(void)
{
	const char	*addr = fresh_addr();
	char		 mail[64];
	unsigned int	 i;
	uint32_t	 id;

	for (i = 0; i < 200; i++) {
		snprintf(mail, sizeof(mail), "office%u@example.org", i % 3);
		CHECK_INT(try(T, addr, mail, 6), 0);
		(void)fake_take(PROC_STORAGE, 0, IMSG_CRED_FIND, &id);
		tell_cred(id, 1 + i, USER_ACTIVE, 1);
		(void)fake_take(PROC_HASH, 0, IMSG_HASH_CHECK, &id);
		tell_checked(id, HASH_RIGHT);
		(void)fake_take(PROC_STORAGE, 0, IMSG_TOKEN_NEW, &id);
		tell_result(PROC_STORAGE, id, R_OK);
		(void)fake_take(PROC_SESSION, 1, IMSG_LOGIN_OK, &id);
	}
	CHECK(fake_quiet());
}

/* Up to storage's answer about a token; returns the id to answer. */
static uint32_t
token_asked(const uint8_t *token)
{
	const struct m_sha	*find;
	struct m_token		 m = { .tenant = T, .addr = "10.9.9.9" };
	uint8_t			 sha[TOKEN_LEN];
	uint32_t		 id;

	memcpy(m.token, token, TOKEN_LEN);
	CHECK_INT(say(PROC_SESSION, 1, IMSG_TOKEN, 77, &m), 0);
	find = fake_take(PROC_STORAGE, 0, IMSG_TOKEN_FIND, &id);
	CHECK_INT(sha256(sha, token, TOKEN_LEN), 0);
	CHECK(memcmp(sha, find->sha, TOKEN_LEN) == 0);
	return (id);
}

static void
token_case(const struct m_token_row *row, int good)
{
	const struct m_grant_new	*grant;
	uint8_t				 token[TOKEN_LEN] = { 1, 2, 3 };
	uint32_t			 id = token_asked(token);

	CHECK_INT(say(PROC_STORAGE, 0, IMSG_TOKEN_ROW, id, row), 0);
	if (!good) {
		ends(77, R_SESSION);
		return;
	}
	grant = fake_take(PROC_STORAGE, 0, IMSG_GRANT_NEW, &id);
	CHECK_INT(grant->inst, 1);
	CHECK_INT(grant->req, 77);
	CHECK_INT(grant->tenant, T);
	/* Storage tells the session itself; we are told that it has. */
	tell_result(PROC_STORAGE, id, R_OK);
	CHECK(fake_quiet());
}

static void
test_token(void)
{
	uint8_t			 token[TOKEN_LEN] = { 9 };
	uint64_t		 now = now_ms();
	struct m_token_row	 row = { .user = 7, .state = USER_ACTIVE };
	struct m_token		 off = { .tenant = OFF, .addr = "" };
	uint32_t		 id;

	row.created = row.seen = now;
	row.expires = now + 1000000;
	token_case(&row, 1);
	row.seen = now - 1800000 - 5000;
	token_case(&row, 0);
	row.live = 1;
	token_case(&row, 1);
	row.live = 0;
	row.seen = now - 1800000 + 60000;
	token_case(&row, 1);
	row.seen = now + 100000000;		/* the clock was set back */
	token_case(&row, 1);
	row.seen = now;
	row.expires = now;
	token_case(&row, 0);
	row.expires = now + 1000000;
	row.state = USER_LOCKED;
	token_case(&row, 0);
	row.state = USER_INVITED;
	token_case(&row, 0);

	tell_result(PROC_STORAGE, token_asked(token), R_SESSION);
	ends(77, R_SESSION);
	tell_result(PROC_STORAGE, token_asked(token), R_NOTFOUND);
	ends(77, R_SESSION);
	tell_result(PROC_STORAGE, token_asked(token), R_UNAVAILABLE);
	ends(77, R_UNAVAILABLE);
	/* The grant itself can fail, too. */
	row.state = USER_ACTIVE;
	id = token_asked(token);
	CHECK_INT(say(PROC_STORAGE, 0, IMSG_TOKEN_ROW, id, &row), 0);
	(void)fake_take(PROC_STORAGE, 0, IMSG_GRANT_NEW, &id);
	tell_result(PROC_STORAGE, id, R_SESSION);
	ends(77, R_SESSION);
	CHECK_INT(say(PROC_SESSION, 1, IMSG_TOKEN, 78, &off), 0);
	ends(78, R_SESSION);
}

static void
test_link(void)
{
	const struct m_link_find	*find;
	const struct m_link_set		*set;
	const struct m_token_new	*new;
	const struct m_hash_make	*make;
	struct m_link_done		 done = { 12 };
	struct m_token			 get = { .tenant = T, .addr = "" };
	struct m_link_use		 use = { .tenant = T, .agent = "x" };
	uint8_t				 sha[TOKEN_LEN];
	uint32_t			 id;

	get.token[0] = use.token[0] = 42;
	CHECK_INT(sha256(sha, get.token, TOKEN_LEN), 0);
	CHECK_INT(say(PROC_SESSION, 1, IMSG_LINK_GET, 21, &get), 0);
	find = fake_take(PROC_STORAGE, 0, IMSG_LINK_FIND, &id);
	CHECK_INT(find->inst, 1);
	CHECK_INT(find->req, 21);
	CHECK(memcmp(find->sha, sha, TOKEN_LEN) == 0);
	tell_result(PROC_STORAGE, id, R_LINK);
	ends(21, R_LINK);

	use.addr = fresh_addr();
	use.password = "short";
	CHECK_INT(say(PROC_SESSION, 1, IMSG_LINK_USE, 22, &use), 0);
	ends(22, R_INVALID);
	use.password = "long enough";
	CHECK_INT(say(PROC_SESSION, 1, IMSG_LINK_USE, 23, &use), 0);
	make = fake_take(PROC_HASH, 0, IMSG_HASH_MAKE, &id);
	CHECK_STR(make->password, "long enough");
	tell_made(id, record, sizeof(record));
	set = fake_take(PROC_STORAGE, 0, IMSG_LINK_SET, &id);
	CHECK_INT(set->tenant, T);
	CHECK(memcmp(set->sha, sha, TOKEN_LEN) == 0);
	CHECK(same(&set->sealed, record, sizeof(record)));
	CHECK_INT(say(PROC_STORAGE, 0, IMSG_LINK_DONE, id, &done), 0);
	new = fake_take(PROC_STORAGE, 0, IMSG_TOKEN_NEW, &id);
	CHECK_INT(new->user, 12);
	CHECK_STR(new->agent, "x");
	tell_result(PROC_STORAGE, id, R_OK);
	(void)fake_take(PROC_SESSION, 1, IMSG_LOGIN_OK, &id);
	CHECK_INT(id, 23);
	CHECK(fake_quiet());
	/* Used up. */
	CHECK_INT(say(PROC_SESSION, 1, IMSG_LINK_USE, 24, &use), 0);
	(void)fake_take(PROC_HASH, 0, IMSG_HASH_MAKE, &id);
	tell_made(id, record, sizeof(record));
	(void)fake_take(PROC_STORAGE, 0, IMSG_LINK_SET, &id);
	tell_result(PROC_STORAGE, id, R_LINK);
	ends(24, R_LINK);
}

/* Up to hash's word on the current password; returns the id to answer. */
static uint32_t
password_asked(const char *new)
{
	const struct m_hash_check	*check;
	struct m_password		 m = { .tenant = T };
	uint32_t			 id;

	m.addr = fresh_addr();
	m.current = "the old one";
	m.new = new;
	m.token[0] = 3;
	CHECK_INT(say(PROC_SESSION, 1, IMSG_PASSWORD, 31, &m), 0);
	(void)fake_take(PROC_STORAGE, 0, IMSG_CRED_TOKEN, &id);
	tell_cred(id, 7, USER_ACTIVE, 1);
	check = fake_take(PROC_HASH, 0, IMSG_HASH_CHECK, &id);
	CHECK_STR(check->password, "the old one");
	return (id);
}

static void
test_password(void)
{
	const struct m_hash_make	*make;
	const struct m_cred_set		*set;
	struct m_password		 m = { .tenant = T, .addr = "",
					    .current = "x", .new = "y" };
	uint8_t				 token[TOKEN_LEN] = { 3 };
	uint8_t				 sha[TOKEN_LEN];
	uint32_t			 id;
	unsigned int			 i;

	CHECK_INT(sha256(sha, token, TOKEN_LEN), 0);
	tell_checked(password_asked("the new one"), HASH_WRONG);
	ends(31, R_SIGNIN);
	tell_checked(password_asked("short"), HASH_RIGHT);
	ends(31, R_INVALID);
	tell_checked(password_asked(""), HASH_RIGHT);
	ends(31, R_INVALID);
	tell_checked(password_asked("the new one"), HASH_RIGHT);
	make = fake_take(PROC_HASH, 0, IMSG_HASH_MAKE, &id);
	CHECK_STR(make->password, "the new one");
	tell_made(id, record, sizeof(record));
	set = fake_take(PROC_STORAGE, 0, IMSG_CRED_SET, &id);
	CHECK_INT(set->tenant, T);
	CHECK_INT(set->user, 7);
	CHECK(memcmp(set->keep, sha, TOKEN_LEN) == 0);
	CHECK(same(&set->sealed, record, sizeof(record)));
	tell_result(PROC_STORAGE, id, R_OK);
	ends(31, R_OK);
	/* Who has found an open page may guess ten times; one is used. */
	for (i = 0; i < 9; i++) {
		tell_checked(password_asked("the new one"), HASH_WRONG);
		ends(31, R_SIGNIN);
	}
	m.addr = fresh_addr();
	CHECK_INT(say(PROC_SESSION, 1, IMSG_PASSWORD, 32, &m), 0);
	(void)fake_take(PROC_STORAGE, 0, IMSG_CRED_TOKEN, &id);
	tell_cred(id, 7, USER_ACTIVE, 1);
	ends(32, R_TOOMANY);
	/* Not signed in, or not any more. */
	CHECK_INT(say(PROC_SESSION, 1, IMSG_PASSWORD, 32, &m), 0);
	(void)fake_take(PROC_STORAGE, 0, IMSG_CRED_TOKEN, &id);
	tell_result(PROC_STORAGE, id, R_SESSION);
	ends(32, R_SESSION);
	CHECK_INT(say(PROC_SESSION, 1, IMSG_PASSWORD, 32, &m), 0);
	(void)fake_take(PROC_STORAGE, 0, IMSG_CRED_TOKEN, &id);
	tell_cred(id, 7, USER_LOCKED, 1);
	ends(32, R_SESSION);
}

/* Answers that nobody has asked for, of the wrong kind or peer. */
static void
test_forged(void)
{
	struct m_cred		 cred = { .user = 1, .state = USER_ACTIVE };
	struct m_result		 odd = { R_MAX, 0, "" }, ok = { R_OK, 0, "" };
	struct m_result		 no = { R_NOTFOUND, 0, "" };
	struct m_hash_checked	 right = { HASH_RIGHT };
	struct m_token_row	 row = { .user = 1 };
	struct m_link_done	 done = { 1 };
	uint32_t		 id, hash;

	CHECK_INT(try(T, fresh_addr(), "forged@example.org", 41), 0);
	(void)fake_take(PROC_STORAGE, 0, IMSG_CRED_FIND, &id);
	CHECK_INT(say(PROC_STORAGE, 0, IMSG_TOKEN_ROW, id, &row), -1);
	CHECK_INT(say(PROC_STORAGE, 0, IMSG_LINK_DONE, id, &done), -1);
	CHECK_INT(say(PROC_STORAGE, 0, IMSG_RESULT, id, &odd), -1);
	CHECK_INT(say(PROC_STORAGE, 0, IMSG_RESULT, id, &ok), -1);
	CHECK_INT(say(PROC_HASH, 0, IMSG_HASH_CHECKED, id, &right), -1);
	CHECK_INT(say(PROC_SESSION, 0, IMSG_RESULT, id, &ok), -1);
	CHECK_INT(say(PROC_SESSION, 0, IMSG_RESULT, id | CONTROL_ID, &ok), 0);
	CHECK_INT(say(PROC_PARENT, 0, IMSG_RESULT, id, &ok), -1);
	/* Late ones, to requests that have ended, are nobody's fault. */
	CHECK_INT(say(PROC_STORAGE, 0, IMSG_CRED, id + REQUEST_MAX, &cred), 0);
	CHECK_INT(say(PROC_STORAGE, 0, IMSG_RESULT, 0, &ok), 0);
	CHECK(fake_quiet());
	tell_cred(id, 7, USER_ACTIVE, 1);
	(void)fake_take(PROC_HASH, 0, IMSG_HASH_CHECK, &hash);
	CHECK_INT(hash, id);
	CHECK_INT(say(PROC_STORAGE, 0, IMSG_CRED, id, &cred), -1);
	CHECK_INT(say(PROC_STORAGE, 0, IMSG_RESULT, id, &ok), -1);
	CHECK_INT(say(PROC_STORAGE, 0, IMSG_RESULT, id, &no), -1);
	CHECK_INT(say(PROC_HASH, 0, IMSG_HASH_MADE, id, &right), -1);
	CHECK_INT(say(PROC_HASH, 0, IMSG_HASH_CHECKED, id + 1, &right), -1);
	CHECK_INT(say(PROC_HASH, 1, IMSG_HASH_CHECKED, id, &right), -1);
	tell_checked(hash, HASH_WRONG);
	ends(41, R_SIGNIN);
	CHECK_INT(say(PROC_HASH, 0, IMSG_HASH_CHECKED, id, &right), -1);
}

/*
 * Tries up to the queue for hash, with ids from first on.  Returns the id of
 * the one that hash has got, 0 if it was busy before.
 */
static uint32_t
crowd(uint32_t tenant, unsigned int n, uint32_t first, const char *who)
{
	char		 mail[64];
	unsigned int	 i;
	uint32_t	 id, job = 0;

	for (i = 0; i < n; i++) {
		snprintf(mail, sizeof(mail), "%s%u@example.org", who, i);
		CHECK_INT(try(tenant, fresh_addr(), mail, first + i), 0);
		(void)fake_take(PROC_STORAGE, 0, IMSG_CRED_FIND, &id);
		tell_cred(id, 7, USER_ACTIVE, 1);
		if (i == 0 && !fake_quiet())
			(void)fake_take(PROC_HASH, 0, IMSG_HASH_CHECK, &job);
	}
	return (job);
}

/* The hash process's job is done; returns the id of the next one, or 0. */
static uint32_t
next_job(uint32_t job, uint32_t ended)
{
	const struct m_result	*r;
	uint32_t		 id;

	tell_checked(job, HASH_WRONG);
	r = fake_take(PROC_SESSION, 1, IMSG_RESULT, &id);
	CHECK_INT(r->code, R_SIGNIN);
	CHECK_INT(id, ended);
	if (fake_quiet())
		return (0);
	(void)fake_take(PROC_HASH, 0, IMSG_HASH_CHECK, &id);
	return (id);
}

/* A tenant under attack fills its half; the other one waits for one job. */
static void
test_fair(void)
{
	uint32_t	 job, id;
	unsigned int	 i;

	tell_tenant(OFF, TENANT_ACTIVE, 0);
	CHECK((job = crowd(T, 33, 100, "fair")) != 0);
	CHECK(fake_quiet());
	CHECK_INT(try(T, fresh_addr(), "over@example.org", 200), 0);
	(void)fake_take(PROC_STORAGE, 0, IMSG_CRED_FIND, &id);
	tell_cred(id, 7, USER_ACTIVE, 1);
	CHECK(ends(200, R_BUSY) >= 1);
	CHECK_INT(crowd(OFF, 2, 300, "calm"), 0);
	CHECK(fake_quiet());
	job = next_job(job, 100);
	job = next_job(job, 300);
	job = next_job(job, 101);
	job = next_job(job, 301);
	for (i = 2; i < 33; i++)
		job = next_job(job, 100 + i);
	CHECK_INT(job, 0);
}

/* A peer's death ends what waits for it, and nothing else. */
static void
test_deaths(void)
{
	const struct m_result	*r;
	uint32_t		 id, job;
	unsigned int		 i;

	/* storage */
	CHECK_INT(try(T, fresh_addr(), "dead1@example.org", 51), 0);
	(void)fake_take(PROC_STORAGE, 0, IMSG_CRED_FIND, &id);
	job = crowd(T, 1, 52, "deadx");
	fake_peer(PROC_STORAGE, 0)->pe_up = 0;
	auth_ops.po_down(fake_peer(PROC_STORAGE, 0));
	ends(51, R_UNAVAILABLE);
	tell_checked(job, HASH_WRONG);
	ends(52, R_SIGNIN);
	CHECK_INT(try(T, fresh_addr(), "dead2@example.org", 53), 0);
	ends(53, R_UNAVAILABLE);
	fake_peer(PROC_STORAGE, 0)->pe_up = 1;
	auth_ops.po_up(fake_peer(PROC_STORAGE, 0));
	CHECK_INT(try(T, fresh_addr(), "dead2@example.org", 54), 0);
	ends(54, R_UNAVAILABLE);	/* tenants are not told yet */
	tell_tenant(T, TENANT_ACTIVE, 0);

	/* hash, with one job in work and two that wait */
	job = crowd(T, 3, 60, "dead3x");
	fake_peer(PROC_HASH, 0)->pe_up = 0;
	auth_ops.po_down(fake_peer(PROC_HASH, 0));
	for (i = 0; i < 3; i++) {
		r = fake_take(PROC_SESSION, 1, IMSG_RESULT, &id);
		CHECK_INT(r->code, R_UNAVAILABLE);
	}
	CHECK(fake_quiet());
	fake_peer(PROC_HASH, 0)->pe_up = 1;
	auth_ops.po_up(fake_peer(PROC_HASH, 0));
	CHECK(fake_quiet());

	/* the session: nobody is told, and hash comes free all the same */
	job = crowd(T, 2, 70, "dead4x");
	auth_ops.po_down(fake_peer(PROC_SESSION, 1));
	CHECK(fake_quiet());
	tell_checked(job, HASH_RIGHT);
	CHECK(fake_quiet());
	tell_checked(until_hash("after@example.org", 7, USER_ACTIVE, 1),
	    HASH_WRONG);
	ends(3, R_SIGNIN);
	CHECK_INT(auth_counts.ac_pending, 0);
}

/* One session process that asks without end has its share, no more. */
static void
test_flood(void)
{
	const struct m_result	*r;
	struct m_token		 m = { .tenant = T, .addr = "" };
	uint32_t		 id;
	unsigned int		 i, found = 0, busy = 0, bad = 0;

	for (i = 0; i < REQUEST_MAX; i++) {
		bad += say(PROC_SESSION, 0, IMSG_TOKEN, i, &m) != 0;
		if (i < REQUEST_MAX / 2) {
			(void)fake_take(PROC_STORAGE, 0, IMSG_TOKEN_FIND, &id);
			found++;
			continue;
		}
		r = fake_take(PROC_SESSION, 0, IMSG_RESULT, &id);
		busy += r->code == R_BUSY;
	}
	CHECK_INT(bad, 0);
	CHECK_INT(found, REQUEST_MAX / 2);
	CHECK_INT(busy, REQUEST_MAX / 2);
	/* The other one is served. */
	tell_checked(until_hash("calm@example.org", 7, USER_ACTIVE, 1),
	    HASH_WRONG);
	ends(3, R_SIGNIN);
	auth_ops.po_down(fake_peer(PROC_SESSION, 0));
	CHECK_INT(auth_counts.ac_pending, 0);
}

int
main(void)
{
	log_init(1);
	event_init();
	fake_init();
	fake_peer(PROC_PARENT, 0)->pe_up = 1;
	fake_peer(PROC_STORAGE, 0)->pe_up = 1;
	fake_peer(PROC_HASH, 0)->pe_up = 1;
	fake_peer(PROC_SESSION, 0)->pe_up = 1;
	fake_peer(PROC_SESSION, 1)->pe_up = 1;
	auth_ops.po_init();
	auth_ops.po_start();
	test_early();
	test_conf();
	test_dummy();
	test_login();
	test_alike();
	test_throttle();
	test_office();
	test_token();
	test_link();
	test_password();
	test_forged();
	test_fair();
	test_deaths();
	test_flood();
	return (unit_end());
}
