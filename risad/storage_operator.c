/*
 * The ledger of operators: who may give commands on the control socket, in
 * which role, granted by whom, and until when.  Root needs no entry.
 */
#include <ctype.h>
#include <endian.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "log.h"
#include "msg.h"
#include "storage.h"
#include "util.h"

#define NUMBERS		4		/* in the clear, held by the seal */
#define WORDS		200

/* An entry, opened. */
struct operator {
	uint32_t	 op_uid, op_by;
	uint8_t		 op_role;
	uint64_t	 op_version;
	uint64_t	 op_granted, op_until;	/* ms; until 0: for ever */
	char		 op_name[MAX_NAME + 1];	/* of the account, then */
	char		 op_byname[MAX_NAME + 1];
};

static int	 auth_told;

static void	 operator_bind(uint64_t [NUMBERS], const struct operator *);
static int	 operator_read(struct db *, sqlite3_stmt *,
		    struct operator *);
static int	 operator_get(struct db *, uint32_t, struct operator *);
static int	 operator_put(struct db *, const struct operator *);
static int	 operator_over(const struct operator *, uint64_t);
static void	 tell_one(struct peer *, const struct operator *);
static void	 until_text(char [WORDS], uint64_t);
static void	 note_words(char [WORDS], const struct m_note *);

int
refuse(char why[MAX_LINE + 1], const char *fmt, ...)
{
	va_list	 ap;

	va_start(ap, fmt);
	(void)vsnprintf(why, MAX_LINE + 1, fmt, ap);
	va_end(ap);
	return (-1);
}

/*
 * Rows.
 */

static void
operator_bind(uint64_t bind[NUMBERS], const struct operator *op)
{
	bind[0] = htobe64(op->op_role);
	bind[1] = htobe64(op->op_by);
	bind[2] = htobe64(op->op_granted);
	bind[3] = htobe64(op->op_until);
}

/* What is sealed are two names, each with its NUL. */
static int
operator_read(struct db *db, sqlite3_stmt *st, struct operator *op)
{
	uint64_t	 bind[NUMBERS];
	struct seal_at	 at = { "operators", "entry", 0, 0, bind,
			    sizeof(bind) };
	uint64_t	 role;
	char		*text, *by;
	size_t		 len;
	int		 ret = -1;

	op->op_uid = (uint32_t)db_col_num(st, 0);
	op->op_version = db_col_num(st, 1);
	role = db_col_num(st, 2);
	op->op_role = role < OP_MAX ? (uint8_t)role : OP_NONE;
	op->op_by = (uint32_t)db_col_num(st, 3);
	op->op_granted = db_col_num(st, 4);
	op->op_until = db_col_num(st, 5);
	operator_bind(bind, op);
	at.sa_row = op->op_uid;
	at.sa_version = op->op_version;
	if ((text = db_open(db, &at, st, 6, &len)) == NULL)
		return (-1);
	by = memchr(text, '\0', len);
	if (by != NULL && ++by < text + len && by + strlen(by) + 1 ==
	    text + len && strlcpy(op->op_name, text, sizeof(op->op_name)) <
	    sizeof(op->op_name) && strlcpy(op->op_byname, by,
	    sizeof(op->op_byname)) < sizeof(op->op_byname) &&
	    op->op_role != OP_NONE)
		ret = 0;
	freezero(text, len + 1);
	return (ret);
}

/* 1 found, 0 not there, -1 does not open or the file fails. */
static int
operator_get(struct db *db, uint32_t uid, struct operator *op)
{
	sqlite3_stmt	*st;
	int		 n;

	st = db_query(db, S_OPERATOR_GET, ARGS(NUM(uid)));
	if ((n = db_step(db, st)) == 1 && operator_read(db, st, op) == -1)
		n = -1;
	db_done(st);
	return (n);
}

static int
operator_put(struct db *db, const struct operator *op)
{
	uint64_t		 bind[NUMBERS];
	const struct seal_at	 at = { "operators", "entry", op->op_uid,
				    op->op_version, bind, sizeof(bind) };
	char			 text[2 * (MAX_NAME + 1)];
	size_t			 name = strlen(op->op_name) + 1;
	size_t			 by = strlen(op->op_byname) + 1, len;
	void			*rec;
	int			 n;

	operator_bind(bind, op);
	memcpy(text, op->op_name, name);
	memcpy(text + name, op->op_byname, by);
	if ((rec = db_seal(db, &at, text, name + by, &len)) == NULL)
		return (-1);
	n = db_exec(db, S_OPERATOR_PUT, ARGS(NUM(op->op_uid),
	    NUM(op->op_version), NUM(op->op_role), NUM(op->op_by),
	    NUM(op->op_granted), NUM(op->op_until), BIN(rec, len)));
	free(rec);
	return (n == 1 ? 0 : -1);
}

static int
operator_over(const struct operator *op, uint64_t now)
{
	return (op->op_until != 0 && now > op->op_until);
}

enum op_role
operator_role(uint32_t uid)
{
	struct operator	 op;
	struct db	*db;

	if (uid == 0)
		return (OP_OWNER);
	if ((db = db_system()) == NULL || operator_get(db, uid, &op) != 1 ||
	    operator_over(&op, now_ms()))
		return (OP_NONE);
	return ((enum op_role)op.op_role);
}

/*
 * What auth knows.
 */

static void
tell_one(struct peer *pe, const struct operator *op)
{
	struct m_operator	 m = { op->op_uid, op->op_role, op->op_until };

	(void)proc_send(pe, IMSG_OPERATOR, 0, -1, &m);
}

void
operators_forget(void)
{
	auth_told = 0;
}

void
operators_tell(void)
{
	struct peer	*pe = proc_peer(PROC_AUTH, 0);
	struct m_none	 none = { 0 };
	struct operator	 op;
	struct db	*db;
	sqlite3_stmt	*st;
	int		 n;

	if (auth_told || pe == NULL || (db = db_system()) == NULL)
		return;
	st = db_query(db, S_OPERATORS, NOARGS);
	while ((n = db_step(db, st)) == 1) {
		if (operator_read(db, st, &op) == 0)
			tell_one(pe, &op);
		else
			log_warnx("system.db: the entry of operator %u is "
			    "damaged, and counts as none", op.op_uid);
	}
	db_done(st);
	/* Else the next tick tries again; until then there is root. */
	if (n == 0 && proc_send(pe, IMSG_OPERATORS, 0, -1, &none) == 0)
		auth_told = 1;
}

/*
 * Commands.
 */

static void
until_text(char dst[WORDS], uint64_t until)
{
	char	 at[TIME_TEXT];

	if (until == 0)
		(void)strlcpy(dst, "for ever", WORDS);
	else
		(void)snprintf(dst, WORDS, "until %s",
		    time_text(at, until) == -1 ? "?" : at);
}

int
operator_add(struct request *rq, const struct m_c_operator *m,
    char why[MAX_LINE + 1])
{
	struct operator	 op, by;
	struct db	*db = db_system();
	char		 until[WORDS];
	uint64_t	 n, now = now_ms();
	int		 old;

	if (m->uid == 0)
		return (refuse(why, "root is always owner and needs no entry"));
	if (m->uid == UINT32_MAX || m->role == OP_NONE)
		return (refuse(why, "no such account or role"));
	if (!name_valid(m->name, MAX_NAME_CHARS))
		return (refuse(why, "the account's name is not valid"));
	if (m->until != 0 && m->until <= now)
		return (refuse(why, "%s: the end is in the past", m->name));
	if (db == NULL || (old = operator_get(db, m->uid, &op)) == -1 ||
	    db_number(db, S_OPERATOR_COUNT, NOARGS, &n) == -1)
		return (refuse(why, "the ledger cannot be read, see the log"));
	if (old == 1 && !operator_over(&op, now)) {
		until_text(until, op.op_until);
		return (refuse(why, "%s is in the ledger, role %s, %s: remove "
		    "that first", op.op_name, op_role_word(op.op_role), until));
	}
	if (old == 0 && n >= MAX_OPERATORS)
		return (refuse(why, "the ledger has %d entries, and no room "
		    "for more", MAX_OPERATORS));
	op.op_version = old == 1 ? op.op_version + 1 : 1;
	op.op_uid = m->uid;
	op.op_role = m->role;
	op.op_by = rq->rq_op;
	op.op_granted = now;
	op.op_until = m->until;
	(void)strlcpy(op.op_name, m->name, sizeof(op.op_name));
	(void)strlcpy(op.op_byname, "root", sizeof(op.op_byname));
	if (rq->rq_op != 0 && operator_get(db, rq->rq_op, &by) == 1)
		(void)strlcpy(op.op_byname, by.op_name,
		    sizeof(op.op_byname));
	if (operator_put(db, &op) == -1)
		return (refuse(why, "system.db cannot be written"));
	tell_one(rq->rq_peer, &op);
	return (0);
}

/* Also an entry that does not open can be removed. */
int
operator_del(struct request *rq, const struct m_c_operator *m,
    char why[MAX_LINE + 1])
{
	struct operator	 op = { .op_uid = m->uid, .op_role = OP_NONE };
	struct db	*db = db_system();
	int		 n;

	if (m->uid == 0)
		return (refuse(why, "root is always owner and cannot be "
		    "removed"));
	if (db == NULL || (n = db_exec(db, S_OPERATOR_DEL,
	    ARGS(NUM(m->uid)))) == -1)
		return (refuse(why, "system.db cannot be written"));
	if (n == 0)
		return (refuse(why, "%u is not in the ledger", m->uid));
	tell_one(rq->rq_peer, &op);
	return (0);
}

int
operator_list(struct request *rq, char why[MAX_LINE + 1])
{
	struct m_c_operator_row	 m = { .role = OP_OWNER, .name = "root",
				    .byname = "" };
	struct operator		 op;
	struct db		*db = db_system();
	sqlite3_stmt		*st;
	int			 n;

	if (db == NULL)
		return (refuse(why, "the ledger cannot be read, see the log"));
	rq_answer(rq, IMSG_C_OPERATOR_ROW, &m);
	st = db_query(db, S_OPERATORS, NOARGS);
	while ((n = db_step(db, st)) == 1) {
		/* One that is damaged lets nobody in, but it is there. */
		if (operator_read(db, st, &op) == -1) {
			op.op_role = OP_NONE;
			op.op_name[0] = op.op_byname[0] = '\0';
		}
		m.uid = op.op_uid;
		m.by = op.op_by;
		m.role = op.op_role;
		m.granted = op.op_granted;
		m.until = op.op_until;
		m.expired = operator_over(&op, now_ms()) != 0;
		m.name = op.op_name;
		m.byname = op.op_byname;
		rq_answer(rq, IMSG_C_OPERATOR_ROW, &m);
	}
	db_done(st);
	return (n == 0 ? 0 : refuse(why, "the ledger cannot be read, see the "
	    "log"));
}

void
operator_target(uint32_t type, const struct m_c_operator *m, char *dst,
    size_t size)
{
	struct operator	 op;
	struct db	*db = db_system();
	char		 until[WORDS];

	if (type == IMSG_C_OPERATOR_ADD) {
		until_text(until, m->until);
		(void)snprintf(dst, size, "uid %u %s role %s %s", m->uid,
		    m->name, op_role_word(m->role), until);
	} else if (db != NULL && operator_get(db, m->uid, &op) == 1) {
		until_text(until, op.op_until);
		(void)snprintf(dst, size, "uid %u %s, was role %s %s", m->uid,
		    op.op_name, op_role_word(op.op_role), until);
	} else
		(void)snprintf(dst, size, "uid %u", m->uid);
}

/*
 * What auth has to say for the audit trail.
 */

/* The command as it is typed, more or less: "log verbose" is "verbose 1". */
static void
note_words(char dst[WORDS], const struct m_note *m)
{
	const char	*name = msg_name(m->type);
	size_t		 i;

	if (strncmp(name, "C_", 2) == 0)
		name += 2;
	for (i = 0; i < WORDS - 1 && name[i] != '\0'; i++)
		dst[i] = name[i] == '_' ? ' ' :
		    (char)tolower((unsigned char)name[i]);
	dst[i] = '\0';
	if (m->type == IMSG_C_VERBOSE)
		(void)snprintf(dst, WORDS, "verbose %u", m->arg);
}

void
operator_note(struct request *rq, const struct m_note *m)
{
	static const char *const	 what[NOTE_MAX] = {
		"", ": done", ": refused", ": the client has gone, see the log",
		": not for the role, refused", "turned away, not in the ledger"
	};
	struct db	*sys = db_system();
	char		 words[WORDS] = "", more[WORDS] = "";
	int		 n = -1;

	if (m->type != IMSG_NONE)
		note_words(words, m);
	if (m->more != 0)
		(void)snprintf(more, sizeof(more), "; %u more since the last "
		    "such entry", m->more);
	if (sys != NULL)
		n = audit_add(sys, "uid %u: %s%s%s", m->op, words,
		    what[m->note], more);
	if (m->note == NOTE_BEGIN)
		(void)proc_result(rq->rq_peer, rq->rq_id, n == 0 ? R_OK :
		    R_REFUSED, 0, "");
	else if (n == -1)
		log_warnx("uid %u: %s%s%s, but not in the audit trail", m->op,
		    words, what[m->note], more);
}
