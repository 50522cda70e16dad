/*
 * What a browser asks for by HTTP: any bytes as they come over the wire, by the
 * real http.c, session.c, ask.c, login.c and api*.c, and any message that auth
 * and storage may answer with.  What these are asked must be a message that
 * they take.  Each reply must be whole, its JSON must be JSON, an error must be
 * a problem document, and no request may stay without one.  msg.c is included
 * for its table.
 *
 * Input: three letters, for who asks (callers), how it comes (COMES_) and how
 * things stand (STANDS_); the request, until two zeroes in a row; what
 * happens then, see happen().  "@" is the letter for nothing special.
 *
 * Before the first one, each route must be asked for by one of the seeds and
 * answer it well; and each seed is asked once more for each code of RESULT, and
 * for each of its strings as a long one.
 */
#include <sys/mman.h>

#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keys_engine.h"
#include "office.h"
#include "session.h"
#include "sent.h"
#include "util.h"
#include "../../risad/msg.c"

#define COMES_RAW	0x01	/* else its Content-Length is filled in */
#define COMES_HALVES	0x02
#define COMES_LATE	0x04	/* there are too many connections */
#define COMES_PLAIN	0x08	/* without TLS */
#define COMES_LARGE	0x10	/* with blanks behind it, above BODY_MAX */
#define COMES_CROWD	0x20	/* there are too many requests */

#define STANDS_NEW	0x01	/* storage must be asked who it is */
#define STANDS_NOAUTH	0x02
#define STANDS_NODISK	0x04	/* no storage */
#define STANDS_NOSITE	0x08	/* there is no tenant */
#define STANDS_OTHER	0x10	/* TLS was made for another name */
#define STANDS_ENOUGH	0x20	/* the account has asked too much */

#define LETTERS		3
#define TENANT		1
#define USER		7
#define NAME		"acme"
#define DOMAIN		"risa.test"
/* Of TOKEN_LEN zeroes, in a cookie and in a path. */
#define TOKEN		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define SEEDS		256
#define ASKED		64

/* Of bus.h, whose other names msg.c has for itself. */
void		 bus_up(struct peer *);
void		 bus_down(struct peer *);
int		 bus_imsg(struct peer *, uint32_t, const void *);
int		 bus_storage(uint32_t, const void *);
void		 bus_storage_down(void);

int		 LLVMFuzzerInitialize(int *, char ***);
int		 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static const struct caller {
	uint8_t		 ca_role, ca_can, ca_must, ca_door;
	const char	*ca_addr;
} callers[] = {
	{ ROLE_MEMBER, RIGHT_ALL, 0, 0, "192.0.2.7" },
	{ ROLE_MEMBER, 0, 0, 0, "2001:db8::7" },
	{ ROLE_MEMBER, RIGHT_ALL, MUST_ALL, 0, "192.0.2.7" },
	{ ROLE_GUEST, RIGHT_CHAT, 0, 0, "192.0.2.7" },
	{ ROLE_GUEST, RIGHT_CHAT, 0, 1, "192.0.2.7" },
	{ ROLE_ADMIN, RIGHT_ALL, 0, 0, "10.1.2.3" },
	{ ROLE_ADMIN, RIGHT_ALL, 0, 0, "192.0.2.7" },	/* no console */
	{ ROLE_ADMIN, RIGHT_ALL, MUST_ALL, 0, "10.1.2.3" },
	{ ROLE_CUSTOM, RIGHT_GUEST, 0, 0, "192.0.2.7" },
};

/* A question, and what may come before its RESULT. */
struct question {
	enum proc_type	 qu_to;
	uint32_t	 qu_type, qu_id;
};
static struct row_answer {
	enum proc_type	 ra_from;
	uint32_t	 ra_type;
}			 expected[IMSG_MAX][2];

/* The first line of a seed, and what it was answered. */
static struct seed {
	char		*se_line;
	int		 se_status;
}			 seeds[SEEDS];
static size_t		 nseeds;

static struct conn	 cn;
static uint8_t		 comes, stands;
static const struct caller *caller;
static uint8_t		*wire;		/* what the browser sends */
static size_t		 wire_len, wire_off;
static const uint8_t	*script;	/* what happens then */
static size_t		 script_len;
static struct question	 asked[ASKED];
static size_t		 nasked;
static int		 gone, quiet, status;
static char		*begun;		/* its body is the next chunk */
static uint64_t		 last_grant;
static uint8_t		 policy[POLICY_BYTES];
static size_t		 policy_len;
static struct peer	 peers[PROC_MAX];

/*
 * The rest of the process, as far as it is not real.
 */

enum proc_type		 proc_self = PROC_SESSION;
unsigned int		 proc_inst;
unsigned int		 proc_nsession = 1, proc_nhash = 1;
uint64_t		 conn_bytes_in, conn_bytes_out, conn_buffers, conn_shed;

struct peer *
proc_peer(enum proc_type proc, unsigned int inst)
{
	return (peers[proc].pe_up ? &peers[proc] : NULL);
}

int
proc_send(struct peer *pe, enum imsg_type type, uint32_t id, int fd,
    const void *m)
{
	struct imsg	 imsg;
	union msg_any	 any;

	if (pe == NULL)
		return (-1);
	TRUE_OR_DIE(fd == -1);
	sent(PROC_SESSION, pe->pe_proc, type, m, &imsg, &any);
	imsg_free(&imsg);
	if (id != 0) {
		TRUE_OR_DIE(nasked < ASKED);
		asked[nasked++] = (struct question){ pe->pe_proc, type, id };
	}
	return (0);
}

/* Nothing goes wrong in here that would be worth a line. */
void
log_warnx(const char *fmt, ...)
{
	va_list	 ap;

	if (quiet)
		return;
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	abort();
}

/* What jansson does not get it leaves out. */
int
json_array_append_new(json_t *array, json_t *value)
{
	TRUE_OR_DIE(value != NULL);
	return (json_array_insert_new(array, json_array_size(array), value));
}

int
json_object_set_new(json_t *o, const char *key, json_t *value)
{
	TRUE_OR_DIE(value != NULL);
	return (json_object_set_new_nocheck(o, key, value));
}

uint32_t
quota_request(const char *addr)
{
	return (comes & COMES_CROWD ? 5000 : 0);
}

uint32_t
quota_asked(const struct login *lg)
{
	return (stands & STANDS_ENOUGH ? 5000 : 0);
}

int
quota_page(const struct login *lg)
{
	return (!(stands & STANDS_ENOUGH));
}

const char *
tls_conn_servername(struct tls *tls)
{
	TRUE_OR_DIE(tls != NULL);	/* the real one looks into it */
	return (stands & STANDS_OTHER ? "other." DOMAIN : NULL);
}

void	 log_warn(const char *fmt, ...) { abort(); }
void	 log_info(const char *fmt, ...) { }
void	 log_debug(const char *fmt, ...) { }
void	 fatal(const char *fmt, ...) { abort(); }
void	 fatalx(const char *fmt, ...) { abort(); }
const char *log_safe(const char *s) { return (s); }
void	 proc_exit(int code) { abort(); }
int	 proc_result(struct peer *pe, uint32_t id, enum result code,
	    uint64_t arg, const char *field) { return (-1); }
void	 quota_commit(void) { }
void	 bus_up(struct peer *pe) { }
void	 bus_down(struct peer *pe) { }
int	 bus_imsg(struct peer *pe, uint32_t type, const void *m)
	    { return (-1); }
int	 bus_storage(uint32_t type, const void *m) { return (0); }
void	 bus_storage_down(void) { }
const char *door_add(const struct m_conf_file *m, int fd) { return (""); }
void	 door_abort(void) { }
void	 door_commit(void) { }
void	 door_close(void) { }
void	 door_left(struct conn *c) { }
void	 door_init(void) { }
void	 door_start(void) { }
void	 keys_engine_init(void) { }
void	 keys_engine_attach(int fd) { }
struct tls_config *keys_engine_config(const void *pem, size_t len,
	    const char **why) { return (NULL); }
struct server *server_new(struct tls_config *conf, const char **why)
	    { return (NULL); }
void	 server_free(struct server *sv) { }
int	 tls_ssl_init(void) { return (0); }
void	 memory_give_back(void) { }
void	 knock_began(const struct m_knock *m) { }
void	 knock_ended(const struct m_knock_end *m) { }
void	 office_open(struct conn *c) { }
void	 office_text(struct conn *c, const uint8_t *p, size_t len) { }
void	 office_binary(struct conn *c, const uint8_t *p, size_t len) { }
void	 office_close(struct conn *c, uint16_t code) { }
void	 office_closed(struct conn *c) { }
void	 office_drained(struct conn *c) { }
void	 office_shutdown(void) { }
void	 office_ended(uint32_t tenant, uint32_t user, struct login *lg,
	    enum grant_end why) { }
void	 office_renewed(struct login *lg) { }
void	 office_title(const struct tenant *tn) { }
void	 office_rights(uint32_t tenant) { }
void	 office_fence(uint32_t number) { }
void	 office_policy(const struct tenant *tn, const struct policy *was) { }
void	 office_role(const struct m_role *m) { }
void	 office_profile(const struct m_user *m) { }
void	 office_start(void) { }
uint32_t floor_shared(uint32_t tenant, uint32_t a, uint32_t b)
	    { return (b & 1); }
unsigned int floor_people(uint32_t tenant, uint32_t floor)
	    { return (floor); }
int	 floor_user_in_room(uint32_t tenant, uint32_t user, uint32_t floor,
	    uint32_t room) { return (room & 1); }

/*
 * The connection.  Its input lies each time in a place of its own, just as
 * long as it is: what looks beyond it, or at where it was, is found.
 */

struct chunk *
chunk_new(size_t len)
{
	struct chunk	*ck;

	TRUE_OR_DIE((ck = malloc(sizeof(*ck) + len)) != NULL);
	ck->ck_len = len;
	ck->ck_refs = 1;
	return (ck);
}

struct chunk *
chunk_from(const void *data, size_t len)
{
	struct chunk	*ck = chunk_new(len);

	memcpy(ck->ck_data, data, len);
	return (ck);
}

void
chunk_free(struct chunk *ck)
{
	if (ck != NULL && --ck->ck_refs == 0)
		free(ck);
}

/* From the offset on, and with more behind it. */
static void
input_move(size_t off, const uint8_t *more, size_t len)
{
	uint8_t	*in = NULL;
	size_t	 left = cn.cn_inlen - off;

	if (left + len > 0)
		TRUE_OR_DIE((in = malloc(left + len)) != NULL);
	if (left > 0)
		memcpy(in, cn.cn_in + off, left);
	if (len > 0)
		memcpy(in + left, more, len);
	free(cn.cn_in);
	cn.cn_in = in;
	cn.cn_inlen = cn.cn_insize = left + len;
}

void
conn_consume(struct conn *c, size_t len)
{
	TRUE_OR_DIE(len <= c->cn_inlen);
	input_move(len, NULL, 0);
}

void
conn_drain(struct conn *c)
{
	c->cn_state = CONN_DRAIN;
}

void
conn_again(struct conn *c)
{
	c->cn_again = 1;
}

/* A request that ends like this is not answered. */
void	 conn_close(struct conn *c) { TRUE_OR_DIE(!"closed"); }
int	 conn_slow(const struct conn *c) { return (0); }
void	 conn_timer(struct conn *c, unsigned int ms) { }
void	 conn_flush_all(void) { }
void	 conn_buffers_limit(size_t max) { }

/*
 * Replies.
 */

/* The value of the field, which may come once, or NULL. */
static const char *
field_value(const char *head, const char *name)
{
	const char	*p = strstr(head, name);

	if (p == NULL)
		return (NULL);
	p += strlen(name);
	TRUE_OR_DIE(strstr(p, name) == NULL);
	return (p);
}

/* Each line a name and something printable. */
static void
check_lines(const char *p)
{
	size_t	 len;

	while (strcmp(p, "\r\n") != 0) {
		len = strspn(p, "abcdefghijklmnopqrstuvwxyz"
		    "ABCDEFGHIJKLMNOPQRSTUVWXYZ-");
		TRUE_OR_DIE(len > 0 && strncmp(p + len, ": ", 2) == 0);
		for (p += len; *p >= ' ' && *p <= '~'; p++)
			;
		TRUE_OR_DIE(strncmp(p, "\r\n", 2) == 0);
		p += 2;
	}
}

static void
check_problem(json_t *o, int code)
{
	const char	*type = json_string_value(json_object_get(o, "type"));

	TRUE_OR_DIE(type != NULL && strncmp(type, "/problems/", 10) == 0);
	TRUE_OR_DIE(json_integer_value(json_object_get(o, "status")) == code);
	TRUE_OR_DIE(json_is_string(json_object_get(o, "title")));
}

/* Pages and the answer of /healthz are no JSON. */
static void
check_body(int code, const char *type, const uint8_t *p, size_t len)
{
	json_error_t	 err;
	json_t		*o;

	TRUE_OR_DIE(type != NULL);
	if (strncmp(type, "text/", 5) == 0)
		return;
	TRUE_OR_DIE(strncmp(type, code >= 400 ? "application/problem+json\r" :
	    "application/json\r", code >= 400 ? 25 : 17) == 0);
	o = json_loadb((const char *)p, len, JSON_REJECT_DUPLICATES, &err);
	TRUE_OR_DIE(json_is_object(o));
	if (code >= 400)
		check_problem(o, code);
	json_decref(o);
}

static void
check_reply(const char *head, const uint8_t *body, size_t len)
{
	const char		*length, *line;
	unsigned long long	 n;
	int			 code;

	TRUE_OR_DIE(sscanf(head, "HTTP/1.1 %3d ", &code) == 1);
	TRUE_OR_DIE((line = strstr(head, "\r\n")) != NULL);
	check_lines(line + 2);
	length = field_value(head, "\r\nContent-Length: ");
	if (code == 101 || code == 204 || code == 304)
		TRUE_OR_DIE(length == NULL && len == 0);
	else {
		TRUE_OR_DIE(length != NULL);
		n = strtoull(length, NULL, 10);
		if (cn.cn_req->hr_method == HTTP_HEAD)
			TRUE_OR_DIE(len == 0);
		else
			TRUE_OR_DIE(len == n);
	}
	if (len > 0)
		check_body(code, field_value(head, "\r\nContent-Type: "), body,
		    len);
	if (status == 0)
		status = code;
}

/*
 * A reply is one chunk, of a request that is still there; of a document the
 * body is a second one.
 */
void
conn_queue(struct conn *c, struct chunk *ck)
{
	const uint8_t	*end;
	const char	*length;
	char		*head;
	size_t		 len;

	TRUE_OR_DIE(c->cn_req != NULL);
	if (begun != NULL) {
		check_reply(begun, ck->ck_data, ck->ck_len);
		free(begun);
		begun = NULL;
		return;
	}
	TRUE_OR_DIE((end = memmem(ck->ck_data, ck->ck_len, "\r\n\r\n", 4)) !=
	    NULL);
	len = (size_t)(end - ck->ck_data) + 4;
	TRUE_OR_DIE((head = strndup((char *)ck->ck_data, len)) != NULL);
	TRUE_OR_DIE(strlen(head) == len);
	length = field_value(head, "\r\nContent-Length: ");
	if (len == ck->ck_len && length != NULL && *length != '0' &&
	    c->cn_req->hr_method != HTTP_HEAD) {
		begun = head;
		return;
	}
	check_reply(head, ck->ck_data + len, ck->ck_len - len);
	free(head);
}

/*
 * What happens.
 */

static uint8_t
take(void)
{
	if (script_len == 0)
		return (0);
	script_len--;
	return (*script++);
}

/* So many bytes, or as many as there may be, all alike. */
static size_t
fill_bytes(uint8_t *p, size_t max)
{
	uint8_t	 n = take(), c;
	size_t	 i, len = n == UINT8_MAX || n > max ? max : n;

	c = n == UINT8_MAX ? take() : 0;
	for (i = 0; i < len; i++)
		p[i] = n == UINT8_MAX ? c : take();
	return (len);
}

static void
fill_text(char *p, size_t max)
{
	size_t	 i, len = fill_bytes((uint8_t *)p, max);

	for (i = 0; i < len; i++)
		if (p[i] == '\0')
			p[i] = '?';
	p[len] = '\0';
	if (utf8_valid(p, len))
		return;
	for (i = 0; i < len; i++)
		p[i] = (p[i] & 0x7f) == 0 ? '?' : p[i] & 0x7f;
}

static uint64_t
fill_number(size_t bytes)
{
	uint64_t	 n = 0;

	while (bytes-- > 0)
		n = n << 8 | take();
	return (n);
}

/* The next bytes of the script as a message of the type. */
static void
fill(uint32_t type, union msg_any *any)
{
	static char		 room[2 * MAX_PAYLOAD];
	char			*next = room, *p;
	const struct field	*f;

	memset(any, 0, sizeof(*any));
	for (f = rows[type].r_fields; f->f_kind != M_END; f++) {
		p = (char *)any->bytes + f->f_off;
		if (f->f_kind == M_STR || f->f_kind == M_BLOB)
			TRUE_OR_DIE(f->f_max < (size_t)(room + sizeof(room) -
			    next));
		switch (f->f_kind) {
		case M_N8:
			*(uint8_t *)p = (uint8_t)(take() % (f->f_max + 1));
			break;
		case M_N16:
			*(uint16_t *)(void *)p = (uint16_t)fill_number(2);
			break;
		case M_N32:
			*(uint32_t *)(void *)p = (uint32_t)fill_number(4);
			break;
		case M_N64:
			*(uint64_t *)(void *)p = fill_number(8);
			break;
		case M_STR:
			fill_text(next, f->f_max);
			*(const char **)(void *)p = next;
			next += strlen(next) + 1;
			break;
		case M_BLOB:
			((struct m_blob *)(void *)p)->mb_data = next;
			((struct m_blob *)(void *)p)->mb_len =
			    fill_bytes((uint8_t *)next, f->f_max);
			next += ((struct m_blob *)(void *)p)->mb_len;
			break;
		case M_FIX:
			TRUE_OR_DIE(f->f_max == TOKEN_LEN);
			while (p < (char *)any->bytes + f->f_off + TOKEN_LEN)
				*p++ = (char)take();
			break;
		case M_END:
			break;
		}
	}
}

/* Something comes from the other process. */
static void
come(enum proc_type from, uint32_t type, uint32_t id, const void *m)
{
	struct imsg	 imsg;
	union msg_any	 any;

	sent(from, PROC_SESSION, type, m, &imsg, &any);
	TRUE_OR_DIE(session_ops.po_imsg(&peers[from], type, id, any.bytes,
	    &imsg) == 0);
	imsg_free(&imsg);
}

static void
down(enum proc_type proc)
{
	if (!peers[proc].pe_up)
		return;
	peers[proc].pe_up = 0;
	session_ops.po_down(&peers[proc]);
}

static void
grant_fill(struct m_grant *m)
{
	m->grant = ++last_grant;
	m->tenant = TENANT;
	m->user = USER;
	m->role = caller->ca_role;
	m->can = caller->ca_can;
	m->must = caller->ca_must;
	m->door = caller->ca_door;
}

/* Of what may come before RESULT, one or the other. */
static void
answer_row(const struct question *qu, int which)
{
	const struct row_answer	*ra = &expected[qu->qu_type][which];
	union msg_any		 any;

	if (ra->ra_type == 0)
		ra = &expected[qu->qu_type][0];
	if (ra->ra_type == 0 || !peers[ra->ra_from].pe_up)
		return;
	fill(ra->ra_type, &any);
	switch (ra->ra_type) {
	case IMSG_GRANT:
		grant_fill((struct m_grant *)&any);
		break;
	case IMSG_USER:
		((struct m_user *)&any)->tenant = TENANT;
		((struct m_user *)&any)->user = USER;
		break;
	case IMSG_LOGIN_OK:		/* auth makes it from its own bytes */
		if (((struct m_login_ok *)&any)->device[0] != '\0')
			((struct m_login_ok *)&any)->device = TOKEN;
		break;
	}
	come(ra->ra_from, ra->ra_type, qu->qu_id, &any);
}

static void
answer_result(const struct question *qu, uint8_t code)
{
	char		 field[MAX_LINE + 1];
	struct m_result	 m = { .code = code, .arg = take(), .field = field };

	if (m.arg == UINT8_MAX)
		m.arg = UINT64_MAX;
	fill_text(field, MAX_LINE);
	nasked--;
	come(qu->qu_to, IMSG_RESULT, qu->qu_id, &m);
}

static void
tell_tenant(uint8_t state, int ended, const char *title)
{
	struct m_tenant	 m = { .id = TENANT, .state = state,
			    .gone = (uint8_t)ended, .name = NAME,
			    .title = title, .policy = { policy, policy_len } };

	if (peers[PROC_STORAGE].pe_up)
		come(PROC_STORAGE, IMSG_TENANT, 0, &m);
}

/* Not an answer, but before it. */
static void
meanwhile(uint8_t c)
{
	const uint8_t		 n = take();
	struct m_grant_end	 ended = { last_grant, n % END_MAX };
	struct m_grant_must	 must = { last_grant, n & MUST_ALL };

	switch (c & 7) {
	case 0:
		tell_tenant(TENANT_SUSPENDED, 0, "Acme");
		break;
	case 1:
		tell_tenant(TENANT_ACTIVE, 1, "");
		break;
	case 2:
		if (peers[PROC_STORAGE].pe_up)
			come(PROC_STORAGE, IMSG_GRANT_END, 0, &ended);
		break;
	case 3:
		if (peers[PROC_STORAGE].pe_up)
			come(PROC_STORAGE, IMSG_GRANT_MUST, 0, &must);
		break;
	case 4:
		down(PROC_AUTH);
		break;
	case 5:
		down(PROC_STORAGE);
		break;
	default:
		gone = 1;
		break;
	}
}

/*
 * "@" and a number: the newest question is answered with R_OK; "A", code and
 * number: with that code.  "B" and "C": the one or the other message that may
 * come before.  Above that, see meanwhile().
 */
static void
happen(void)
{
	struct question	 qu;
	uint8_t		 c = take() & 15;

	while (nasked > 0 && !peers[asked[nasked - 1].qu_to].pe_up)
		nasked--;
	TRUE_OR_DIE(nasked > 0);
	qu = asked[nasked - 1];
	if (c == 0)
		answer_result(&qu, R_OK);
	else if (c == 1)
		answer_result(&qu, take() % (R_MAX + 1));
	else if (c < 4)
		answer_row(&qu, c - 2);
	else
		meanwhile(c - 4);
}

/*
 * A browser and its requests.
 */

static void
input(const uint8_t *more, size_t len)
{
	cn.cn_again = 0;
	input_move(0, more, len);
	session_input(&cn);
	if (cn.cn_req != NULL) {
		input_move(0, NULL, 0);
		if (cn.cn_state == CONN_WAIT || cn.cn_large == LARGE_ASKED)
			(void)http_parse(cn.cn_req, (char *)cn.cn_in,
			    cn.cn_inlen, 0);
	}
}

/* The session process has no more to do with it. */
static int
is_over(void)
{
	return (gone || cn.cn_state == CONN_WS || cn.cn_state == CONN_DRAIN);
}

/* As much as the connection takes, or half of it first. */
static size_t
next_bytes(void)
{
	size_t	 n = wire_len - wire_off;

	if ((comes & COMES_HALVES) && wire_off == 0 && n > 1)
		n /= 2;
	if (cn.cn_state == CONN_WAIT || cn.cn_large == LARGE_ASKED ||
	    cn.cn_inlen >= cn.cn_maxin)
		return (0);
	return (n > cn.cn_maxin - cn.cn_inlen ? cn.cn_maxin - cn.cn_inlen : n);
}

static void
converse(void)
{
	size_t	 n;

	while (!is_over()) {
		if (cn.cn_again)
			input(NULL, 0);
		else if ((n = next_bytes()) > 0) {
			wire_off += n;
			input(wire + wire_off - n, n);
		} else if (TAILQ_EMPTY(&cn.cn_asks))
			break;
		else
			happen();
		if (TAILQ_EMPTY(&cn.cn_asks))
			nasked = 0;	/* what is left is nobody's */
	}
	if (is_over())
		return;
	TRUE_OR_DIE(cn.cn_state == CONN_HTTP && cn.cn_large != LARGE_ASKED);
	if (cn.cn_inlen > 0)
		session_timeout(&cn);
}

static void
connect_to(void)
{
	static struct tls	*tls;
	static char		 some;

	memset(&cn, 0, sizeof(cn));
	tls = (struct tls *)(void *)&some;	/* it is there, no more */
	cn.cn_tls = comes & COMES_PLAIN ? NULL : tls;
	cn.cn_redirect = (comes & COMES_PLAIN) != 0;
	cn.cn_late = (comes & COMES_LATE) != 0;
	cn.cn_state = CONN_HTTP;
	cn.cn_maxin = CONN_MAXIN;
	TAILQ_INIT(&cn.cn_asks);
	STAILQ_INIT(&cn.cn_out);
	(void)strlcpy(cn.cn_addr, caller->ca_addr, sizeof(cn.cn_addr));
	session_opened(&cn);
}

static void
disconnect(void)
{
	session_closed(&cn);
	TRUE_OR_DIE(TAILQ_EMPTY(&cn.cn_asks));
	free(cn.cn_req);
	free(cn.cn_in);
}

/* An earlier request of his has made him known. */
static void
sign_in(void)
{
	static const uint8_t	 token[TOKEN_LEN];
	struct m_grant		 m = { .name = "Nao", .note = "",
				    .email = "nao@example.com" };

	grant_fill(&m);
	TRUE_OR_DIE(login_new(&m, token, caller->ca_addr) != NULL);
}

static void
begin(void)
{
	last_grant = 0;
	nasked = 0;
	gone = 0;
	status = 0;
	peers[PROC_AUTH].pe_up = peers[PROC_STORAGE].pe_up = 1;
	if (!(stands & STANDS_NOSITE))
		tell_tenant(TENANT_ACTIVE, 0, "Acme");
	if (!(stands & STANDS_NEW))
		sign_in();
	peers[PROC_AUTH].pe_up = !(stands & STANDS_NOAUTH);
	peers[PROC_STORAGE].pe_up = !(stands & STANDS_NODISK);
	connect_to();
}

/* So that the next one finds all as this one has. */
static void
end(void)
{
	TRUE_OR_DIE(begun == NULL);
	disconnect();
	peers[PROC_AUTH].pe_up = peers[PROC_STORAGE].pe_up = 1;
	tell_tenant(TENANT_ACTIVE, 0, "Acme");	/* takes what has waited */
	tell_tenant(TENANT_ACTIVE, 1, "");
	down(PROC_STORAGE);
	session_ops.po_down(&peers[PROC_STORAGE]);	/* no renewals */
}

/* What the browser would say of the length itself. */
static void
dial(const uint8_t *data, size_t len)
{
	const size_t	 blanks = comes & COMES_LARGE ? BODY_MAX + 1 : 0;
	const uint8_t	*line, *head;
	size_t		 n, body;

	TRUE_OR_DIE((wire = malloc(len + blanks + 64)) != NULL);
	wire_len = wire_off = 0;
	line = memmem(data, len, "\r\n", 2);
	head = memmem(data, len, "\r\n\r\n", 4);
	if (!(comes & COMES_RAW) && head != NULL) {
		n = (size_t)(line - data) + 2;
		memcpy(wire, data, n);
		wire_len = n;
		data += n;
		len -= n;
		body = len - ((size_t)(head - data) + 4) + blanks;
		if (body > 0)
			wire_len += (size_t)snprintf((char *)wire + n, 64,
			    "Content-Length: %zu\r\n", body);
	}
	memcpy(wire + wire_len, data, len);
	wire_len += len;
	memset(wire + wire_len, ' ', blanks);
	wire_len += blanks;
}

/* The status of the first reply, or 0. */
static int
one(const uint8_t *data, size_t len)
{
	const uint8_t	*p;

	if (len < LETTERS)
		return (0);
	caller = &callers[(data[0] & 15) %
	    (sizeof(callers) / sizeof(callers[0]))];
	comes = data[1] & 63;
	stands = data[2] & 63;
	data += LETTERS;
	len -= LETTERS;
	script_len = 0;
	if ((p = memmem(data, len, "\0\0", 2)) != NULL) {
		script = p + 2;
		script_len = len - ((size_t)(p - data) + 2);
		len = (size_t)(p - data);
	}
	dial(data, len);
	begin();
	converse();
	end();
	free(wire);
	return (status);
}

/*
 * The seeds.
 */

/* The request alone, answered with each code in turn. */
static void
refuse(const uint8_t *data, size_t len)
{
	const uint8_t	*p = memmem(data, len, "\0\0", 2);
	uint8_t		*copy;
	int		 code;

	if (p != NULL)
		len = (size_t)(p - data);
	TRUE_OR_DIE((copy = malloc(len + 4)) != NULL);
	memcpy(copy, data, len);
	memcpy(copy + len, "\0\0A", 3);
	for (code = 0; code <= R_MAX; code++) {
		copy[len + 3] = (uint8_t)code;
		(void)one(copy, len + 4);
	}
	free(copy);
}

/* With another text from one offset to the other: so many letters. */
static void
replace(const uint8_t *data, size_t len, size_t from, size_t to, size_t ascii,
    size_t wide)
{
	const size_t	 longer = ascii + 3 * wide;
	uint8_t		*copy;
	size_t		 i;

	TRUE_OR_DIE((copy = malloc(len + longer)) != NULL);
	memcpy(copy, data, from);
	memset(copy + from, 'a', ascii);
	for (i = 0; i < wide; i++)
		memcpy(copy + from + ascii + 3 * i, "\xe7\xa4\xbe", 3);
	memcpy(copy + from + longer, data + to, len - to);
	(void)one(copy, len + longer - (to - from));
	free(copy);
}

/* Each string of the body as a long one, for whatever has a limit. */
static void
stretch(const uint8_t *data, size_t len)
{
	static const size_t	 letters[] = { 20, 90, 700, 6000 };
	const uint8_t		*p, *q, *end = memmem(data, len, "\0\0", 2);
	size_t			 i;

	if (end == NULL)
		end = data + len;
	if ((p = memmem(data, len, "\r\n\r\n", 4)) == NULL)
		return;
	while ((p = memchr(p, '"', (size_t)(end - p))) != NULL) {
		for (q = ++p; q < end && *q != '"'; q++)
			if (*q == '\\')
				q++;
		if (q >= end)
			break;
		for (i = 0; i < sizeof(letters) / sizeof(letters[0]); i++) {
			replace(data, len, (size_t)(p - data),
			    (size_t)(q - data), i % 3, letters[i]);
			replace(data, len, (size_t)(p - data),
			    (size_t)(q - data), letters[i], 0);
		}
		p = q + 1;
	}
}

static void
plant(const char *dir, const char *name)
{
	char		 path[1024];
	uint8_t		 data[65536];
	struct seed	*se = &seeds[nseeds];
	size_t		 len;
	FILE		*fp;

	TRUE_OR_DIE(nseeds < SEEDS);
	fprintf(stderr, "seed %s\n", name);	/* the last one has failed */
	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	TRUE_OR_DIE((fp = fopen(path, "r")) != NULL);
	len = fread(data, 1, sizeof(data), fp);
	TRUE_OR_DIE(!ferror(fp) && len > LETTERS && len < sizeof(data));
	(void)fclose(fp);
	nseeds++;
	TRUE_OR_DIE((se->se_line = strndup((char *)data + LETTERS,
	    strcspn((char *)data + LETTERS, "\r"))) != NULL);
	se->se_status = one(data, len);
	refuse(data, len);
	stretch(data, len);
}

/* Is the line a request for this path, with or without a query? */
static int
is_for(const char *line, const struct route *ro)
{
	char		 want[256];
	const char	*p;

	(void)snprintf(want, sizeof(want), "%s ",
	    http_method_name(ro->ro_method));
	for (p = ro->ro_path; *p != '\0'; p++)
		if (*p == '#')
			(void)strlcat(want, "7", sizeof(want));
		else if (*p == '*')
			(void)strlcat(want, TOKEN, sizeof(want));
		else
			(void)strlcat(want, (char [2]){ *p }, sizeof(want));
	p = line + strlen(want);
	return (strncmp(line, want, strlen(want)) == 0 &&
	    (*p == ' ' || *p == '?'));
}

static int
is_reached(const struct route *ro)
{
	size_t	 i;

	for (i = 0; i < nseeds; i++)
		if (is_for(seeds[i].se_line, ro) &&
		    (seeds[i].se_status == 101 ||
		    seeds[i].se_status / 100 == 2))
			return (1);
	return (0);
}

static void
check_routes(void)
{
	const struct route_table	*rt;
	const struct route		*ro;
	unsigned int			 all = 0, missing = 0;

	for (rt = api_tables; rt < api_tables + api_ntables; rt++)
		for (ro = rt->rt_routes; ro < rt->rt_routes + *rt->rt_n;
		    ro++, all++)
			if (!is_reached(ro)) {
				fprintf(stderr, "no seed has a good answer of "
				    "%s %s\n", http_method_name(
				    ro->ro_method), ro->ro_path);
				missing++;
			}
	fprintf(stderr, "stat::routes_seeded: %u of %u\n", all - missing, all);
	TRUE_OR_DIE(all > 0 && missing == 0);
}

static void
check_seeds(const char *dir)
{
	struct dirent	*de;
	DIR		*d;

	TRUE_OR_DIE((d = opendir(dir)) != NULL);
	while ((de = readdir(d)) != NULL)
		if (de->d_name[0] != '.')
			plant(dir, de->d_name);
	(void)closedir(d);
	check_routes();
	while (nseeds > 0)
		free(seeds[--nseeds].se_line);
}

/*
 * Before the first one.
 */

static int
probed(struct conn *c, uint32_t type, const void *m, void *arg)
{
	return (0);
}

/* What does ask.c let through for this question? */
static void
probe(uint32_t asks, enum proc_type to)
{
	static const enum proc_type	 from[] = { PROC_AUTH, PROC_STORAGE };
	union msg_any			 any;
	struct row_answer		*ra = expected[asks];
	uint32_t			 type, id;
	size_t				 i;

	memset(&any, 0, sizeof(any));
	nasked = 0;
	TRUE_OR_DIE(ask_send(NULL, to, asks, any.bytes, probed, NULL) == 0);
	id = asked[0].qu_id;
	for (type = 1; type < IMSG_MAX; type++)
		for (i = 0; i < 2 && type != IMSG_RESULT; i++)
			if (msg_allowed(type, from[i], PROC_SESSION) &&
			    ask_answer(&peers[from[i]], type, id,
			    any.bytes) == 0) {
				TRUE_OR_DIE(ra < expected[asks] + 2);
				*ra++ = (struct row_answer){ from[i], type };
			}
	TRUE_OR_DIE(ask_answer(&peers[to], IMSG_RESULT, id, any.bytes) == 0);
}

static void
page(const char *url)
{
	int	 fd;

	TRUE_OR_DIE((fd = memfd_create("page", 0)) != -1);
	TRUE_OR_DIE(write(fd, "<p>\n", 4) == 4);
	TRUE_OR_DIE(htdocs_add(url, fd) == 0);
	(void)close(fd);
}

static void
prepare(void)
{
	static char	 domain[] = DOMAIN, turn[] = "stun:192.0.2.1:3478 "
			    "turn:192.0.2.1:3478?transport=udp "
			    "turns:turn.example.com:443?transport=tcp";
	struct policy	 po;
	char		 wrong[POLICY_WORD + 1];
	uint32_t	 type;

	if (policy_len != 0)
		return;
	policy_default(&po);
	TRUE_OR_DIE(policy_list(&po, POLICY_ADMIN_NETWORKS, "10.0.0.0/8",
	    wrong) == 0);
	policy_len = policy_write(&po, policy);
	session_conf.sc_domain = domain;
	session_conf.sc_port = 443;
	session_conf.sc_turn = turn;
	peers[PROC_AUTH].pe_proc = PROC_AUTH;
	peers[PROC_STORAGE].pe_proc = PROC_STORAGE;
	peers[PROC_AUTH].pe_up = peers[PROC_STORAGE].pe_up = 1;
	TRUE_OR_DIE(event_init() != NULL);
	session_ops.po_start();
	come(PROC_STORAGE, IMSG_TENANT_END, 0, NULL);
	page("/index.html");
	page("/full.html");
	htdocs_commit();
	quiet = 1;
	for (type = 1; type < IMSG_MAX; type++)
		if (msg_allowed(type, PROC_SESSION, PROC_AUTH))
			probe(type, PROC_AUTH);
		else if (msg_allowed(type, PROC_SESSION, PROC_STORAGE))
			probe(type, PROC_STORAGE);
	quiet = 0;
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	int	 i;

	prepare();
	for (i = 1; i < *argc; i++)
		if ((*argv)[i][0] != '-' &&
		    strstr((*argv)[i], "/seeds/") != NULL)
			check_seeds((*argv)[i]);
	return (0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	prepare();		/* without a fuzzer nobody has called */
	(void)one(data, len);
	return (0);
}
