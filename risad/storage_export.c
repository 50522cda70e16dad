/*
 * All there is of a tenant, for the tenant: a file of JSON Lines, signed (B28,
 * J3).  Some rows leave in a turn, and the next when the client has read them:
 * nobody waits for it, and it takes little memory however much there is.
 *
 * Rows that come while it is written may be in it; messages after it began are
 * not.  What only proves who somebody is stays here: passwords, second
 * factors, cookies and links.
 */
#include <stdlib.h>
#include <string.h>

#include "policy.h"
#include "role.h"
#include "storage.h"
#include "utf8.h"
#include "util.h"
#include "way.h"

#define ROWS		64		/* in one turn */

struct export {
	uint32_t	 ex_tenant, ex_id;	/* id 0: it is over */
	struct signing	*ex_signing;
	struct log_walk	*ex_log;
	size_t		 ex_part;
	uint64_t	 ex_after, ex_last;	/* in the part; messages */
	uint64_t	 ex_rows;
	uint32_t	 ex_by;
	char		 ex_reason[MAX_REASON + 1];
	FILE		*ex_out;		/* in this turn */
};

static void
export_free(void *arg)
{
	struct export	*ex = arg;

	if (ex->ex_id != 0)
		exported_end(ex->ex_id, ex->ex_rows, EXPORT_FAILED);
	signing_free(ex->ex_signing);
	log_all_free(ex->ex_log);
	freezero(ex, sizeof(*ex));
}

/*
 * Members of a line.
 */

static void
begin(struct export *ex, const char *record)
{
	fprintf(ex->ex_out, "{\"record\":\"%s\"", record);
	ex->ex_rows++;
}

static void
end(struct export *ex)
{
	fputs("}\n", ex->ex_out);
}

static void
text(struct export *ex, const char *name, const char *s)
{
	fprintf(ex->ex_out, ",\"%s\":", name);
	json_text(ex->ex_out, s);
}

static void
num(struct export *ex, const char *name, uint64_t n)
{
	fprintf(ex->ex_out, ",\"%s\":%llu", name, (unsigned long long)n);
}

static void
flag(struct export *ex, const char *name, int on)
{
	fprintf(ex->ex_out, ",\"%s\":%s", name, on ? "true" : "false");
}

static void
when(struct export *ex, const char *name, uint64_t ms)
{
	json_at(ex->ex_out, name, ms);
}

static void
ids(struct export *ex, const char *name, const struct idlist *il)
{
	size_t	 i;

	fprintf(ex->ex_out, ",\"%s\":[", name);
	for (i = 0; i < il->il_n; i++)
		fprintf(ex->ex_out, "%s%u", i == 0 ? "" : ",",
		    il->il_ids[i]);
	fputs("]", ex->ex_out);
}

/*
 * Parts.  Each writes some of its rows: 1 there are more, 0, -1.
 */

static int
part_tenant(struct export *ex, struct db *db)
{
	struct tenant	*tn = tenant_by_id(ex->ex_tenant);
	size_t		 i;

	(void)db;
	begin(ex, "tenant");
	num(ex, "version", 1);
	num(ex, "id", tn->tn_id);
	text(ex, "name", tn->tn_name);
	text(ex, "title", tn->tn_title);
	text(ex, "contact", tn->tn_contact);
	when(ex, "created", tn->tn_created);
	when(ex, "exported", now_ms());
	num(ex, "operator", ex->ex_by);
	text(ex, "reason", ex->ex_reason);
	fputs(",\"rules\":{", ex->ex_out);
	for (i = 0; i < POLICY_KEYS; i++)
		fprintf(ex->ex_out, "%s\"%s\":%u", i == 0 ? "" : ",",
		    policy_rules[i].pr_name, tn->tn_policy.po_value[i]);
	for (i = 0; i < POLICY_LISTS; i++)
		text(ex, policy_lists[i].pw_name, tn->tn_policy.po_list[i]);
	fputs("}", ex->ex_out);
	end(ex);
	return (0);
}

static int
part_roles(struct export *ex, struct db *db)
{
	struct rights	*rt = rights_get(db);
	unsigned int	 id;
	uint8_t		 can;
	int		 i;

	if (rt == NULL)
		return (-1);
	for (id = 0; id <= UINT8_MAX; id++) {
		if (!rights_role_there(rt, (uint8_t)id))
			continue;
		begin(ex, "role");
		num(ex, "id", id);
		text(ex, "name", rights_role_name(rt, (uint8_t)id));
		can = rights_can(rt, (uint8_t)id);
		for (i = 0; i < RIGHTS; i++)
			flag(ex, right_names[i], can & 1 << i);
		end(ex);
	}
	return (0);
}

static void
person_line(struct export *ex, struct rights *rt, const struct person *p)
{
	static const char *const states[USER_STATE_MAX] = {
		"invited", "active", "locked"
	};
	static const char *const langs[LANG_MAX] = { "", "ja", "en" };

	begin(ex, "person");
	num(ex, "id", p->p_id);
	text(ex, "email", p->p_mail);
	text(ex, "name", p->p_name);
	text(ex, "note", p->p_note);
	text(ex, "role", rights_role_name(rt, p->p_role));
	text(ex, "state", p->p_state < USER_STATE_MAX ? states[p->p_state] :
	    "?");
	text(ex, "language", p->p_lang < LANG_MAX ? langs[p->p_lang] : "");
	num(ex, "look", p->p_look);
	flag(ex, "second_factor", p->p_factors != 0);
	when(ex, "created", p->p_created);
	when(ex, "last_sign_in", p->p_last);
	end(ex);
}

/* A row that does not open is told of: it is there, and cannot be read. */
static void
unreadable(struct export *ex, const char *record, uint64_t id)
{
	begin(ex, record);
	num(ex, "id", id);
	flag(ex, "unreadable", 1);
	end(ex);
}

static int
part_people(struct export *ex, struct db *db)
{
	struct rights	*rt = rights_get(db);
	struct person	 p;
	sqlite3_stmt	*st;
	int		 n, rows = 0;

	if (rt == NULL)
		return (-1);
	st = db_query(db, S_USERS, ARGS(NUM(ex->ex_after), NUM(ROWS)));
	while ((n = db_step(db, st)) == 1) {
		rows++;
		ex->ex_after = db_col_num(st, 0);
		if (person_read(db, st, &p) == 0)
			person_line(ex, rt, &p);
		else
			unreadable(ex, "person", ex->ex_after);
	}
	db_done(st);
	explicit_bzero(&p, sizeof(p));
	return (n == -1 ? -1 : rows == ROWS);
}

static int
part_groups(struct export *ex, struct db *db)
{
	struct rights	*rt = rights_get(db);
	size_t		 i;

	if (rt == NULL)
		return (-1);
	for (i = 0; i < rt->rt_ngroups; i++) {
		begin(ex, "group");
		num(ex, "id", rt->rt_groups[i].gp_id);
		text(ex, "name", rt->rt_groups[i].gp_name);
		ids(ex, "members", &rt->rt_groups[i].gp_members);
		end(ex);
	}
	return (0);
}

/* The map is JSON already, and has to stand in one line. */
static void
floor_map(struct export *ex, struct db *db, uint32_t id)
{
	struct seal_at	 at = { "floors", "map", id, 0, NULL, 0 };
	sqlite3_stmt	*st;
	char		*map = NULL;
	size_t		 i, len = 0;

	st = db_query(db, S_FLOOR_MAP, ARGS(NUM(id)));
	if (db_step(db, st) == 1) {
		at.sa_version = db_col_num(st, 0);
		map = db_open(db, &at, st, 1, &len);
	}
	db_done(st);
	for (i = 0; i < len; i++)
		if (map[i] == '\n' || map[i] == '\r')
			map[i] = ' ';
	fprintf(ex->ex_out, ",\"map\":%s", map == NULL ? "null" : map);
	free(map);
}

/* One floor in a turn: maps are large. */
static int
part_floors(struct export *ex, struct db *db)
{
	static const struct networks	 anywhere;
	struct rights			*rt = rights_get(db);
	struct floor			*fl;
	char				*networks;

	if (rt == NULL)
		return (-1);
	if (ex->ex_after >= rt->rt_nfloors)
		return (0);
	fl = &rt->rt_floors[ex->ex_after++];
	if ((networks = networks_text(fl->fl_networks == NULL ? &anywhere :
	    fl->fl_networks)) == NULL)
		return (-1);
	begin(ex, "floor");
	num(ex, "id", fl->fl_id);
	text(ex, "name", fl->fl_name);
	flag(ex, "open", fl->fl_open);
	ids(ex, "users", &fl->fl_users);
	ids(ex, "groups", &fl->fl_groups);
	text(ex, "networks", networks);
	flag(ex, "voice", (fl->fl_can & RIGHT_VOICE) != 0);
	flag(ex, "video", (fl->fl_can & RIGHT_VIDEO) != 0);
	flag(ex, "screen", (fl->fl_can & RIGHT_SCREEN) != 0);
	text(ex, "way", way_word(fl->fl_way));
	floor_map(ex, db, fl->fl_id);
	end(ex);
	free(networks);
	return (1);
}

static int
part_guests(struct export *ex, struct db *db)
{
	struct rights	*rt = rights_get(db);
	struct guest	*gu;
	size_t		 i;

	if (rt == NULL)
		return (-1);
	for (i = 0; i < rt->rt_nguests; i++) {
		gu = &rt->rt_guests[i];
		begin(ex, "guest");
		num(ex, "id", gu->gu_id);
		num(ex, "by", gu->gu_by);
		text(ex, "note", gu->gu_note);
		num(ex, "uses", gu->gu_uses);
		num(ex, "used", gu->gu_used);
		ids(ex, "floors", &gu->gu_floors);
		when(ex, "created", gu->gu_created);
		when(ex, "expires", gu->gu_expires);
		end(ex);
	}
	return (0);
}

static int
part_visits(struct export *ex, struct db *db)
{
	struct visit	 vi;
	sqlite3_stmt	*st;
	int		 n, rows = 0;

	st = db_query(db, S_VISIT_WALK, ARGS(NUM(ex->ex_after), NUM(ROWS)));
	while ((n = db_step(db, st)) == 1) {
		rows++;
		ex->ex_after = db_col_num(st, 0);
		if (visit_read(db, st, &vi) == -1) {
			unreadable(ex, "visit", ex->ex_after);
			continue;
		}
		begin(ex, "visit");
		num(ex, "id", vi.vi_id);
		num(ex, "user", vi.vi_user);
		num(ex, "guest", vi.vi_guest);
		text(ex, "name", vi.vi_name);
		text(ex, "address", vi.vi_addr);
		when(ex, "began", vi.vi_began);
		when(ex, "ended", vi.vi_ended);
		end(ex);
	}
	db_done(st);
	return (n == -1 ? -1 : rows == ROWS);
}

static void
message_line(struct export *ex, struct db *db, sqlite3_stmt *st)
{
	uint64_t	 kind = db_col_num(st, 2);
	const char	*said;
	char		*name = message_open(db, st, &said);

	begin(ex, "message");
	num(ex, "id", db_col_num(st, 0));
	when(ex, "at", db_col_num(st, 1));
	text(ex, "channel", kind == CHANNEL_FLOOR ? "floor" :
	    kind == CHANNEL_ROOM ? "room" : "user");
	if (kind == CHANNEL_USER)
		fprintf(ex->ex_out, ",\"users\":[%llu,%llu]",
		    (unsigned long long)db_col_num(st, 3),
		    (unsigned long long)db_col_num(st, 4));
	else
		num(ex, "floor", db_col_num(st, 3));
	if (kind == CHANNEL_ROOM)
		num(ex, "room", db_col_num(st, 4));
	num(ex, "from", db_col_num(st, 5));
	if (name == NULL)
		flag(ex, "unreadable", 1);
	else {
		text(ex, "name", name);
		text(ex, "text", said);
	}
	end(ex);
	free(name);
}

static int
part_talk(struct export *ex, struct db *db)
{
	sqlite3_stmt	*st;
	int		 n, rows = 0;

	st = db_query(db, S_TALK_WALK, ARGS(NUM(ex->ex_after), NUM(ROWS),
	    NUM(ex->ex_last)));
	while ((n = db_step(db, st)) == 1) {
		rows++;
		ex->ex_after = db_col_num(st, 0);
		message_line(ex, db, st);
	}
	db_done(st);
	return (n == -1 ? -1 : rows == ROWS);
}

static int
part_audit(struct export *ex, struct db *db)
{
	struct seal_at	 at = { "audit", "entry", 0, 0, NULL, 0 };
	sqlite3_stmt	*st;
	size_t		 len;
	char		*line;
	int		 n, rows = 0;

	st = db_query(db, S_AUDIT_WALK, ARGS(NUM(ex->ex_after), NUM(ROWS)));
	while ((n = db_step(db, st)) == 1) {
		rows++;
		ex->ex_after = at.sa_row = db_col_num(st, 0);
		line = db_open(db, &at, st, 2, &len);
		if (line != NULL && utf8_valid(line, len)) {
			begin(ex, "audit");
			num(ex, "line", ex->ex_after);
			when(ex, "at", db_col_num(st, 1));
			text(ex, "text", line);
			end(ex);
		} else
			unreadable(ex, "audit", ex->ex_after);
		free(line);
	}
	db_done(st);
	return (n == -1 ? -1 : rows == ROWS);
}

static int
part_log(struct export *ex, struct db *db)
{
	if (ex->ex_log == NULL &&
	    (ex->ex_log = log_all(ex->ex_tenant)) == NULL)
		return (-1);
	return (log_all_turn(ex->ex_log, db, ex->ex_out, &ex->ex_rows));
}

static int
part_end(struct export *ex, struct db *db)
{
	(void)db;
	begin(ex, "end");
	num(ex, "records", ex->ex_rows);
	end(ex);
	return (0);
}

static int	(*const parts[])(struct export *, struct db *) = {
	part_tenant, part_roles, part_people, part_groups, part_floors,
	part_guests, part_visits, part_talk, part_audit, part_log, part_end
};

/*
 * Turns.
 */

static int
export_end(struct stream *sm, struct peer *pe, const char *why)
{
	struct export	*ex = sm->st_data;

	exported_end(ex->ex_id, ex->ex_rows, why == NULL ? EXPORT_DONE :
	    EXPORT_FAILED);
	ex->ex_id = 0;
	(void)proc_result(pe, sm->st_id, why == NULL ? R_OK : R_REFUSED, 0,
	    why == NULL ? "" : why);
	return (0);
}

static int
export_signed(struct stream *sm, struct peer *pe)
{
	struct export		*ex = sm->st_data;
	struct m_c_point	 m = { signing_line(ex->ex_signing) };

	if (m.line == NULL) {
		sm->st_idle = 1;
		return (1);
	}
	if (m.line[0] == '\0')
		return (export_end(sm, pe, "keys has not signed it"));
	(void)proc_send(pe, IMSG_C_POINT, sm->st_id, -1, &m);
	return (export_end(sm, pe, NULL));
}

/* Some rows of the part: 1 there is more of the tenant, 0, -1. */
static int
export_turn(struct export *ex, struct stream *sm, struct peer *pe)
{
	struct tenant	*tn = tenant_by_id(ex->ex_tenant);
	struct db	*db;
	int		 n;

	if (tn == NULL || (db = tenant_enter(tn)) == NULL)
		return (-1);
	if ((ex->ex_out = signing_open(ex->ex_signing)) == NULL)
		n = -1;
	else {
		n = parts[ex->ex_part](ex, db);
		if (signing_close(ex->ex_signing, sm, pe) == -1)
			n = -1;
	}
	tenant_leave(tn, db);
	if (n != 0)
		return (n);
	ex->ex_after = 0;
	return (++ex->ex_part < sizeof(parts) / sizeof(parts[0]));
}

static int
stream_export(struct stream *sm, struct peer *pe)
{
	struct export	*ex = sm->st_data;
	int		 n;

	if (signing_asked(ex->ex_signing))
		return (export_signed(sm, pe));
	n = export_turn(ex, sm, pe);
	if (n == 0 && signing_ask(ex->ex_signing, ex->ex_tenant,
	    PROOF_EXPORT) == -1)
		return (export_end(sm, pe, "keys cannot be asked to sign it"));
	if (n != -1)
		return (1);
	return (export_end(sm, pe, "the tenant's data cannot be read to its "
	    "end, see the log of risad"));
}

const char *
export_begin(struct request *rq, const char *reason)
{
	struct export	*ex;
	const char	*why = "no memory";

	if (reason[0] == '\0')
		return ("an export of a tenant needs a reason");
	if ((ex = calloc(1, sizeof(*ex))) == NULL)
		return (why);
	ex->ex_tenant = rq->rq_tn->tn_id;
	ex->ex_by = rq->rq_op;
	(void)strlcpy(ex->ex_reason, reason, sizeof(ex->ex_reason));
	if (db_number(rq->rq_db, S_TALK_NEWEST, NOARGS, &ex->ex_last) == -1)
		why = "the tenant's data cannot be read";
	else if ((ex->ex_signing = signing_new()) != NULL)
		why = exported_begin(rq, EXPORT_TENANT, reason, &ex->ex_id);
	if (why != NULL) {
		export_free(ex);
		return (why);
	}
	return (rq_stream(rq, stream_export, ex, export_free) == -1 ?
	    "no memory" : NULL);
}
