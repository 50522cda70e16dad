#include <err.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "csv.h"
#include "msg.h"
#include "output.h"
#include "proof.h"
#include "role.h"
#include "util.h"
#include "way.h"
#include "zone.h"

/*
 * The document: an object with one member, named after what it holds, that is
 * an array for a list and an object for one thing; {"done": true} where there
 * is nothing to tell.
 */
static json_t	*document, *rows;
static size_t	 flags;

static size_t	 log_limit;

static const struct shape {
	uint32_t	 sh_type;
	const char	*sh_name;
	int		 sh_list;
} shapes[] = {
	{ IMSG_C_TENANT_LIST, "tenants", 1 },
	{ IMSG_C_TENANT_SHOW, "tenant", 0 },
	{ IMSG_C_USER_ADD, "link", 0 },
	{ IMSG_C_USER_LINK, "link", 0 },
	{ IMSG_C_USER_LIST, "users", 1 },
	{ IMSG_C_USER_SHOW, "user", 0 },
	{ IMSG_C_IMPORT_END, "lines", 1 },
	{ IMSG_C_FLOOR_LIST, "floors", 1 },
	{ IMSG_C_FLOOR_SHOW, "floor", 0 },
	{ IMSG_C_ROLE_LIST, "roles", 1 },
	{ IMSG_C_GUEST_ADD, "link", 0 },
	{ IMSG_C_GUEST_LIST, "guests", 1 },
	{ IMSG_C_SESSION_LIST, "sessions", 1 },
	{ IMSG_C_OPERATOR_LIST, "operators", 1 },
	{ IMSG_C_POLICY_SHOW, "policy", 1 },
	{ IMSG_C_PROCESSES, "processes", 1 },
	{ IMSG_C_ATTACKS, "attacks", 1 },
	{ IMSG_C_ALERTS, "alerts", 1 },
	{ IMSG_C_EXPORTS, "exports", 1 },
	{ IMSG_C_CONFIRMS, "waiting", 1 },
	{ IMSG_C_STORAGE, "storage", 1 },
	{ IMSG_C_AUDIT_SHOW, "lines", 1 },
	{ IMSG_C_AUDIT_VERIFY, "trails", 1 },
	{ IMSG_C_AUDIT_POINTS, "checkpoints", 1 },
	{ IMSG_C_LOG_SHOW, "lines", 1 },
	{ IMSG_C_TENANT_ERASED, "erased", 1 },
	{ IMSG_C_HOLD_SHOW, "holds", 1 },
	{ IMSG_C_PURGE_SHOW, "kept", 1 },
	{ IMSG_C_PURGE_RUN, "kept", 1 },
	{ IMSG_C_KEY_SHOW, "keys", 1 },
	{ IMSG_C_KEY_BACKUP, "backup", 0 },
	{ IMSG_C_BACKUP_LIST, "backups", 1 },
	{ IMSG_C_BACKUP_NOW, "backup", 0 },
	{ IMSG_C_BACKUP_VERIFY, "parts", 1 },
	{ IMSG_C_BACKUP_RESTORE, "parts", 1 },
	{ IMSG_C_BACKUP_REHEARSE, "parts", 1 },
	{ IMSG_C_PROOF_KEY, "key", 0 },
	{ IMSG_C_STATUS, "status", 0 },
	{ IMSG_C_STATS, "stats", 0 }
}, alone[] = {		/* flags of what is done without the daemon */
	{ CM_VERIFY, "verified", 1 },
	{ CM_KEYS, "backup", 0 },
	{ CM_RESTORE, "restored", 0 }
};

void
output_json_init(void)
{
	/* It would read a file for the seed of its hash tables. */
	json_object_seed(1 + arc4random_uniform(UINT32_MAX));
}

static void
put(json_t *obj, const char *key, json_t *value)
{
	if (value == NULL || json_object_set_new(obj, key, value) == -1)
		errx(1, "no memory");
}

static void
put_num(json_t *obj, const char *key, uint64_t n)
{
	put(obj, key, json_integer((json_int_t)(n > INT64_MAX ? INT64_MAX :
	    n)));
}

static void
put_str(json_t *obj, const char *key, const char *s)
{
	put(obj, key, json_string(s));
}

static void
put_time(json_t *obj, const char *key, uint64_t ms)
{
	char	 buf[ZONE_TEXT];

	if (zone_text(buf, ms) == -1)
		put(obj, key, json_null());
	else
		put_str(obj, key, buf);
}

/* What is of none has no name; a tenant's own has no hyphen in front. */
static void
put_tenant(json_t *obj, const char *name)
{
	if (name[0] == '\0' || strcmp(name, "-") == 0)
		put(obj, "tenant", json_null());
	else
		put_str(obj, "tenant", name);
}

static const struct shape *
shape_of(const struct command *cm)
{
	size_t	 i;

	/* What is exported is in its file. */
	if (cm->cm_type == IMSG_C_LOG_SHOW && cm->cm_arg != LOG_ROWS)
		return (NULL);
	for (i = 0; i < sizeof(alone) / sizeof(alone[0]); i++)
		if (cm->cm_flags & alone[i].sh_type)
			return (&alone[i]);
	for (i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
		if (shapes[i].sh_type == cm->cm_type)
			return (&shapes[i]);
	return (NULL);
}

static void
json_begin(const struct command *cm)
{
	const struct shape	*sh = shape_of(cm);

	if ((document = json_object()) == NULL)
		errx(1, "no memory");
	log_limit = log_rows(cm);
	flags = JSON_INDENT(2);
	/* Of several processes, which answer as they like. */
	if (cm->cm_type == IMSG_C_STATUS || cm->cm_type == IMSG_C_STATS)
		flags |= JSON_SORT_KEYS;
	if (sh == NULL) {
		put(document, "done", json_true());
		return;
	}
	rows = sh->sh_list ? json_array() : json_object();
	put(document, sh->sh_name, rows);
}

/* The object for a row: a new one in the list, or the only one. */
static json_t *
row(void)
{
	json_t	*obj;

	if (!json_is_array(rows))
		return (rows);
	obj = json_object();
	if (obj == NULL || json_array_append_new(rows, obj) == -1)
		errx(1, "no memory");
	return (obj);
}

static void
json_tenant(const struct m_c_tenant_row *m)
{
	json_t	*obj = row();

	put_num(obj, "id", m->id);
	put_str(obj, "name", m->name);
	put_str(obj, "title", m->title);
	put_str(obj, "contact", m->contact);
	put_str(obj, "state", tenant_state_text(m->state));
	put_num(obj, "users", m->users);
	put_num(obj, "floors", m->floors);
	put_num(obj, "sessions", m->sessions);
	put_num(obj, "bytes", m->bytes);
	put_time(obj, "created", m->created);
	put_time(obj, "ends", m->ends);
}

static void
json_user(const struct m_c_user_row *m)
{
	json_t	*obj = row();

	put_num(obj, "id", m->user);
	put_str(obj, "mail", m->email);
	put_str(obj, "role", m->role);
	put_str(obj, "state", user_state_text(m->state));
	put_time(obj, "created", m->created);
	put_time(obj, "last", m->last);
	put_time(obj, "link_until", m->invite);
	put(obj, "second_factor", json_boolean(m->factors != 0));
	put_time(obj, "locked_until", m->locked);
}

/* What changes, as it was or as it becomes. */
static void
put_side(json_t *obj, const struct m_import_row *m, int after)
{
	json_t	*side = json_object();

	put(obj, after ? "to" : "from", side);
	if (m->mask & SET_ROLE || m->what == IMPORT_ADD)
		put_str(side, "role", after ? m->role : m->old_role);
	if (m->mask & SET_STATE || m->what == IMPORT_ADD)
		put_str(side, "state", user_state_text(after ? m->state :
		    m->old_state));
	if (m->mask & SET_GROUPS || m->what == IMPORT_ADD)
		put_str(side, "groups", after ? m->groups : m->old_groups);
}

static void
json_import(const struct m_import_row *m)
{
	json_t	*obj = row();

	put_num(obj, "line", m->line);
	put_str(obj, "what", import_text(m->what));
	put_str(obj, "mail", m->email);
	if (m->what == IMPORT_FAULT) {
		put_str(obj, "field", csv_place_name(m->place));
		put_str(obj, "reason", csv_why_name(m->why));
		return;
	}
	if (m->user != 0)
		put_num(obj, "user", m->user);
	if (m->what == IMPORT_CHANGE)
		put_side(obj, m, 0);
	if (m->what != IMPORT_SAME)
		put_side(obj, m, 1);
	if (m->mask & SET_NAME)
		put(obj, "named", json_true());
}

static void
json_link(const struct m_c_link *m)
{
	size_t	 n = json_array_size(rows);
	json_t	*obj = n > 0 ? json_array_get(rows, n - 1) : row();

	put_str(obj, "url", m->url);
	put_time(obj, "expires", m->expires);
}

static void
json_floor(const struct m_c_floor_row *m)
{
	json_t	*obj = row();

	put_num(obj, "id", m->floor);
	put_str(obj, "name", m->name);
	put(obj, "open", json_boolean(m->open));
	put_num(obj, "users", m->users);
	put_num(obj, "groups", m->groups);
	put_num(obj, "bytes", m->bytes);
	put_str(obj, "networks", m->networks);
	put(obj, "voice", json_boolean(m->can & RIGHT_VOICE));
	put(obj, "video", json_boolean(m->can & RIGHT_VIDEO));
	put(obj, "screen", json_boolean(m->can & RIGHT_SCREEN));
	put_str(obj, "way", way_word(m->way));
	if (!json_is_array(rows))
		put_str(obj, "who", m->who);
}

static void
json_guest(const struct m_c_guest_row *m)
{
	json_t	*obj = row();

	put_num(obj, "id", m->guest);
	put_num(obj, "uses", m->uses);
	put_num(obj, "used", m->used);
	put_num(obj, "inside", m->inside);
	put_num(obj, "waiting", m->waiting);
	put(obj, "password", json_boolean(m->password));
	put(obj, "approval", json_boolean(m->approval));
	put_time(obj, "created", m->created);
	put_time(obj, "expires", m->expires);
	put_str(obj, "floors", m->floors);
}

static void
json_session(const struct m_c_session_row *m)
{
	json_t	*obj = row();

	put_num(obj, "user", m->user);
	put_str(obj, "mail", m->email);
	put_num(obj, "live", m->live);
	put_time(obj, "created", m->created);
	put_time(obj, "seen", m->seen);
	put_time(obj, "expires", m->expires);
	put_str(obj, "address", m->addr);
	put_str(obj, "agent", m->agent);
}

static void
json_process(const struct m_c_proc_row *m)
{
	json_t	*obj = row();

	put_str(obj, "process", proc_title(m->proc));
	put_num(obj, "number", m->inst);
	put_num(obj, "pid", m->pid);
	put(obj, "up", json_boolean(m->up));
	put_num(obj, "restarts", m->restarts);
	put_time(obj, "started", m->started);
}

static void
json_role(const struct m_c_role_row *m)
{
	json_t	*obj = row(), *can = json_object();
	int	 i;

	put_num(obj, "id", m->role);
	put_str(obj, "role", m->name);
	put_num(obj, "people", m->users);
	for (i = 0; can != NULL && i < RIGHTS; i++)
		put(can, right_names[i], json_boolean(m->can & 1 << i));
	put(obj, "may", can);
}

static void
json_policy(const struct m_c_policy_row *m)
{
	json_t	*obj = row();

	put_str(obj, "rule", m->name);
	if (m->list || m->text[0] != '\0') {
		put_str(obj, "value", m->text);
		return;
	}
	put_num(obj, "value", m->value);
	put_num(obj, "from", m->min);
	put_num(obj, "to", m->max);
}

static void
json_operator(const struct m_c_operator_row *m)
{
	json_t	*obj = row();

	put_num(obj, "uid", m->uid);
	put_str(obj, "name", m->name);
	put_str(obj, "role", op_role_word(m->role));
	put_str(obj, "state", operator_state_text(m));
	put_time(obj, "until", m->until);
	put_time(obj, "granted", m->granted);
	/* Nobody has made root owner. */
	if (m->byname[0] == '\0') {
		put(obj, "by", json_null());
		put(obj, "by_uid", json_null());
		return;
	}
	put_str(obj, "by", m->byname);
	put_num(obj, "by_uid", m->by);
}

static void
json_attack(const struct m_c_attack_row *m)
{
	json_t		*obj = row(), *list = json_array();
	const char	*p = m->addrs;
	size_t		 n;

	put_str(obj, "tenant", m->tenant);
	put_time(obj, "begun", m->begun);
	put_time(obj, "last", m->last);
	put(obj, "over", json_boolean(m->over));
	put_num(obj, "tries", m->tries);
	put_num(obj, "accounts", m->accounts);
	for (; (n = strcspn(p, " ")) > 0; p += n + strspn(p + n, " "))
		if (json_array_append_new(list, json_stringn(p, n)) == -1)
			errx(1, "no memory");
	put(obj, "addresses", list);
}

static void
json_audit(const struct m_c_audit_row *m)
{
	json_t	*obj = row();

	put_num(obj, "line", m->seq);
	put_time(obj, "at", m->at);
	if (m->open)
		put_str(obj, "text", m->text);
	else
		put(obj, "text", json_null());
}

static void
json_trail(const struct m_c_audit_state *m)
{
	json_t	*obj = row();

	if (m->tenant[0] == '\0')
		put(obj, "tenant", json_null());
	else
		put_str(obj, "tenant", m->tenant);
	put_num(obj, "lines", m->lines);
	put_num(obj, "compared", m->compared);
	put_str(obj, "state", audit_fault_word(m->fault));
	if (audit_fault_line(m->fault))
		put_num(obj, "line", m->bad);
}

static void
json_point(const struct m_c_point *m)
{
	put_str(row(), "text", m->line);
}

static void
json_key(const struct m_proof_key *m)
{
	json_t	*obj = row();
	char	 pem[PROOF_PEM], id[PROOF_ID];

	if (proof_pem(m->key, pem) == -1 || proof_id(m->key, id) == -1)
		errx(1, "not a public key of Ed25519");
	put_str(obj, "id", id);
	put_str(obj, "pem", pem);
}

static void
json_hold(const struct m_c_hold_row *m)
{
	json_t	*obj = row();

	put_str(obj, "tenant", m->tenant);
	put_num(obj, "user", m->user);
	put_str(obj, "email", m->email);
	put_time(obj, "since", m->at);
	put_num(obj, "operator", m->by);
	put_str(obj, "reason", m->reason);
}

static void
json_erased(const struct m_c_erased *m)
{
	json_t	*obj = row();

	put_num(obj, "number", m->tenant);
	put_str(obj, "name", m->name);
	put_time(obj, "erased", m->at);
	put(obj, "signed", json_boolean(m->is_signed));
}

static void
json_kept(const struct m_c_kept *m)
{
	json_t	*obj = row();

	put_tenant(obj, m->tenant);
	put_str(obj, "kind", keep_word(m->kind));
	put_num(obj, "days", m->days);
	put(obj, "hold", json_boolean(m->hold));
	put_num(obj, "count", m->count);
	put_num(obj, "due", m->due);
	put_time(obj, "oldest", m->oldest);
	put_time(obj, "newest", m->newest);
}

static void
json_key_row(const struct m_c_key *m)
{
	json_t	*obj = row();

	put_str(obj, "tenant", m->tenant);
	put_num(obj, "generation", m->generation);
	put_time(obj, "since", m->since);
	put_str(obj, "state", key_state_word(m));
	put_num(obj, "percent", m->percent);
	put_num(obj, "done", m->done);
	put_num(obj, "bad", m->bad);
	put(obj, "previous", json_boolean(m->previous));
}

static void
json_backup(const struct m_c_backup_row *m)
{
	json_t	*obj = row();

	put_str(obj, "stamp", m->stamp);
	put_time(obj, "made", m->at);
	put_num(obj, "ms", m->took);
	put_num(obj, "bytes", m->bytes);
	put_num(obj, "tenants", m->tenants);
	put_num(obj, "files", m->files);
	put_time(obj, "verified", m->verified);
	put_time(obj, "rehearsed", m->rehearsed);
	put_str(obj, "fault", m->fault);
}

static void
json_part(const struct m_c_backup_part *m)
{
	json_t	*obj = row();

	put_str(obj, "stamp", m->stamp);
	put_str(obj, "tenant", m->tenant);
	put(obj, "done", json_boolean(m->done));
	put_str(obj, "note", m->note);
}

static void
json_storage(const struct m_c_storage_row *m)
{
	json_t	*obj = row();

	put_tenant(obj, m->tenant);
	put_str(obj, "kind", store_word(m->kind));
	put_num(obj, "count", m->count);
	put_num(obj, "bytes", m->bytes);
	put_num(obj, "days", m->days);
	put_time(obj, "oldest", m->oldest);
	put_time(obj, "newest", m->newest);
	put_time(obj, "purge", m->purge);
	put_str(obj, "how", store_how(m->kind));
	put_str(obj, "where", store_where(m->kind, m->tenant));
	if (m->country[0] == '\0')
		put(obj, "country", json_null());
	else
		put_str(obj, "country", m->country);
}

/* An operator's number, or null. */
static void
put_second(json_t *obj, int there, uint32_t uid)
{
	if (there)
		put_num(obj, "confirmed_by", uid);
	else
		put(obj, "confirmed_by", json_null());
}

static void
json_export(const struct m_c_export_row *m)
{
	json_t	*obj = row();

	put_num(obj, "number", m->id);
	put_time(obj, "at", m->at);
	put_time(obj, "ended", m->ended);
	put_tenant(obj, m->tenant);
	put_str(obj, "what", export_word(m->kind));
	put_str(obj, "state", export_state_word(m->state));
	put_num(obj, "lines", m->rows);
	put_num(obj, "by", m->by);
	put_second(obj, m->confirmed, m->second);
	put_str(obj, "reason", m->reason);
}

static void
json_confirm(const struct m_c_confirm_row *m)
{
	json_t	*obj = row();

	put_num(obj, "number", m->number);
	put_num(obj, "by", m->by);
	put_time(obj, "asked", m->at);
	put_time(obj, "until", m->until);
	put_second(obj, m->confirmed, m->second);
	put_str(obj, "what", m->what);
}

static void
json_alert(const struct m_c_alert_row *m)
{
	json_t	*obj = row();

	put_str(obj, "name", m->name);
	put_str(obj, "level", m->critical ? "critical" : "warning");
	put_tenant(obj, m->tenant);
	put_num(obj, "count", m->count);
	put_time(obj, "first", m->first);
	put_time(obj, "last", m->last);
	put_str(obj, "text", m->text);
}

static void
json_log(const struct m_c_log_row *m)
{
	json_t	*obj;

	if (log_limit != 0 && json_array_size(rows) == log_limit)
		(void)json_array_remove(rows, 0);
	obj = row();
	put_time(obj, "at", m->at);
	put_str(obj, "kind", access_word(m->kind));
	put_num(obj, "user", m->user);
	put_str(obj, "email", m->email);
	put(obj, "guest", json_boolean(m->guest));
	put_str(obj, "address", m->addr);
	put_str(obj, "text", m->text);
	put_num(obj, "status", m->status);
	put_num(obj, "bytes", m->bytes);
	put_num(obj, "floor", m->floor);
}

static void
json_stat(const struct m_c_stat_row *m)
{
	if (strcmp(m->name, "risad.started") == 0)
		put_time(rows, m->name, m->value);
	else
		put_num(rows, m->name, m->value);
}

/* As the text output: nothing that acts on a terminal. */
static void
print_safe(const char *s)
{
	mbstate_t	 st;
	wchar_t		 wc;
	size_t		 n, len = strlen(s);

	memset(&st, 0, sizeof(st));
	for (; len > 0; s += n, len -= n) {
		n = mbrtowc(&wc, s, len, &st);
		if (n == (size_t)-1 || n == (size_t)-2 || n == 0) {
			memset(&st, 0, sizeof(st));
			n = 1;
			wc = (unsigned char)*s;
		} else if (wc == L'\n' || wc_harmless(wc)) {
			fwrite(s, 1, n, stdout);
			continue;
		}
		if (wc > 0xffff)
			printf("\\u%04x\\u%04x",
			    0xd800 + (((unsigned int)wc - 0x10000) >> 10),
			    0xdc00 + ((unsigned int)wc & 0x3ff));
		else
			printf("\\u%04x", (unsigned int)wc);
	}
	printf("\n");
}

static void
json_keypack(uint32_t backup, uint64_t at, uint32_t count)
{
	json_t	*obj = row();

	put_num(obj, "number", backup);
	put_time(obj, "made", at);
	put_num(obj, "count", count);
}

static void
json_packed(const struct packed *pk)
{
	json_t		*keys = json_object_get(rows, "keys");
	json_t		*obj = json_object(), *list = json_array();
	unsigned int	 i;

	if (keys == NULL) {
		keys = json_array();
		put(rows, "keys", keys);
	}
	if (obj == NULL || list == NULL ||
	    json_array_append_new(keys, obj) == -1)
		errx(1, "no memory");
	put_str(obj, "key", pk->pk_kind != NULL ? pk->pk_kind :
	    pk->pk_tenant == 0 ? "installation" : "tenant");
	if (pk->pk_kind != NULL) {
		json_decref(list);
		return;
	}
	if (pk->pk_tenant != 0) {
		put_num(obj, "id", pk->pk_tenant);
		put_str(obj, "tenant", pk->pk_name);
	}
	for (i = 0; i < pk->pk_n; i++)
		if (json_array_append_new(list, json_integer(
		    pk->pk_generations[i])) == -1)
			errx(1, "no memory");
	put(obj, "generations", list);
	put_num(obj, "not_opened", pk->pk_closed);
}

static void
json_unpacked(const char *dir)
{
	put_str(row(), "directory", dir);
}

static void
json_signed(const char *file, const struct proof *pf)
{
	json_t	*obj = row();

	if (file != NULL)
		put_str(obj, "file", file);
	put_str(obj, "kind", file == NULL ? "checkpoint" :
	    proof_word(pf->pf_kind));
	if (pf->pf_tenant == 0)
		put(obj, "tenant", json_null());
	else
		put_str(obj, "tenant", pf->pf_name);
	if (file == NULL)
		put_num(obj, "lines", pf->pf_seq);
	put_time(obj, "at", pf->pf_at);
}

static void
json_end(void)
{
	char	*text;

	if ((text = json_dumps(document, flags)) == NULL)
		errx(1, "no memory");
	print_safe(text);
	free(text);
	json_decref(document);
	document = rows = NULL;
}

const struct output	 output_json = {
	.out_begin = json_begin,
	.out_tenant = json_tenant,
	.out_user = json_user,
	.out_import = json_import,
	.out_link = json_link,
	.out_floor = json_floor,
	.out_guest = json_guest,
	.out_session = json_session,
	.out_process = json_process,
	.out_role = json_role,
	.out_policy = json_policy,
	.out_operator = json_operator,
	.out_attack = json_attack,
	.out_audit = json_audit,
	.out_trail = json_trail,
	.out_point = json_point,
	.out_key = json_key,
	.out_hold = json_hold,
	.out_erased = json_erased,
	.out_kept = json_kept,
	.out_key_row = json_key_row,
	.out_backup = json_backup,
	.out_part = json_part,
	.out_alert = json_alert,
	.out_export = json_export,
	.out_confirm = json_confirm,
	.out_storage = json_storage,
	.out_log = json_log,
	.out_stat = json_stat,
	.out_keypack = json_keypack,
	.out_packed = json_packed,
	.out_unpacked = json_unpacked,
	.out_signed = json_signed,
	.out_end = json_end,
};
