/*
 * The storage process without pipes: the test plays parent, auth, sessions
 * and operators, and reads what each of them would be sent.
 */
#include <sys/resource.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <unistd.h>

#include "csv.h"
#include "proof.h"
#include "storage.h"
#include "unit.h"
#include "util.h"

#define SENT_MAX	4096
#define CANARY		"kanarienvogel"

enum proc_type		 proc_self = PROC_STORAGE;
unsigned int		 proc_inst, proc_nsession = 2, proc_nhash = 1;

static struct peer	 peers[PROC_CONTROL][2];
static struct held	*sent[SENT_MAX];
static unsigned int	 nsent, nread;
static struct imsgbuf	 scratch;
static char		 dir[] = "/tmp/storage.XXXXXX";
static uint8_t		 master[SEAL_KEY] = { 7, 7, 7 };
static struct m_conf_ack ack;
static struct m_fence	 asked[2];	/* what a session is to say, 0: done */
static int		 hang[2];	/* does not say it */
static unsigned int	 proves;	/* that keys was asked for */
static uint64_t		 proved[4];	/* of tenants: which line last */
static unsigned int	 known[2];	/* tenants, when told that it is all */

static struct peer *
peer(enum proc_type proc, unsigned int inst)
{
	peers[proc][inst].pe_proc = proc;
	peers[proc][inst].pe_inst = inst;
	return (&peers[proc][inst]);
}

struct peer *
proc_peer(enum proc_type proc, unsigned int inst)
{
	return (peer(proc, inst)->pe_up ? peer(proc, inst) : NULL);
}

static unsigned int
count(enum proc_type proc, unsigned int inst, enum imsg_type type)
{
	unsigned int	 i, n = 0;

	for (i = 0; i < nsent; i++)
		if (sent[i]->he_proc == proc && sent[i]->he_inst == inst &&
		    sent[i]->he_type == type)
			n++;
	return (n);
}

int
proc_send(struct peer *pe, enum imsg_type type, uint32_t id, int fd,
    const void *m)
{
	struct held	*he;

	if (pe == NULL || !pe->pe_up || fd != -1)
		return (-1);
	if (!msg_allowed(type, PROC_STORAGE, pe->pe_proc) ||
	    msg_compose(&scratch, type, id, -1, m) == -1) {
		fprintf(stderr, "%s cannot be sent\n", msg_name(type));
		CHECK(0);
		return (-1);
	}
	imsgbuf_clear(&scratch);
	if (imsgbuf_init(&scratch, -1) == -1 ||
	    imsgbuf_set_maxsize(&scratch, MAX_PAYLOAD) == -1)
		abort();
	if (type == IMSG_CONF_ACK) {
		ack = *(const struct m_conf_ack *)m;
		return (0);
	}
	if (type == IMSG_TENANT_END) {
		known[pe->pe_inst] = count(PROC_SESSION, pe->pe_inst,
		    IMSG_TENANT);
		return (0);
	}
	if (type == IMSG_PROVE) {
		proves++;
		if (((const struct m_prove *)m)->tenant < 4)
			proved[((const struct m_prove *)m)->tenant] =
			    ((const struct m_prove *)m)->seq;
		return (0);
	}
	if (type == IMSG_FENCE) {
		asked[pe->pe_inst] = *(const struct m_fence *)m;
		return (0);
	}
	if ((he = hold_new(type, m)) == NULL || nsent == SENT_MAX)
		abort();
	he->he_proc = pe->pe_proc;
	he->he_inst = pe->pe_inst;
	he->he_id = id;
	sent[nsent++] = he;
	return (0);
}

int
proc_result(struct peer *pe, uint32_t id, enum result code, uint64_t arg,
    const char *field)
{
	struct m_result	 m = { code, arg, field };

	return (proc_send(pe, IMSG_RESULT, id, -1, &m));
}

uint32_t
proc_queued(struct peer *pe)
{
	(void)pe;
	return (0);
}

void
proc_exit(int code)
{
	(void)code;
}

/* A session says that it acts by what it was told. */
static void
pass(unsigned int inst)
{
	struct m_fence	 m = asked[inst];

	asked[inst].number = 0;
	if (m.number != 0)
		CHECK_INT(storage_ops.po_imsg(peer(PROC_SESSION, inst),
		    IMSG_FENCED, 0, &m, NULL), 0);
}

/* Let the timers of storage run, and the sessions answer. */
static void
turn(void)
{
	unsigned int	 i, inst;

	for (i = 0; i < 8; i++) {
		(void)event_loop(EVLOOP_NONBLOCK);
		for (inst = 0; inst < 2; inst++)
			if (!hang[inst])
				pass(inst);
	}
}

static void
forget(void)
{
	while (nsent > 0)
		hold_free(sent[--nsent]);
	nread = 0;
}

/* The next one to this peer, which must be of this type. */
static const void *
take(enum proc_type proc, unsigned int inst, enum imsg_type type)
{
	static const char	 nothing[256];
	unsigned int		 i;

	for (i = nread; i < nsent; i++) {
		if (sent[i]->he_proc != proc || sent[i]->he_inst != inst ||
		    sent[i]->he_type != type)
			continue;
		nread = i + 1;
		return (sent[i]->he_msg);
	}
	fprintf(stderr, "no %s to %s %u\n", msg_name(type), proc_title(proc),
	    inst);
	CHECK(0);
	return (nothing);
}

static void
put(enum proc_type proc, unsigned int inst, enum imsg_type type,
    const void *m)
{
	static uint32_t	 id;

	CHECK_INT(storage_ops.po_imsg(peer(proc, inst), type, ++id, m, NULL),
	    0);
}

/* One request and all that it brings. */
static void
ask(enum proc_type proc, unsigned int inst, enum imsg_type type,
    const void *m)
{
	forget();
	put(proc, inst, type, m);
	turn();
}

static enum result
code(enum proc_type proc, unsigned int inst)
{
	return (((const struct m_result *)take(proc, inst,
	    IMSG_RESULT))->code);
}

#define AUTH	PROC_AUTH, 0
#define S0	PROC_SESSION, 0
#define S1	PROC_SESSION, 1

static void
conf_file(uint8_t kind, const char *name, const void *data, size_t len)
{
	struct m_conf_file	 m = { kind, name };
	struct imsg		 imsg = { .data = NULL };
	int			 fd;

	if ((fd = open("conf", O_RDWR | O_CREAT | O_TRUNC, 0600)) == -1 ||
	    write(fd, data, len) != (ssize_t)len || unlink("conf") == -1 ||
	    (imsg.buf = ibuf_open(1)) == NULL)
		abort();
	ibuf_fd_set(imsg.buf, fd);
	CHECK_INT(storage_ops.po_imsg(peer(PROC_PARENT, 0), IMSG_CONF_FILE, 0,
	    &m, &imsg), 0);
	ibuf_free(imsg.buf);
}

/* A generation; 1 if storage takes it. */
static int
configure(uint64_t generation, const void *key, size_t keylen)
{
	struct m_site		 site = { .generation = generation,
				    .domain = "x.test", .country = "",
				    .idle = 3600, .invite = 3600 };
	struct m_conf_end	 end = { generation };

	memset(&ack, 0, sizeof(ack));
	put(PROC_PARENT, 0, IMSG_CONF_SITE, &site);
	conf_file(FILE_MASTER, "", key, keylen);
	conf_file(FILE_TEMPLATE, "office", "{\"map\":1}", 9);
	put(PROC_PARENT, 0, IMSG_CONF_END, &end);
	CHECK_INT(ack.generation, generation);
	if (ack.ok)
		put(PROC_PARENT, 0, IMSG_CONF_COMMIT, &end);
	turn();
	return (ack.ok);
}

static void
test_conf(void)
{
	uint8_t	 other[SEAL_KEY] = { 8 };

	storage_ops.po_init();
	storage_ops.po_start();
	peer(PROC_PARENT, 0)->pe_up = 1;
	peer(PROC_AUTH, 0)->pe_up = 1;
	peer(PROC_SESSION, 0)->pe_up = peer(PROC_SESSION, 1)->pe_up = 1;
	ask(AUTH, IMSG_C_STATUS, &(struct m_c_none){ 0 });
	CHECK_INT(code(AUTH), R_UNAVAILABLE);	/* before the configuration */
	CHECK_INT(configure(1, master, 31), 0);
	CHECK_INT(configure(1, master, 32), 1);
	CHECK_INT(configure(2, master, 32), 1);
	CHECK_INT(configure(3, other, 32), 0);
	CHECK_STR(ack.why, "the master key in use is named neither as master "
	    "nor as previous");
}

static void
test_tenants(void)
{
	struct m_c_tenant_add	 add = { 0, "acme", "Acme", "boss@acme.test" };
	struct m_c_tenant_state	 state = { 0, "globex", TENANT_SUSPENDED };
	const struct m_tenant	*tn;

	ask(AUTH, IMSG_C_TENANT_ADD, &add);
	tn = take(S0, IMSG_TENANT);
	CHECK_INT(tn->id, 1);
	CHECK_STR(tn->name, "acme");
	CHECK_STR(tn->title, "Acme");
	(void)take(AUTH, IMSG_TENANT);
	CHECK_INT(code(AUTH), R_OK);
	ask(AUTH, IMSG_C_TENANT_ADD, &add);
	CHECK_INT(code(AUTH), R_REFUSED);
	add.name = "Acme";
	ask(AUTH, IMSG_C_TENANT_ADD, &add);
	CHECK_INT(code(AUTH), R_REFUSED);
	add.name = "globex";
	add.title = "";
	ask(AUTH, IMSG_C_TENANT_ADD, &add);
	CHECK_INT(code(AUTH), R_OK);
	ask(AUTH, IMSG_C_TENANT_STATE, &state);
	CHECK_INT(((const struct m_tenant *)take(S1, IMSG_TENANT))->state,
	    TENANT_SUSPENDED);
	state.state = TENANT_ACTIVE;
	ask(AUTH, IMSG_C_TENANT_STATE, &state);
	ask(AUTH, IMSG_C_TENANT_LIST, &(struct m_c_none){ 0 });
	CHECK_INT(count(AUTH, IMSG_C_TENANT_ROW), 2);
	CHECK_INT(code(AUTH), R_OK);
	ask(AUTH, IMSG_C_USER_LIST, &(struct m_c_name){ 0, "nobody" });
	CHECK_STR(((const struct m_result *)take(AUTH, IMSG_RESULT))->field,
	    "no such tenant: nobody");
}

/* Use a link: the user has a password after this. */
static uint32_t
use_link(uint32_t tenant, const uint8_t token[TOKEN_LEN], enum link_kind kind)
{
	struct m_link_find	 find = { .tenant = tenant, .inst = 1,
				    .req = 99 };
	struct m_link_set	 set = { .tenant = tenant,
				    .sealed = { "hash", 4 },
				    .name = "no\nname" };

	(void)sha256(find.sha, token, TOKEN_LEN);
	memcpy(set.sha, find.sha, sizeof(set.sha));
	ask(AUTH, IMSG_LINK_FIND, &find);
	CHECK_INT(((const struct m_link *)take(S1, IMSG_LINK))->kind, kind);
	ask(AUTH, IMSG_LINK_SET, &set);
	CHECK_INT(code(AUTH), R_INVALID);
	set.name = "";
	forget();
	put(AUTH, IMSG_LINK_SET, &set);		/* two that race */
	put(AUTH, IMSG_LINK_SET, &set);
	CHECK_INT(nsent, 0);			/* not before the commit */
	turn();
	CHECK_INT(count(AUTH, IMSG_LINK_DONE), 1);
	CHECK_INT(code(AUTH), R_LINK);
	nread = 0;
	return (((const struct m_link_done *)take(AUTH,
	    IMSG_LINK_DONE))->user);
}

static uint32_t
add_operator_user(const char *tenant, uint32_t id, const char *mail,
    const char *role)
{
	struct m_c_user			 m = { 0, tenant, mail, 0, "", role };
	const struct m_c_link_token	*link;
	uint8_t				 token[TOKEN_LEN];

	ask(AUTH, IMSG_C_USER_ADD, &m);
	link = take(AUTH, IMSG_C_LINK_TOKEN);
	CHECK_STR(link->tenant, tenant);
	memcpy(token, link->token, sizeof(token));
	CHECK_INT(code(AUTH), R_OK);
	return (use_link(id, token, LINK_INVITE));
}

/* A grant for a session process; 0 if there is none. */
static uint64_t
sign_in_from(uint32_t tenant, uint32_t user, uint8_t seed, uint16_t inst,
    const char *addr)
{
	struct m_token_new	 tk = { .tenant = tenant, .user = user,
				    .expires = now_ms() + 3600000,
				    .addr = addr, .agent = CANARY };
	struct m_grant_new	 gr = { .tenant = tenant, .inst = inst,
				    .req = 4242, .addr = addr };

	memset(tk.sha, seed, sizeof(tk.sha));
	memset(gr.sha, seed, sizeof(gr.sha));
	ask(AUTH, IMSG_TOKEN_NEW, &tk);
	if (code(AUTH) != R_OK)
		return (0);
	ask(AUTH, IMSG_GRANT_NEW, &gr);
	if (count(PROC_SESSION, inst, IMSG_GRANT) != 1)
		return (0);
	return (((const struct m_grant *)take(PROC_SESSION, inst,
	    IMSG_GRANT))->grant);
}

static uint64_t
sign_in(uint32_t tenant, uint32_t user, uint8_t seed, uint16_t inst)
{
	return (sign_in_from(tenant, user, seed, inst, "192.0.2.1"));
}

static uint32_t	 boss, mem, third, gboss;
static uint64_t	 gr_boss, gr_mem, gr_third, gr_gboss;

static uint32_t
add_user(uint64_t grant, const char *mail, uint8_t role)
{
	struct m_a_user_add	 m = { grant, role, mail, "" };
	const struct m_a_user	*au;
	uint8_t			 token[TOKEN_LEN];
	uint32_t		 id;

	ask(S0, IMSG_A_USER_ADD, &m);
	au = take(S0, IMSG_A_USER);
	CHECK_INT(au->state, USER_INVITED);
	CHECK(au->invite > now_ms());
	id = au->user;
	memcpy(token, ((const struct m_a_link *)take(S0,
	    IMSG_A_LINK))->token, sizeof(token));
	CHECK_INT(code(S0), R_OK);
	CHECK_INT(sign_in(1, id, 77, 0), 0);	/* not without a password */
	CHECK_INT(use_link(1, token, LINK_INVITE), id);
	return (id);
}

static void
test_users(void)
{
	struct m_a_user_add	 again = { 0, ROLE_MEMBER,
				    "MEM-" CANARY "@acme.test", "" };
	struct m_cred_find	 find = { 1, "boss@acme.test" };
	struct m_sha		 sha = { .tenant = 1 };
	const struct m_cred	*cred;

	boss = add_operator_user("acme", 1, "boss@acme.test", "admin");
	gboss = add_operator_user("globex", 2, "boss@acme.test", "admin");
	CHECK((gr_boss = sign_in(1, boss, 1, 0)) != 0);
	CHECK((gr_gboss = sign_in(2, gboss, 2, 1)) != 0);
	mem = add_user(gr_boss, "mem-" CANARY "@acme.test", ROLE_MEMBER);
	third = add_user(gr_boss, "third@acme.test", ROLE_MEMBER);
	again.grant = gr_boss;
	ask(S0, IMSG_A_USER_ADD, &again);
	CHECK_STR(((const struct m_result *)take(S0, IMSG_RESULT))->field,
	    "email");
	CHECK((gr_mem = sign_in(1, mem, 3, 0)) != 0);
	CHECK((gr_third = sign_in(1, third, 4, 1)) != 0);

	ask(AUTH, IMSG_CRED_FIND, &find);
	cred = take(AUTH, IMSG_CRED);
	CHECK_INT(cred->user, boss);
	CHECK_INT(cred->sealed.mb_len, 4);
	find.email = "nobody@acme.test";
	ask(AUTH, IMSG_CRED_FIND, &find);
	CHECK_INT(code(AUTH), R_NOTFOUND);
	memset(sha.sha, 3, sizeof(sha.sha));
	ask(AUTH, IMSG_TOKEN_FIND, &sha);
	CHECK_INT(((const struct m_token_row *)take(AUTH,
	    IMSG_TOKEN_ROW))->live, 1);
	sha.tenant = 2;				/* a token of another tenant */
	ask(AUTH, IMSG_TOKEN_FIND, &sha);
	CHECK_INT(code(AUTH), R_SESSION);

	/* The grant of one process is nothing in the hands of another. */
	ask(S1, IMSG_FLOORS, &(struct m_grant_only){ gr_mem });
	CHECK_INT(code(S1), R_SESSION);
	ask(S0, IMSG_FLOORS, &(struct m_grant_only){ gr_mem + 1 });
	CHECK_INT(code(S0), R_SESSION);
	ask(S0, IMSG_A_USERS, &(struct m_grant_only){ gr_mem });
	CHECK_INT(code(S0), R_FORBIDDEN);
	ask(S0, IMSG_A_USERS, &(struct m_grant_only){ gr_boss });
	CHECK_INT(count(S0, IMSG_A_USER), 3);
	CHECK_INT(code(S0), R_OK);
	ask(S0, IMSG_PEOPLE, &(struct m_people){ .grant = gr_mem });
	CHECK_INT(count(S0, IMSG_PERSON), 2);
}

static uint64_t
locked_until(uint32_t user)
{
	struct m_a_user_set	 set = { gr_boss, user, 0, 0, 0, 0, "" };
	uint64_t		 until;

	ask(S0, IMSG_A_USER_SET, &set);
	until = ((const struct m_a_user *)take(S0, IMSG_A_USER))->locked;
	CHECK_INT(code(S0), R_OK);
	return (until);
}

static enum result
put_lock(uint32_t user, const char *mail, uint8_t known, uint8_t n,
    uint64_t until)
{
	struct m_lock	 m = { .tenant = 1, .user = user, .email = mail,
			    .known = known, .key = { n }, .until = until };

	ask(AUTH, IMSG_LOCK, &m);
	return (code(AUTH));
}

/* Locks by failures: kept, told, listed, and ended by an administrator. */
static void
test_locks(void)
{
	struct m_a_user_set		 set = { gr_boss, 0, SET_STATE, 0,
					    0, USER_ACTIVE, "" };
	const struct m_lock_row		*row;
	const struct m_unlock		*un;
	uint64_t			 later = now_ms() + 600000;
	unsigned int			 i;
	int				 seen = 0;

	CHECK_INT(locked_until(mem), 0);
	CHECK_INT(put_lock(0, "mem-" CANARY "@acme.test", 0, 1, later), R_OK);
	CHECK_INT(put_lock(0, "mem-" CANARY "@acme.test", 1, 2, later - 5),
	    R_OK);
	CHECK_INT(put_lock(0, "nobody@acme.test", 0, 3, later), R_OK);
	CHECK_INT(put_lock(third, "", 1, 4, LOCK_NEVER), R_OK);
	CHECK_INT(put_lock(99, "", 1, 5, later), R_OK);	/* has gone */
	CHECK_INT(put_lock(0, "over@acme.test", 0, 6, 1), R_OK);
	CHECK(locked_until(mem) == later);
	CHECK(locked_until(third) == LOCK_NEVER);
	CHECK_INT(locked_until(boss), 0);
	ask(AUTH, IMSG_LOCKS, &(struct m_locks){ 1 });
	for (i = 0; i < 4; i++) {
		row = take(AUTH, IMSG_LOCK_ROW);
		CHECK_INT(row->tenant, 1);
		CHECK_INT(row->known, row->key[0] == 2 || row->key[0] == 4);
		CHECK_INT(row->key[1], 0);
		seen |= 1 << row->key[0];
	}
	CHECK_INT(seen, 1 << 1 | 1 << 2 | 1 << 3 | 1 << 4);
	CHECK_INT(code(AUTH), R_OK);
	ask(AUTH, IMSG_LOCKS, &(struct m_locks){ 2 });
	CHECK_INT(code(AUTH), R_OK);		/* another's are not told */
	/* One that is over, by auth's word; it was none's, or somebody's. */
	CHECK_INT(put_lock(0, "mem-" CANARY "@acme.test", 0, 9, later + 9),
	    R_OK);
	CHECK(locked_until(mem) == later + 9);
	CHECK_INT(put_lock(0, "mem-" CANARY "@acme.test", 0, 9, 0), R_OK);
	CHECK_INT(put_lock(0, "mem-" CANARY "@acme.test", 0, 9, 0), R_OK);
	CHECK(locked_until(mem) == later);
	/* Auth hears of the person, and of each key. */
	set.user = mem;
	ask(S0, IMSG_A_USER_SET, &set);
	un = take(AUTH, IMSG_UNLOCK);
	CHECK_INT(un->user, mem);
	CHECK_STR(un->email, "mem-" CANARY "@acme.test");
	for (i = 0; i < 2; i++) {
		un = take(AUTH, IMSG_UNLOCK);
		CHECK_INT(un->tenant, 1);
		CHECK_STR(un->email, "");
		CHECK(un->key[0] == 1 + un->known);
	}
	CHECK_INT(((const struct m_a_user *)take(S0, IMSG_A_USER))->locked,
	    0);
	CHECK_INT(code(S0), R_OK);
	set.user = third;
	ask(S0, IMSG_A_USER_SET, &set);
	(void)take(AUTH, IMSG_UNLOCK);
	(void)take(AUTH, IMSG_UNLOCK);
	(void)take(S0, IMSG_A_USER);
	CHECK_INT(code(S0), R_OK);
	/* No row at all: auth may know of one that could not be kept. */
	ask(S0, IMSG_A_USER_SET, &set);
	CHECK_INT(((const struct m_unlock *)take(AUTH, IMSG_UNLOCK))->user,
	    third);
	(void)take(S0, IMSG_A_USER);
	CHECK_INT(code(S0), R_OK);
}

static void
test_alerts(void)
{
	struct m_alert		 m = { 1, 5000, 6000, 0, 10, 7,
				    "10.0.0.1 2001:db8::1" };
	const struct m_a_alert	*al;
	unsigned int		 i;

	ask(AUTH, IMSG_ALERT, &m);
	CHECK_INT(code(AUTH), R_OK);
	m.last = 9000;
	m.over = 1;
	m.tries = 99;
	ask(AUTH, IMSG_ALERT, &m);
	CHECK_INT(code(AUTH), R_OK);
	ask(S0, IMSG_A_ALERTS, &(struct m_grant_only){ gr_boss });
	al = take(S0, IMSG_A_ALERT);
	CHECK_INT(al->begun, 5000);
	CHECK_INT(al->last, 9000);
	CHECK_INT(al->over, 1);
	CHECK_INT(al->tries, 99);
	CHECK_INT(al->accounts, 7);
	CHECK_STR(al->addrs, "10.0.0.1 2001:db8::1");
	CHECK_INT(code(S0), R_OK);
	ask(S0, IMSG_A_ALERTS, &(struct m_grant_only){ gr_mem });
	CHECK_INT(code(S0), R_FORBIDDEN);
	ask(S1, IMSG_A_ALERTS, &(struct m_grant_only){ gr_gboss });
	CHECK_INT(code(S1), R_OK);
	/* The newest are kept. */
	for (i = 0; i < 60; i++) {
		m.begun = 10000 + i;
		ask(AUTH, IMSG_ALERT, &m);
		CHECK_INT(code(AUTH), R_OK);
	}
	ask(S0, IMSG_A_ALERTS, &(struct m_grant_only){ gr_boss });
	CHECK_INT(count(S0, IMSG_A_ALERT), 50);
	CHECK_INT(code(S0), R_OK);
}

static void
test_me(void)
{
	struct m_me_set		 m = { .grant = gr_mem,
				    .mask = SET_NAME | SET_STATUS,
				    .name = "Mem " CANARY, .note = "",
				    .status = STATUS_BUSY };
	const struct m_user	*mu;

	ask(S0, IMSG_ME_SET, &m);
	mu = take(S0, IMSG_USER);
	CHECK_STR(mu->name, "Mem " CANARY);
	CHECK_STR(mu->email, "mem-" CANARY "@acme.test");
	CHECK_INT(mu->status, STATUS_BUSY);
	mu = take(S1, IMSG_PROFILE);
	CHECK_STR(mu->name, "Mem " CANARY);
	CHECK_STR(mu->email, "");
	m.name = "  ";
	ask(S0, IMSG_ME_SET, &m);
	CHECK_STR(((const struct m_result *)take(S0, IMSG_RESULT))->field,
	    "name");
}

/* Add a floor as administrator. */
static uint32_t
add_floor(const char *name)
{
	struct m_a_floor	 m = { .grant = gr_boss, .name = name,
				    .template = "office" };
	uint32_t		 id;

	ask(S0, IMSG_A_FLOOR_ADD, &m);
	(void)take(S0, IMSG_RIGHTS);
	id = ((const struct m_a_floor *)take(S0, IMSG_A_FLOOR))->floor;
	CHECK_INT(code(S0), R_OK);
	return (id);
}

static uint32_t	 open_floor, shut_floor;

static void
test_floors(void)
{
	struct m_a_floor	 set = { .grant = gr_boss, .mask = SET_OPEN |
				    SET_USERS, .name = "", .template = "" };
	struct m_grant_id	 get = { gr_mem, 0 };
	struct m_place_set	 place = { gr_mem, 0, 310, 420 };
	const struct m_floor_doc *doc;
	uint8_t			 ids[4] = { 0 };

	open_floor = add_floor("Open " CANARY);
	shut_floor = add_floor("Shut");
	set.floor = shut_floor;
	set.users.mb_data = ids;
	set.users.mb_len = sizeof(ids);
	ask(S0, IMSG_A_FLOOR_SET, &set);	/* user 0 does not exist */
	CHECK_INT(code(S0), R_INVALID);
	ids[3] = (uint8_t)third;
	ask(S0, IMSG_A_FLOOR_SET, &set);
	(void)take(S1, IMSG_RIGHTS);
	ask(S0, IMSG_FLOORS, &(struct m_grant_only){ gr_mem });
	CHECK_INT(count(S0, IMSG_FLOOR_ROW), 1);
	ask(S1, IMSG_FLOORS, &(struct m_grant_only){ gr_third });
	CHECK_INT(count(S1, IMSG_FLOOR_ROW), 2);
	ask(S0, IMSG_FLOORS, &(struct m_grant_only){ gr_boss });
	CHECK_INT(count(S0, IMSG_FLOOR_ROW), 1);	/* admins too */

	get.id = shut_floor;
	ask(S0, IMSG_FLOOR_GET, &get);
	CHECK_INT(code(S0), R_NOTFOUND);
	get.id = 4711;
	ask(S0, IMSG_FLOOR_GET, &get);
	CHECK_INT(code(S0), R_NOTFOUND);
	get.id = place.floor = open_floor;
	ask(S0, IMSG_PLACE_SET, &place);
	ask(S0, IMSG_FLOOR_GET, &get);
	doc = take(S0, IMSG_FLOOR_DOC);
	CHECK_INT(doc->map.mb_len, 9);
	CHECK(memcmp(doc->map.mb_data, "{\"map\":1}", 9) == 0);
	CHECK_INT(doc->placed, 1);
	CHECK_INT(doc->x, 310);
	CHECK_INT(doc->y, 420);
}

static void
test_groups(void)
{
	uint8_t			 ids[4] = { 0, 0, 0, (uint8_t)mem };
	struct m_a_group	 add = { .grant = gr_boss, .name = "crew" };
	struct m_a_floor	 set = { .grant = gr_boss,
				    .mask = SET_GROUPS, .name = "",
				    .template = "", .floor = shut_floor };
	struct m_grant_id	 del = { gr_boss, 0 };
	uint8_t			 gids[4] = { 0 };

	add.members.mb_data = ids;
	add.members.mb_len = sizeof(ids);
	ask(S0, IMSG_A_GROUP_ADD, &add);
	del.id = ((const struct m_a_group *)take(S0, IMSG_A_GROUP))->group;
	gids[3] = (uint8_t)del.id;
	ask(S0, IMSG_A_GROUP_ADD, &add);
	CHECK_INT(code(S0), R_CONFLICT);
	set.groups.mb_data = gids;
	set.groups.mb_len = sizeof(gids);
	ask(S0, IMSG_A_FLOOR_SET, &set);
	ask(S0, IMSG_FLOORS, &(struct m_grant_only){ gr_mem });
	CHECK_INT(count(S0, IMSG_FLOOR_ROW), 2);
	ask(S0, IMSG_A_GROUP_DEL, &del);
	CHECK_INT(code(S0), R_OK);
	ask(S0, IMSG_FLOORS, &(struct m_grant_only){ gr_mem });
	CHECK_INT(count(S0, IMSG_FLOOR_ROW), 1);
	ask(S0, IMSG_A_FLOORS, &(struct m_grant_only){ gr_boss });
	CHECK_INT(count(S0, IMSG_A_FLOOR), 2);
}

static struct m_say
say_to(uint64_t grant, uint8_t kind, uint32_t a, const char *ref)
{
	struct m_say	 m = { grant, kind, a, 0, ref, "text " CANARY };

	return (m);
}

static void
test_say(void)
{
	struct m_say		 m = say_to(gr_mem, CHANNEL_FLOOR, open_floor,
				    "r1-" CANARY);
	struct m_history	 h = { gr_boss, CHANNEL_FLOOR, open_floor, 0,
				    0, 2 };
	const struct m_said	*s1, *s2;
	const struct m_message	*msg;
	uint64_t		 first;
	int			 i;

	forget();
	put(S0, IMSG_SAY, &m);
	put(S0, IMSG_SAY, &m);			/* the same, sent again */
	CHECK_INT(nsent, 0);
	turn();
	s1 = take(S0, IMSG_SAID);
	s2 = take(S0, IMSG_SAID);
	first = s1->id;
	CHECK_INT(s1->again, 0);
	CHECK_INT(s2->again, 1);
	CHECK_INT(s1->id, s2->id);
	CHECK_INT(s1->at, s2->at);
	ask(S0, IMSG_SAY, &m);
	s1 = take(S0, IMSG_SAID);
	CHECK_INT(s1->id, first);
	for (i = 0; i < 3; i++) {
		m.ref = i == 0 ? "a" : i == 1 ? "b" : "c";
		ask(S0, IMSG_SAY, &m);
		CHECK_INT(((const struct m_said *)take(S0, IMSG_SAID))->id,
		    first + 1 + i);
	}
	m.a = shut_floor;
	m.ref = "d";
	ask(S0, IMSG_SAY, &m);
	CHECK_INT(code(S0), R_NOTFOUND);
	m.ref = "no/ref";
	ask(S0, IMSG_SAY, &m);
	CHECK_INT(code(S0), R_INVALID);

	ask(S0, IMSG_HISTORY, &h);
	msg = take(S0, IMSG_MESSAGE);
	CHECK_INT(msg->id, first + 2);
	CHECK_STR(msg->text, "text " CANARY);
	CHECK_STR(msg->name, "Mem " CANARY);
	CHECK_INT(msg->from, mem);
	CHECK_INT(((const struct m_message *)take(S0, IMSG_MESSAGE))->id,
	    first + 3);
	CHECK_INT(((const struct m_result *)take(S0, IMSG_RESULT))->arg, 1);
	h.before = first + 2;
	ask(S0, IMSG_HISTORY, &h);
	CHECK_INT(count(S0, IMSG_MESSAGE), 2);
	CHECK_INT(((const struct m_result *)take(S0, IMSG_RESULT))->arg, 0);
	h.a = shut_floor;
	ask(S0, IMSG_HISTORY, &h);
	CHECK_INT(code(S0), R_NOTFOUND);
}

static void
test_direct(void)
{
	struct m_say		 m = say_to(gr_mem, CHANNEL_USER, third, "dm");
	struct m_history	 h = { gr_third, CHANNEL_USER, mem, 0, 0, 0 };
	struct m_read		 rd = { gr_third, CHANNEL_USER, mem, 0,
				    UINT64_MAX };
	const struct m_unread_row *row;

	ask(S0, IMSG_SAY, &m);
	(void)take(S0, IMSG_SAID);
	m.a = mem;
	m.ref = "self";
	ask(S0, IMSG_SAY, &m);
	CHECK_INT(code(S0), R_NOTFOUND);
	ask(S1, IMSG_HISTORY, &h);
	CHECK_INT(count(S1, IMSG_MESSAGE), 1);
	/* The administrator sees his own talk with either, which is none. */
	h.grant = gr_boss;
	ask(S0, IMSG_HISTORY, &h);
	CHECK_INT(count(S0, IMSG_MESSAGE), 0);
	CHECK_INT(code(S0), R_OK);

	ask(S1, IMSG_UNREAD, &(struct m_grant_only){ gr_third });
	CHECK_INT(count(S1, IMSG_UNREAD_ROW), 2);
	row = take(S1, IMSG_UNREAD_ROW);
	CHECK_INT(row->count, 4);
	row = take(S1, IMSG_UNREAD_ROW);
	CHECK_INT(row->kind, CHANNEL_USER);
	CHECK_INT(row->a, mem);
	CHECK_INT(row->count, 1);
	ask(S1, IMSG_READ, &rd);
	CHECK_INT(code(S1), R_OK);
	ask(S1, IMSG_UNREAD, &(struct m_grant_only){ gr_third });
	(void)take(S1, IMSG_UNREAD_ROW);
	CHECK_INT(((const struct m_unread_row *)take(S1,
	    IMSG_UNREAD_ROW))->count, 0);
	ask(S0, IMSG_UNREAD, &(struct m_grant_only){ gr_mem });
	CHECK_INT(((const struct m_unread_row *)take(S0,
	    IMSG_UNREAD_ROW))->count, 0);	/* one's own do not count */
}

/* The sessions of another tenant cannot reach any of this. */
static void
test_across(void)
{
	struct m_grant_id	 id = { gr_gboss, open_floor };
	struct m_say		 m = say_to(gr_gboss, CHANNEL_USER, third,
				    "x");

	ask(S1, IMSG_FLOOR_GET, &id);
	CHECK_INT(code(S1), R_NOTFOUND);
	ask(S1, IMSG_SAY, &m);
	CHECK_INT(code(S1), R_NOTFOUND);
	id.id = third;
	ask(S1, IMSG_A_USER_DEL, &id);
	CHECK_INT(code(S1), R_NOTFOUND);
	ask(S1, IMSG_A_USERS, &(struct m_grant_only){ gr_gboss });
	CHECK_INT(count(S1, IMSG_A_USER), 1);
}

/* A sign-in with a factor, by a token of this seed; its answer. */
static enum result
spend(uint32_t user, uint8_t seed, uint8_t method, const char *totp,
    uint64_t step, uint8_t code_byte)
{
	struct m_token_new	 m = { .tenant = 1, .user = user,
				    .expires = now_ms() + 3600000,
				    .addr = "192.0.2.1", .agent = "",
				    .method = method, .step = step };

	m.totp = (struct m_blob){ totp, strlen(totp) };
	memset(m.sha, seed, sizeof(m.sha));
	memset(m.code, code_byte, sizeof(m.code));
	ask(AUTH, IMSG_TOKEN_NEW, &m);
	return (code(AUTH));
}

/* What the owner of sign-in 40 does with his factor. */
static enum result
factor(enum factor_act act, const char *sealed, uint64_t step)
{
	struct m_factor_put	 m = { .tenant = 1, .act = (uint8_t)act,
				    .step = step };
	uint8_t			 codes[RECOVERY_CODES * TOKEN_LEN];
	size_t			 i;

	for (i = 0; i < RECOVERY_CODES; i++)
		memset(codes + i * TOKEN_LEN, (int)i + 1, TOKEN_LEN);
	m.codes = (struct m_blob){ codes, sizeof(codes) };
	m.sealed = (struct m_blob){ sealed, strlen(sealed) };
	memset(m.sha, 40, sizeof(m.sha));
	ask(AUTH, IMSG_FACTOR_PUT, &m);
	return (code(AUTH));
}

static void
test_factor(void)
{
	struct m_cred_find		 find = { 1, "two@acme.test" };
	struct m_c_policy		 rule = { 0, "acme", POLICY_FACTOR,
					    PF_EVERYBODY, "" };
	const struct m_cred		*cred;
	uint64_t			 grant, again;
	uint32_t			 two;
	unsigned int			 i;

	two = add_user(gr_boss, find.email, ROLE_MEMBER);
	CHECK((grant = sign_in(1, two, 40, 0)) != 0);
	CHECK_INT(factor(FACTOR_CODES, "", 0), R_CONFLICT);
	CHECK_INT(factor(FACTOR_DROP, "", 0), R_CONFLICT);
	CHECK_INT(factor(FACTOR_CONFIRM, "one", 5), R_CONFLICT);
	CHECK_INT(factor(FACTOR_BEGIN, "", 0), R_INVALID);
	CHECK_INT(factor(FACTOR_BEGIN, "one", 0), R_OK);
	CHECK_INT(factor(FACTOR_BEGIN, "two", 0), R_OK);
	/* Only begun: the password is enough, and the first one is gone. */
	CHECK_INT(spend(two, 41, 0, "", 0, 0), R_OK);
	CHECK_INT(factor(FACTOR_CONFIRM, "one", 5), R_CONFLICT);
	CHECK_INT(factor(FACTOR_CONFIRM, "two", 5), R_OK);
	ask(AUTH, IMSG_CRED_FIND, &find);
	cred = take(AUTH, IMSG_CRED);
	CHECK_INT(cred->methods, FACTOR_TOTP | FACTOR_RECOVERY);
	CHECK_INT(cred->totp.mb_len, 3);
	CHECK_INT(cred->pending.mb_len, 0);

	CHECK_INT(spend(two, 42, 0, "", 0, 0), R_FACTOR);
	CHECK_INT(spend(two, 42, FACTOR_PASSKEY, "", 0, 0), R_FACTOR);
	CHECK_INT(spend(two, 42, FACTOR_TOTP, "one", 6, 0), R_FACTOR);
	/* The step that confirmed, one before it, a new one, it again. */
	CHECK_INT(spend(two, 42, FACTOR_TOTP, "two", 5, 0), R_FACTOR);
	CHECK_INT(spend(two, 42, FACTOR_TOTP, "two", 4, 0), R_FACTOR);
	CHECK_INT(spend(two, 42, FACTOR_TOTP, "two", 6, 0), R_OK);
	CHECK_INT(spend(two, 43, FACTOR_TOTP, "two", 6, 0), R_FACTOR);
	for (i = 1; i <= RECOVERY_CODES; i++) {
		CHECK_INT(spend(two, (uint8_t)(50 + i), FACTOR_RECOVERY, "",
		    0, (uint8_t)i), R_OK);
		CHECK_INT(spend(two, 49, FACTOR_RECOVERY, "", 0, (uint8_t)i),
		    R_FACTOR);
	}
	CHECK_INT(factor(FACTOR_CODES, "", 0), R_OK);
	CHECK_INT(spend(two, 44, FACTOR_RECOVERY, "", 0, 1), R_OK);

	/* Everybody must: who has none is sent away, and gets little. */
	ask(AUTH, IMSG_C_POLICY_SET, &rule);
	CHECK_INT(((const struct m_grant_end *)take(S0,
	    IMSG_GRANT_END))->why, END_MUST);
	ask(S0, IMSG_FLOORS, &(struct m_grant_only){ grant });
	CHECK_INT(code(S0), R_OK);
	CHECK_INT(factor(FACTOR_DROP, "", 0), R_CONFLICT);
	CHECK((again = sign_in(1, mem, 45, 0)) != 0);
	ask(S0, IMSG_FLOORS, &(struct m_grant_only){ again });
	CHECK_INT(code(S0), R_MUST);
	ask(S0, IMSG_FACTOR_GET, &(struct m_grant_only){ again });
	CHECK_INT(((const struct m_factor_row *)take(S0,
	    IMSG_FACTOR_ROW))->required, 1);

	/* No more: the grant is freed when that is on the disk. */
	rule.value = PF_NOBODY;
	ask(AUTH, IMSG_C_POLICY_SET, &rule);
	CHECK_INT(((const struct m_grant_must *)take(S0,
	    IMSG_GRANT_MUST))->must, 0);
	ask(S0, IMSG_FLOORS, &(struct m_grant_only){ again });
	CHECK_INT(code(S0), R_OK);
	CHECK_INT(factor(FACTOR_DROP, "", 0), R_OK);
	CHECK_INT(spend(two, 46, 0, "", 0, 0), R_OK);
	CHECK((gr_boss = sign_in(1, boss, 47, 0)) != 0);
	CHECK((gr_mem = sign_in(1, mem, 48, 0)) != 0);
	CHECK((gr_third = sign_in(1, third, 49, 1)) != 0);
	ask(S0, IMSG_A_USER_DEL, &(struct m_grant_id){ gr_boss, two });
	CHECK_INT(code(S0), R_OK);
}

static void
test_roles(void)
{
	struct m_a_user_set	 set = { gr_boss, boss, SET_ROLE, ROLE_MEMBER,
				    0, 0, "" };
	struct m_grant_id	 link = { gr_boss, third };
	struct m_cred_find	 find = { 1, "third@acme.test" };
	uint8_t			 token[TOKEN_LEN];

	ask(S0, IMSG_A_USER_SET, &set);
	CHECK_STR(((const struct m_result *)take(S0, IMSG_RESULT))->field,
	    "role");
	set.mask = SET_STATE;
	set.state = USER_LOCKED;
	ask(S0, IMSG_A_USER_SET, &set);
	CHECK_STR(((const struct m_result *)take(S0, IMSG_RESULT))->field,
	    "state");
	/* A name that fits and a state that does not: neither is kept. */
	set.mask = SET_NAME | SET_STATE;
	set.name = "Renamed";
	ask(S0, IMSG_A_USER_SET, &set);
	CHECK_INT(code(S0), R_CONFLICT);
	CHECK_INT(count(S1, IMSG_PROFILE), 0);

	/* A reset: the old password is dead, the sign-in is over. */
	ask(S0, IMSG_A_USER_LINK, &link);
	CHECK_INT(((const struct m_grant_end *)take(S1,
	    IMSG_GRANT_END))->grant == gr_third, 1);
	memcpy(token, ((const struct m_a_link *)take(S0,
	    IMSG_A_LINK))->token, sizeof(token));
	ask(S1, IMSG_FLOORS, &(struct m_grant_only){ gr_third });
	CHECK_INT(code(S1), R_SESSION);
	ask(AUTH, IMSG_CRED_FIND, &find);
	CHECK_INT(((const struct m_cred *)take(AUTH,
	    IMSG_CRED))->sealed.mb_len, 0);
	CHECK_INT(use_link(1, token, LINK_RESET), third);

	set.mask = SET_STATE;
	set.user = mem;
	ask(S0, IMSG_A_USER_SET, &set);
	CHECK_INT(((const struct m_grant_end *)take(S0,
	    IMSG_GRANT_END))->why, END_SUSPENDED);
	CHECK_INT(code(S0), R_OK);
	CHECK_INT(sign_in(1, mem, 9, 0), 0);
	set.state = USER_ACTIVE;
	ask(S0, IMSG_A_USER_SET, &set);
	CHECK((gr_mem = sign_in(1, mem, 10, 0)) != 0);
}

static uint64_t
role_version(uint8_t role)
{
	const struct m_a_role	*row;
	uint64_t		 version = 0;
	unsigned int		 n;

	ask(S0, IMSG_A_ROLES, &(struct m_grant_only){ gr_boss });
	for (n = count(S0, IMSG_A_ROLE); n > 0; n--)
		if ((row = take(S0, IMSG_A_ROLE))->role == role)
			version = row->version;
	return (version);
}

/* What the member may write, after the role was given these rights. */
static void
role_may(uint8_t role, uint8_t can, enum result floor, enum result direct)
{
	static int		 n;
	struct m_a_role		 set = { .grant = gr_boss, .role = role,
				    .can = can, .mask = SET_CAN, .name = "" };
	const struct m_role	*told;
	struct m_say		 m;
	char			 ref[16];
	int			 i;

	set.version = role_version(role);
	ask(S0, IMSG_A_ROLE_SET, &set);
	told = take(S1, IMSG_ROLE);		/* every process hears it */
	CHECK_INT(told->tenant, 1);
	CHECK_INT(told->role, role);
	CHECK_INT(told->can, can);
	CHECK_INT(((const struct m_a_role *)take(S0, IMSG_A_ROLE))->can, can);
	for (i = 0; i < 2; i++) {
		(void)snprintf(ref, sizeof(ref), "may%d", n++);
		m = say_to(gr_mem, i == 0 ? CHANNEL_FLOOR : CHANNEL_USER,
		    i == 0 ? open_floor : boss, ref);
		ask(S0, IMSG_SAY, &m);
		if ((i == 0 ? floor : direct) == R_OK)
			(void)take(S0, IMSG_SAID);
		else
			CHECK_INT(code(S0), R_FORBIDDEN);
	}
}

/* Who has proved a password that is none any more does not sign in. */
static void
test_old_password(void)
{
	struct m_token_new	 tk = { .tenant = 1, .user = mem, .expires =
				    now_ms() + 3600000, .addr = "192.0.2.9",
				    .agent = "" };
	struct m_cred_find	 find = { 1, "mem-" CANARY "@acme.test" };
	const struct m_cred	*cred;
	uint8_t			 sealed[MAX_SEALED];
	size_t			 len;

	ask(AUTH, IMSG_CRED_FIND, &find);
	cred = take(AUTH, IMSG_CRED);
	CHECK_INT(cred->user, mem);
	len = cred->sealed.mb_len;
	CHECK(len > 0);
	memcpy(sealed, cred->sealed.mb_data, len);
	tk.password = (struct m_blob){ sealed, len };
	memset(tk.sha, 0xd1, sizeof(tk.sha));
	ask(AUTH, IMSG_TOKEN_NEW, &tk);
	CHECK_INT(code(AUTH), R_OK);
	memset(tk.sha, 0xd2, sizeof(tk.sha));
	sealed[len - 1] ^= 1;
	ask(AUTH, IMSG_TOKEN_NEW, &tk);
	CHECK_INT(code(AUTH), R_SIGNIN);
	sealed[len - 1] ^= 1;
	tk.password.mb_len = len - 1;
	ask(AUTH, IMSG_TOKEN_NEW, &tk);
	CHECK_INT(code(AUTH), R_SIGNIN);
}

static const struct m_cred *
cred_of(const char *mail)
{
	struct m_cred_find	 find = { 1, mail };

	ask(AUTH, IMSG_CRED_FIND, &find);
	return (take(AUTH, IMSG_CRED));
}

/*
 * A record of another cost comes in place of the one that was checked, and of
 * no other.  It is the same password: those before it and its age stay.
 */
static void
test_anew(void)
{
	static const char	 mail[] = "mem-" CANARY "@acme.test";
	struct m_token_new	 tk = { .tenant = 1, .user = mem, .expires =
				    now_ms() + 3600000, .addr = "192.0.2.9",
				    .agent = "", .anew = { "anew", 4 } };
	struct m_sha		 sha = { .tenant = 1 };
	const struct m_cred	*cred = cred_of(mail);
	uint8_t			 sealed[MAX_SEALED];
	size_t			 len = cred->sealed.mb_len, oldlen;

	memcpy(sealed, cred->sealed.mb_data, len);
	/* Nothing was checked, or another one. */
	memset(tk.sha, 0xd3, sizeof(tk.sha));
	ask(AUTH, IMSG_TOKEN_NEW, &tk);
	CHECK_INT(code(AUTH), R_UNAVAILABLE);
	tk.password = (struct m_blob){ "other", 5 };
	ask(AUTH, IMSG_TOKEN_NEW, &tk);
	CHECK_INT(code(AUTH), R_SIGNIN);
	cred = cred_of(mail);
	CHECK(cred->sealed.mb_len == len &&
	    memcmp(cred->sealed.mb_data, sealed, len) == 0);
	/* The present one and those before it, as the rules want them. */
	memset(sha.sha, 0xd1, sizeof(sha.sha));
	ask(AUTH, IMSG_CRED_TOKEN, &sha);
	cred = take(AUTH, IMSG_CRED);
	oldlen = cred->old.mb_len;
	tk.password = (struct m_blob){ sealed, len };
	ask(AUTH, IMSG_TOKEN_NEW, &tk);
	CHECK_INT(code(AUTH), R_OK);
	cred = cred_of(mail);
	CHECK(cred->sealed.mb_len == 4 &&
	    memcmp(cred->sealed.mb_data, "anew", 4) == 0);
	ask(AUTH, IMSG_CRED_TOKEN, &sha);
	cred = take(AUTH, IMSG_CRED);
	CHECK_INT(cred->old.mb_len, oldlen - (oldlen > 0 ? len - 4 : 0));
	/* The first one's sign-in stays, and the second's is none any more. */
	memset(tk.sha, 0xd4, sizeof(tk.sha));
	ask(AUTH, IMSG_TOKEN_NEW, &tk);
	CHECK_INT(code(AUTH), R_SIGNIN);
	/* As it was, for what comes. */
	tk.password = (struct m_blob){ "anew", 4 };
	tk.anew = (struct m_blob){ sealed, len };
	ask(AUTH, IMSG_TOKEN_NEW, &tk);
	CHECK_INT(code(AUTH), R_OK);
}

/* What takes away is answered when all processes have let go. */
static void
test_fence(void)
{
	struct m_a_role		 set = { .grant = gr_boss, .role = ROLE_MEMBER,
				    .can = RIGHT_DM, .mask = SET_CAN,
				    .name = "" };
	struct m_c_tenant_state	 off = { 0, "globex", TENANT_SUSPENDED };
	struct m_fence		 late;
	struct m_say		 m = say_to(gr_boss, CHANNEL_FLOOR, open_floor,
				    "fence");

	set.version = role_version(ROLE_MEMBER);
	hang[0] = hang[1] = 1;
	ask(S0, IMSG_A_ROLE_SET, &set);
	CHECK_INT(count(S1, IMSG_ROLE), 1);
	CHECK_INT(count(S0, IMSG_RESULT), 0);
	CHECK(asked[0].number != 0 && asked[1].number == asked[0].number);
	/* A question goes on, what is written as well, its order kept. */
	put(S0, IMSG_FLOORS, &(struct m_grant_only){ gr_boss });
	turn();
	CHECK_INT(count(S0, IMSG_RESULT), 1);
	put(S0, IMSG_SAY, &m);
	turn();
	CHECK_INT(count(S0, IMSG_SAID), 1);
	pass(0);
	CHECK_INT(count(S0, IMSG_RESULT), 1);
	/* Of what was not asked nobody speaks. */
	late.number = asked[1].number + 1;
	CHECK_INT(storage_ops.po_imsg(peer(PROC_SESSION, 1), IMSG_FENCED, 0,
	    &late, NULL), -1);
	late = asked[1];
	pass(1);
	CHECK_INT(count(S0, IMSG_RESULT), 2);
	/* An operator waits likewise; a process that dies is not waited for. */
	ask(AUTH, IMSG_C_TENANT_STATE, &off);
	CHECK_INT(count(S1, IMSG_TENANT), 1);
	CHECK_INT(count(AUTH, IMSG_RESULT), 0);
	pass(0);
	CHECK_INT(count(AUTH, IMSG_RESULT), 0);
	peer(PROC_SESSION, 1)->pe_up = 0;
	storage_ops.po_down(peer(PROC_SESSION, 1));
	CHECK_INT(code(AUTH), R_OK);
	peer(PROC_SESSION, 1)->pe_up = 1;
	storage_ops.po_up(peer(PROC_SESSION, 1));
	forget();
	turn();
	CHECK(known[1] > 0 && known[1] == count(S1, IMSG_TENANT));
	CHECK_INT(storage_ops.po_imsg(peer(PROC_SESSION, 1), IMSG_FENCED, 0,
	    &late, NULL), -1);
	hang[0] = hang[1] = 0;
	off.state = TENANT_ACTIVE;
	ask(AUTH, IMSG_C_TENANT_STATE, &off);
	CHECK_INT(code(AUTH), R_OK);
	role_may(ROLE_MEMBER, RIGHT_ALL, R_OK, R_OK);
}

static void
test_rights(void)
{
	struct m_a_role		 add = { .grant = gr_boss, .name = "Night",
				    .can = RIGHT_VOICE };
	struct m_a_role		 del = { .grant = gr_boss, .name = "" };
	struct m_a_user_set	 set = { gr_boss, mem, SET_ROLE, 0, 0, 0, "" };
	const struct m_result	*r;

	role_may(ROLE_MEMBER, RIGHT_CHAT, R_OK, R_FORBIDDEN);
	role_may(ROLE_MEMBER, RIGHT_DM, R_FORBIDDEN, R_OK);
	role_may(ROLE_MEMBER, 0, R_FORBIDDEN, R_FORBIDDEN);
	role_may(ROLE_MEMBER, RIGHT_ALL, R_OK, R_OK);

	/* One of the tenant's own. */
	ask(S0, IMSG_A_ROLE_ADD, &add);
	del.role = ((const struct m_a_role *)take(S0, IMSG_A_ROLE))->role;
	CHECK(del.role >= ROLE_CUSTOM);
	ask(S0, IMSG_A_ROLE_ADD, &add);
	CHECK_INT(code(S0), R_CONFLICT);
	add.name = "admin";			/* a word that means another */
	ask(S0, IMSG_A_ROLE_ADD, &add);
	CHECK_INT(code(S0), R_CONFLICT);
	set.role = del.role + 1;		/* nobody has heard of it */
	ask(S0, IMSG_A_USER_SET, &set);
	CHECK_INT(code(S0), R_INVALID);
	set.role = ROLE_GUEST;
	ask(S0, IMSG_A_USER_SET, &set);
	CHECK_INT(code(S0), R_INVALID);
	set.role = del.role;
	ask(S0, IMSG_A_USER_SET, &set);
	CHECK_INT(code(S0), R_OK);
	CHECK((gr_mem = sign_in(1, mem, 31, 0)) != 0);
	role_may(del.role, RIGHT_CHAT, R_OK, R_FORBIDDEN);
	role_may(del.role, RIGHT_ALL, R_OK, R_OK);
	ask(S0, IMSG_A_ROLES, &(struct m_grant_only){ gr_mem });
	CHECK_INT(code(S0), R_FORBIDDEN);	/* not even with all of them */

	/* Another administrator has changed it; somebody has it. */
	ask(S0, IMSG_A_ROLE_DEL, &del);
	CHECK_STR((r = take(S0, IMSG_RESULT))->field, "version");
	del.version = role_version(del.role);
	ask(S0, IMSG_A_ROLE_DEL, &del);
	r = take(S0, IMSG_RESULT);
	CHECK_INT(r->code, R_CONFLICT);
	CHECK_INT(r->arg, 1);
	set.role = ROLE_MEMBER;
	set.mask |= SET_WAS;
	set.was = ROLE_ADMIN;
	ask(S0, IMSG_A_USER_SET, &set);
	CHECK_INT(code(S0), R_CONFLICT);
	set.was = del.role;
	ask(S0, IMSG_A_USER_SET, &set);
	CHECK_INT(code(S0), R_OK);
	CHECK((gr_mem = sign_in(1, mem, 32, 0)) != 0);
	ask(S0, IMSG_A_ROLE_DEL, &del);
	CHECK_INT(code(S0), R_OK);
}

/* No more than a tenant may have, and administrators are not less than that. */
static void
test_role_limits(void)
{
	struct m_a_role	 add = { .grant = gr_gboss };
	struct m_a_role	 set = { .grant = gr_gboss, .role = ROLE_ADMIN,
			    .mask = SET_CAN, .name = "" };
	char		 name[16];
	int		 i;

	CHECK((gr_gboss = sign_in(2, gboss, 33, 1)) != 0);
	add.grant = set.grant = gr_gboss;
	add.name = name;
	for (i = 0; i <= MAX_ROLES; i++) {
		(void)snprintf(name, sizeof(name), "Role %d", i);
		ask(S1, IMSG_A_ROLE_ADD, &add);
		CHECK_INT(code(S1), i < MAX_ROLES ? R_OK : R_CONFLICT);
	}
	ask(S1, IMSG_A_ROLE_SET, &set);
	CHECK_INT(code(S1), R_INVALID);
	set.role = ROLE_GUEST;
	set.can = RIGHT_GUEST;
	ask(S1, IMSG_A_ROLE_SET, &set);
	CHECK_INT(code(S1), R_INVALID);
	/* Those of all tenants do not count, and have a row each. */
	for (i = 0; i < 2; i++) {
		set.role = i == 0 ? ROLE_MEMBER : ROLE_GUEST;
		set.can = RIGHT_CHAT;
		ask(S1, IMSG_A_ROLE_SET, &set);
		CHECK_INT(code(S1), R_OK);
	}
}

/*
 * A passkey with a credential of 40 equal bytes, by the sign-in of the seed;
 * how it went.
 */
static enum result
put_passkey(uint32_t tenant, uint8_t seed, uint8_t byte, const char *name)
{
	uint8_t			 id[40], key[64] = { 9 };
	struct m_passkey_put	 put_ = { tenant, { 0 }, 1, 5, name,
				    { id, sizeof(id) }, { key, sizeof(key) } };

	memset(put_.sha, seed, sizeof(put_.sha));
	memset(id, byte, sizeof(id));
	ask(AUTH, IMSG_PASSKEY_PUT, &put_);
	return (code(AUTH));
}

/* Whose it is, and its own number; 0 for nobody's. */
static uint32_t
find_passkey(uint32_t tenant, uint8_t byte, const void *handle, size_t len,
    uint32_t *id)
{
	const struct m_passkey_row	*row;
	uint8_t				 cred[40];
	struct m_passkey_find		 find = { tenant,
					    { cred, sizeof(cred) },
					    { handle, len } };

	memset(cred, byte, sizeof(cred));
	ask(AUTH, IMSG_PASSKEY_FIND, &find);
	if (count(AUTH, IMSG_PASSKEY_ROW) == 0)
		return (0);
	row = take(AUTH, IMSG_PASSKEY_ROW);
	CHECK_INT(row->alg, 1);
	CHECK_INT(row->key.mb_len, 64);
	CHECK(strchr(row->email, '@') != NULL);
	CHECK_INT(*(const uint8_t *)row->key.mb_data, 9);
	if (id != NULL)
		*id = row->id;
	return (row->user);
}

/* Sign in with it; how that went. */
static enum result
use_passkey(uint32_t user, uint32_t id, uint32_t n)
{
	static uint32_t		 nth;
	struct m_token_new	 m = { .tenant = 1, .user = user,
				    .expires = now_ms() + 3600000,
				    .addr = "10.0.0.1", .agent = "",
				    .method = FACTOR_PASSKEY, .passkey = id,
				    .count = n };

	memset(m.sha, 0xab, sizeof(m.sha));
	nth++;
	memcpy(m.sha, &nth, sizeof(nth));
	ask(AUTH, IMSG_TOKEN_NEW, &m);
	return (code(AUTH));
}

static void
test_passkeys(void)
{
	const struct m_passkey_owner	*owner;
	struct m_sha			 sha = { .tenant = 1 };
	struct m_passkey_drop		 drop = { .tenant = 1 };
	struct m_passkey_name		 named = { gr_mem, 0, "x" };
	uint8_t				 handle[TOKEN_LEN], other[TOKEN_LEN];
	uint32_t			 id, i;

	memset(sha.sha, 10, sizeof(sha.sha));
	ask(AUTH, IMSG_PASSKEY_START, &sha);
	owner = take(AUTH, IMSG_PASSKEY_OWNER);
	CHECK_INT(owner->user, mem);
	CHECK_INT(owner->ids.mb_len, 0);
	memcpy(handle, owner->handle, sizeof(handle));
	CHECK_INT(put_passkey(1, 10, 1, "key " CANARY), R_OK);
	CHECK_INT(put_passkey(1, 10, 2, "second"), R_OK);
	CHECK_INT(put_passkey(1, 47, 1, "his"), R_CONFLICT);
	CHECK_INT(put_passkey(1, 10, 3, ""), R_INVALID);
	CHECK_INT(put_passkey(1, 9, 3, "x"), R_SESSION);
	ask(AUTH, IMSG_PASSKEY_START, &sha);
	owner = take(AUTH, IMSG_PASSKEY_OWNER);
	CHECK_INT(owner->ids.mb_len, 2 * 42);
	CHECK(memcmp(owner->handle, handle, sizeof(handle)) == 0);

	/* The handle is the owner's, or it is not asked for. */
	CHECK_INT(find_passkey(1, 1, NULL, 0, &id), mem);
	CHECK_INT(find_passkey(1, 1, handle, sizeof(handle), NULL), mem);
	memcpy(other, handle, sizeof(other));
	other[31] ^= 1;
	CHECK_INT(find_passkey(1, 1, other, sizeof(other), NULL), 0);
	CHECK_INT(find_passkey(1, 1, handle, sizeof(handle) - 1, NULL), 0);
	CHECK_INT(find_passkey(1, 9, NULL, 0, NULL), 0);
	CHECK_INT(find_passkey(2, 1, NULL, 0, NULL), 0);

	/* 5 was registered: forward is what is right. */
	CHECK_INT(use_passkey(mem, id, 5), R_SIGNIN);
	CHECK_INT(use_passkey(mem, id, 4), R_SIGNIN);
	CHECK_INT(use_passkey(mem, id, 0), R_SIGNIN);
	CHECK_INT(use_passkey(boss, id, 6), R_FACTOR);
	CHECK_INT(use_passkey(mem, id + 100, 6), R_FACTOR);
	CHECK_INT(use_passkey(mem, id, 6), R_OK);
	CHECK_INT(use_passkey(mem, id, 6), R_SIGNIN);
	CHECK_INT(use_passkey(mem, id, UINT32_MAX), R_OK);
	CHECK_INT(use_passkey(mem, id, 7), R_SIGNIN);

	ask(S0, IMSG_PASSKEYS, &(struct m_grant_only){ gr_mem });
	CHECK_INT(count(S0, IMSG_PASSKEY), 2);
	CHECK(((const struct m_passkey *)take(S0, IMSG_PASSKEY))->last != 0);
	CHECK_STR(((const struct m_passkey *)take(S0, IMSG_PASSKEY))->name,
	    "second");
	ask(S0, IMSG_PASSKEYS, &(struct m_grant_only){ gr_boss });
	CHECK_INT(count(S0, IMSG_PASSKEY), 0);
	named.id = id;
	ask(S0, IMSG_PASSKEY_NAME, &named);
	CHECK_INT(code(S0), R_OK);
	named.grant = gr_boss;
	ask(S0, IMSG_PASSKEY_NAME, &named);
	CHECK_INT(code(S0), R_NOTFOUND);
	named.grant = gr_mem;
	named.name = "a\nb";
	ask(S0, IMSG_PASSKEY_NAME, &named);
	CHECK_INT(code(S0), R_INVALID);

	for (i = 2; i < MAX_PASSKEYS; i++)
		CHECK_INT(put_passkey(1, 10, (uint8_t)(10 + i), "more"),
		    R_OK);
	CHECK_INT(put_passkey(1, 10, 99, "too many"), R_CONFLICT);
	ask(AUTH, IMSG_PASSKEY_START, &sha);
	CHECK_INT(code(AUTH), R_CONFLICT);
	drop.id = id;
	ask(AUTH, IMSG_PASSKEY_DROP, &drop);
	CHECK_INT(code(AUTH), R_SESSION);
	memset(drop.sha, 47, sizeof(drop.sha));		/* not his */
	ask(AUTH, IMSG_PASSKEY_DROP, &drop);
	CHECK_INT(code(AUTH), R_NOTFOUND);
	memset(drop.sha, 10, sizeof(drop.sha));
	ask(AUTH, IMSG_PASSKEY_DROP, &drop);
	CHECK_INT(code(AUTH), R_OK);
	CHECK_INT(find_passkey(1, 1, NULL, 0, NULL), 0);
	CHECK_INT(use_passkey(mem, id, 9), R_FACTOR);
	/* Who has some does not get in without; by an administrator's hand,
	 * nobody has any more. */
	CHECK_INT(use_passkey(third, id, 9), R_FACTOR);
	ask(S0, IMSG_A_FACTOR_DEL, &(struct m_grant_id){ gr_boss, mem });
	CHECK_INT(code(S0), R_OK);
	CHECK_INT(find_passkey(1, 2, NULL, 0, NULL), 0);
	CHECK((gr_mem = sign_in(1, mem, 10, 0)) != 0);
}

static void
test_ends(void)
{
	struct m_c_tenant_state	 state = { 0, "globex", TENANT_SUSPENDED };
	struct m_cred_find	 find = { 2, "boss@acme.test" };
	struct m_cred_set	 set = { .tenant = 1, .password = { "hash", 4 },
				    .sealed = { "new", 3 } };
	struct m_sha		 sha = { .tenant = 1 };
	uint64_t		 other;

	ask(AUTH, IMSG_C_TENANT_STATE, &state);
	CHECK_INT(((const struct m_grant_end *)take(S1,
	    IMSG_GRANT_END))->why, END_SUSPENDED);
	ask(S1, IMSG_FLOORS, &(struct m_grant_only){ gr_gboss });
	CHECK_INT(code(S1), R_SESSION);
	ask(AUTH, IMSG_CRED_FIND, &find);
	CHECK_INT(code(AUTH), R_NOTFOUND);
	state.state = TENANT_ACTIVE;
	ask(AUTH, IMSG_C_TENANT_STATE, &state);

	/* A new password ends the others and keeps the one that asked. */
	CHECK((other = sign_in(1, mem, 11, 1)) != 0);
	memset(set.sha, 11, sizeof(set.sha));
	ask(AUTH, IMSG_CRED_SET, &set);
	CHECK_INT(count(S0, IMSG_GRANT_END), 1);
	CHECK_INT(count(S1, IMSG_GRANT_END), 0);
	gr_mem = other;
	memset(sha.sha, 10, sizeof(sha.sha));
	ask(AUTH, IMSG_TOKEN_FIND, &sha);
	CHECK_INT(code(AUTH), R_SESSION);
	/* What hash took its time for is too late: by who is out, or after. */
	ask(AUTH, IMSG_CRED_SET, &set);
	CHECK_INT(code(AUTH), R_SIGNIN);
	memset(set.sha, 10, sizeof(set.sha));
	set.password = (struct m_blob){ "new", 3 };
	ask(AUTH, IMSG_CRED_SET, &set);
	CHECK_INT(code(AUTH), R_SESSION);

	ask(S1, IMSG_SIGNOUT, &(struct m_grant_only){ gr_mem });
	CHECK_INT(code(S1), R_OK);
	memset(sha.sha, 11, sizeof(sha.sha));
	ask(AUTH, IMSG_TOKEN_FIND, &sha);
	CHECK_INT(code(AUTH), R_SESSION);

	/* A session process that dies takes its grants with it. */
	CHECK((gr_third = sign_in(1, third, 12, 1)) != 0);
	storage_ops.po_down(peer(S1));
	ask(S1, IMSG_FLOORS, &(struct m_grant_only){ gr_third });
	CHECK_INT(code(S1), R_SESSION);
	forget();
	storage_ops.po_up(peer(S1));
	turn();
	CHECK_INT(count(S1, IMSG_TENANT), 2);
}

/* No file may become longer than so much; 0: any may again. */
static void
room(rlim_t bytes)
{
	static struct rlimit	 old;
	struct rlimit		 rl;

	if (bytes == 0) {
		(void)setrlimit(RLIMIT_FSIZE, &old);
		return;
	}
	(void)signal(SIGXFSZ, SIG_IGN);
	if (getrlimit(RLIMIT_FSIZE, &old) == -1)
		abort();
	rl = old;
	rl.rlim_cur = bytes;
	(void)setrlimit(RLIMIT_FSIZE, &rl);
}

/* What could not be asked for since the disk was full is, when it is not. */
static void
test_points_full(void)
{
	struct m_say	 m = say_to(gr_boss, CHANNEL_FLOOR, open_floor,
			    "points");

	room(512);
	put(S0, IMSG_SAY, &m);
	proved[1] = 0;
	audit_checkpoints(1);
	room(0);
	CHECK_INT(proved[1], 0);
	turn();
	audit_checkpoints(1);
	CHECK(proved[1] != 0);
}

/* Nor is it lost when the file of the trail cannot be had in between. */
static void
test_points_closed(void)
{
	struct tenant	*tn = tenant_by_id(1);
	struct proof	 pf = { .pf_kind = PROOF_CHECKPOINT, .pf_tenant = 1,
			    .pf_name = "acme", .pf_seq = proved[1],
			    .pf_at = now_ms() };
	const uint8_t	 seed[PROOF_KEY] = { 9 };
	char		 line[PROOF_LINE];
	struct m_proven	 m = { 1, proved[1], line };

	CHECK_INT(proof_sign(&pf, seed, line), 0);
	tn->tn_why = DB_TROUBLE;
	tn->tn_retry = UINT64_MAX;
	audit_proven(&m);
	proved[1] = 0;
	audit_checkpoints(1);
	CHECK_INT(proved[1], 0);
	tn->tn_retry = 0;
	audit_checkpoints(1);
	CHECK_INT(proved[1], m.seq);
}

/* What keys was asked for when it died is asked for again. */
static void
test_points(void)
{
	const struct m_proof_key key = { { 9 } };
	unsigned int		 n;

	/* Until it has its key it refuses, which would be the end of it. */
	peer(PROC_KEYS, 0)->pe_up = 1;
	audit_checkpoints(1);
	CHECK_INT(proves, 0);
	put(PROC_KEYS, 0, IMSG_PROOF_KEY, &key);
	audit_checkpoints(1);
	CHECK((n = proves) > 1);
	audit_checkpoints(1);
	CHECK_INT(proves, n);
	storage_ops.po_down(peer(PROC_KEYS, 0));
	CHECK_INT(audit_waits(), 0);
	audit_checkpoints(1);
	CHECK_INT(proves, n);
	put(PROC_KEYS, 0, IMSG_PROOF_KEY, &key);
	audit_checkpoints(1);
	CHECK_INT(proves, 2 * n);
	storage_ops.po_down(peer(PROC_KEYS, 0));
	put(PROC_KEYS, 0, IMSG_PROOF_KEY, &key);
	test_points_full();
	test_points_closed();
	peer(PROC_KEYS, 0)->pe_up = 0;
	storage_ops.po_down(peer(PROC_KEYS, 0));
}

/* A grant that ends in the turn in which it is given is told as ended. */
static void
test_turn(void)
{
	struct m_grant_new	 gr = { .tenant = 1, .inst = 0, .req = 5,
				    .addr = "192.0.2.1" };
	struct m_a_user_set	 lock = { gr_boss, third, SET_STATE, 0, 0,
				    USER_LOCKED, "" };
	struct m_me_set		 me = { .grant = gr_boss, .mask = SET_LANG,
				    .name = "", .note = "", .lang = LANG_EN };
	uint64_t		 grant;

	memset(gr.sha, 12, sizeof(gr.sha));
	forget();
	put(S0, IMSG_ME_SET, &me);		/* opens the transaction */
	put(AUTH, IMSG_GRANT_NEW, &gr);
	put(S0, IMSG_A_USER_SET, &lock);
	turn();
	grant = ((const struct m_grant *)take(S0, IMSG_GRANT))->grant;
	CHECK(((const struct m_grant_end *)take(S0,
	    IMSG_GRANT_END))->grant == grant);
	lock.state = USER_ACTIVE;
	ask(S0, IMSG_A_USER_SET, &lock);
	CHECK_INT(code(S0), R_OK);
}

/* No room: everybody in the transaction hears it, and it goes on after. */
static void
test_full(void)
{
	struct m_say	 m;
	uint64_t	 id;

	CHECK((gr_mem = sign_in(1, mem, 13, 0)) != 0);
	m = say_to(gr_mem, CHANNEL_FLOOR, open_floor, "full1");
	ask(S0, IMSG_SAY, &m);
	id = ((const struct m_said *)take(S0, IMSG_SAID))->id;
	room(512);
	forget();
	m.ref = "full2";
	put(S0, IMSG_SAY, &m);
	m.ref = "full3";
	put(S0, IMSG_SAY, &m);
	turn();
	room(0);
	CHECK_INT(count(S0, IMSG_SAID), 0);
	CHECK_INT(count(S0, IMSG_RESULT), 2);
	CHECK_INT(code(S0), R_UNAVAILABLE);
	CHECK_INT(code(S0), R_UNAVAILABLE);
	ask(S0, IMSG_SAY, &m);
	CHECK_INT(((const struct m_said *)take(S0, IMSG_SAID))->again, 0);
	m.ref = "full1";
	ask(S0, IMSG_SAY, &m);
	CHECK(((const struct m_said *)take(S0, IMSG_SAID))->id == id);
}

/* Nothing of what people wrote, or are called, stands in any file. */
static unsigned int
search(const char *path)
{
	struct dirent	*de;
	char		 sub[PATH_MAX], *data;
	unsigned int	 hits = 0;
	ssize_t		 n;
	DIR		*d;
	int		 fd;

	if ((d = opendir(path)) == NULL)
		abort();
	while ((de = readdir(d)) != NULL) {
		(void)snprintf(sub, sizeof(sub), "%s/%s", path, de->d_name);
		if (de->d_name[0] == '.')
			continue;
		if (de->d_type == DT_DIR) {
			hits += search(sub);
			continue;
		}
		if ((fd = open(sub, O_RDONLY)) == -1)
			abort();
		n = read_all(fd, 64 << 20, (void **)&data);
		if (n == -1 || memmem(data, (size_t)n, CANARY,
		    strlen(CANARY)) != NULL || memmem(data, (size_t)n,
		    "@acme.test", 10) != NULL)
			hits++;
		if (n != -1)
			free(data);
		(void)close(fd);
	}
	(void)closedir(d);
	return (hits);
}

/* Somebody with the file and without the key. */
static void
edit_in(const char *file, const char *sql)
{
	sqlite3	*raw;

	if (sqlite3_open(file, &raw) != SQLITE_OK ||
	    sqlite3_exec(raw, sql, NULL, NULL, NULL) != SQLITE_OK)
		abort();
	CHECK_INT(sqlite3_changes(raw), 1);
	(void)sqlite3_close(raw);
}

static void
edit(const char *sql)
{
	edit_in("tenants/1/main.db", sql);
}

/* What a query of a file counts; 0 if there is no such file. */
static unsigned int
count_in(const char *path, const char *sql)
{
	sqlite3		*raw;
	sqlite3_stmt	*st;
	unsigned int	 n = 0;

	if (sqlite3_open_v2(path, &raw, SQLITE_OPEN_READONLY, NULL) ==
	    SQLITE_OK && sqlite3_prepare_v2(raw, sql, -1, &st, NULL) ==
	    SQLITE_OK) {
		if (sqlite3_step(st) == SQLITE_ROW)
			n = (unsigned int)sqlite3_column_int(st, 0);
		(void)sqlite3_finalize(st);
	}
	(void)sqlite3_close(raw);
	return (n);
}

/* What was left of those who are gone goes, also when the disk was full. */
static void
test_gone(void)
{
	struct tenant	*tn = tenant_by_id(1);

	edit("INSERT INTO messages (at, kind, a, b, sender, ref, text) "
	    "VALUES (1, 2, 9001, 9002, 9001, x'07', x'00')");
	edit("INSERT INTO dms (a, b, last) VALUES (9001, 9002, 1)");
	tn->tn_free = 0;
	room(512);
	(void)guest_sweep(tn, now_ms());
	turn();
	room(0);
	(void)guest_sweep(tn, now_ms());
	turn();
	CHECK_INT(count_in("tenants/1/main.db", "SELECT count(*) FROM "
	    "messages WHERE a = 9001"), 0);
}

static void
test_edits(void)
{
	struct m_say		 m = say_to(gr_mem, CHANNEL_FLOOR, open_floor,
				    "edit");
	struct m_history	 h = { gr_boss, CHANNEL_FLOOR, 0, 0, 0, 0 };
	struct m_cred_find	 find = { 1, "mem-" CANARY "@acme.test" };
	struct m_sha		 sha = { .tenant = 1 };
	struct m_c_role		 role = { 0, "acme", "Forged", 0, "" };
	const struct m_c_role_row *row;
	uint32_t		 id = 0;
	char			 sql[256];
	int			 i;

	/* A message moved to a floor where its writer never said it. */
	h.a = add_floor("Empty");
	ask(S0, IMSG_SAY, &m);
	(void)snprintf(sql, sizeof(sql), "UPDATE messages SET a = %u "
	    "WHERE id = (SELECT max(id) FROM messages)", h.a);
	edit(sql);
	ask(S0, IMSG_HISTORY, &h);
	CHECK_INT(count(S0, IMSG_MESSAGE), 0);
	CHECK_INT(code(S0), R_OK);
	/* The sign-in of one made that of another. */
	CHECK(sign_in(1, mem, 20, 0) != 0);
	(void)snprintf(sql, sizeof(sql), "UPDATE tokens SET user = %u "
	    "WHERE id = (SELECT max(id) FROM tokens)", boss);
	edit(sql);
	memset(sha.sha, 20, sizeof(sha.sha));
	ask(AUTH, IMSG_TOKEN_FIND, &sha);
	CHECK_INT(code(AUTH), R_SESSION);
	/* A member made an administrator; nothing else is held up. */
	(void)snprintf(sql, sizeof(sql), "UPDATE users SET role = 1 "
	    "WHERE id = %u", mem);
	edit(sql);
	ask(AUTH, IMSG_CRED_FIND, &find);
	CHECK_INT(code(AUTH), R_UNAVAILABLE);
	find.email = "boss@acme.test";
	ask(AUTH, IMSG_CRED_FIND, &find);
	(void)take(AUTH, IMSG_CRED);
	/* Nor one of the tenant's own that is there. */
	(void)snprintf(sql, sizeof(sql), "UPDATE users SET role = 16 "
	    "WHERE id = %u", mem);
	edit(sql);
	find.email = "mem-" CANARY "@acme.test";
	ask(AUTH, IMSG_CRED_FIND, &find);
	CHECK_INT(code(AUTH), R_UNAVAILABLE);
	find.email = "boss@acme.test";
	(void)snprintf(sql, sizeof(sql), "UPDATE users SET role = 0 "
	    "WHERE id = %u", mem);
	edit(sql);
	/* A role that says of itself that it is another may nothing. */
	ask(AUTH, IMSG_C_ROLE_ADD, &role);
	CHECK_INT(code(AUTH), R_OK);
	edit("UPDATE roles SET version = version + 1 WHERE id = 16");
	ask(AUTH, IMSG_C_ROLE_LIST, &(struct m_c_name){ 0, "acme" });
	for (i = 0; i < 4; i++) {
		row = take(AUTH, IMSG_C_ROLE_ROW);
		if (row->role == ROLE_CUSTOM)
			CHECK_INT(row->can, 0);
	}
	CHECK_INT(code(AUTH), R_OK);
	/* A passkey of one made that of another, an older counter. */
	CHECK_INT(put_passkey(1, 47, 77, "his"), R_OK);
	CHECK_INT(find_passkey(1, 77, NULL, 0, &id), boss);
	(void)snprintf(sql, sizeof(sql), "UPDATE passkeys SET user = %u "
	    "WHERE id = %u", mem, id);
	edit(sql);
	CHECK_INT(find_passkey(1, 77, NULL, 0, NULL), 0);
	(void)snprintf(sql, sizeof(sql), "UPDATE passkeys SET user = %u, "
	    "name = (SELECT count FROM passkeys WHERE id = %u) WHERE id = %u",
	    boss, id, id);
	edit(sql);
	CHECK_INT(find_passkey(1, 77, NULL, 0, NULL), 0);
	/* The password of one put in the place of another's. */
	(void)snprintf(sql, sizeof(sql), "UPDATE users SET secver = "
	    "(SELECT secver FROM users WHERE id = %u), secret = (SELECT "
	    "secret FROM users WHERE id = %u) WHERE id = %u", mem, mem, boss);
	edit(sql);
	ask(AUTH, IMSG_CRED_FIND, &find);
	CHECK_INT(code(AUTH), R_UNAVAILABLE);
}

static void
test_damage(void)
{
	struct m_cred_find	 acme = { 1, "boss@acme.test" };
	struct m_cred_find	 globex = { 2, "boss@acme.test" };
	char			 junk[8192];
	int			 fd;

	CHECK_INT(search("."), 0);
	db_stop();
	memset(junk, 'x', sizeof(junk));
	if ((fd = open("tenants/1/main.db", O_WRONLY)) == -1 ||
	    write(fd, junk, sizeof(junk)) != sizeof(junk) || close(fd) == -1)
		abort();
	CHECK_INT(db_start(master, NULL), DB_OK);
	ask(AUTH, IMSG_C_STATUS, &(struct m_c_none){ 0 });
	CHECK_STR(((const struct m_c_stat_row *)take(AUTH,
	    IMSG_C_STAT_ROW))->name, "tenant.acme.damaged");
	ask(AUTH, IMSG_CRED_FIND, &acme);
	CHECK_INT(code(AUTH), R_UNAVAILABLE);
	ask(AUTH, IMSG_CRED_FIND, &globex);
	(void)take(AUTH, IMSG_CRED);
	ask(AUTH, IMSG_C_STATUS, &(struct m_c_none){ 0 });
	CHECK_STR(((const struct m_c_stat_row *)take(AUTH,
	    IMSG_C_STAT_ROW))->name, "tenant.acme.damaged");
	ask(AUTH, IMSG_C_USER_LIST, &(struct m_c_name){ 0, "acme" });
	CHECK_STR(((const struct m_result *)take(AUTH, IMSG_RESULT))->field,
	    "tenant acme: its data is damaged");
}

static void
set_list(enum policy_list list, const char *text)
{
	struct m_c_policy	 m = { .tenant = "acme", .text = text };

	m.key = (uint8_t)(POLICY_KEYS + list);
	ask(AUTH, IMSG_C_POLICY_SET, &m);
	CHECK_INT(code(AUTH), R_OK);
}

#define INSIDE	"192.0.2.0/24 2001:db8::/32"

/* The administration's list: rights end where it ends, and come back. */
static void
test_admin_networks(uint64_t in, uint64_t out)
{
	struct m_grant_only	 users = { in };
	struct m_a_tenant	 title = { out, "From outside" };

	set_list(POLICY_ADMIN_NETWORKS, INSIDE);
	ask(S0, IMSG_A_USERS, &users);
	CHECK_INT(code(S0), R_OK);
	ask(S0, IMSG_A_TENANT_SET, &title);
	CHECK_INT(code(S0), R_ADDRESS);
	users.grant = out;
	ask(S0, IMSG_A_USERS, &users);
	CHECK_INT(code(S0), R_ADDRESS);
	ask(S0, IMSG_FLOORS, &users);
	CHECK_INT(code(S0), R_OK);
	set_list(POLICY_ADMIN_NETWORKS, "");
	ask(S0, IMSG_A_USERS, &users);
	CHECK_INT(code(S0), R_OK);
}

/* The key to doors: administrators', for floors that they may enter. */
static void
test_door_key(void)
{
	struct m_door_key	 m = { gr_mem, open_floor, 3, DOOR_LOCKED };

	ask(S0, IMSG_DOOR_KEY, &m);
	CHECK_INT(code(S0), R_FORBIDDEN);
	m.grant = gr_boss + 1;
	ask(S0, IMSG_DOOR_KEY, &m);
	CHECK_INT(code(S0), R_SESSION);
	m.grant = gr_boss;
	m.floor = shut_floor;
	ask(S0, IMSG_DOOR_KEY, &m);
	CHECK_INT(code(S0), R_NOTFOUND);
	m.floor = open_floor;
	m.room = 0;
	ask(S0, IMSG_DOOR_KEY, &m);
	CHECK_INT(code(S0), R_INVALID);
	m.room = 3;
	ask(S0, IMSG_DOOR_KEY, &m);
	CHECK_INT(code(S0), R_OK);
}

/* A floor that lets in from inside only is none for who is outside. */
static void
test_floor_networks(uint64_t in, uint64_t out)
{
	struct m_c_floor_networks set = { 0, "acme", "Shut", INSIDE };
	struct m_grant_id	 get = { out, shut_floor };
	struct m_history	 hist = { .grant = out, .a = shut_floor };
	struct m_place_set	 place = { out, shut_floor, 310, 420 };
	struct m_say		 say = say_to(out, CHANNEL_FLOOR, shut_floor,
				    "out1");
	struct m_c_floor	 show = { 0, "acme", "Shut", "", "", 0 };
	struct m_a_floor	 bad = { .grant = in, .floor = shut_floor,
				    .mask = SET_NETWORKS, .name = "",
				    .template = "",
				    .networks = "10.0.0.0/8 10.0.0.1/8" };

	bad.mask = SET_OPEN;
	bad.open = 1;
	ask(S0, IMSG_A_FLOOR_SET, &bad);
	CHECK_INT(code(S0), R_OK);
	ask(S0, IMSG_FLOORS, &(struct m_grant_only){ out });
	CHECK_INT(count(S0, IMSG_FLOOR_ROW), 2);
	ask(AUTH, IMSG_C_FLOOR_NETWORKS, &set);
	CHECK_INT(code(AUTH), R_OK);
	CHECK_INT(count(S0, IMSG_RIGHTS), 1);
	ask(S0, IMSG_FLOORS, &(struct m_grant_only){ out });
	CHECK_INT(count(S0, IMSG_FLOOR_ROW), 1);
	ask(S0, IMSG_FLOOR_GET, &get);
	CHECK_INT(code(S0), R_NOTFOUND);
	ask(S0, IMSG_HISTORY, &hist);
	CHECK_INT(code(S0), R_NOTFOUND);
	ask(S0, IMSG_PLACE_SET, &place);
	CHECK_INT(code(S0), R_NOTFOUND);
	ask(S0, IMSG_SAY, &say);
	CHECK_INT(code(S0), R_NOTFOUND);
	get.grant = in;
	ask(S0, IMSG_FLOOR_GET, &get);
	CHECK_INT(count(S0, IMSG_FLOOR_DOC), 1);

	/* It stays when other rights change, and as it was when it is wrong. */
	bad.mask = SET_NETWORKS;
	ask(S0, IMSG_A_FLOOR_SET, &bad);
	CHECK_INT(code(S0), R_INVALID);
	bad.mask = SET_OPEN;
	ask(S0, IMSG_A_FLOOR_SET, &bad);
	CHECK_INT(code(S0), R_OK);
	ask(AUTH, IMSG_C_FLOOR_SHOW, &show);
	CHECK_STR(((const struct m_c_floor_row *)take(AUTH,
	    IMSG_C_FLOOR_ROW))->networks, INSIDE);
	set.networks = "10.0.0.1/8";
	ask(AUTH, IMSG_C_FLOOR_NETWORKS, &set);
	CHECK_INT(code(AUTH), R_REFUSED);
	set.networks = "";
	ask(AUTH, IMSG_C_FLOOR_NETWORKS, &set);
	CHECK_INT(code(AUTH), R_OK);
	ask(S0, IMSG_FLOORS, &(struct m_grant_only){ out });
	CHECK_INT(count(S0, IMSG_FLOOR_ROW), 2);
}

/* What auth has to answer in place of storage. */
static void
expect_talk(uint64_t grant, uint8_t can, uint8_t way)
{
	const struct m_talk_make	*make;

	ask(S0, IMSG_TALK_GET, &(struct m_grant_id){ grant, shut_floor });
	CHECK_INT(count(S0, IMSG_RESULT), 0);
	make = take(AUTH, IMSG_TALK_MAKE);
	CHECK_INT(make->inst, 0);
	CHECK_INT(make->floor, shut_floor);
	CHECK_INT(make->can, can);
	CHECK_INT(make->way, way);
}

/* What a floor lets people do, and how: kept, told, and only where one may. */
static void
test_floor_talk(uint64_t in, uint64_t out)
{
	struct m_c_floor_talk	 set = { 0, "acme", "Shut", RIGHT_VIDEO, 0,
				    WAY_MAX };
	struct m_a_floor	 m = { .grant = in, .floor = shut_floor,
				    .mask = SET_TALK, .can = RIGHT_SCREEN,
				    .open = 1,
				    .way = WAY_443, .name = "",
				    .template = "", .networks = "" };
	struct m_c_policy	 rule = { .tenant = "acme",
				    .key = POLICY_TALK_WAY,
				    .value = WAY_RELAY, .text = "" };
	const struct m_a_floor	*row;

	expect_talk(in, RIGHT_TALK, WAY_DIRECT);
	ask(AUTH, IMSG_C_FLOOR_TALK, &set);
	CHECK_INT(code(AUTH), R_OK);
	CHECK_INT(count(S0, IMSG_RIGHTS), 1);
	expect_talk(in, RIGHT_VOICE | RIGHT_SCREEN, WAY_DIRECT);
	ask(AUTH, IMSG_C_POLICY_SET, &rule);
	CHECK_INT(code(AUTH), R_OK);
	expect_talk(in, RIGHT_VOICE | RIGHT_SCREEN, WAY_RELAY);
	ask(S0, IMSG_A_FLOOR_SET, &m);
	row = take(S0, IMSG_A_FLOOR);
	CHECK_INT(row->can, RIGHT_SCREEN);
	CHECK_INT(row->way, WAY_443);
	expect_talk(in, RIGHT_SCREEN, WAY_443);
	/* It stays when who may enter changes. */
	m.mask = SET_OPEN;
	ask(S0, IMSG_A_FLOOR_SET, &m);
	CHECK_INT(code(S0), R_OK);
	expect_talk(in, RIGHT_SCREEN, WAY_443);
	set.floor = "Nowhere";
	ask(AUTH, IMSG_C_FLOOR_TALK, &set);
	CHECK_INT(code(AUTH), R_REFUSED);

	/* Nowhere else, and for nobody without a grant. */
	ask(S0, IMSG_TALK_GET, &(struct m_grant_id){ in, 4711 });
	CHECK_INT(code(S0), R_NOTFOUND);
	ask(S0, IMSG_TALK_GET, &(struct m_grant_id){ in + 1, shut_floor });
	CHECK_INT(code(S0), R_SESSION);
	ask(S1, IMSG_TALK_GET, &(struct m_grant_id){ in, shut_floor });
	CHECK_INT(code(S1), R_SESSION);
	CHECK_INT(count(AUTH, IMSG_TALK_MAKE), 0);
	ask(AUTH, IMSG_C_FLOOR_NETWORKS, &(struct m_c_floor_networks){ 0,
	    "acme", "Shut", INSIDE });
	ask(S0, IMSG_TALK_GET, &(struct m_grant_id){ out, shut_floor });
	CHECK_INT(code(S0), R_NOTFOUND);
	ask(AUTH, IMSG_C_FLOOR_NETWORKS, &(struct m_c_floor_networks){ 0,
	    "acme", "Shut", "" });
	peer(PROC_AUTH, 0)->pe_up = 0;
	ask(S0, IMSG_TALK_GET, &(struct m_grant_id){ in, shut_floor });
	CHECK_INT(code(S0), R_UNAVAILABLE);
	peer(PROC_AUTH, 0)->pe_up = 1;
	rule.value = WAY_DIRECT;
	ask(AUTH, IMSG_C_POLICY_SET, &rule);
}

static void
test_networks(void)
{
	struct m_grant_new	 gr = { .tenant = 1, .req = 5,
				    .addr = "198.51.100.1" };
	struct m_c_policy	 list = { .tenant = "acme", .text = INSIDE };
	uint64_t		 in, out;
	struct m_a_policy	 m;
	struct policy		 was, po;
	uint8_t			 wasbuf[POLICY_BYTES], buf[POLICY_BYTES];
	char			 wrong[POLICY_WORD + 1];
	const struct m_result	*r;
	const struct m_grant_end *end;

	CHECK((in = sign_in_from(1, boss, 41, 0, "2001:db8::7")) != 0);
	CHECK((out = sign_in_from(1, boss, 42, 0, "198.51.100.1")) != 0);
	test_admin_networks(in, out);
	test_floor_networks(in, out);
	test_floor_talk(in, out);

	/* Who would lock himself out is told by which list. */
	policy_default(&was);
	po = was;
	CHECK_INT(policy_list(&po, POLICY_NETWORKS, "10.0.0.0/8", wrong), 0);
	m.grant = in;
	m.was = (struct m_blob){ wasbuf, policy_write(&was, wasbuf) };
	m.policy = (struct m_blob){ buf, policy_write(&po, buf) };
	ask(S0, IMSG_A_POLICY_SET, &m);
	r = take(S0, IMSG_RESULT);
	CHECK_INT(r->code, R_EXCLUDES);
	CHECK_STR(r->field, "networks");

	/* Whoever is outside of the tenant's list is put out. */
	list.key = POLICY_KEYS + POLICY_NETWORKS;
	ask(AUTH, IMSG_C_POLICY_SET, &list);
	end = take(S0, IMSG_GRANT_END);
	CHECK(end->grant == out && end->why == END_ADDRESS);
	CHECK_INT(count(S0, IMSG_GRANT_END), 1);
	ask(S0, IMSG_FLOORS, &(struct m_grant_only){ in });
	CHECK_INT(code(S0), R_OK);
	ask(S0, IMSG_FLOORS, &(struct m_grant_only){ out });
	CHECK_INT(code(S0), R_SESSION);
	CHECK_INT(sign_in_from(1, boss, 43, 0, "198.51.100.1"), 0);
	memset(gr.sha, 41, sizeof(gr.sha));
	ask(AUTH, IMSG_GRANT_NEW, &gr);
	CHECK_INT(code(AUTH), R_ADDRESS);
	CHECK_INT(sign_in_from(1, boss, 43, 0, "nowhere"), 0);
	CHECK((in = sign_in_from(1, boss, 44, 0, "::ffff:192.0.2.9")) != 0);
	set_list(POLICY_NETWORKS, "");
	CHECK((out = sign_in_from(1, boss, 45, 0, "198.51.100.1")) != 0);
}

/* Blocks in the access log of this month. */
static unsigned int
blocks_of(uint32_t tenant)
{
	char	 path[DB_PATH];

	db_log_path(path, sizeof(path), tenant, db_month_of(now_ms()));
	return (count_in(path, "SELECT count(*) FROM access"));
}

/* Whoever looks at his log writes it, and not the one of everybody. */
static void
test_log(void)
{
	struct m_c_policy	 po = { .tenant = "acme", .text = "",
				    .key = POLICY_LOG_CONSOLE, .value = 1 };
	struct m_access		 ac = { .at = now_ms(), .kind = ACCESS_REQUEST,
				    .addr = "192.0.2.1", .text = "/" };
	struct m_a_log		 m = { .to = UINT64_MAX, .kind = ACCESS_TALK,
				    .from = now_ms() - SECOND,
				    .network = "" };
	unsigned int		 one, two;
	uint64_t		 other;

	ask(AUTH, IMSG_C_POLICY_SET, &po);
	CHECK_INT(code(AUTH), R_OK);
	m.grant = sign_in(1, boss, 0xe1, 0);
	other = sign_in(2, gboss, 0xe2, 1);
	CHECK(m.grant != 0 && other != 0);
	access_flush();
	one = blocks_of(1);
	two = blocks_of(2);
	ac.grant = m.grant;
	put(S0, IMSG_ACCESS, &ac);
	ac.grant = other;
	put(S1, IMSG_ACCESS, &ac);
	put(S0, IMSG_A_LOG, &m);
	CHECK_INT(blocks_of(1), one + 1);
	CHECK_INT(blocks_of(2), two);
	turn();
}

static void
test_operator(void)
{
	struct m_c_floor_add	 add = { 0, "acme", "Third", "office",
				    { NULL, 0 } };
	struct m_c_floor	 f = { 0, "acme", "Third", "", "", 0 };
	struct m_c_user		 u = { 0, "acme", "boss@acme.test",
				    USER_LOCKED, "", "" };
	const struct m_c_floor_row *row;

	ask(AUTH, IMSG_C_FLOOR_ADD, &add);
	CHECK_INT(code(AUTH), R_OK);
	ask(AUTH, IMSG_C_FLOOR_ALLOW, &f);	/* deny everybody */
	CHECK_INT(code(AUTH), R_OK);
	f.user = "third@acme.test";
	f.allow = 1;
	ask(AUTH, IMSG_C_FLOOR_ALLOW, &f);
	CHECK_INT(code(AUTH), R_OK);
	ask(AUTH, IMSG_C_FLOOR_SHOW, &f);
	row = take(AUTH, IMSG_C_FLOOR_ROW);
	CHECK_INT(row->open, 0);
	CHECK_INT(row->bytes, 9);
	CHECK_STR(row->who, "third@acme.test");
	ask(AUTH, IMSG_C_FLOOR_LIST, &(struct m_c_name){ 0, "acme" });
	CHECK_INT(count(AUTH, IMSG_C_FLOOR_ROW), 3);
	ask(AUTH, IMSG_C_FLOOR_DEL, &f);
	CHECK_INT(code(AUTH), R_OK);
	ask(AUTH, IMSG_C_FLOOR_SHOW, &f);
	CHECK_INT(code(AUTH), R_REFUSED);
	ask(AUTH, IMSG_C_USER_STATE, &u);	/* the last administrator */
	CHECK_INT(code(AUTH), R_REFUSED);
	u.email = "third@acme.test";
	ask(AUTH, IMSG_C_USER_DEL, &u);
	CHECK_INT(code(AUTH), R_OK);
	ask(AUTH, IMSG_C_USER_LIST, &(struct m_c_name){ 0, "acme" });
	CHECK_INT(count(AUTH, IMSG_C_USER_ROW), 2);
	ask(AUTH, IMSG_C_SESSION_LIST, &(struct m_c_name){ 0, "acme" });
	CHECK(count(AUTH, IMSG_C_SESSION_ROW) >= 1);
	ask(AUTH, IMSG_C_STATS, &(struct m_c_none){ 0 });
	CHECK(count(AUTH, IMSG_C_STAT_ROW) >= 8);
}

static void
said(enum result want, const char *field)
{
	const struct m_result	*r = take(AUTH, IMSG_RESULT);

	CHECK_INT(r->code, want);
	CHECK_STR(r->field, field);
}

/* The ledger: what each role may, even if auth were not to look. */
static void
test_ledger(void)
{
	struct m_c_operator	 m = { 0, 1000, OP_OPERATOR, 0, "o" CANARY };
	struct m_c_tenant_add	 add = { 1000, "third", "", "" };
	struct m_c_none		 none = { 1000 };
	const struct m_operator	*op;
	const struct m_c_operator_row *row;

	ask(AUTH, IMSG_C_OPERATOR_LIST, &none);
	said(R_REFUSED, "you are not in the ledger of operators");
	ask(AUTH, IMSG_C_TENANT_ADD, &add);
	said(R_REFUSED, "this is not for your role");
	ask(AUTH, IMSG_C_OPERATOR_ADD, &m);
	op = take(AUTH, IMSG_OPERATOR);		/* before the answer */
	CHECK_INT(op->uid, 1000);
	CHECK_INT(op->role, OP_OPERATOR);
	CHECK_INT(code(AUTH), R_OK);
	ask(AUTH, IMSG_C_TENANT_ADD, &add);
	CHECK_INT(code(AUTH), R_OK);
	ask(AUTH, IMSG_C_OPERATOR_ADD, &m);
	said(R_REFUSED, "o" CANARY " is in the ledger, role operator, for "
	    "ever: remove that first");
	m.op = 1000;
	m.uid = 1001;
	ask(AUTH, IMSG_C_OPERATOR_ADD, &m);
	said(R_REFUSED, "this is not for your role");
	ask(AUTH, IMSG_C_OPERATOR_DEL, &m);
	said(R_REFUSED, "this is not for your role");
	CHECK_INT(count(AUTH, IMSG_OPERATOR), 0);
	/* An owner, for a moment. */
	m.op = 0;
	m.role = OP_OWNER;
	m.until = 1;
	ask(AUTH, IMSG_C_OPERATOR_ADD, &m);
	said(R_REFUSED, "o" CANARY ": the end is in the past");
	m.until = now_ms() + 50;
	ask(AUTH, IMSG_C_OPERATOR_ADD, &m);
	CHECK_INT(code(AUTH), R_OK);
	while (now_ms() <= m.until)
		(void)usleep(1000);
	none.op = 1001;
	ask(AUTH, IMSG_C_OPERATOR_LIST, &none);
	said(R_REFUSED, "you are not in the ledger of operators");
	none.op = 0;
	ask(AUTH, IMSG_C_OPERATOR_LIST, &none);
	row = take(AUTH, IMSG_C_OPERATOR_ROW);
	CHECK_INT(row->uid, 0);
	CHECK_INT(row->role, OP_OWNER);
	row = take(AUTH, IMSG_C_OPERATOR_ROW);
	CHECK_INT(row->uid, 1000);
	CHECK_INT(row->expired, 0);
	CHECK_STR(row->name, "o" CANARY);
	CHECK_STR(row->byname, "root");
	row = take(AUTH, IMSG_C_OPERATOR_ROW);
	CHECK_INT(row->uid, 1001);
	CHECK_INT(row->expired, 1);
	CHECK_INT(code(AUTH), R_OK);
	/* In the place of what has expired, without removing it. */
	m.until = 0;
	ask(AUTH, IMSG_C_OPERATOR_ADD, &m);
	CHECK_INT(code(AUTH), R_OK);
	m.op = 1001;
	m.uid = 1002;
	m.role = OP_AUDITOR;
	ask(AUTH, IMSG_C_OPERATOR_ADD, &m);
	CHECK_INT(code(AUTH), R_OK);
	ask(AUTH, IMSG_C_OPERATOR_LIST, &none);
	CHECK_INT(count(AUTH, IMSG_C_OPERATOR_ROW), 4);
	row = (const void *)sent[3]->he_msg;
	CHECK_INT(row->by, 1001);
	CHECK_STR(row->byname, "o" CANARY);
}

/* What is no role, and root. */
static void
test_ledger_wrong(void)
{
	struct m_c_operator	 m = { 0, 0, OP_AUDITOR, 0, "x" };

	ask(AUTH, IMSG_C_OPERATOR_ADD, &m);
	said(R_REFUSED, "root is always owner and needs no entry");
	ask(AUTH, IMSG_C_OPERATOR_DEL, &m);
	said(R_REFUSED, "root is always owner and cannot be removed");
	m.uid = UINT32_MAX;
	ask(AUTH, IMSG_C_OPERATOR_ADD, &m);
	CHECK_INT(code(AUTH), R_REFUSED);
	m.uid = 7;
	m.role = OP_NONE;
	ask(AUTH, IMSG_C_OPERATOR_ADD, &m);
	CHECK_INT(code(AUTH), R_REFUSED);
	m.role = OP_AUDITOR;
	m.name = "a\nb";
	ask(AUTH, IMSG_C_OPERATOR_ADD, &m);
	CHECK_INT(code(AUTH), R_REFUSED);
	ask(AUTH, IMSG_C_OPERATOR_DEL, &m);
	said(R_REFUSED, "7 is not in the ledger");
	CHECK_INT(count(AUTH, IMSG_OPERATOR), 0);
}

/* Somebody who can write the file makes an owner of himself. */
static void
test_ledger_edits(void)
{
	static const char *const	 sql[] = {
		"UPDATE operators SET role = 3 WHERE uid = 1002",
		"UPDATE operators SET until = 9999999999999 WHERE uid = 1002",
		"UPDATE operators SET version = 9 WHERE uid = 1002",
		"UPDATE operators SET granter = 1 WHERE uid = 1002",
		"UPDATE operators SET uid = 1003 WHERE uid = 1002",
		"UPDATE operators SET uid = 1002 WHERE uid = 1003",
	};
	struct m_c_operator		 m = { 0, 1002, OP_AUDITOR, 0, "x" };
	struct m_c_none			 none = { 1002 };
	size_t				 i;

	ask(AUTH, IMSG_C_OPERATOR_LIST, &none);
	CHECK_INT(code(AUTH), R_OK);
	for (i = 0; i < sizeof(sql) / sizeof(sql[0]) - 1; i++) {
		edit_in("system.db", sql[i]);
		none.op = i == 4 ? 1003 : 1002;
		ask(AUTH, IMSG_C_OPERATOR_LIST, &none);
		said(R_REFUSED, "you are not in the ledger of operators");
		/* It is neither told nor forgotten. */
		forget();
		storage_ops.po_up(peer(AUTH));
		turn();
		CHECK_INT(count(AUTH, IMSG_OPERATOR), 2);
		CHECK_INT(count(AUTH, IMSG_OPERATORS), 1);
		none.op = 0;
		ask(AUTH, IMSG_C_OPERATOR_LIST, &none);
		CHECK_INT(count(AUTH, IMSG_C_OPERATOR_ROW), 4);
		if (i < 4) {
			ask(AUTH, IMSG_C_OPERATOR_DEL, &m);
			CHECK_INT(code(AUTH), R_OK);
			ask(AUTH, IMSG_C_OPERATOR_ADD, &m);
			CHECK_INT(code(AUTH), R_OK);
		}
	}
	edit_in("system.db", sql[i]);
	none.op = 1002;
	ask(AUTH, IMSG_C_OPERATOR_LIST, &none);
	CHECK_INT(code(AUTH), R_OK);
}

/* An auth that comes up is told everything, and then that this was all. */
static void
test_ledger_told(void)
{
	struct m_c_operator	 m = { 0, 1002, OP_NONE, 0, "" };
	struct m_note		 note = { 1000, IMSG_C_RELOAD, 0, 0,
				    NOTE_BEGIN };
	const struct m_operator	*op;

	forget();
	storage_ops.po_down(peer(AUTH));
	storage_ops.po_up(peer(AUTH));
	turn();
	op = take(AUTH, IMSG_OPERATOR);
	CHECK_INT(op->uid, 1000);
	CHECK_INT(op->role, OP_OPERATOR);
	CHECK_INT(((const struct m_operator *)take(AUTH,
	    IMSG_OPERATOR))->uid, 1001);
	CHECK_INT(((const struct m_operator *)take(AUTH,
	    IMSG_OPERATOR))->uid, 1002);
	(void)take(AUTH, IMSG_OPERATORS);
	ask(AUTH, IMSG_C_OPERATOR_DEL, &m);
	op = take(AUTH, IMSG_OPERATOR);
	CHECK_INT(op->uid, 1002);
	CHECK_INT(op->role, OP_NONE);
	CHECK_INT(code(AUTH), R_OK);
	ask(AUTH, IMSG_NOTE, &note);
	CHECK_INT(code(AUTH), R_OK);
	for (note.note = NOTE_DONE; note.note < NOTE_MAX; note.note++) {
		note.type = note.note;		/* any number will do */
		ask(AUTH, IMSG_NOTE, &note);
		CHECK_INT(nsent, 0);
	}
	note.note = NOTE_STRANGER;
	note.type = UINT32_MAX;
	ask(AUTH, IMSG_NOTE, &note);
	CHECK_INT(nsent, 0);
}

/* Lines: mail, role, groups; then their END. */
static void
import(uint64_t grant, const char *const lines[][3], uint32_t n, int dry,
    const uint8_t *was)
{
	struct m_a_import	 begin = { grant, 7 };
	struct m_a_import_line	 line = { .grant = grant, .nr = 7,
				    .mask = SET_ROLE | SET_GROUPS,
				    .name = "", .state = "" };
	struct m_a_import_end	 end = { .grant = grant, .nr = 7, .count = n,
				    .dry = dry != 0 };
	uint32_t		 i;

	forget();
	put(S1, IMSG_A_IMPORT_BEGIN, &begin);
	for (i = 0; i < n; i++) {
		line.line = i + 2;
		line.email = lines[i][0];
		line.role = lines[i][1];
		line.groups = lines[i][2];
		put(S1, IMSG_A_IMPORT_LINE, &line);
	}
	CHECK_INT(nsent, 0);			/* nothing asks for answers */
	if (was != NULL)
		memcpy(end.was, was, sizeof(end.was));
	ask(S1, IMSG_A_IMPORT_END, &end);
	CHECK_INT(count(S1, IMSG_RESULT), 1);
}

static void
test_import(void)
{
	static const char *const	 good[][3] = {
		{ "boss@acme.test", "admin", "G" },
		{ "Nina@x.test", "member", "G" },
		{ "omar@x.test", "", "" },
	}, *const bad[][3] = {
		{ "pia@x.test", "member", "" },
		{ "pia@x.test", "member", "" },
		{ "quin@x.test", "boss", "" },
		{ "rosa@x.test", "", "H" },
		{ "boss@acme.test", "member", "" },
	};
	const struct m_import_done	*done;
	const struct m_import_row	*row;
	const struct m_a_group		*gp;
	struct m_a_group		 g = { .name = "G" };
	uint8_t				 was[TOKEN_LEN];
	uint64_t			 gr;

	CHECK((gr = g.grant = sign_in(2, gboss, 60, 1)) != 0);
	ask(S1, IMSG_A_GROUP_ADD, &g);
	CHECK_INT(code(S1), R_OK);
	import(gr, bad, 5, 1, NULL);
	row = take(S1, IMSG_A_IMPORT_ROW);
	CHECK_INT(row->what, IMPORT_ADD);
	CHECK_INT(((row = take(S1, IMSG_A_IMPORT_ROW)))->why, CSV_TWICE);
	CHECK_INT(((row = take(S1, IMSG_A_IMPORT_ROW)))->place, CSV_ROLE);
	CHECK_INT(((row = take(S1, IMSG_A_IMPORT_ROW)))->place, CSV_GROUPS);
	CHECK_INT(((row = take(S1, IMSG_A_IMPORT_ROW)))->why, CSV_SELF);
	done = take(S1, IMSG_A_IMPORT_DONE);
	CHECK_INT(done->good, 0);
	memcpy(was, done->digest, sizeof(was));
	import(gr, bad, 5, 0, was);
	CHECK_INT(code(S1), R_CONFLICT);

	import(gr, good, 3, 1, NULL);
	done = take(S1, IMSG_A_IMPORT_DONE);
	CHECK_INT(done->good, 1);
	memcpy(was, done->digest, sizeof(was));
	was[0] ^= 1;
	import(gr, good, 3, 0, was);
	CHECK_INT(code(S1), R_CONFLICT);
	was[0] ^= 1;
	import(gr, good, 3, 0, was);
	row = take(S1, IMSG_A_IMPORT_ROW);
	CHECK_INT(row->what, IMPORT_CHANGE);
	CHECK_STR(row->groups, "G");
	row = take(S1, IMSG_A_IMPORT_ROW);
	CHECK_STR(row->email, "nina@x.test");
	CHECK(row->user != 0 && row->expires > now_ms());
	CHECK_INT(code(S1), R_OK);
	ask(S1, IMSG_A_GROUPS, &(struct m_grant_only){ gr });
	gp = take(S1, IMSG_A_GROUP);
	CHECK_INT(gp->members.mb_len, 2 * sizeof(uint32_t));
	import(gr, good, 3, 0, was);		/* it is so already */
	CHECK_INT(code(S1), R_CONFLICT);
}

/* A guest's visit: the grant after coming in with a name, 0 for none. */
static uint64_t
come_in(const uint8_t url[TOKEN_LEN], uint8_t seed, const char *name,
    uint8_t door)
{
	struct m_guest_new	 new = { .tenant = 1,
				    .expires = now_ms() + 3600000,
				    .addr = "192.0.2.9", .agent = "" };
	struct m_grant_new	 gr = { .tenant = 1, .inst = 0, .req = 9,
				    .addr = "192.0.2.9" };
	const struct m_grant	*mg;
	uint64_t		 grant;

	(void)sha256(new.url, url, TOKEN_LEN);
	memset(new.sha, seed, sizeof(new.sha));
	memset(gr.sha, seed, sizeof(gr.sha));
	ask(AUTH, IMSG_GUEST_NEW, &new);
	if (code(AUTH) != R_OK)
		return (0);
	ask(AUTH, IMSG_GRANT_NEW, &gr);
	mg = take(S0, IMSG_GRANT);
	CHECK_INT(mg->role, ROLE_GUEST);
	CHECK_INT(mg->door, 1);		/* nobody without a name is in */
	grant = mg->grant;
	ask(S0, IMSG_FLOORS, &(struct m_grant_only){ grant });
	CHECK_INT(code(S0), R_FORBIDDEN);
	ask(S0, IMSG_GUEST_NAME, &(struct m_guest_name){ grant, name });
	CHECK_INT(count(S0, IMSG_GRANT_END), 1);
	nread = 0;
	CHECK_INT(((const struct m_result *)take(S0, IMSG_RESULT))->arg, door);
	CHECK_INT(count(S0, IMSG_KNOCK), door);
	CHECK_INT(count(S1, IMSG_KNOCK), door);
	ask(AUTH, IMSG_GRANT_NEW, &gr);
	mg = take(S0, IMSG_GRANT);
	CHECK_INT(mg->door, door);
	CHECK_STR(mg->name, name);
	CHECK_STR(mg->email, "");
	return (mg->grant);
}

/* A new URL for the floor; its number, and the token. */
static uint32_t
new_url(uint32_t uses, uint8_t approval, uint8_t token[TOKEN_LEN])
{
	uint8_t			 floor[4] = { 0, 0, 0, 1 };
	struct m_guest_add	 add = { gr_boss, now_ms() + 3600000, uses,
				    approval, 0, "for " CANARY, { floor, 4 } };
	uint32_t		 id;

	ask(S0, IMSG_GUEST_ADD, &add);
	id = ((const struct m_guest_row *)take(S0, IMSG_GUEST_ROW))->guest;
	memcpy(token, ((const struct m_a_link *)take(S0, IMSG_A_LINK))->token,
	    TOKEN_LEN);
	CHECK_INT(code(S0), R_OK);
	return (id);
}

static void
test_guest_terms(void)
{
	uint8_t			 floor[8] = { 0, 0, 0, 1, 0, 0, 0, 99 };
	struct m_guest_add	 bad[] = {
		{ gr_boss, now_ms() + 9000, 0, 0, 0, "", { floor, 4 } },
		{ gr_boss, now_ms() + 9000, 1001, 0, 0, "", { floor, 4 } },
		{ gr_boss, now_ms(), 1, 0, 0, "", { floor, 4 } },
		{ gr_boss, now_ms() + 367ULL * 86400000, 1, 0, 0, "",
		    { floor, 4 } },
		{ gr_boss, now_ms() + 9000, 1, 0, 0, "", { floor, 0 } },
		{ gr_boss, now_ms() + 9000, 1, 0, 0, "", { floor, 3 } },
		{ gr_boss, now_ms() + 9000, 1, 0, 0, "", { floor, 8 } },
		{ gr_boss, now_ms() + 9000, 1, 0, 0, "a\nb", { floor, 4 } },
	};
	size_t			 i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ask(S0, IMSG_GUEST_ADD, &bad[i]);
		CHECK_INT(code(S0), R_INVALID);
	}
	bad[0].uses = 1;
	bad[0].grant = gr_mem;
	ask(S0, IMSG_GUEST_ADD, &bad[0]);
	CHECK_INT(code(S0), R_FORBIDDEN);
	/* A password that was not sealed under this grant is none. */
	bad[0].grant = gr_boss;
	bad[0].secret = 42;
	ask(S0, IMSG_GUEST_ADD, &bad[0]);
	CHECK_INT(code(S0), R_CONFLICT);
}

/* What the role of members may; its version, which goes up by that. */
static void
members_may(uint8_t can)
{
	struct m_a_role	 m = { .grant = gr_boss, .role = ROLE_MEMBER,
			    .mask = SET_CAN, .can = can, .name = "" };

	ask(S0, IMSG_A_ROLES, &(struct m_grant_only){ gr_boss });
	m.version = ((const struct m_a_role *)take(S0, IMSG_A_ROLE))->version;
	ask(S0, IMSG_A_ROLE_SET, &m);
	CHECK_INT(code(S0), R_OK);
}

/* A member with the right has his own URLs, and no way to those of others. */
static void
test_guest_hosts(void)
{
	uint8_t			 floor[4] = { 0, 0, 0, 1 };
	uint8_t			 token[TOKEN_LEN], other[TOKEN_LEN];
	struct m_guest_add	 add = { gr_mem, now_ms() + 3600000, 1, 0, 0,
				    "", { floor, 4 } };
	struct m_guest_seal	 seal = { 1, 0, gr_mem, { "seal", 4 } };
	struct m_link_find	 find = { .tenant = 1 };
	uint32_t		 id, theirs;

	theirs = new_url(1, 0, other);
	ask(S0, IMSG_GUESTS, &(struct m_grant_only){ gr_mem });
	CHECK_INT(code(S0), R_FORBIDDEN);
	ask(AUTH, IMSG_GUEST_SEAL, &seal);
	CHECK_INT(code(AUTH), R_FORBIDDEN);
	members_may(RIGHT_ALL);
	ask(AUTH, IMSG_GUEST_SEAL, &seal);
	CHECK_INT(code(AUTH), R_OK);
	ask(S0, IMSG_GUEST_ADD, &add);
	id = ((const struct m_guest_row *)take(S0, IMSG_GUEST_ROW))->guest;
	memcpy(token, ((const struct m_a_link *)take(S0, IMSG_A_LINK))->token,
	    TOKEN_LEN);
	(void)sha256(find.sha, token, TOKEN_LEN);
	ask(S0, IMSG_GUESTS, &(struct m_grant_only){ gr_mem });
	CHECK_INT(((const struct m_guest_row *)take(S0,
	    IMSG_GUEST_ROW))->guest, id);
	CHECK_INT(count(S0, IMSG_GUEST_ROW), 1);
	ask(S0, IMSG_GUEST_DEL, &(struct m_grant_id){ gr_mem, theirs });
	CHECK_INT(code(S0), R_NOTFOUND);
	ask(AUTH, IMSG_GUEST_FIND, &find);
	CHECK_INT(code(AUTH), R_OK);
	/* Without the right it opens nothing, and he has no way to it. */
	members_may(RIGHT_ALL & ~RIGHT_GUEST);
	ask(AUTH, IMSG_GUEST_FIND, &find);
	CHECK_INT(code(AUTH), R_LINK);
	ask(S0, IMSG_GUEST_DEL, &(struct m_grant_id){ gr_mem, id });
	CHECK_INT(code(S0), R_FORBIDDEN);
	ask(S0, IMSG_GUEST_DEL, &(struct m_grant_id){ gr_boss, id });
	CHECK_INT(code(S0), R_OK);
	ask(S0, IMSG_GUEST_DEL, &(struct m_grant_id){ gr_boss, theirs });
	CHECK_INT(code(S0), R_OK);
}

static void
test_guests(void)
{
	uint8_t			 token[TOKEN_LEN], door[TOKEN_LEN];
	struct m_guest_seal	 seal = { 1, 0, gr_boss, { "seal", 4 } };
	struct m_say		 say = { 0, CHANNEL_FLOOR, 1, 0, "g1", "hi" };
	struct m_history	 his = { 0, CHANNEL_FLOOR, 1, 0, 0, 100 };
	struct m_link_find	 find = { .tenant = 1 };
	struct tenant		*tn = tenant_by_id(1);
	const struct m_message	*msg;
	uint64_t		 in, second, waits, said;
	uint32_t		 id, shut, user;

	test_guest_terms();
	test_guest_hosts();
	id = new_url(2, 0, token);
	shut = new_url(1, 1, door);
	(void)sha256(find.sha, door, TOKEN_LEN);
	ask(AUTH, IMSG_GUEST_FIND, &find);
	CHECK_INT(((const struct m_guest *)take(S0, IMSG_GUEST))->approval, 1);
	CHECK((in = come_in(token, 101, "Greta", 0)) != 0);
	CHECK((second = come_in(token, 102, "Hugo", 0)) != 0);
	CHECK_INT(come_in(token, 103, "Late", 0), 0);	/* two uses are two */

	/* One floor, nothing from before, nobody by number. */
	ask(S0, IMSG_FLOORS, &(struct m_grant_only){ in });
	CHECK_INT(count(S0, IMSG_FLOOR_ROW), 1);
	his.grant = in;
	ask(S0, IMSG_HISTORY, &his);
	CHECK_INT(count(S0, IMSG_MESSAGE), 0);
	say.grant = in;
	ask(S0, IMSG_SAY, &say);
	CHECK_INT(((const struct m_bus_msg *)take(S1, IMSG_BUS_MSG))->guest,
	    1);
	nread = 0;
	said = ((const struct m_said *)take(S0, IMSG_SAID))->id;
	ask(S0, IMSG_HISTORY, &his);
	CHECK_INT(count(S0, IMSG_MESSAGE), 1);
	ask(S0, IMSG_PEOPLE, &(struct m_people){ .grant = in });
	CHECK_INT(code(S0), R_FORBIDDEN);
	say.kind = CHANNEL_USER;
	say.a = mem;
	say.ref = "g2";
	ask(S0, IMSG_SAY, &say);		/* not on one floor */
	CHECK_INT(code(S0), R_NOTFOUND);
	say.b = 1;
	ask(S0, IMSG_SAY, &say);
	CHECK_INT(count(S0, IMSG_SAID), 1);
	ask(S0, IMSG_GUEST_NAME, &(struct m_guest_name){ in, "Boss" });
	CHECK_INT(code(S0), R_CONFLICT);
	ask(S0, IMSG_ME_SET, &(struct m_me_set){ .grant = in,
	    .mask = SET_NAME, .name = "Boss", .note = "" });
	CHECK_INT(code(S0), R_FORBIDDEN);

	/* Only for whoever made it, and only once. */
	ask(AUTH, IMSG_GUEST_SEAL, &seal);
	CHECK_INT(code(AUTH), R_OK);
	seal.grant = in;
	ask(AUTH, IMSG_GUEST_SEAL, &seal);
	CHECK_INT(code(AUTH), R_FORBIDDEN);

	/* At the door: let in once, or sent away when nobody answers. */
	CHECK((waits = come_in(door, 104, "Walter", 1)) != 0);
	ask(S0, IMSG_FLOORS, &(struct m_grant_only){ waits });
	CHECK_INT(code(S0), R_FORBIDDEN);
	ask(S0, IMSG_GUESTS, &(struct m_grant_only){ gr_boss });
	CHECK_INT(count(S0, IMSG_GUEST_ROW), 2);
	CHECK_INT(count(S0, IMSG_VISIT_ROW), 3);
	nread = 0;
	(void)take(S0, IMSG_VISIT_ROW);
	(void)take(S0, IMSG_VISIT_ROW);
	user = ((const struct m_visit_row *)take(S0, IMSG_VISIT_ROW))->user;
	ask(S0, IMSG_GUEST_ADMIT, &(struct m_guest_admit){ in, user, 1 });
	CHECK_INT(code(S0), R_FORBIDDEN);	/* guests let nobody in */
	forget();
	guest_late(now_ms() + 60 * SECOND);
	turn();
	CHECK_INT(count(S0, IMSG_KNOCK_END), 0);
	guest_late(now_ms() + 301 * SECOND);
	turn();
	CHECK_INT(((const struct m_knock_end *)take(S1, IMSG_KNOCK_END))->why,
	    KNOCK_LATE);
	nread = 0;
	CHECK_INT(((const struct m_grant_end *)take(S0, IMSG_GRANT_END))->why,
	    END_LATE);
	ask(S0, IMSG_GUEST_ADMIT, &(struct m_guest_admit){ gr_mem, user, 1 });
	CHECK_INT(code(S0), R_FORBIDDEN);
	ask(S0, IMSG_GUEST_ADMIT, &(struct m_guest_admit){ gr_boss, user,
	    1 });
	CHECK_INT(code(S0), R_NOTFOUND);

	/* Used up and empty: the sweep forgets it.  Revoked: all are out. */
	tn->tn_sweep = guest_sweep(tn, now_ms());
	ask(S0, IMSG_GUEST_DEL, &(struct m_grant_id){ gr_boss, shut });
	CHECK_INT(code(S0), R_NOTFOUND);
	ask(S0, IMSG_SIGNOUT, &(struct m_grant_only){ second });
	CHECK_INT(code(S0), R_OK);
	ask(S0, IMSG_GUEST_DEL, &(struct m_grant_id){ gr_mem, id });
	CHECK_INT(code(S0), R_FORBIDDEN);
	ask(S0, IMSG_GUEST_DEL, &(struct m_grant_id){ gr_boss, id });
	CHECK_INT(count(S0, IMSG_GRANT_END), 1);
	CHECK_INT(code(S0), R_OK);
	ask(S0, IMSG_FLOORS, &(struct m_grant_only){ in });
	CHECK_INT(code(S0), R_SESSION);
	CHECK(guest_sweep(tn, now_ms()) == UINT64_MAX);

	/* What he said stays his, with the name and the mark. */
	his.grant = gr_mem;
	ask(S0, IMSG_HISTORY, &his);
	while ((msg = take(S0, IMSG_MESSAGE))->id != said)
		;
	CHECK_STR(msg->name, "Greta");
	CHECK_INT(msg->guest, 1);
}

int
main(void)
{
	char	 cmd[64];

	if (mkdtemp(dir) == NULL || chdir(dir) == -1 ||
	    imsgbuf_init(&scratch, -1) == -1 ||
	    imsgbuf_set_maxsize(&scratch, MAX_PAYLOAD) == -1)
		abort();
	event_init();
	test_conf();
	test_tenants();
	test_users();
	test_locks();
	test_alerts();
	test_me();
	test_floors();
	test_door_key();
	test_groups();
	test_say();
	test_direct();
	test_across();
	test_factor();
	test_guests();
	test_roles();
	test_passkeys();
	test_old_password();
	test_anew();
	test_fence();
	test_rights();
	test_role_limits();
	test_ends();
	test_points();
	test_turn();
	test_full();
	test_gone();
	test_networks();
	test_log();
	test_operator();
	test_ledger();
	test_ledger_wrong();
	test_ledger_edits();
	test_ledger_told();
	test_import();
	test_edits();
	test_damage();
	storage_ops.po_shutdown();
	forget();
	(void)chdir("/");
	(void)snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	if (getenv("KEEP") == NULL && system(cmd) != 0)
		abort();
	return (unit_end());
}
