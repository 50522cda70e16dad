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

/* Let the timers of storage run. */
static void
turn(void)
{
	int	 i;

	for (i = 0; i < 8; i++)
		(void)event_loop(EVLOOP_NONBLOCK);
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
	CHECK_STR(ack.why, "master key is not the one of this data");
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
				    .sealed = { "hash", 4 } };

	(void)sha256(find.sha, token, TOKEN_LEN);
	memcpy(set.sha, find.sha, sizeof(set.sha));
	ask(AUTH, IMSG_LINK_FIND, &find);
	CHECK_INT(((const struct m_link *)take(S1, IMSG_LINK))->kind, kind);
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
    uint8_t role)
{
	struct m_c_user			 m = { 0, tenant, mail, role, "" };
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
sign_in(uint32_t tenant, uint32_t user, uint8_t seed, uint16_t inst)
{
	struct m_token_new	 tk = { .tenant = tenant, .user = user,
				    .expires = now_ms() + 3600000,
				    .addr = "192.0.2.1", .agent = CANARY };
	struct m_grant_new	 gr = { .tenant = tenant, .inst = inst,
				    .req = 4242 };

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

	boss = add_operator_user("acme", 1, "boss@acme.test", ROLE_ADMIN);
	gboss = add_operator_user("globex", 2, "boss@acme.test", ROLE_ADMIN);
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
	ask(S0, IMSG_PEOPLE, &(struct m_grant_only){ gr_mem });
	CHECK_INT(count(S0, IMSG_PERSON), 2);
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
	CHECK_INT(code(S0), R_OK);
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

static void
test_roles(void)
{
	struct m_a_user_set	 set = { gr_boss, boss, SET_ROLE, ROLE_MEMBER,
				    0, "" };
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

static void
test_ends(void)
{
	struct m_c_tenant_state	 state = { 0, "globex", TENANT_SUSPENDED };
	struct m_cred_find	 find = { 2, "boss@acme.test" };
	struct m_cred_set	 set = { .tenant = 1, .user = mem,
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
	memset(set.keep, 11, sizeof(set.keep));
	ask(AUTH, IMSG_CRED_SET, &set);
	CHECK_INT(count(S0, IMSG_GRANT_END), 1);
	CHECK_INT(count(S1, IMSG_GRANT_END), 0);
	gr_mem = other;
	memset(sha.sha, 10, sizeof(sha.sha));
	ask(AUTH, IMSG_TOKEN_FIND, &sha);
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

/* A grant that ends in the turn in which it is given is told as ended. */
static void
test_turn(void)
{
	struct m_grant_new	 gr = { .tenant = 1, .inst = 0, .req = 5 };
	struct m_a_user_set	 lock = { gr_boss, third, SET_STATE, 0,
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
	struct rlimit	 old, rl;
	uint64_t	 id;

	CHECK((gr_mem = sign_in(1, mem, 13, 0)) != 0);
	m = say_to(gr_mem, CHANNEL_FLOOR, open_floor, "full1");
	ask(S0, IMSG_SAY, &m);
	id = ((const struct m_said *)take(S0, IMSG_SAID))->id;
	(void)signal(SIGXFSZ, SIG_IGN);
	if (getrlimit(RLIMIT_FSIZE, &old) == -1)
		abort();
	rl = old;
	rl.rlim_cur = 512;
	(void)setrlimit(RLIMIT_FSIZE, &rl);
	forget();
	m.ref = "full2";
	put(S0, IMSG_SAY, &m);
	m.ref = "full3";
	put(S0, IMSG_SAY, &m);
	turn();
	(void)setrlimit(RLIMIT_FSIZE, &old);
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
edit(const char *sql)
{
	sqlite3	*raw;

	if (sqlite3_open("tenants/1/main.db", &raw) != SQLITE_OK ||
	    sqlite3_exec(raw, sql, NULL, NULL, NULL) != SQLITE_OK)
		abort();
	CHECK_INT(sqlite3_changes(raw), 1);
	(void)sqlite3_close(raw);
}

static void
test_edits(void)
{
	struct m_say		 m = say_to(gr_mem, CHANNEL_FLOOR, open_floor,
				    "edit");
	struct m_history	 h = { gr_boss, CHANNEL_FLOOR, 0, 0, 0, 0 };
	struct m_cred_find	 find = { 1, "mem-" CANARY "@acme.test" };
	struct m_sha		 sha = { .tenant = 1 };
	char			 sql[256];

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
	(void)snprintf(sql, sizeof(sql), "UPDATE users SET role = 0 "
	    "WHERE id = %u", mem);
	edit(sql);
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
	CHECK_INT(db_start(master), DB_OK);
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
test_operator(void)
{
	struct m_c_floor_add	 add = { 0, "acme", "Third", "office",
				    { NULL, 0 } };
	struct m_c_floor	 f = { 0, "acme", "Third", "", "", 0 };
	struct m_c_user		 u = { 0, "acme", "boss@acme.test",
				    USER_LOCKED, "" };
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
	test_me();
	test_floors();
	test_groups();
	test_say();
	test_direct();
	test_across();
	test_roles();
	test_ends();
	test_turn();
	test_full();
	test_operator();
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
