#include <err.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "csv.h"
#include "msg.h"
#include "output.h"
#include "proof.h"
#include "role.h"
#include "util.h"
#include "way.h"
#include "zone.h"

#define LOG_ROWS_SHOWN	100

struct column {
	const char	*co_title;
	int		 co_right;	/* numbers: flush right */
};

/* The rows of one command: all cells, one after the other. */
static const struct command	*command;
static const struct column	*columns;
static size_t			 ncolumns;
static char			**cells;
static size_t			 ncells, maxcells;

static void	 cell(const char *, ...) __attribute__((format(printf, 1, 2)));

const char *
user_state_text(uint8_t state)
{
	static const char	*const names[USER_STATE_MAX] = {
		"invited", "active", "locked"
	};

	return (state < USER_STATE_MAX ? names[state] : "?");
}

const char *
tenant_state_text(uint8_t state)
{
	static const char	*const names[TENANT_STATE_MAX] = {
		"active", "suspended"
	};

	return (state < TENANT_STATE_MAX ? names[state] : "?");
}

const char *
operator_state_text(const struct m_c_operator_row *m)
{
	if (m->role == OP_NONE)
		return ("damaged");
	return (m->expired ? "expired" : "active");
}

const char *
import_text(uint8_t what)
{
	static const char	*const names[IMPORT_WHAT_MAX] = {
		"same", "add", "change", "fault"
	};

	return (what < IMPORT_WHAT_MAX ? names[what] : "?");
}

int
wc_harmless(wchar_t wc)
{
	if (wcwidth(wc) < 0)
		return (0);
	/* Marks that turn the direction, or hide: U+200B and its like. */
	return (!((wc >= 0x200b && wc <= 0x200f) ||
	    (wc >= 0x2028 && wc <= 0x202e) || (wc >= 0x2060 && wc <= 0x206f) ||
	    wc == 0x061c || wc == 0xfeff || (wc >= 0xfff9 && wc <= 0xfffb) ||
	    (wc >= 0xe0000 && wc <= 0xe007f)));
}

char *
visible(const char *s)
{
	mbstate_t	 st;
	wchar_t		 wc;
	size_t		 n, len = strlen(s), i;
	char		*buf, *p;

	if ((p = buf = malloc(len * 4 + 1)) == NULL)
		err(1, NULL);
	memset(&st, 0, sizeof(st));
	while (len > 0) {
		n = mbrtowc(&wc, s, len, &st);
		if (n == (size_t)-1 || n == (size_t)-2 || n == 0) {
			memset(&st, 0, sizeof(st));
			n = 1;
			wc = L'\033';
		}
		if (wc_harmless(wc) && wc != L'\\') {
			memcpy(p, s, n);
			p += n;
		} else if (wc == L'\\') {
			*p++ = '\\';
			*p++ = '\\';
		} else {
			for (i = 0; i < n; i++, p += 4)
				(void)snprintf(p, 5, "\\%03o",
				    (unsigned char)s[i]);
		}
		s += n;
		len -= n;
	}
	*p = '\0';
	return (buf);
}

/* Columns on the screen: two for most of Chinese, Japanese and Korean. */
static size_t
width(const char *s)
{
	mbstate_t	 st;
	wchar_t		 wc;
	size_t		 n, w = 0;
	int		 one;

	memset(&st, 0, sizeof(st));
	while (*s != '\0') {
		n = mbrtowc(&wc, s, MB_CUR_MAX, &st);
		if (n == (size_t)-1 || n == (size_t)-2) {
			memset(&st, 0, sizeof(st));
			n = 1;
			wc = L'?';
		}
		if ((one = wcwidth(wc)) > 0)
			w += (size_t)one;
		s += n;
	}
	return (w);
}

/* The next cell of the row. */
static void
cell(const char *fmt, ...)
{
	char	*text, **more;
	va_list	 ap;

	if (ncells == maxcells) {
		maxcells = maxcells == 0 ? 256 : maxcells * 2;
		more = reallocarray(cells, maxcells, sizeof(*cells));
		if (more == NULL)
			err(1, NULL);
		cells = more;
	}
	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) == -1)
		err(1, NULL);
	va_end(ap);
	cells[ncells++] = visible(text);
	free(text);
}

static void
cell_time(uint64_t ms)
{
	char	 buf[ZONE_TEXT];

	cell("%s", zone_text(buf, ms) == -1 ? "-" : buf);
}

static void
text_begin(const struct command *cm)
{
	command = cm;
}

#define COLUMNS(table) do {						\
	columns = table;						\
	ncolumns = sizeof(table) / sizeof(table[0]);			\
} while (0)

static void
text_tenant(const struct m_c_tenant_row *m)
{
	static const struct column	 table[] = {
		{ "id", 1 }, { "name", 0 }, { "state", 0 }, { "users", 1 },
		{ "floors", 1 }, { "sessions", 1 }, { "bytes", 1 },
		{ "created", 0 }, { "ends", 0 }, { "contact", 0 },
		{ "title", 0 }
	};

	COLUMNS(table);
	cell("%u", m->id);
	cell("%s", m->name);
	cell("%s", tenant_state_text(m->state));
	cell("%u", m->users);
	cell("%u", m->floors);
	cell("%u", m->sessions);
	cell("%llu", (unsigned long long)m->bytes);
	cell_time(m->created);
	cell_time(m->ends);
	cell("%s", m->contact[0] == '\0' ? "-" : m->contact);
	cell("%s", m->title);
}

static void
text_user(const struct m_c_user_row *m)
{
	static const struct column	 table[] = {
		{ "id", 1 }, { "mail", 0 }, { "role", 0 }, { "state", 0 },
		{ "created", 0 }, { "last sign-in", 0 },
		{ "link until", 0 }, { "second factor", 0 },
		{ "locked until", 0 }
	};

	COLUMNS(table);
	cell("%u", m->user);
	cell("%s", m->email);
	cell("%s", m->role);
	cell("%s", user_state_text(m->state));
	cell_time(m->created);
	cell_time(m->last);
	cell_time(m->invite);
	cell("%s", m->factors != 0 ? "yes" : "no");
	cell_time(m->locked);
}

/* One change of a line behind the others. */
static void
detail_add(char **detail, const char *what, const char *from, const char *to)
{
	char	*more;

	if (asprintf(&more, "%s%s%s %s%s%s", *detail == NULL ? "" : *detail,
	    *detail == NULL ? "" : ", ", what, from, *from == '\0' ? "" :
	    " to ", to) == -1)
		err(1, NULL);
	free(*detail);
	*detail = more;
}

static char *
import_detail(const struct m_import_row *m)
{
	char	*detail = NULL;
	int	 add = m->what == IMPORT_ADD;

	if (m->what == IMPORT_FAULT) {
		detail_add(&detail, csv_place_name(m->place), "",
		    csv_why_name(m->why));
		return (detail);
	}
	if (m->mask & SET_NAME && !add)
		detail_add(&detail, "name", "", "as in the file");
	if (m->mask & SET_ROLE || add)
		detail_add(&detail, "role", add ? "" : m->old_role, m->role);
	if (m->mask & SET_STATE)
		detail_add(&detail, "state", user_state_text(m->old_state),
		    user_state_text(m->state));
	if (m->mask & SET_GROUPS)
		detail_add(&detail, "groups", m->old_groups,
		    m->groups[0] == '\0' ? "none" : m->groups);
	return (detail);
}

static void
text_import(const struct m_import_row *m)
{
	static const struct column	 table[] = {
		{ "line", 1 }, { "what", 0 }, { "mail", 0 }, { "detail", 0 },
		{ "link", 0 }
	};
	char				*detail = import_detail(m);

	COLUMNS(table);
	cell("%u", m->line);
	cell("%s", import_text(m->what));
	cell("%s", m->email[0] == '\0' ? "-" : m->email);
	cell("%s", detail == NULL ? "-" : detail);
	cell("-");
	free(detail);
}

static void
text_link(const struct m_c_link *m)
{
	static const struct column	 table[] = { { NULL, 0 } };

	if (command->cm_type == IMSG_C_IMPORT_END) {
		if (ncells == 0)
			return;
		free(cells[--ncells]);
		cell("%s", m->url);
		return;
	}
	COLUMNS(table);
	cell("%s", m->url);
}

/* "voice,video,screen", or "-" for none. */
static void
talk_text(char *dst, size_t size, uint8_t can)
{
	int	 i;

	dst[0] = '\0';
	for (i = 0; i < RIGHTS; i++) {
		if ((can & 1 << i) == 0)
			continue;
		if (dst[0] != '\0')
			(void)strlcat(dst, ",", size);
		(void)strlcat(dst, right_names[i], size);
	}
	if (dst[0] == '\0')
		(void)strlcpy(dst, "-", size);
}

static void
text_floor(const struct m_c_floor_row *m)
{
	static const struct column	 list[] = {
		{ "id", 1 }, { "open to", 0 }, { "users", 1 }, { "groups", 1 },
		{ "bytes", 1 }, { "talk", 0 }, { "way", 0 }, { "name", 0 }
	}, show[] = {
		{ "id", 1 }, { "open to", 0 }, { "users", 1 }, { "groups", 1 },
		{ "bytes", 1 }, { "talk", 0 }, { "way", 0 }, { "name", 0 },
		{ "networks", 0 }, { "who", 0 }
	};
	char				 talk[32];

	if (command->cm_type == IMSG_C_FLOOR_SHOW)
		COLUMNS(show);
	else
		COLUMNS(list);
	cell("%u", m->floor);
	cell("%s", m->open ? "all" : "some");
	cell("%u", m->users);
	cell("%u", m->groups);
	cell("%u", m->bytes);
	talk_text(talk, sizeof(talk), m->can);
	cell("%s", talk);
	cell("%s", way_word(m->way));
	cell("%s", m->name);
	if (command->cm_type != IMSG_C_FLOOR_SHOW)
		return;
	cell("%s", m->networks[0] == '\0' ? "-" : m->networks);
	cell("%s", m->who[0] == '\0' ? "-" : m->who);
}

static void
text_guest(const struct m_c_guest_row *m)
{
	static const struct column	 table[] = {
		{ "id", 1 }, { "uses", 1 }, { "used", 1 }, { "inside", 1 },
		{ "waiting", 1 }, { "password", 0 }, { "approval", 0 },
		{ "created", 0 }, { "expires", 0 }, { "floors", 0 }
	};

	COLUMNS(table);
	cell("%u", m->guest);
	cell("%u", m->uses);
	cell("%u", m->used);
	cell("%u", m->inside);
	cell("%u", m->waiting);
	cell("%s", m->password ? "yes" : "no");
	cell("%s", m->approval ? "yes" : "no");
	cell_time(m->created);
	cell_time(m->expires);
	cell("%s", m->floors[0] == '\0' ? "-" : m->floors);
}

static void
text_session(const struct m_c_session_row *m)
{
	static const struct column	 table[] = {
		{ "user", 1 }, { "mail", 0 }, { "live", 1 },
		{ "created", 0 }, { "seen", 0 }, { "expires", 0 },
		{ "address", 0 }, { "agent", 0 }
	};

	COLUMNS(table);
	cell("%u", m->user);
	cell("%s", m->email);
	cell("%u", m->live);
	cell_time(m->created);
	cell_time(m->seen);
	cell_time(m->expires);
	cell("%s", m->addr);
	cell("%s", m->agent);
}

static void
text_process(const struct m_c_proc_row *m)
{
	static const struct column	 table[] = {
		{ "process", 0 }, { "number", 1 }, { "pid", 1 },
		{ "state", 0 }, { "restarts", 1 }, { "started", 0 }
	};

	COLUMNS(table);
	cell("%s", proc_title(m->proc));
	cell("%u", m->inst);
	cell("%u", m->pid);
	cell("%s", m->up ? "up" : "down");
	cell("%u", m->restarts);
	cell_time(m->started);
}

static void
text_policy(const struct m_c_policy_row *m)
{
	static const struct column	 table[] = {
		{ "rule", 0 }, { "value", 1 }, { "from", 1 }, { "to", 1 }
	};

	COLUMNS(table);
	cell("%s", m->name);
	if (m->list || m->text[0] != '\0') {
		cell("%s", m->text[0] == '\0' ? "-" : m->text);
		cell("-");
		cell("-");
		return;
	}
	cell("%u", m->value);
	cell("%u", m->min);
	cell("%u", m->max);
}

static void
text_operator(const struct m_c_operator_row *m)
{
	static const struct column	 table[] = {
		{ "uid", 1 }, { "name", 0 }, { "role", 0 }, { "state", 0 },
		{ "until", 0 }, { "granted", 0 }, { "by", 0 }
	};

	COLUMNS(table);
	cell("%u", m->uid);
	cell("%s", m->name);
	cell("%s", op_role_word(m->role));
	cell("%s", operator_state_text(m));
	cell_time(m->until);
	cell_time(m->granted);
	if (m->byname[0] == '\0')
		cell("-");
	else
		cell("%s (%u)", m->byname, m->by);
}

static void
text_attack(const struct m_c_attack_row *m)
{
	static const struct column	 table[] = {
		{ "tenant", 0 }, { "begun", 0 }, { "last", 0 },
		{ "state", 0 }, { "tries", 1 }, { "accounts", 1 },
		{ "addresses", 0 }
	};

	COLUMNS(table);
	cell("%s", m->tenant);
	cell_time(m->begun);
	cell_time(m->last);
	cell("%s", m->over ? "over" : "on");
	cell("%llu", (unsigned long long)m->tries);
	cell("%u", m->accounts);
	cell("%s", m->addrs);
}

static void
text_audit(const struct m_c_audit_row *m)
{
	static const struct column	 table[] = {
		{ "line", 1 }, { "time", 0 }, { "what", 0 }
	};

	COLUMNS(table);
	cell("%llu", (unsigned long long)m->seq);
	cell_time(m->at);
	cell("%s", m->open ? m->text : "(does not open)");
}

static const struct {
	const char	*word, *text;
} faults[AUDIT_FAULT_MAX] = {
	[AUDIT_WHOLE] = { "whole", "whole" },
	[AUDIT_CHANGED] = { "changed", "was changed" },
	[AUDIT_MISSING] = { "missing", "is missing" },
	[AUDIT_EXTRA] = { "extra", "was not written by risad" },
	[AUDIT_POINT] = { "checkpoint", "is not the one that was signed" },
	[AUDIT_KEPT] = { "kept", "is not the one of the checkpoint given" },
	[AUDIT_LOST] = { "lost", "the end of the chain does not open" },
	[AUDIT_CLOSED] = { "closed", "the data cannot be read" },
	[AUDIT_GONE] = { "gone", "there is none, and it was not erased" },
	[AUDIT_ERASED] = { "erased", "there is none, its tenant was erased" },
};

const char *
audit_fault_word(uint8_t fault)
{
	return (fault < AUDIT_FAULT_MAX ? faults[fault].word : "?");
}

const char *
audit_fault_text(uint8_t fault)
{
	return (fault < AUDIT_FAULT_MAX ? faults[fault].text : "?");
}

int
audit_fault_line(uint8_t fault)
{
	return (fault != AUDIT_WHOLE && fault != AUDIT_LOST &&
	    fault != AUDIT_CLOSED && fault != AUDIT_GONE &&
	    fault != AUDIT_ERASED);
}

static void
text_trail(const struct m_c_audit_state *m)
{
	static const struct column	 table[] = {
		{ "trail", 0 }, { "lines", 1 }, { "compared", 1 },
		{ "state", 0 }
	};

	COLUMNS(table);
	cell("%s", m->tenant[0] == '\0' ? "-" : m->tenant);
	cell("%llu", (unsigned long long)m->lines);
	cell("%u", m->compared);
	if (audit_fault_line(m->fault))
		cell("line %llu %s", (unsigned long long)m->bad,
		    audit_fault_text(m->fault));
	else
		cell("%s", audit_fault_text(m->fault));
}

static void
text_point(const struct m_c_point *m)
{
	static const struct column	 table[] = { { NULL, 0 } };

	COLUMNS(table);
	cell("%s", m->line);
}

/* In PEM, for a file and for other programs. */
static void
text_key(const struct m_proof_key *m)
{
	static const struct column	 table[] = { { NULL, 0 } };
	char				 pem[PROOF_PEM], *s = pem, *line;

	COLUMNS(table);
	if (proof_pem(m->key, pem) == -1)
		errx(1, "not a public key of Ed25519");
	while ((line = strsep(&s, "\n")) != NULL)
		if (*line != '\0')
			cell("%s", line);
}

/* 0 is none. */
static void
cell_number(uint64_t n)
{
	if (n == 0)
		cell("-");
	else
		cell("%llu", (unsigned long long)n);
}

const char *
keep_word(uint8_t kind)
{
	static const char	*const words[KEEP_MAX] = {
		"chat", "audit", "log"
	};

	return (kind < KEEP_MAX ? words[kind] : "?");
}

static void
text_hold(const struct m_c_hold_row *m)
{
	static const struct column	 table[] = {
		{ "held", 0 }, { "user", 1 }, { "since", 0 },
		{ "operator", 1 }, { "reason", 0 }
	};

	COLUMNS(table);
	cell("%s", m->user == 0 ? m->tenant : m->email);
	cell("%u", m->user);
	cell_time(m->at);
	cell("%u", m->by);
	cell("%s", m->reason);
}

static void
text_erased(const struct m_c_erased *m)
{
	static const struct column	 table[] = {
		{ "number", 1 }, { "name", 0 }, { "erased", 0 },
		{ "certificate", 0 }
	};

	COLUMNS(table);
	cell("%u", m->tenant);
	cell("%s", m->name);
	cell_time(m->at);
	cell("%s", m->is_signed ? "signed" : "not signed yet");
}

static void
text_kept(const struct m_c_kept *m)
{
	static const struct column	 table[] = {
		{ "tenant", 0 }, { "kind", 0 }, { "days", 1 }, { "hold", 0 },
		{ "count", 1 }, { "due", 1 }, { "oldest", 0 }, { "newest", 0 }
	};

	COLUMNS(table);
	cell("%s", m->tenant);
	cell("%s", keep_word(m->kind));
	cell_number(m->days);
	cell("%s", m->hold ? "yes" : "no");
	cell("%llu", (unsigned long long)m->count);
	cell("%llu", (unsigned long long)m->due);
	cell_time(m->oldest);
	cell_time(m->newest);
}

static void
text_backup(const struct m_c_backup_row *m)
{
	static const struct column	 table[] = {
		{ "stamp", 0 }, { "made", 0 }, { "seconds", 1 },
		{ "bytes", 1 }, { "tenants", 1 }, { "verified", 0 },
		{ "rehearsed", 0 }, { "fault", 0 }
	};

	COLUMNS(table);
	cell("%s", m->stamp);
	cell_time(m->at);
	cell("%llu.%01llu", (unsigned long long)m->took / 1000,
	    (unsigned long long)m->took % 1000 / 100);
	cell("%llu", (unsigned long long)m->bytes);
	cell("%u", m->tenants);
	cell_time(m->verified);
	cell_time(m->rehearsed);
	cell("%s", m->fault[0] == '\0' ? "-" : m->fault);
}

static void
text_part(const struct m_c_backup_part *m)
{
	static const struct column	 table[] = {
		{ "stamp", 0 }, { "of", 0 }, { "done", 0 }, { "note", 0 }
	};

	COLUMNS(table);
	cell("%s", m->stamp);
	cell("%s", m->tenant[0] == '\0' ? "-" : m->tenant);
	cell("%s", m->done ? "yes" : "no");
	cell("%s", m->note);
}

/* What the checksheet says of each kind (J5, J8). */
static const struct {
	const char	*word, *how, *where;
} stores[STORE_MAX] = {
	[STORE_PEOPLE] = { "people",
	    "sealed: mail, name, profile, role", "main.db users" },
	[STORE_PASSWORD] = { "passwords",
	    "Argon2id, under the pepper, sealed", "main.db users" },
	[STORE_SIGNIN] = { "sign-ins",
	    "cookie as SHA-256; address sealed", "main.db tokens" },
	[STORE_FLOOR] = { "floors",
	    "sealed: name, map, rights", "main.db floors" },
	[STORE_CHAT] = { "chat",
	    "sealed: text, name; clear: time, floor, sender",
	    "main.db messages" },
	[STORE_AUDIT] = { "audit", "sealed, in a chain", "main.db audit" },
	[STORE_LOG] = { "log", "sealed, a file for each month",
	    "log-YYYYMM.db" },
	[STORE_EXPORT] = { "exports", "sealed", "system.db exports" },
	[STORE_FILE] = { "file", "the database itself", "main.db" },
	[STORE_BACKUP] = { "backups", "as it is, without keys",
	    "backup/STAMP" },
	[STORE_REHEARSAL] = { "rehearsals", "of backups", "system.db backups" },
};

const char *
store_word(uint8_t kind)
{
	return (kind < STORE_MAX ? stores[kind].word : "?");
}

const char *
store_how(uint8_t kind)
{
	return (kind < STORE_MAX ? stores[kind].how : "?");
}

const char *
store_where(uint8_t kind, const char *tenant)
{
	if (tenant[0] == '\0' && kind == STORE_AUDIT)
		return ("system.db audit");
	if (tenant[0] == '\0' && kind == STORE_FILE)
		return ("system.db");
	return (kind < STORE_MAX ? stores[kind].where : "?");
}

static void
cell_tenant(const char *name)
{
	cell("%s", name[0] == '\0' ? "-" : name);
}

static void
text_storage(const struct m_c_storage_row *m)
{
	static const struct column	 show[] = {
		{ "tenant", 0 }, { "kind", 0 }, { "count", 1 },
		{ "bytes", 1 }, { "oldest", 0 }, { "newest", 0 },
		{ "next purge", 0 }
	}, sheet[] = {
		{ "tenant", 0 }, { "kind", 0 }, { "count", 1 },
		{ "days", 1 }, { "how", 0 }, { "where", 0 },
		{ "country", 0 }
	};

	if (command->cm_arg)
		COLUMNS(sheet);
	else
		COLUMNS(show);
	cell_tenant(m->tenant);
	cell("%s", store_word(m->kind));
	cell("%llu", (unsigned long long)m->count);
	if (command->cm_arg) {
		cell_number(m->days);
		cell("%s", store_how(m->kind));
		cell("%s", store_where(m->kind, m->tenant));
		cell("%s", m->country[0] == '\0' ? "-" : m->country);
		return;
	}
	cell("%llu", (unsigned long long)m->bytes);
	cell_time(m->oldest);
	cell_time(m->newest);
	cell_time(m->purge);
}

const char *
export_word(uint8_t kind)
{
	static const char	*const words[EXPORT_KIND_MAX] = {
		"tenant", "log-csv", "log-jsonl"
	};

	return (kind < EXPORT_KIND_MAX ? words[kind] : "?");
}

const char *
export_state_word(uint8_t state)
{
	static const char	*const words[EXPORT_STATE_MAX] = {
		"begun", "done", "failed"
	};

	return (state < EXPORT_STATE_MAX ? words[state] : "?");
}

static void
text_export(const struct m_c_export_row *m)
{
	static const struct column	 table[] = {
		{ "number", 1 }, { "time", 0 }, { "tenant", 0 },
		{ "what", 0 }, { "state", 0 }, { "lines", 1 }, { "by", 1 },
		{ "confirmed", 1 }, { "reason", 0 }
	};

	COLUMNS(table);
	cell("%u", m->id);
	cell_time(m->at);
	cell_tenant(m->tenant);
	cell("%s", export_word(m->kind));
	cell("%s", export_state_word(m->state));
	cell("%llu", (unsigned long long)m->rows);
	cell("%u", m->by);
	if (m->confirmed)
		cell("%u", m->second);
	else
		cell("-");
	cell("%s", m->reason[0] == '\0' ? "-" : m->reason);
}

static void
text_confirm(const struct m_c_confirm_row *m)
{
	static const struct column	 table[] = {
		{ "number", 1 }, { "by", 1 }, { "asked", 0 }, { "until", 0 },
		{ "confirmed", 1 }, { "what", 0 }
	};

	COLUMNS(table);
	cell("%u", m->number);
	cell("%u", m->by);
	cell_time(m->at);
	cell_time(m->until);
	if (m->confirmed)
		cell("%u", m->second);
	else
		cell("-");
	cell("%s", m->what);
}

static void
text_alert(const struct m_c_alert_row *m)
{
	static const struct column	 table[] = {
		{ "alert", 0 }, { "level", 0 }, { "tenant", 0 },
		{ "count", 1 }, { "first", 0 }, { "last", 0 }, { "what", 0 }
	};

	COLUMNS(table);
	cell("%s", m->name);
	cell("%s", m->critical ? "critical" : "warning");
	cell_tenant(m->tenant);
	cell("%llu", (unsigned long long)m->count);
	cell_time(m->first);
	cell_time(m->last);
	cell("%s", m->text);
}

const char *
key_state_word(const struct m_c_key *m)
{
	static const char	*const words[KEY_STATE_MAX] = {
		"whole", "rotating", "unreadable"
	};

	return (m->waits ? "waits" : m->state < KEY_STATE_MAX ?
	    words[m->state] : "?");
}

static void
text_key_row(const struct m_c_key *m)
{
	static const struct column	 table[] = {
		{ "tenant", 0 }, { "generation", 1 }, { "since", 0 },
		{ "state", 0 }, { "percent", 1 }, { "done", 1 },
		{ "bad", 1 }, { "previous", 0 }
	};

	COLUMNS(table);
	cell("%s", m->tenant[0] == '\0' ? "-" : m->tenant);
	cell_number(m->generation);
	cell_time(m->since);
	cell("%s", key_state_word(m));
	cell_number(m->percent);
	cell("%llu", (unsigned long long)m->done);
	cell("%llu", (unsigned long long)m->bad);
	cell("%s", m->previous ? "yes" : "no");
}

const char *
access_word(uint8_t kind)
{
	static const char	*const words[ACCESS_MAX] = {
		"request", "sign-in", "sign-out", "failed", "enter", "leave",
		"talk", "talk-end"
	};

	return (kind < ACCESS_MAX ? words[kind] : "?");
}

size_t
log_rows(const struct command *cm)
{
	return (cm->cm_flags & CM_COUNT ? cm->cm_number : LOG_ROWS_SHOWN);
}

static void
text_log(const struct m_c_log_row *m)
{
	static const struct column	 table[] = {
		{ "time", 0 }, { "kind", 0 }, { "user", 1 }, { "address", 0 },
		{ "status", 1 }, { "bytes", 1 }, { "floor", 1 },
		{ "mail", 0 }, { "what", 0 }
	};
	size_t				 i, limit = log_rows(command);

	COLUMNS(table);
	if (limit != 0 && ncells == limit * ncolumns) {
		for (i = 0; i < ncolumns; i++)
			free(cells[i]);
		ncells -= ncolumns;
		memmove(cells, cells + ncolumns, ncells * sizeof(*cells));
	}
	cell_time(m->at);
	cell("%s", access_word(m->kind));
	cell_number(m->user);
	cell("%s", m->addr);
	cell_number(m->status);
	cell_number(m->bytes);
	cell_number(m->floor);
	cell("%s", m->email);
	cell("%s", m->text);
}

static void
text_stat(const struct m_c_stat_row *m)
{
	static const struct column	 table[] = {
		{ "name", 0 }, { "value", 1 }
	};

	COLUMNS(table);
	cell("%s", m->name);
	/* The only figure that is a moment. */
	if (strcmp(m->name, "risad.started") == 0)
		cell_time(m->value);
	else
		cell("%llu", (unsigned long long)m->value);
}

static void
text_role(const struct m_c_role_row *m)
{
	static const struct column	 table[] = {
		{ "id", 1 }, { "people", 1 }, { "may", 0 }, { "role", 0 }
	};
	char				 may[64] = "";
	int				 i;

	COLUMNS(table);
	cell("%u", m->role);
	cell("%u", m->users);
	for (i = 0; i < RIGHTS; i++) {
		if ((m->can & 1 << i) == 0)
			continue;
		(void)strlcat(may, may[0] == '\0' ? "" : " ", sizeof(may));
		(void)strlcat(may, right_names[i], sizeof(may));
	}
	cell("%s", may[0] == '\0' ? "-" : may);
	cell("%s", m->name);
}

static void
pad(size_t n)
{
	printf("%*s", (int)n, "");
}

/* Cut no text: the last column may leave the screen, but is not padded. */
static void
print_row(char **row, const size_t *wide)
{
	size_t	 i, w;

	for (i = 0; i < ncolumns; i++) {
		w = width(row[i]);
		if (i > 0)
			pad(2);
		if (columns[i].co_right)
			pad(wide[i] - w);
		printf("%s", row[i]);
		if (!columns[i].co_right && i + 1 < ncolumns)
			pad(wide[i] - w);
	}
	printf("\n");
}

static int
row_cmp(const void *a, const void *b)
{
	return (strcmp(*(char *const *)a, *(char *const *)b));
}

static void
print_table(void)
{
	size_t	*wide, i, w;
	char	**titles;

	/* Of several processes, which answer as they like. */
	if (command->cm_type == IMSG_C_STATUS ||
	    command->cm_type == IMSG_C_STATS)
		qsort(cells, ncells / ncolumns, ncolumns * sizeof(*cells),
		    row_cmp);
	if ((wide = calloc(ncolumns, sizeof(*wide))) == NULL ||
	    (titles = calloc(ncolumns, sizeof(*titles))) == NULL)
		err(1, NULL);
	for (i = 0; i < ncolumns; i++) {
		if (asprintf(&titles[i], "%s", columns[i].co_title) == -1)
			err(1, NULL);
		wide[i] = width(titles[i]);
	}
	for (i = 0; i < ncells; i++)
		if ((w = width(cells[i])) > wide[i % ncolumns])
			wide[i % ncolumns] = w;
	print_row(titles, wide);
	for (i = 0; i < ncells; i += ncolumns)
		print_row(cells + i, wide);
	for (i = 0; i < ncolumns; i++)
		free(titles[i]);
	free(titles);
	free(wide);
}

/* One thing: a line for each of its values. */
static void
print_one(void)
{
	size_t	 i, w, wide = 0;

	for (i = 0; i < ncolumns; i++)
		if ((w = strlen(columns[i].co_title)) > wide)
			wide = w;
	for (i = 0; i < ncells; i++) {
		printf("%s:", columns[i % ncolumns].co_title);
		pad(wide - strlen(columns[i % ncolumns].co_title) + 1);
		printf("%s\n", cells[i]);
	}
}

static void
text_keypack(uint32_t backup, uint64_t at, uint32_t count)
{
	static const struct column	 table[] = { { NULL, 0 } };
	char				 when[ZONE_TEXT];

	COLUMNS(table);
	if (command->cm_type == IMSG_C_KEY_BACKUP)
		cell("key backup %u: %u keys", backup, count);
	else
		cell("key backup %u, made %s, %u keys", backup,
		    zone_text(when, at) == -1 ? "-" : when, count);
}

static void
text_packed(const struct packed *pk)
{
	char		*text = NULL, which[MAX_LABEL + 64], number[16];
	unsigned int	 i;

	if (pk->pk_kind != NULL)
		(void)snprintf(which, sizeof(which), "%s key", pk->pk_kind);
	else if (pk->pk_tenant == 0)
		(void)strlcpy(which, "key of the installation", sizeof(which));
	else
		(void)snprintf(which, sizeof(which),
		    "key of tenant %s, number %u", pk->pk_name, pk->pk_tenant);
	for (i = 0; i < pk->pk_n; i++) {
		(void)snprintf(number, sizeof(number), "%u",
		    pk->pk_generations[i]);
		detail_add(&text, "generation", "", number);
	}
	for (i = 0; i < pk->pk_closed; i++)
		detail_add(&text, "one that the master key", "",
		    "does not open");
	cell("%s%s%s", which, text == NULL ? "" : ", ", text == NULL ? "" :
	    text);
	free(text);
}

static void
text_unpacked(const char *dir)
{
	static const struct column	 table[] = { { NULL, 0 } };

	COLUMNS(table);
	cell("%s/master.key, pepper.key, sign.key: to where risad.conf "
	    "names them, of root, mode 0400", dir);
	cell("%s/keys: in place of keys in the data directory, of the user of "
	    "storage, files of mode 0600", dir);
}

static void
text_signed(const char *file, const struct proof *pf)
{
	static const struct column	 table[] = { { NULL, 0 } };
	char				 at[ZONE_TEXT];

	COLUMNS(table);
	(void)zone_text(at, pf->pf_at);
	if (file == NULL)
		cell("%s: %llu lines, %s", pf->pf_name,
		    (unsigned long long)pf->pf_seq, at);
	else
		cell("%s: %s of %s, as risad signed it at %s", file,
		    proof_word(pf->pf_kind), strcmp(pf->pf_name, "-") == 0 ?
		    "the installation" : pf->pf_name, at);
}

static void
text_end(void)
{
	size_t	 i;

	if (ncells > 0 && columns[0].co_title == NULL) {
		for (i = 0; i < ncells; i++)
			printf("%s\n", cells[i]);
	} else if (ncells > 0 && (command->cm_type == IMSG_C_TENANT_SHOW ||
	    command->cm_type == IMSG_C_USER_SHOW ||
	    command->cm_type == IMSG_C_FLOOR_SHOW))
		print_one();
	else if (ncells > 0)
		print_table();
	for (i = 0; i < ncells; i++)
		free(cells[i]);
	free(cells);
	cells = NULL;
	ncells = maxcells = 0;
}

const struct output	 output_text = {
	.out_begin = text_begin,
	.out_tenant = text_tenant,
	.out_user = text_user,
	.out_import = text_import,
	.out_link = text_link,
	.out_floor = text_floor,
	.out_guest = text_guest,
	.out_session = text_session,
	.out_process = text_process,
	.out_role = text_role,
	.out_policy = text_policy,
	.out_operator = text_operator,
	.out_attack = text_attack,
	.out_audit = text_audit,
	.out_trail = text_trail,
	.out_point = text_point,
	.out_key = text_key,
	.out_hold = text_hold,
	.out_erased = text_erased,
	.out_kept = text_kept,
	.out_key_row = text_key_row,
	.out_backup = text_backup,
	.out_part = text_part,
	.out_alert = text_alert,
	.out_export = text_export,
	.out_confirm = text_confirm,
	.out_storage = text_storage,
	.out_log = text_log,
	.out_stat = text_stat,
	.out_keypack = text_keypack,
	.out_packed = text_packed,
	.out_unpacked = text_unpacked,
	.out_signed = text_signed,
	.out_end = text_end,
};
