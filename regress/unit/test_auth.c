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
#include "policy.h"
#include "fake_proc.h"
#include "log.h"
#include "turn.h"
#include "unit.h"
#include "util.h"

#define T	5		/* a tenant in service */
#define TWO	"two@example.org"
#define OFF	6		/* one that is suspended */

static const uint8_t	 dummy[] = "the dummy's record";
static const uint8_t	 record[] = "somebody's record";
static unsigned int	 next_addr;
static char		 device[MAX_DEVICE + 1];	/* that tries */

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
	struct m_login	 m = { tenant, addr, "agent", email, "password 1",
			    "", device };

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
	struct m_hash_checked	 m = { .answer = (uint8_t)answer };

	CHECK_INT(say(PROC_HASH, 0, IMSG_HASH_CHECKED, id, &m), 0);
}

static void
tell_not_made(uint32_t id, enum make_answer answer)
{
	struct m_hash_made	 m = { .answer = (uint8_t)answer };

	CHECK_INT(say(PROC_HASH, 0, IMSG_HASH_MADE, id, &m), 0);
}

static void
tell_made(uint32_t id, const uint8_t *data, size_t len)
{
	struct m_hash_made	 m = { .answer = len != 0 ? MAKE_OK :
				    MAKE_FAILED };

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

/* Who tries first since storage is new has to wait for the locks. */
static void
tell_locks(uint32_t tenant, uint32_t id)
{
	const struct m_locks	*m;
	uint32_t		 ask;

	CHECK_INT(try(tenant, fresh_addr(), "first@example.org", id), 0);
	m = fake_take(PROC_STORAGE, 0, IMSG_LOCKS, &ask);
	CHECK_INT(m->tenant, tenant);
	CHECK(fake_quiet());
	tell_result(PROC_STORAGE, ask, R_OK);
	(void)fake_take(PROC_STORAGE, 0, IMSG_CRED_FIND, &ask);
	tell_result(PROC_STORAGE, ask, R_UNAVAILABLE);
	ends(id, R_UNAVAILABLE);
}

static void
tell_rules(uint32_t tries, uint32_t minutes)
{
	struct m_tenant	 m = { .id = T, .state = TENANT_ACTIVE };
	struct policy	 po;
	uint8_t		 buf[POLICY_BYTES];

	policy_default(&po);
	po.po_value[POLICY_LOCK_TRIES] = tries;
	po.po_value[POLICY_LOCK_MINUTES] = minutes;
	m.policy.mb_len = policy_write(&po, buf);
	m.name = "acme";
	m.title = "Acme";
	m.policy.mb_data = buf;
	CHECK_INT(say(PROC_STORAGE, 0, IMSG_TENANT, 0, &m), 0);
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

static void
tell_policy(const struct policy *po)
{
	uint8_t		 rules[POLICY_BYTES];
	struct m_tenant	 m = { .id = T, .name = "acme", .title = "Acme" };

	m.policy.mb_data = rules;
	m.policy.mb_len = policy_write(po, rules);
	CHECK_INT(say(PROC_STORAGE, 0, IMSG_TENANT, 0, &m), 0);
}

/* Before the configuration there is no sign-in, and no crash. */
static void
test_early(void)
{
	struct m_talk_make	 make = { 1, 7, 3, RIGHT_TALK, WAY_DIRECT };

	CHECK_INT(say(PROC_STORAGE, 0, IMSG_TALK_MAKE, 0, &make), 0);
	ends(7, R_UNAVAILABLE);
	CHECK_INT(try(T, "10.0.0.1", "a@example.org", 1), 0);
	ends(1, R_UNAVAILABLE);
}

/* A descriptor from the parent; it is auth's then. */
static void
hand(enum conf_file kind, int s)
{
	struct m_conf_file	 file = { .kind = (uint8_t)kind, .name = "" };
	struct imsgbuf		 a, b;
	struct imsg		 imsg;
	int			 fd[2];

	if (s == -1 || socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == -1 ||
	    imsgbuf_init(&a, fd[0]) == -1 || imsgbuf_init(&b, fd[1]) == -1)
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
}

/* A generation of the configuration begins; how it ends. */
static void
conf_begin(uint64_t generation)
{
	struct m_site	 site = { .generation = generation, .port = 8443 };

	site.domain = "office.example";
	site.country = "";
	site.idle = 1800;
	site.absolute = 43200;
	CHECK_INT(say(PROC_PARENT, 0, IMSG_CONF_SITE, 0, &site), 0);
}

static const struct m_conf_ack *
conf_end(uint64_t generation)
{
	struct m_conf_end	 end = { generation };
	uint32_t		 id;

	CHECK_INT(say(PROC_PARENT, 0, IMSG_CONF_END, 0, &end), 0);
	return (fake_take(PROC_PARENT, 0, IMSG_CONF_ACK, &id));
}

static void
test_conf(void)
{
	const struct m_conf_ack	*ack;
	struct m_conf_end	 end = { 1 };

	conf_begin(1);
	ack = conf_end(1);
	CHECK_INT(ack->ok, 0);
	CHECK_STR(ack->why, "the control socket has not arrived");
	hand(FILE_CONTROL, socket(AF_UNIX, SOCK_STREAM, 0));
	ack = conf_end(1);
	CHECK_INT(ack->ok, 1);
	CHECK_INT(say(PROC_PARENT, 0, IMSG_CONF_COMMIT, 0, &end), 0);
}

/* Storage says for whom: what the session gets. */
static const struct m_talk *
talk_for(uint32_t req)
{
	struct m_talk_make	 m = { 1, req, 3, RIGHT_VOICE, WAY_RELAY };
	const struct m_talk	*talk;
	uint32_t		 id;

	CHECK_INT(say(PROC_STORAGE, 0, IMSG_TALK_MAKE, 0, &m), 0);
	talk = fake_take(PROC_SESSION, 1, IMSG_TALK, &id);
	CHECK_INT(id, req);
	CHECK_INT(talk->floor, 3);
	CHECK_INT(talk->can, RIGHT_VOICE);
	CHECK_INT(talk->way, WAY_RELAY);
	return (talk);
}

/* A file with this in it, which has no name any more. */
static int
text_file(const char *text, size_t len)
{
	char	 name[] = "/tmp/test_auth.XXXXXX";
	int	 fd = mkstemp(name);

	if (fd == -1 || unlink(name) == -1 ||
	    write(fd, text, len) != (ssize_t)len)
		abort();
	return (fd);
}

/* Passwords for the relay, by a secret that a file has, or none has. */
static void
test_turn(void)
{
	static const char	 secret[] = "between-the-two-of-us\n";
	static const char	*const bad[] = {
		"", "\n", "fifteen-letters", "a blank in it is none",
		"one-line-of-it\nand-another", "between-the-two-of-us\n\n"
	};
	struct m_conf_end	 end = { 2 };
	const struct m_conf_ack	*ack;
	const struct m_talk	*talk;
	char			 user[TURN_USER], cred[TURN_CRED];
	char			 want[TURN_USER], first[TURN_USER];
	uint8_t			 salt[TURN_RANDOM];
	uint64_t		 now = now_ms();
	uint32_t		 id;
	size_t			 i;

	talk = talk_for(31);
	CHECK(talk->until == 0);
	CHECK_STR(talk->user, "");
	CHECK_STR(talk->cred, "");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		conf_begin(2);
		hand(FILE_CONTROL, socket(AF_UNIX, SOCK_STREAM, 0));
		hand(FILE_TURN, text_file(bad[i], strlen(bad[i])));
		ack = conf_end(2);
		CHECK_INT(ack->ok, 0);
		CHECK(strstr(ack->why, "turn secret") != NULL);
	}
	CHECK(talk_for(32)->until == 0);
	conf_begin(2);
	hand(FILE_CONTROL, socket(AF_UNIX, SOCK_STREAM, 0));
	hand(FILE_TURN, text_file(secret, strlen(secret)));
	CHECK_INT(conf_end(2)->ok, 1);
	CHECK_INT(say(PROC_PARENT, 0, IMSG_CONF_COMMIT, 0, &end), 0);
	(void)fake_take(PROC_HASH, 0, IMSG_HASH_MAKE, &id);
	tell_made(id, dummy, sizeof(dummy));

	talk = talk_for(33);
	CHECK(talk->until >= now - 1000 + TURN_SECONDS * 1000ULL &&
	    talk->until <= now + 10000 + TURN_SECONDS * 1000ULL);
	(void)strlcpy(first, talk->user, sizeof(first));
	CHECK(strchr(first, ':') != NULL && b64url_decode(salt, sizeof(salt),
	    strchr(first, ':') + 1) == 0);
	CHECK_INT(turn_make("between-the-two-of-us", talk->until / 1000, salt,
	    want, cred), 0);
	CHECK_STR(talk->user, want);
	CHECK_STR(talk->cred, cred);
	(void)strlcpy(user, talk_for(34)->user, sizeof(user));
	CHECK(strcmp(first, user) != 0);
	CHECK(fake_quiet());
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
	tell_locks(T, 2);
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
	/* Who is not let in learns from no work that his password is right. */
	CHECK_INT(check->anew, user != 0 && has && state == USER_ACTIVE &&
	    strchr(email, '@') != NULL);
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
	CHECK(new->password.mb_len > 0);	/* that hash has looked at */
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

/* A right password; hash has its record anew, of today's cost. */
static uint32_t
tell_anew(uint32_t hash)
{
	struct m_hash_checked		 m = { .answer = HASH_RIGHT };
	const struct m_token_new	*new;
	uint32_t			 id;

	m.sealed = (struct m_blob){ dummy, sizeof(dummy) };
	CHECK_INT(say(PROC_HASH, 0, IMSG_HASH_CHECKED, hash, &m), 0);
	new = fake_take(PROC_STORAGE, 0, IMSG_TOKEN_NEW, &id);
	CHECK(same(&new->password, record, sizeof(record)));
	CHECK(same(&new->anew, dummy, sizeof(dummy)));
	CHECK(fake_quiet());
	return (id);
}

/*
 * A record of an old cost is made anew when its owner signs in.  Of two of his
 * that do so at once, the second one is not refused for what the first did.
 */
static void
test_anew(void)
{
	const struct m_token_new	*new;
	uint32_t			 id;

	tell_result(PROC_STORAGE, tell_anew(until_hash("old@example.org", 7,
	    USER_ACTIVE, 1)), R_OK);
	(void)fake_take(PROC_SESSION, 1, IMSG_LOGIN_OK, &id);
	CHECK(fake_quiet());
	tell_result(PROC_STORAGE, tell_anew(until_hash("old@example.org", 7,
	    USER_ACTIVE, 1)), R_SIGNIN);
	(void)fake_take(PROC_STORAGE, 0, IMSG_CRED_FIND, &id);
	tell_cred(id, 7, USER_ACTIVE, 1);
	(void)fake_take(PROC_HASH, 0, IMSG_HASH_CHECK, &id);
	tell_checked(id, HASH_RIGHT);
	new = fake_take(PROC_STORAGE, 0, IMSG_TOKEN_NEW, &id);
	CHECK_INT(new->anew.mb_len, 0);
	/* The first one did not do it: it is another password. */
	tell_result(PROC_STORAGE, id, R_SIGNIN);
	ends(3, R_SIGNIN);
}

/* The account has a second factor: its request at hash, after the password. */
static uint32_t
until_factor(const char *mail, const char *otp)
{
	struct m_login			 m = { T, fresh_addr(), "agent",
					    mail, "password 1", otp, device };
	struct m_cred			 cred = { .user = 7,
					    .state = USER_ACTIVE,
					    .methods = FACTOR_TOTP |
					    FACTOR_RECOVERY };
	uint32_t			 id;

	cred.sealed = (struct m_blob){ record, sizeof(record) };
	cred.totp = (struct m_blob){ dummy, sizeof(dummy) };
	CHECK_INT(say(PROC_SESSION, 1, IMSG_LOGIN, 3, &m), 0);
	(void)fake_take(PROC_STORAGE, 0, IMSG_CRED_FIND, &id);
	CHECK_INT(say(PROC_STORAGE, 0, IMSG_CRED, id, &cred), 0);
	(void)fake_take(PROC_HASH, 0, IMSG_HASH_CHECK, &id);
	CHECK(fake_quiet());
	return (id);
}

static void
tell_otp(uint32_t id, enum hash_answer answer, uint8_t method, uint64_t step)
{
	struct m_hash_otp_checked	 m = { .answer = (uint8_t)answer,
					    .method = method, .step = step };

	memset(m.sha, 5, sizeof(m.sha));
	CHECK_INT(say(PROC_HASH, 0, IMSG_HASH_OTP_CHECKED, id, &m), 0);
}

/* A right password is not enough; what is checked goes to storage. */
static void
test_factor(void)
{
	const struct m_hash_otp		*otp;
	const struct m_token_new	*new;
	const struct m_login_ok		*ok;
	struct m_result			 no = { R_FACTOR, FACTOR_TOTP, "" };
	struct m_result			 yes = { R_OK, 4, "" };
	uint32_t			 id;

	/* A wrong password says nothing of it. */
	tell_checked(until_factor(TWO, "123456"), HASH_WRONG);
	ends(3, R_SIGNIN);
	tell_checked(until_factor(TWO, ""), HASH_RIGHT);
	CHECK_INT(ends(3, R_FACTOR), FACTOR_TOTP | FACTOR_RECOVERY);
	tell_checked(until_factor(TWO, "123456"), HASH_RIGHT);
	otp = fake_take(PROC_HASH, 0, IMSG_HASH_OTP, &id);
	CHECK_INT(otp->tenant, T);
	CHECK_INT(otp->user, 7);
	CHECK_STR(otp->otp, "123456");
	CHECK(same(&otp->sealed, dummy, sizeof(dummy)));
	tell_otp(id, HASH_WRONG, FACTOR_TOTP, 0);
	CHECK_INT(ends(3, R_FACTOR),
	    FACTOR_TOTP | FACTOR_RECOVERY | FACTOR_WRONG);
	tell_checked(until_factor("two2@example.org", "123456"), HASH_RIGHT);
	(void)fake_take(PROC_HASH, 0, IMSG_HASH_OTP, &id);
	tell_otp(id, HASH_FAILED, 0, 0);
	ends(3, R_UNAVAILABLE);
	/* Right, and used already: storage knows. */
	tell_checked(until_factor("two2@example.org", "123456"), HASH_RIGHT);
	(void)fake_take(PROC_HASH, 0, IMSG_HASH_OTP, &id);
	tell_otp(id, HASH_RIGHT, FACTOR_TOTP, 99);
	new = fake_take(PROC_STORAGE, 0, IMSG_TOKEN_NEW, &id);
	CHECK_INT(new->method, FACTOR_TOTP);
	CHECK_INT(new->step, 99);
	CHECK(same(&new->totp, dummy, sizeof(dummy)));
	CHECK_INT(say(PROC_STORAGE, 0, IMSG_RESULT, id, &no), 0);
	CHECK_INT(ends(3, R_FACTOR), FACTOR_TOTP | FACTOR_WRONG);
	tell_checked(until_factor("two2@example.org", "a recovery code"),
	    HASH_RIGHT);
	(void)fake_take(PROC_HASH, 0, IMSG_HASH_OTP, &id);
	tell_otp(id, HASH_RIGHT, FACTOR_RECOVERY, 0);
	new = fake_take(PROC_STORAGE, 0, IMSG_TOKEN_NEW, &id);
	CHECK_INT(new->method, FACTOR_RECOVERY);
	CHECK_INT(new->code[31], 5);
	CHECK_INT(say(PROC_STORAGE, 0, IMSG_RESULT, id, &yes), 0);
	ok = fake_take(PROC_SESSION, 1, IMSG_LOGIN_OK, &id);
	CHECK_INT(ok->method, FACTOR_RECOVERY);
	CHECK_INT(ok->left, 4);
	CHECK(fake_quiet());
}

/* Wrong codes lock, with as many right passwords between them. */
static void
test_factor_throttle(void)
{
	struct m_login	 m = { T, fresh_addr(), "agent", "ten@example.org",
			    "password 1", "123456", "" };
	uint32_t	 id;
	unsigned int	 i;

	tell_rules(2, 5);
	for (i = 0; i < 2; i++) {
		tell_checked(until_factor(m.email, ""), HASH_RIGHT);
		ends(3, R_FACTOR);
		tell_checked(until_factor(m.email, "123456"), HASH_RIGHT);
		(void)fake_take(PROC_HASH, 0, IMSG_HASH_OTP, &id);
		tell_otp(id, HASH_WRONG, FACTOR_TOTP, 0);
		if (i == 1) {
			(void)fake_take(PROC_STORAGE, 0, IMSG_LOCK, &id);
			CHECK(fake_quiet());
			tell_result(PROC_STORAGE, id, R_OK);
		}
		ends(3, R_FACTOR);
	}
	CHECK_INT(say(PROC_SESSION, 1, IMSG_LOGIN, 3, &m), 0);
	CHECK(ends(3, R_LOCKED) > 0);
	tell_rules(10, 30);
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

/* Who is locked is so for all strangers, whether there is an account. */
static void
test_account(const char *mail, uint32_t user)
{
	const struct m_lock	*lock;
	struct m_unlock		 unlock = { .tenant = T, .email = "" };
	uint64_t		 now = now_ms();
	uint32_t		 id;

	tell_checked(until_hash(mail, user, USER_ACTIVE, 1), HASH_WRONG);
	ends(3, R_SIGNIN);
	tell_checked(until_hash(mail, user, USER_ACTIVE, 1), HASH_WRONG);
	/* Nobody hears of it before it is kept. */
	lock = fake_take(PROC_STORAGE, 0, IMSG_LOCK, &id);
	CHECK(fake_quiet());
	CHECK_INT(lock->tenant, T);
	CHECK_INT(lock->user, 0);
	CHECK_STR(lock->email, mail);
	CHECK_INT(lock->known, 0);
	CHECK(lock->until >= now + 5 * 60000 &&
	    lock->until < now + 6 * 60000);
	memcpy(unlock.key, lock->key, sizeof(unlock.key));
	tell_result(PROC_STORAGE, id, R_OK);
	ends(3, R_SIGNIN);
	CHECK_INT(try(T, fresh_addr(), mail, 5), 0);
	now = ends(5, R_LOCKED);
	CHECK(now > 295 && now <= 300);
	CHECK_INT(say(PROC_STORAGE, 0, IMSG_UNLOCK, 0, &unlock), 0);
	tell_checked(until_hash(mail, user, USER_ACTIVE, 1), HASH_WRONG);
	ends(3, R_SIGNIN);
}

/* What storage tells of a lock is one, for as long as it may be. */
static void
test_told(void)
{
	struct m_lock_row	 row = { .tenant = T };
	const struct m_lock	*lock;
	uint64_t		 now;
	uint32_t		 id;

	tell_checked(until_hash("told@example.org", 7, USER_ACTIVE, 1),
	    HASH_WRONG);
	ends(3, R_SIGNIN);
	tell_checked(until_hash("told@example.org", 7, USER_ACTIVE, 1),
	    HASH_WRONG);
	lock = fake_take(PROC_STORAGE, 0, IMSG_LOCK, &id);
	memcpy(row.key, lock->key, sizeof(row.key));
	CHECK_INT(say(PROC_STORAGE, 0, IMSG_UNLOCK, 0,
	    &(struct m_unlock){ .tenant = T, .email = "" }), 0);
	/* It is not kept: nobody is told why, and no lock stays without end. */
	tell_result(PROC_STORAGE, id, R_UNAVAILABLE);
	ends(3, R_SIGNIN);
	CHECK_INT(try(T, fresh_addr(), "told@example.org", 5), 0);
	now = ends(5, R_TOOMANY);
	CHECK(now > 55 && now <= 64);
	row.key[0] ^= 1;
	row.until = now_ms() + 1000 * 60000;
	CHECK_INT(say(PROC_STORAGE, 0, IMSG_LOCK_ROW, 0, &row), 0);
	row.until = 1;
	row.key[0] ^= 2;
	CHECK_INT(say(PROC_STORAGE, 0, IMSG_LOCK_ROW, 0, &row), 0);
}

/* By the person, without the key: what auth may be alone to know of. */
static void
tell_unlock(uint32_t user, const char *mail)
{
	struct m_unlock	 m = { .tenant = T, .user = user, .email = mail };

	CHECK_INT(say(PROC_STORAGE, 0, IMSG_UNLOCK, 0, &m), 0);
}

/* The wrong half of it is over, and one more is at hash. */
static uint32_t
one_left(const char *mail)
{
	tell_checked(until_hash(mail, 7, USER_ACTIVE, 1), HASH_WRONG);
	ends(3, R_SIGNIN);
	return (until_hash(mail, 7, USER_ACTIVE, 1));
}

/*
 * A try that ends with its process or its asker (also after it was wrong)
 * locks for storage, too, whose word on it is waited for.
 */
static void
test_lock_kept(void)
{
	const struct m_lock	*lock;
	uint32_t		 id, lock_id, job;
	int			 i;

	for (i = 0; i < 4; i++) {
		job = one_left("kept@example.org");
		if (i == 2)
			tell_checked(job, HASH_WRONG);
		fake_peer(i == 0 ? PROC_HASH : PROC_SESSION, i != 0)->pe_up = 0;
		auth_ops.po_down(fake_peer(i == 0 ? PROC_HASH : PROC_SESSION,
		    i != 0));
		if (i == 0)
			CHECK_INT(((const struct m_result *)fake_take(
			    PROC_SESSION, 1, IMSG_RESULT, &id))->code,
			    R_UNAVAILABLE);
		lock = fake_take(PROC_STORAGE, 0, IMSG_LOCK, &lock_id);
		CHECK_STR(lock->email, "kept@example.org");
		CHECK_INT(lock->until > now_ms(), 1);
		fake_peer(i == 0 ? PROC_HASH : PROC_SESSION, i != 0)->pe_up = 1;
		CHECK(fake_quiet());
		if (i == 0)
			auth_ops.po_up(fake_peer(PROC_HASH, 0));
		else if (i != 2)
			tell_checked(job, HASH_RIGHT);
		tell_result(PROC_STORAGE, lock_id, i == 3 ? R_UNAVAILABLE :
		    R_OK);
		CHECK(fake_quiet());
		CHECK_INT(auth_counts.ac_pending, 0);
		CHECK_INT(try(T, fresh_addr(), "kept@example.org", 5), 0);
		ends(5, i == 3 ? R_TOOMANY : R_LOCKED);
		if (i == 3) {
			tell_unlock(7, "kept@example.org");
			continue;
		}
		tell_unlock(7, "other@example.org");
		CHECK_INT(try(T, fresh_addr(), "kept@example.org", 5), 0);
		ends(5, R_LOCKED);
		tell_unlock(7, "kept@example.org");
	}
}

/* A right one that was under way ends the lock, and storage hears of it. */
static void
test_lock_over(void)
{
	const struct m_lock	*lock;
	uint8_t			 key[TOKEN_LEN];
	uint32_t		 first, second, id;

	CHECK_INT(try(T, fresh_addr(), "over@example.org", 3), 0);
	(void)fake_take(PROC_STORAGE, 0, IMSG_CRED_FIND, &id);
	tell_cred(id, 7, USER_ACTIVE, 1);
	(void)fake_take(PROC_HASH, 0, IMSG_HASH_CHECK, &first);
	CHECK_INT(try(T, fresh_addr(), "over@example.org", 4), 0);
	(void)fake_take(PROC_STORAGE, 0, IMSG_CRED_FIND, &id);
	tell_cred(id, 7, USER_ACTIVE, 1);
	tell_rules(1, 0);
	tell_checked(first, HASH_WRONG);
	lock = fake_take(PROC_STORAGE, 0, IMSG_LOCK, &id);
	CHECK(lock->until == LOCK_NEVER);
	memcpy(key, lock->key, sizeof(key));
	(void)fake_take(PROC_HASH, 0, IMSG_HASH_CHECK, &second);
	tell_result(PROC_STORAGE, id, R_OK);
	ends(3, R_SIGNIN);
	tell_checked(second, HASH_RIGHT);
	lock = fake_take(PROC_STORAGE, 0, IMSG_LOCK, &id);
	CHECK(lock->until == 0);
	CHECK_STR(lock->email, "over@example.org");
	CHECK(memcmp(lock->key, key, sizeof(key)) == 0);
	(void)fake_take(PROC_STORAGE, 0, IMSG_TOKEN_NEW, &id);
	tell_result(PROC_STORAGE, id, R_OK);
	(void)fake_take(PROC_SESSION, 1, IMSG_LOGIN_OK, &id);
	CHECK(fake_quiet());
	tell_rules(2, 5);
}

/* Many names are an attack, told once: then their address gets little. */
static void
test_list(void)
{
	const struct m_alert	*al;
	const char		*addr = fresh_addr();
	char			 mail[64];
	unsigned int		 i, told = 0;
	uint32_t		 id;

	for (i = 0; i < 40; i++) {
		snprintf(mail, sizeof(mail), "list%u@example.org", i);
		CHECK_INT(try(T, addr, mail, 6), 0);
		if (fake_next() == IMSG_RESULT)
			break;
		(void)fake_take(PROC_STORAGE, 0, IMSG_CRED_FIND, &id);
		tell_result(PROC_STORAGE, id, R_NOTFOUND);
		(void)fake_take(PROC_HASH, 0, IMSG_HASH_CHECK, &id);
		tell_checked(id, HASH_WRONG);
		if (fake_next() == IMSG_ALERT) {
			told++;
			al = fake_take(PROC_STORAGE, 0, IMSG_ALERT, &id);
			CHECK_INT(al->tenant, T);
			CHECK_INT(al->over, 0);
			CHECK(al->accounts >= 10);
			CHECK(strstr(al->addrs, addr) != NULL);
		}
		ends(6, R_SIGNIN);
	}
	CHECK(i <= 11);
	CHECK_INT(told, 1);
	ends(6, R_TOOMANY);
}

/* User 7, of this mail, comes in by a passkey alone; the failures told. */
static uint32_t
by_passkey(const char *addr, const char *mail)
{
	struct m_passkey_ask	 ask = { .tenant = T, .addr = addr,
				    .use = PASSKEY_SIGNIN };
	struct m_passkey_login	 login = { .tenant = T, .addr = addr,
				    .agent = "agent", .email = "",
				    .password = "", .device = "" };
	struct m_passkey_row	 row = { .id = 1, .user = 7,
				    .state = USER_ACTIVE, .email = mail };
	struct m_hash_asserted	 right = { .answer = HASH_RIGHT };
	const struct m_challenge *ch;
	uint32_t		 id;

	CHECK_INT(say(PROC_SESSION, 1, IMSG_PASSKEY_ASK, 9, &ask), 0);
	ch = fake_take(PROC_SESSION, 1, IMSG_CHALLENGE, &id);
	memcpy(login.challenge, ch->challenge, sizeof(login.challenge));
	login.id = login.handle = login.client = login.data = login.sig =
	    row.key = (struct m_blob){ record, sizeof(record) };
	CHECK_INT(say(PROC_SESSION, 1, IMSG_PASSKEY_LOGIN, 9, &login), 0);
	(void)fake_take(PROC_STORAGE, 0, IMSG_PASSKEY_FIND, &id);
	CHECK_INT(say(PROC_STORAGE, 0, IMSG_PASSKEY_ROW, id, &row), 0);
	(void)fake_take(PROC_HASH, 0, IMSG_HASH_ASSERT, &id);
	CHECK_INT(say(PROC_HASH, 0, IMSG_HASH_ASSERTED, id, &right), 0);
	(void)fake_take(PROC_STORAGE, 0, IMSG_TOKEN_NEW, &id);
	tell_result(PROC_STORAGE, id, R_OK);
	return (((const struct m_login_ok *)fake_take(PROC_SESSION, 1,
	    IMSG_LOGIN_OK, &id))->failures);
}

/*
 * Who comes in by a passkey alone hears of the failures before, and is one of
 * the office: his slip is not one of many accounts that nobody gets into.
 */
static void
test_passkey_alone(void)
{
	const char	*addr = fresh_addr();
	char		 mail[64];
	unsigned int	 i;
	uint32_t	 id;

	for (i = 0; i < 10; i++) {
		if (i == 9) {
			CHECK_INT(by_passkey(addr, "alone0@example.org"), 1);
			CHECK_INT(by_passkey(addr, "alone0@example.org"), 0);
		}
		snprintf(mail, sizeof(mail), "alone%u@example.org", i);
		CHECK_INT(try(T, addr, mail, 6), 0);
		(void)fake_take(PROC_STORAGE, 0, IMSG_CRED_FIND, &id);
		tell_result(PROC_STORAGE, id, R_NOTFOUND);
		(void)fake_take(PROC_HASH, 0, IMSG_HASH_CHECK, &id);
		tell_checked(id, HASH_WRONG);
		ends(6, R_SIGNIN);	/* and no alert */
	}
	for (i = 0; i < 10; i++) {
		snprintf(mail, sizeof(mail), "alone%u@example.org", i);
		CHECK_INT(by_passkey(addr, mail), i > 0);
	}
}

static void
test_throttle(void)
{
	uint64_t	 seconds;

	/* The second failure makes wait, whoever asks. */
	tell_checked(until_hash("slow@example.org", 7, USER_ACTIVE, 1),
	    HASH_WRONG);
	ends(3, R_SIGNIN);
	tell_checked(until_hash("slow@example.org", 7, USER_ACTIVE, 1),
	    HASH_WRONG);
	ends(3, R_SIGNIN);
	CHECK_INT(try(T, fresh_addr(), "SLOW@example.org", 5), 0);
	seconds = ends(5, R_TOOMANY);
	CHECK(seconds >= 1 && seconds <= 2);
	tell_rules(2, 5);
	test_account("victim@example.org", 7);
	test_account("nobody@example.org", 0);
	test_told();
	test_lock_kept();
	test_lock_over();
	tell_rules(10, 30);
	test_list();
}

/* Up to the answer to a right password; the device is kept in device. */
static uint32_t
device_right(uint32_t hash, uint32_t user)
{
	const struct m_token_new	*new;
	const struct m_login_ok		*ok;
	uint32_t			 id;

	tell_checked(hash, HASH_RIGHT);
	new = fake_take(PROC_STORAGE, 0, IMSG_TOKEN_NEW, &id);
	CHECK_INT(new->user, user);
	tell_result(PROC_STORAGE, id, R_OK);
	ok = fake_take(PROC_SESSION, 1, IMSG_LOGIN_OK, &id);
	CHECK_INT(strlen(ok->device), MAX_DEVICE);
	(void)strlcpy(device, ok->device, sizeof(device));
	return (ok->failures);
}

/* A known device is not held up by what strangers do, nor they by it. */
static void
test_device(void)
{
	const struct m_lock	*lock;
	char			 mine[MAX_DEVICE + 1];
	struct m_device_key	 key = { { 1, 2, 3 } };
	uint32_t		 id;
	unsigned int		 i;

	CHECK_INT(say(PROC_HASH, 0, IMSG_DEVICE_KEY, 0, &key), 0);
	CHECK_INT(device_right(until_hash("own@example.org", 21, USER_ACTIVE,
	    1), 21), 0);
	(void)strlcpy(mine, device, sizeof(mine));
	tell_rules(2, 5);
	device[0] = '\0';
	for (i = 0; i < 2; i++) {
		tell_checked(until_hash("own@example.org", 21, USER_ACTIVE,
		    1), HASH_WRONG);
		if (i == 1) {
			(void)fake_take(PROC_STORAGE, 0, IMSG_LOCK, &id);
			tell_result(PROC_STORAGE, id, R_OK);
		}
		ends(3, R_SIGNIN);
	}
	CHECK_INT(try(T, fresh_addr(), "own@example.org", 5), 0);
	ends(5, R_LOCKED);
	/* Its owner enters and hears of it once; strangers stay locked. */
	(void)strlcpy(device, mine, sizeof(device));
	CHECK_INT(device_right(until_hash("own@example.org", 21, USER_ACTIVE,
	    1), 21), 2);
	CHECK_INT(device_right(until_hash("own@example.org", 21, USER_ACTIVE,
	    1), 21), 0);
	device[0] = '\0';
	CHECK_INT(try(T, fresh_addr(), "own@example.org", 5), 0);
	ends(5, R_LOCKED);
	/* A device of another, or none of ours, is a stranger's. */
	(void)strlcpy(device, mine, sizeof(device));
	tell_checked(until_hash("other@example.org", 22, USER_ACTIVE, 1),
	    HASH_WRONG);
	ends(3, R_SIGNIN);
	tell_checked(until_hash("other@example.org", 22, USER_ACTIVE, 1),
	    HASH_WRONG);
	lock = fake_take(PROC_STORAGE, 0, IMSG_LOCK, &id);
	CHECK_INT(lock->known, 0);
	tell_result(PROC_STORAGE, id, R_OK);
	ends(3, R_SIGNIN);
	CHECK_INT(try(T, fresh_addr(), "own@example.org", 5), 0);
	(void)fake_take(PROC_STORAGE, 0, IMSG_CRED_FIND, &id);
	tell_cred(id, 22, USER_ACTIVE, 1);
	ends(5, R_LOCKED);
	device[9] ^= 1;
	CHECK_INT(try(T, fresh_addr(), "own@example.org", 5), 0);
	ends(5, R_LOCKED);
	/* Failures on the device lock the device. */
	(void)strlcpy(device, mine, sizeof(device));
	for (i = 0; i < 2; i++) {
		tell_checked(until_hash("own@example.org", 21, USER_ACTIVE,
		    1), HASH_WRONG);
		if (i == 1) {
			lock = fake_take(PROC_STORAGE, 0, IMSG_LOCK, &id);
			CHECK_INT(lock->known, 1);
			tell_result(PROC_STORAGE, id, R_OK);
		}
		ends(3, R_SIGNIN);
	}
	CHECK_INT(try(T, fresh_addr(), "own@example.org", 5), 0);
	(void)fake_take(PROC_STORAGE, 0, IMSG_CRED_FIND, &id);
	tell_cred(id, 21, USER_ACTIVE, 1);
	ends(5, R_LOCKED);
	device[0] = '\0';
	tell_rules(10, 30);
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

/* From elsewhere than the list says nothing is asked of anybody. */
static void
test_networks(void)
{
	struct m_login	 in = { .tenant = T, .addr = "192.0.2.200",
			    .agent = "", .email = "a@b.example",
			    .password = "x", .otp = "" };
	struct m_token	 tk = { .tenant = T, .addr = "2001:db8::1" };
	struct policy	 po;
	char		 wrong[POLICY_WORD + 1];
	uint32_t	 id;

	policy_default(&po);
	CHECK_INT(policy_list(&po, POLICY_NETWORKS,
	    "192.0.2.0/25 2001:db8:1::/48", wrong), 0);
	tell_policy(&po);
	CHECK_INT(say(PROC_SESSION, 1, IMSG_LOGIN, 77, &in), 0);
	ends(77, R_ADDRESS);
	in.addr = "no address";
	CHECK_INT(say(PROC_SESSION, 1, IMSG_LOGIN, 77, &in), 0);
	ends(77, R_ADDRESS);
	CHECK_INT(say(PROC_SESSION, 1, IMSG_TOKEN, 77, &tk), 0);
	ends(77, R_ADDRESS);
	CHECK_INT(say(PROC_SESSION, 1, IMSG_LINK_GET, 77, &tk), 0);
	ends(77, R_ADDRESS);
	tk.addr = "2001:db8:1::7";
	CHECK_INT(say(PROC_SESSION, 1, IMSG_TOKEN, 77, &tk), 0);
	(void)fake_take(PROC_STORAGE, 0, IMSG_TOKEN_FIND, &id);
	tell_result(PROC_STORAGE, id, R_SESSION);
	ends(77, R_SESSION);
	policy_default(&po);
	tell_policy(&po);
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

/* Whose link it is: the id to answer. */
static uint32_t
link_asked(const uint8_t sha[TOKEN_LEN])
{
	const struct m_sha	*m;
	uint32_t		 id;

	m = fake_take(PROC_STORAGE, 0, IMSG_CRED_LINK, &id);
	CHECK_INT(m->tenant, T);
	CHECK(memcmp(m->sha, sha, TOKEN_LEN) == 0);
	return (id);
}

static void
test_link(void)
{
	const struct m_link_find	*find;
	const struct m_link_set		*set;
	const struct m_token_new	*new;
	const struct m_hash_make	*make;
	struct m_link_done		 done = { .user = 12 };
	struct m_token			 get = { .tenant = T, .addr = "" };
	struct m_link_use		 use = { .tenant = T, .agent = "x",
					    .words = "" };
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
	use.words = "ann@acme.example";
	use.name = "Ann";
	CHECK_INT(say(PROC_SESSION, 1, IMSG_LINK_USE, 22, &use), 0);
	tell_cred(link_asked(sha), 12, USER_INVITED, 0);
	ends(22, R_INVALID);
	use.password = "long enough";
	CHECK_INT(say(PROC_SESSION, 1, IMSG_LINK_USE, 22, &use), 0);
	tell_result(PROC_STORAGE, link_asked(sha), R_LINK);
	ends(22, R_LINK);
	CHECK_INT(say(PROC_SESSION, 1, IMSG_LINK_USE, 22, &use), 0);
	tell_cred(link_asked(sha), 12, USER_INVITED, 0);
	(void)fake_take(PROC_HASH, 0, IMSG_HASH_MAKE, &id);
	tell_not_made(id, MAKE_WEAK);
	ends(22, R_WEAK);
	CHECK_INT(say(PROC_SESSION, 1, IMSG_LINK_USE, 23, &use), 0);
	tell_cred(link_asked(sha), 12, USER_INVITED, 0);
	make = fake_take(PROC_HASH, 0, IMSG_HASH_MAKE, &id);
	CHECK_STR(make->password, "long enough");
	CHECK_STR(make->words, "ann@acme.example");
	CHECK_INT(make->strength, policy_rules[POLICY_STRENGTH].pr_default);
	tell_made(id, record, sizeof(record));
	set = fake_take(PROC_STORAGE, 0, IMSG_LINK_SET, &id);
	CHECK_INT(set->tenant, T);
	CHECK(memcmp(set->sha, sha, TOKEN_LEN) == 0);
	CHECK(same(&set->sealed, record, sizeof(record)));
	CHECK_STR(set->name, "Ann");
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
	tell_cred(link_asked(sha), 12, USER_INVITED, 0);
	(void)fake_take(PROC_HASH, 0, IMSG_HASH_MAKE, &id);
	tell_made(id, record, sizeof(record));
	(void)fake_take(PROC_STORAGE, 0, IMSG_LINK_SET, &id);
	tell_result(PROC_STORAGE, id, R_LINK);
	ends(24, R_LINK);
}

/* Once locked a link stays so, for an auth that is new as well. */
static void
test_link_locked(void)
{
	struct m_link_use	 use = { .tenant = T, .agent = "x",
				    .words = "", .name = "",
				    .password = "long enough" };
	struct m_lock_row	 row = { .tenant = T,
				    .until = LOCK_NEVER };
	struct m_unlock		 forget = { .tenant = T, .email = "" };
	const struct m_lock	*lock;
	uint8_t			 sha[TOKEN_LEN];
	uint32_t		 id;

	tell_rules(1, 0);
	use.addr = fresh_addr();
	use.token[0] = 43;
	CHECK_INT(sha256(sha, use.token, TOKEN_LEN), 0);
	CHECK_INT(say(PROC_SESSION, 1, IMSG_LINK_USE, 26, &use), 0);
	tell_cred(link_asked(sha), 12, USER_ACTIVE, 0);
	(void)fake_take(PROC_HASH, 0, IMSG_HASH_MAKE, &id);
	tell_not_made(id, MAKE_USED);
	lock = fake_take(PROC_STORAGE, 0, IMSG_LOCK, &id);
	CHECK_INT(lock->user, 12);
	memcpy(row.key, lock->key, sizeof(row.key));
	memcpy(forget.key, lock->key, sizeof(forget.key));
	tell_result(PROC_STORAGE, id, R_OK);
	ends(26, R_USED);
	CHECK_INT(say(PROC_STORAGE, 0, IMSG_UNLOCK, 0, &forget), 0);
	auth_ops.po_down(fake_peer(PROC_STORAGE, 0));
	auth_ops.po_up(fake_peer(PROC_STORAGE, 0));
	tell_rules(1, 0);
	CHECK_INT(say(PROC_SESSION, 1, IMSG_LINK_USE, 27, &use), 0);
	(void)fake_take(PROC_STORAGE, 0, IMSG_LOCKS, &id);
	CHECK_INT(say(PROC_STORAGE, 0, IMSG_LOCK_ROW, id, &row), 0);
	tell_result(PROC_STORAGE, id, R_OK);
	ends(27, R_LOCKED);
	tell_rules(10, 30);
}

/*
 * Links that are none: their address has to wait at last, whichever way it
 * asks.  One that is may be opened as often as anybody likes, by an office all
 * at once as well.
 */
static void
test_no_link(void)
{
	struct m_token		 get = { .tenant = T };
	struct m_link_use	 use = { .tenant = T, .agent = "x",
				    .words = "", .name = "",
				    .password = "long enough" };
	uint32_t		 id, ids[100];
	unsigned int		 i, go = 0;

	get.addr = fresh_addr();
	for (i = 0; i < 100; i++) {
		CHECK_INT(say(PROC_SESSION, 1, IMSG_LINK_GET, 25, &get), 0);
		(void)fake_take(PROC_STORAGE, 0, IMSG_LINK_FIND, &ids[i]);
	}
	for (i = 0; i < 100; i++)
		tell_result(PROC_STORAGE, ids[i], R_OK);
	CHECK(fake_quiet());
	for (i = 0; i < 100; i++) {
		CHECK_INT(say(PROC_SESSION, 1, IMSG_LINK_GET, 25, &get), 0);
		(void)fake_take(PROC_STORAGE, 0, IMSG_LINK_FIND, &id);
		tell_result(PROC_STORAGE, id, R_OK);
		CHECK(fake_quiet());
	}
	use.addr = get.addr;
	for (i = 0; i < 100; i++) {
		get.token[1] = use.token[1] = (uint8_t)i;
		if (i % 2 == 0)
			CHECK_INT(say(PROC_SESSION, 1, IMSG_LINK_GET, 25,
			    &get), 0);
		else
			CHECK_INT(say(PROC_SESSION, 1, IMSG_LINK_USE, 25,
			    &use), 0);
		if (fake_next() == IMSG_RESULT) {
			ends(25, R_TOOMANY);
			continue;
		}
		go++;
		(void)fake_take(PROC_STORAGE, 0, i % 2 == 0 ? IMSG_LINK_FIND :
		    IMSG_CRED_LINK, &id);
		tell_result(PROC_STORAGE, id, R_LINK);
		ends(25, R_LINK);
	}
	/* 30 at once, and those that slowness gives back meanwhile. */
	CHECK(go >= 30 && go < 60);
}

/* While somebody types: what the rules say, and how strong it is. */
static void
test_score(void)
{
	const struct m_password_checked	*checked;
	const struct m_hash_score	*score;
	struct m_password_check		 m = { T, ROLE_MEMBER, "",
					    "short", "Ann" };
	struct m_hash_scored		 scored = { 1 };
	uint32_t			 id, asked;
	int				 i;

	m.addr = fresh_addr();
	CHECK_INT(say(PROC_SESSION, 1, IMSG_PASSWORD_CHECK, 41, &m), 0);
	score = fake_take(PROC_HASH, 0, IMSG_HASH_SCORE, &id);
	CHECK_STR(score->password, "short");
	CHECK_STR(score->words, "Ann");
	CHECK_INT(say(PROC_HASH, 0, IMSG_HASH_SCORED, id, &scored), 0);
	checked = fake_take(PROC_SESSION, 1, IMSG_PASSWORD_CHECKED, &asked);
	CHECK_INT(asked, 41);
	CHECK_INT(checked->faults, FAULT_SHORT | FAULT_WEAK);
	CHECK_INT(checked->score, 1);
	/* An answer that nobody waits for. */
	CHECK_INT(say(PROC_HASH, 0, IMSG_HASH_SCORED, id, &scored), -1);
	for (i = 1; i < 120; i++) {
		CHECK_INT(say(PROC_SESSION, 1, IMSG_PASSWORD_CHECK, 42, &m),
		    0);
		(void)fake_take(PROC_HASH, 0, IMSG_HASH_SCORE, &id);
		CHECK_INT(say(PROC_HASH, 0, IMSG_HASH_SCORED, id, &scored), 0);
		(void)fake_take(PROC_SESSION, 1, IMSG_PASSWORD_CHECKED, &id);
	}
	CHECK_INT(say(PROC_SESSION, 1, IMSG_PASSWORD_CHECK, 43, &m), 0);
	CHECK(ends(43, R_TOOMANY) > 0);
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
	m.words = "Ann";
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
	const struct m_lock		*lock;
	struct m_password		 m = { .tenant = T, .addr = "",
					    .current = "x", .new = "y",
					    .words = "" };
	uint8_t				 token[TOKEN_LEN] = { 3 };
	uint8_t				 sha[TOKEN_LEN];
	uint32_t			 id;

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
	CHECK(memcmp(set->sha, sha, TOKEN_LEN) == 0);
	CHECK(set->password.mb_len > 0);
	CHECK(same(&set->sealed, record, sizeof(record)));
	tell_result(PROC_STORAGE, id, R_OK);
	ends(31, R_OK);
	tell_checked(password_asked("the new one"), HASH_RIGHT);
	(void)fake_take(PROC_HASH, 0, IMSG_HASH_MAKE, &id);
	tell_not_made(id, MAKE_USED);
	ends(31, R_USED);
	/* Who has found an open page is slowed down like others. */
	tell_checked(password_asked("the new one"), HASH_WRONG);
	ends(31, R_SIGNIN);
	tell_checked(password_asked("the new one"), HASH_WRONG);
	ends(31, R_SIGNIN);
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
	/* Enough of them lock. */
	tell_unlock(7, "x@example.org");
	tell_rules(1, 5);
	tell_checked(password_asked("the new one"), HASH_RIGHT);
	(void)fake_take(PROC_HASH, 0, IMSG_HASH_MAKE, &id);
	tell_not_made(id, MAKE_USED);
	lock = fake_take(PROC_STORAGE, 0, IMSG_LOCK, &id);
	CHECK_INT(lock->user, 7);
	CHECK_INT(lock->known, 1);
	tell_result(PROC_STORAGE, id, R_OK);
	ends(31, R_USED);
	tell_unlock(7, "x@example.org");
	tell_rules(10, 30);
}

/* The owner's own password for something else, which is right. */
static void
factor_begins(void)
{
	struct m_hash_totp_made	 none = { .ok = 0 };
	struct m_factor		 m = { .tenant = T, .act = FACTOR_BEGIN,
				    .secret = "the old one" };
	uint32_t		 id;

	m.addr = fresh_addr();
	m.token[0] = 3;
	CHECK_INT(say(PROC_SESSION, 1, IMSG_FACTOR, 33, &m), 0);
	(void)fake_take(PROC_STORAGE, 0, IMSG_CRED_TOKEN, &id);
	tell_cred(id, 7, USER_ACTIVE, 1);
	(void)fake_take(PROC_HASH, 0, IMSG_HASH_CHECK, &id);
	tell_checked(id, HASH_RIGHT);
	(void)fake_take(PROC_HASH, 0, IMSG_HASH_TOTP, &id);
	CHECK_INT(say(PROC_HASH, 0, IMSG_HASH_TOTP_MADE, id, &none), 0);
	ends(33, R_UNAVAILABLE);
}

/*
 * Who knows the present password guesses at those before it no more than
 * others do at that: it is right in between, as often as he likes.
 */
static void
test_used(void)
{
	const struct m_lock	*lock;
	uint32_t		 id;
	int			 i;

	tell_rules(2, 5);
	for (i = 0; i < 2; i++) {
		factor_begins();
		tell_checked(password_asked("the new one"), HASH_RIGHT);
		(void)fake_take(PROC_HASH, 0, IMSG_HASH_MAKE, &id);
		tell_not_made(id, MAKE_USED);
		if (i == 1) {
			lock = fake_take(PROC_STORAGE, 0, IMSG_LOCK, &id);
			CHECK_INT(lock->user, 7);
			CHECK_INT(lock->known, 1);
			tell_result(PROC_STORAGE, id, R_OK);
		}
		ends(31, R_USED);
	}
	factor_begins();
	tell_checked(password_asked("the new one"), HASH_RIGHT);
	ends(31, R_LOCKED);
	tell_unlock(7, "x@example.org");
	tell_checked(password_asked("the new one"), HASH_RIGHT);
	(void)fake_take(PROC_HASH, 0, IMSG_HASH_MAKE, &id);
	tell_not_made(id, MAKE_WEAK);
	ends(31, R_WEAK);
	tell_rules(10, 30);
}

/* Answers that nobody has asked for, of the wrong kind or peer. */
static void
test_forged(void)
{
	struct m_cred		 cred = { .user = 1, .state = USER_ACTIVE };
	struct m_result		 odd = { R_MAX, 0, "" }, ok = { R_OK, 0, "" };
	struct m_result		 no = { R_NOTFOUND, 0, "" };
	struct m_hash_checked	 right = { .answer = HASH_RIGHT };
	struct m_token_row	 row = { .user = 1 };
	struct m_link_done	 done = { .user = 1 };
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
	tell_locks(OFF, 99);
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
	tell_locks(T, 55);

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
	test_turn();
	test_login();
	test_anew();
	test_passkey_alone();
	test_factor();
	test_factor_throttle();
	test_alike();
	test_throttle();
	test_device();
	test_office();
	test_token();
	test_link();
	test_link_locked();
	test_no_link();
	test_score();
	test_password();
	test_used();
	test_networks();
	test_forged();
	test_fair();
	test_deaths();
	test_flood();
	return (unit_end());
}
