/*
 * People from a file: lines gathered until their END, then looked at as a
 * whole, and carried out as a whole.  The dry run and the real one look by the
 * same code; a real one must find what the dry run had found.
 */
#include <openssl/evp.h>

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "csv.h"
#include "log.h"
#include "storage.h"
#include "util.h"

#define IMPORTS		8		/* gathered at the same time */
#define IMPORT_MS	60000		/* until its END must have come */
#define DEFAULT_ROLE	ROLE_MEMBER

struct line {
	uint32_t	 ln_line, ln_mask;
	enum csv_why	 ln_why;
	enum csv_place	 ln_place;
	char		*ln_cell[CSV_COLUMNS];	/* of one piece of memory */
	/* What becomes of it. */
	enum import_what ln_what;
	uint32_t	 ln_user, ln_changes;
	uint8_t		 ln_old_role, ln_role, ln_old_state, ln_state;
	char		*ln_old_name;
	struct idlist	 ln_old_groups, ln_groups;
	struct m_a_link	 ln_link;
};

struct import {
	TAILQ_ENTRY(import) im_entry;
	uint32_t	 im_tenant, im_nr;
	uint64_t	 im_grant;	/* 0: an operator's */
	unsigned int	 im_inst;
	uint32_t	 im_op;
	uint64_t	 im_until;	/* mono ms */
	struct line	*im_lines;
	size_t		 im_n, im_room, im_bytes;
	int		 im_over;	/* more came than may */
	size_t		 im_faults;
};

static TAILQ_HEAD(, import)	 imports = TAILQ_HEAD_INITIALIZER(imports);
static unsigned int		 nimports;

/*
 * Gathering.
 */

static void
import_free(struct import *im)
{
	struct line	*ln;
	size_t		 i;

	for (i = 0; i < im->im_n; i++) {
		ln = &im->im_lines[i];
		free(ln->ln_cell[0]);
		free(ln->ln_old_name);
		free(ln->ln_old_groups.il_ids);
		free(ln->ln_groups.il_ids);
	}
	if (im->im_lines != NULL)
		freezero(im->im_lines, im->im_room * sizeof(*ln));
	TAILQ_REMOVE(&imports, im, im_entry);
	nimports--;
	free(im);
}

/* Too late, or whose sign-in has gone meanwhile. */
static int
import_over(const struct import *im)
{
	return (mono_ms() >= im->im_until || (im->im_grant != 0 &&
	    grant_find(im->im_grant, im->im_inst, now_ms()) == NULL));
}

void
import_tick(void)
{
	struct import	*im, *next;

	TAILQ_FOREACH_SAFE(im, &imports, im_entry, next)
		if (import_over(im))
			import_free(im);
}

static struct import *
import_of_tenant(uint32_t tenant)
{
	struct import	*im;

	TAILQ_FOREACH(im, &imports, im_entry)
		if (im->im_tenant == tenant)
			return (im);
	return (NULL);
}

/* The asker's own of this number, or NULL. */
static struct import *
import_find(const struct request *rq, uint32_t op, uint32_t nr)
{
	struct import	*im = import_of_tenant(rq->rq_tn->tn_id);

	if (im == NULL || im->im_nr != nr || im->im_op != op ||
	    im->im_grant != (rq->rq_gr == NULL ? 0 : rq->rq_gr->gr_id))
		return (NULL);
	return (im);
}

enum result
import_begin(struct request *rq, uint32_t op, uint32_t nr)
{
	struct import	*im;

	import_tick();
	if (nimports >= IMPORTS ||
	    import_of_tenant(rq->rq_tn->tn_id) != NULL)
		return (R_BUSY);
	if ((im = calloc(1, sizeof(*im))) == NULL)
		return (R_UNAVAILABLE);
	im->im_tenant = rq->rq_tn->tn_id;
	im->im_nr = nr;
	im->im_op = op;
	if (rq->rq_gr != NULL) {
		im->im_grant = rq->rq_gr->gr_id;
		im->im_inst = rq->rq_gr->gr_inst;
	}
	im->im_until = mono_ms() + IMPORT_MS;
	TAILQ_INSERT_TAIL(&imports, im, im_entry);
	nimports++;
	return (R_OK);
}

/* All cells in one piece, each with its NUL. */
static int
line_copy(struct line *ln, const struct m_a_import_line *m, size_t *bytes)
{
	const char	*cell[CSV_COLUMNS] = { m->email, m->name, m->role,
			    m->groups, m->state };
	char		*p;
	size_t		 i, len[CSV_COLUMNS];

	*bytes = 0;
	for (i = 0; i < CSV_COLUMNS; i++)
		*bytes += len[i] = strlen(cell[i]) + 1;
	if ((p = malloc(*bytes)) == NULL)
		return (-1);
	for (i = 0; i < CSV_COLUMNS; i++) {
		ln->ln_cell[i] = memcpy(p, cell[i], len[i]);
		p += len[i];
	}
	ln->ln_line = m->line;
	ln->ln_mask = m->mask;
	ln->ln_why = m->why;
	ln->ln_place = m->place;
	return (0);
}

static struct line *
line_room(struct import *im)
{
	struct line	*more;
	size_t		 room = im->im_room == 0 ? 64 : im->im_room * 2;

	if (im->im_n < im->im_room)
		return (&im->im_lines[im->im_n]);
	more = recallocarray(im->im_lines, im->im_room, room, sizeof(*more));
	if (more == NULL)
		return (NULL);
	im->im_lines = more;
	im->im_room = room;
	return (&im->im_lines[im->im_n]);
}

void
import_line(struct request *rq, uint32_t op, const struct m_a_import_line *m)
{
	struct import	*im = import_find(rq, op, m->nr);
	struct line	*ln;
	size_t		 bytes;

	if (im == NULL)
		return;			/* its END is told so */
	/* One more than may be: the parser says so on a line of its own. */
	if (im->im_n > CSV_LINES || im->im_bytes > CSV_BYTES ||
	    (ln = line_room(im)) == NULL || line_copy(ln, m, &bytes) == -1) {
		im->im_over = 1;
		return;
	}
	im->im_n++;
	im->im_bytes += bytes;
}

/*
 * Looking at the lines.
 */

static void
fault(struct line *ln, enum csv_why why, enum csv_place place)
{
	if (ln->ln_why != CSV_FINE)
		return;
	ln->ln_why = why;
	ln->ln_place = place;
	ln->ln_what = IMPORT_FAULT;
}

static int
given(const struct line *ln, uint32_t bit, enum csv_place column)
{
	return (ln->ln_mask & bit && ln->ln_cell[column][0] != '\0');
}

static int
by_mail(const void *a, const void *b)
{
	const struct line	*x = *(struct line *const *)a;
	const struct line	*y = *(struct line *const *)b;
	int			 n;

	if ((n = strcmp(x->ln_cell[CSV_EMAIL], y->ln_cell[CSV_EMAIL])) != 0)
		return (n);
	return (x->ln_line < y->ln_line ? -1 : x->ln_line > y->ln_line);
}

/* Mail addresses as they are stored, and each once. */
static enum result
look_mails(struct import *im)
{
	struct line	**sorted, *ln;
	char		 mail[MAX_MAIL + 1];
	size_t		 i, n = 0;

	if ((sorted = calloc(im->im_n + 1, sizeof(*sorted))) == NULL)
		return (R_UNAVAILABLE);
	for (i = 0; i < im->im_n; i++) {
		ln = &im->im_lines[i];
		if (ln->ln_why != CSV_FINE) {
			ln->ln_what = IMPORT_FAULT;
			continue;
		}
		if (ln->ln_cell[CSV_EMAIL][0] == '\0')
			fault(ln, CSV_MISSING, CSV_EMAIL);
		else if (mail_normal(mail, sizeof(mail),
		    ln->ln_cell[CSV_EMAIL]) == -1)
			fault(ln, CSV_INVALID, CSV_EMAIL);
		else {
			/* Lower case is as long as it was. */
			memcpy(ln->ln_cell[CSV_EMAIL], mail,
			    strlen(ln->ln_cell[CSV_EMAIL]));
			sorted[n++] = ln;
		}
	}
	qsort(sorted, n, sizeof(*sorted), by_mail);
	for (i = 1; i < n; i++)
		if (strcmp(sorted[i - 1]->ln_cell[CSV_EMAIL],
		    sorted[i]->ln_cell[CSV_EMAIL]) == 0)
			fault(sorted[i], CSV_TWICE, CSV_EMAIL);
	free(sorted);
	return (R_OK);
}

static void
look_name(struct line *ln)
{
	if (!given(ln, SET_NAME, CSV_NAME))
		return;
	if (!name_valid(ln->ln_cell[CSV_NAME], MAX_NAME_CHARS))
		fault(ln, CSV_INVALID, CSV_NAME);
	else if (ln->ln_old_name == NULL ||
	    strcmp(ln->ln_old_name, ln->ln_cell[CSV_NAME]) != 0)
		ln->ln_changes |= SET_NAME;
}

/* What could be either of two roles is none. */
static void
look_role(struct line *ln, struct rights *rt)
{
	int	 n, own;

	if (!given(ln, SET_ROLE, CSV_ROLE))
		return;
	n = csv_role(ln->ln_cell[CSV_ROLE]);
	own = rights_role_named(rt, ln->ln_cell[CSV_ROLE]);
	if (n == -1)
		n = own;
	if (n == -1 || n == ROLE_GUEST || (own != -1 && own != n) ||
	    ln->ln_old_role == ROLE_GUEST) {
		fault(ln, CSV_UNKNOWN, CSV_ROLE);
		return;
	}
	ln->ln_role = (uint8_t)n;
	if (ln->ln_role != ln->ln_old_role)
		ln->ln_changes |= SET_ROLE;
}

/* Whoever has no password yet is invited, and "active" means no more. */
static void
look_state(struct line *ln, int has_password)
{
	int	 n, now = has_password ? USER_ACTIVE : USER_INVITED;

	if (!given(ln, SET_STATE, CSV_STATE))
		return;
	if ((n = csv_state(ln->ln_cell[CSV_STATE])) == -1) {
		fault(ln, CSV_UNKNOWN, CSV_STATE);
		return;
	}
	if (n == USER_INVITED && has_password) {
		fault(ln, CSV_INVITED, CSV_STATE);
		return;
	}
	if (n == USER_LOCKED && ln->ln_user == 0) {
		fault(ln, CSV_INVITED, CSV_STATE);
		return;
	}
	ln->ln_state = (uint8_t)(n == USER_LOCKED ? USER_LOCKED : now);
	if (ln->ln_state != ln->ln_old_state)
		ln->ln_changes |= SET_STATE;
}

static const struct group *
group_named(const struct rights *rt, const char *name)
{
	size_t	 i;

	for (i = 0; i < rt->rt_ngroups; i++)
		if (strcmp(rt->rt_groups[i].gp_name, name) == 0)
			return (&rt->rt_groups[i]);
	return (NULL);
}

static int
same_ids(const struct idlist *a, const struct idlist *b)
{
	return (a->il_n == b->il_n && (a->il_n == 0 ||
	    memcmp(a->il_ids, b->il_ids, a->il_n * sizeof(uint32_t)) == 0));
}

/* The cell says all groups that somebody is in; empty: in none. */
static enum result
look_groups(struct line *ln, const struct rights *rt)
{
	const char		*cell = ln->ln_cell[CSV_GROUPS];
	const struct group	*gp;
	char			 name[MAX_NAME + 1];
	uint32_t		 ids[MAX_GROUPS];
	struct m_blob		 mb = { ids, 0 };
	size_t			 n = 0;
	int			 got;

	if (!(ln->ln_mask & SET_GROUPS))
		return (R_OK);
	while ((got = csv_group(&cell, name, sizeof(name))) == 1) {
		if ((gp = group_named(rt, name)) == NULL ||
		    n >= MAX_GROUPS) {
			got = -1;
			break;
		}
		ids[n++] = htobe32(gp->gp_id);
	}
	if (got == -1) {
		fault(ln, CSV_UNKNOWN, CSV_GROUPS);
		return (R_OK);
	}
	mb.mb_len = n * sizeof(ids[0]);
	if (idlist_read(&ln->ln_groups, &mb) == -1)
		return (R_UNAVAILABLE);
	if (!same_ids(&ln->ln_groups, &ln->ln_old_groups))
		ln->ln_changes |= SET_GROUPS;
	return (R_OK);
}

/* How it is now. */
static enum result
look_before(struct line *ln, const struct person *p, const struct rights *rt)
{
	uint32_t	 ids[MAX_GROUPS];
	struct m_blob	 mb = { ids, 0 };
	size_t		 i, n = 0;

	ln->ln_user = p->p_id;
	ln->ln_old_role = ln->ln_role = p->p_role;
	ln->ln_old_state = ln->ln_state = p->p_state;
	for (i = 0; i < rt->rt_ngroups; i++)
		if (idlist_has(&rt->rt_groups[i].gp_members, p->p_id))
			ids[n++] = htobe32(rt->rt_groups[i].gp_id);
	mb.mb_len = n * sizeof(ids[0]);
	if ((ln->ln_old_name = strdup(p->p_name)) == NULL ||
	    idlist_read(&ln->ln_old_groups, &mb) == -1)
		return (R_UNAVAILABLE);
	return (R_OK);
}

static enum result
look_line(struct request *rq, struct line *ln, struct rights *rt)
{
	struct person	 p;
	enum result	 r = R_OK;
	int		 n;

	if ((n = person_find(rq->rq_db, ln->ln_cell[CSV_EMAIL], &p)) == -1)
		return (R_UNAVAILABLE);
	if (n == 1)
		r = look_before(ln, &p, rt);
	else {
		if (!policy_mail(&rq->rq_tn->tn_policy,
		    ln->ln_cell[CSV_EMAIL]))
			fault(ln, CSV_DOMAIN, CSV_EMAIL);
		p.p_secretlen = 0;
		ln->ln_role = ln->ln_old_role = DEFAULT_ROLE;
		ln->ln_state = ln->ln_old_state = USER_INVITED;
	}
	if (r == R_OK) {
		look_name(ln);
		look_role(ln, rt);
		look_state(ln, p.p_secretlen > 0);
		r = look_groups(ln, rt);
	}
	explicit_bzero(&p, sizeof(p));
	if (n == 1 && rq->rq_gr != NULL && rq->rq_gr->gr_user == ln->ln_user &&
	    ln->ln_changes & (SET_ROLE | SET_STATE))
		fault(ln, CSV_SELF, ln->ln_changes & SET_ROLE ? CSV_ROLE :
		    CSV_STATE);
	if (ln->ln_what != IMPORT_FAULT)
		ln->ln_what = n == 0 ? IMPORT_ADD : ln->ln_changes != 0 ?
		    IMPORT_CHANGE : IMPORT_SAME;
	return (r);
}

static int
rules_before(const struct line *ln)
{
	return (ln->ln_user != 0 && ln->ln_old_role == ROLE_ADMIN &&
	    ln->ln_old_state == USER_ACTIVE);
}

static int
rules_after(const struct line *ln)
{
	return (ln->ln_user != 0 && ln->ln_role == ROLE_ADMIN &&
	    ln->ln_state == USER_ACTIVE);
}

/* Somebody must be left who may do this. */
static enum result
look_admins(struct request *rq, struct import *im)
{
	struct line	*ln;
	uint64_t	 left;
	size_t		 i;

	if (db_number(rq->rq_db, S_USER_ADMIN_COUNT, NOARGS, &left) == -1)
		return (R_UNAVAILABLE);
	for (i = 0; i < im->im_n; i++) {
		ln = &im->im_lines[i];
		if (ln->ln_what == IMPORT_CHANGE && !rules_before(ln) &&
		    rules_after(ln))
			left++;
	}
	for (i = 0; i < im->im_n; i++) {
		ln = &im->im_lines[i];
		if (ln->ln_what != IMPORT_CHANGE || !rules_before(ln) ||
		    rules_after(ln))
			continue;
		if (left <= 1)
			fault(ln, CSV_LAST, ln->ln_role == ROLE_ADMIN ?
			    CSV_STATE : CSV_ROLE);
		else
			left--;
	}
	return (R_OK);
}

/* Is the group of the one list and not of the other? */
static int
moves(const struct line *ln, uint32_t group, int in)
{
	const struct idlist	*from = in ? &ln->ln_old_groups :
				    &ln->ln_groups;
	const struct idlist	*to = in ? &ln->ln_groups :
				    &ln->ln_old_groups;

	return (ln->ln_changes & SET_GROUPS && idlist_has(to, group) &&
	    !idlist_has(from, group));
}

static int
acts(const struct line *ln)
{
	return (ln->ln_what == IMPORT_ADD || ln->ln_what == IMPORT_CHANGE);
}

/* The tenant and its groups have an end. */
static enum result
look_room(struct request *rq, struct import *im, const struct rights *rt)
{
	struct line	*ln;
	uint64_t	 people;
	size_t		 i, g, n;

	if (db_number(rq->rq_db, S_USER_COUNT, NOARGS, &people) == -1)
		return (R_UNAVAILABLE);
	for (i = 0; i < im->im_n; i++) {
		ln = &im->im_lines[i];
		if (ln->ln_what == IMPORT_ADD && ++people > MAX_USERS)
			fault(ln, CSV_FULL, CSV_LINE);
	}
	for (g = 0; g < rt->rt_ngroups; g++) {
		n = rt->rt_groups[g].gp_members.il_n;
		for (i = 0; i < im->im_n; i++)
			if (acts(&im->im_lines[i]) && moves(&im->im_lines[i],
			    rt->rt_groups[g].gp_id, 0))
				n--;
		for (i = 0; i < im->im_n; i++)
			if (acts(&im->im_lines[i]) && moves(&im->im_lines[i],
			    rt->rt_groups[g].gp_id, 1) && ++n > MAX_MEMBERS)
				fault(&im->im_lines[i], CSV_FULL, CSV_GROUPS);
	}
	return (R_OK);
}

static enum result
look(struct request *rq, struct import *im)
{
	struct rights	*rt;
	enum result	 r;
	size_t		 i;

	if ((rt = rights_get(rq->rq_db)) == NULL)
		return (R_UNAVAILABLE);
	if ((r = look_mails(im)) != R_OK)
		return (r);
	for (i = 0; i < im->im_n; i++)
		if (im->im_lines[i].ln_what != IMPORT_FAULT &&
		    (r = look_line(rq, &im->im_lines[i], rt)) != R_OK)
			return (r);
	if ((r = look_admins(rq, im)) != R_OK ||
	    (r = look_room(rq, im, rt)) != R_OK)
		return (r);
	for (i = 0; i < im->im_n; i++)
		im->im_faults += im->im_lines[i].ln_what == IMPORT_FAULT;
	return (R_OK);
}

/*
 * What two runs of the same file compare: all that it says, and all that it
 * meets.
 */

static int
digest_ids(EVP_MD_CTX *ctx, const struct idlist *il)
{
	uint32_t	 n = (uint32_t)il->il_n;

	return (EVP_DigestUpdate(ctx, &n, sizeof(n)) == 1 && (n == 0 ||
	    EVP_DigestUpdate(ctx, il->il_ids, n * sizeof(n)) == 1));
}

static int
digest_line(EVP_MD_CTX *ctx, const struct line *ln)
{
	uint32_t	 n[] = { ln->ln_line, ln->ln_mask, ln->ln_user,
			    ln->ln_changes, ln->ln_what, ln->ln_old_role,
			    ln->ln_role, ln->ln_old_state, ln->ln_state };
	const char	*old = ln->ln_old_name == NULL ? "" : ln->ln_old_name;
	size_t		 i;

	if (EVP_DigestUpdate(ctx, n, sizeof(n)) != 1 ||
	    EVP_DigestUpdate(ctx, old, strlen(old) + 1) != 1)
		return (0);
	for (i = 0; i < CSV_COLUMNS; i++)
		if (EVP_DigestUpdate(ctx, ln->ln_cell[i],
		    strlen(ln->ln_cell[i]) + 1) != 1)
			return (0);
	return (digest_ids(ctx, &ln->ln_old_groups) &&
	    digest_ids(ctx, &ln->ln_groups));
}

static int
digest(const struct import *im, uint8_t out[TOKEN_LEN])
{
	EVP_MD_CTX	*ctx;
	size_t		 i;
	int		 ok;

	if ((ctx = EVP_MD_CTX_new()) == NULL)
		return (-1);
	ok = EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1;
	for (i = 0; ok && i < im->im_n; i++)
		ok = digest_line(ctx, &im->im_lines[i]);
	ok = ok && EVP_DigestFinal_ex(ctx, out, NULL) == 1;
	EVP_MD_CTX_free(ctx);
	return (ok ? 0 : -1);
}

/*
 * Carrying it out.
 */

static enum result
act_add(struct request *rq, struct line *ln)
{
	struct person	 p;
	enum result	 r;

	r = user_create(rq, ln->ln_cell[CSV_EMAIL], ln->ln_mask & SET_NAME ?
	    ln->ln_cell[CSV_NAME] : "", ln->ln_role, &p);
	if (r != R_OK)
		return (r);
	ln->ln_user = p.p_id;
	return (user_link(rq, &p, &ln->ln_link));
}

static enum result
act_change(struct request *rq, struct line *ln)
{
	struct person	 p;
	enum result	 r = R_OK;

	if (person_get(rq->rq_db, ln->ln_user, &p) != 1)
		return (R_UNAVAILABLE);
	if (ln->ln_changes & SET_NAME)
		r = user_set_name(rq, &p, ln->ln_cell[CSV_NAME]);
	if (r == R_OK && ln->ln_changes & SET_ROLE)
		r = user_set_role(rq, &p, ln->ln_role);
	/* One who may not come in yet is active again by his link alone. */
	if (r == R_OK && ln->ln_changes & SET_STATE)
		r = user_set_state(rq, &p, ln->ln_state == USER_LOCKED ?
		    USER_LOCKED : USER_ACTIVE);
	explicit_bzero(&p, sizeof(p));
	return (r);
}

/* The members of a group when all lines have been carried out. */
static int
members_after(const struct import *im, const struct group *gp,
    struct idlist *il)
{
	const struct line	*ln;
	struct idlist		 out = { NULL, 0 };
	struct m_blob		 mb = { NULL, 0 };
	uint32_t		*ids;
	size_t			 i, n = 0, gone = 0;
	int			 ret = -1;

	/* Those that leave come first, and then all that are in it. */
	if ((ids = calloc(im->im_n + gp->gp_members.il_n + 1,
	    sizeof(*ids))) == NULL)
		return (-1);
	for (i = 0; i < im->im_n; i++)
		if (moves(&im->im_lines[i], gp->gp_id, 0))
			ids[gone++] = htobe32(im->im_lines[i].ln_user);
	mb.mb_data = ids;
	mb.mb_len = gone * sizeof(*ids);
	if (idlist_read(&out, &mb) == -1)
		goto end;
	for (i = 0; i < gp->gp_members.il_n; i++)
		if (!idlist_has(&out, gp->gp_members.il_ids[i]))
			ids[n++] = htobe32(gp->gp_members.il_ids[i]);
	for (i = 0; i < im->im_n; i++) {
		ln = &im->im_lines[i];
		if (moves(ln, gp->gp_id, 1))
			ids[n++] = htobe32(ln->ln_user);
	}
	mb.mb_len = n * sizeof(*ids);
	ret = idlist_read(il, &mb);
 end:
	free(out.il_ids);
	free(ids);
	return (ret);
}

static int
group_moves(const struct import *im, uint32_t group)
{
	size_t	 i;

	for (i = 0; i < im->im_n; i++)
		if (moves(&im->im_lines[i], group, 0) ||
		    moves(&im->im_lines[i], group, 1))
			return (1);
	return (0);
}

/* What is written to a group once all are worked out. */
struct after {
	struct group	 af_group;
	struct idlist	 af_was, af_members;
};

static enum result
groups_write(struct request *rq, const struct after *af, size_t n)
{
	size_t	 i;

	for (i = 0; i < n; i++)
		if (note_list(rq, "group", af[i].af_group.gp_id, "user",
		    &af[i].af_was, &af[i].af_members) == -1 ||
		    group_row_members(rq->rq_db, &af[i].af_group,
		    &af[i].af_members) == -1)
			return (R_UNAVAILABLE);
	return (R_OK);
}

/* Writing one forgets what is known of all of them: it comes last. */
static enum result
act_groups(struct request *rq, struct import *im)
{
	struct rights	*rt;
	struct after	*af;
	enum result	 r = R_OK;
	size_t		 i, n = 0;

	if ((rt = rights_get(rq->rq_db)) == NULL ||
	    (af = calloc(rt->rt_ngroups + 1, sizeof(*af))) == NULL)
		return (R_UNAVAILABLE);
	for (i = 0; i < rt->rt_ngroups && r == R_OK; i++) {
		if (!group_moves(im, rt->rt_groups[i].gp_id))
			continue;
		af[n].af_group = rt->rt_groups[i];
		if (members_after(im, &rt->rt_groups[i],
		    &af[n].af_members) == -1 || idlist_change(&af[n].af_was,
		    &rt->rt_groups[i].gp_members, 0, 0) == -1)
			r = R_UNAVAILABLE;
		n++;
	}
	if (r == R_OK)
		r = groups_write(rq, af, n);
	for (i = 0; i < n; i++) {
		free(af[i].af_members.il_ids);
		free(af[i].af_was.il_ids);
	}
	free(af);
	if (n > 0)
		tell_rights(rq);
	return (r);
}

/* Who gains comes before who loses: somebody must be administrator. */
static enum result
act(struct request *rq, struct import *im)
{
	struct line	*ln;
	enum result	 r = R_OK;
	size_t		 i;
	int		 pass, loses;

	if (audit_act(rq, "import people, lines:", (uint32_t)im->im_n) == -1)
		return (R_UNAVAILABLE);
	for (pass = 0; pass < 2; pass++) {
		for (i = 0; i < im->im_n && r == R_OK; i++) {
			ln = &im->im_lines[i];
			loses = rules_before(ln) && !rules_after(ln);
			if (ln->ln_what == IMPORT_ADD && pass == 0)
				r = act_add(rq, ln);
			if (ln->ln_what == IMPORT_CHANGE && loses == pass)
				r = act_change(rq, ln);
		}
	}
	return (r == R_OK ? act_groups(rq, im) : r);
}

/*
 * The answer.
 */

/* Names of groups, as the cell of a file has them; what is too long is cut. */
static void
groups_text(const struct rights *rt, const struct idlist *il, char *dst,
    size_t size)
{
	size_t	 i, g;

	dst[0] = '\0';
	for (g = 0; rt != NULL && g < rt->rt_ngroups; g++)
		for (i = 0; i < il->il_n; i++)
			if (il->il_ids[i] == rt->rt_groups[g].gp_id)
				(void)csv_group_add(dst, size,
				    rt->rt_groups[g].gp_name);
}

static void
send_link(struct request *rq, const struct m_a_link *link)
{
	struct m_c_link_token	 m = { .guest = 0 };

	m.tenant = rq->rq_tn->tn_name;
	memcpy(m.token, link->token, sizeof(m.token));
	m.expires = link->expires;
	rq_answer(rq, IMSG_C_LINK_TOKEN, &m);
	explicit_bzero(&m, sizeof(m));
}

/* auth, by which operators' rows go, reads no names: it gets none. */
static void
send_row(struct request *rq, struct rights *rt, const struct line *ln)
{
	char			 before[CSV_LISTED + 1], after[CSV_LISTED + 1];
	struct m_import_row	 m = { .line = ln->ln_line, .user = ln->ln_user,
				    .what = (uint8_t)ln->ln_what,
				    .why = (uint8_t)ln->ln_why,
				    .place = (uint8_t)ln->ln_place,
				    .mask = ln->ln_changes };

	groups_text(rt, &ln->ln_old_groups, before, sizeof(before));
	groups_text(rt, &ln->ln_groups, after, sizeof(after));
	m.old_role = rt == NULL ? "" : rights_role_name(rt, ln->ln_old_role);
	m.role = rt == NULL ? "" : rights_role_name(rt, ln->ln_role);
	m.old_state = ln->ln_old_state;
	m.state = ln->ln_state;
	m.email = ln->ln_cell[CSV_EMAIL];
	m.old_groups = before;
	m.groups = after;
	m.old_name = m.name = "";
	if (rq->rq_gr == NULL) {
		rq_answer(rq, IMSG_C_IMPORT_ROW, &m);
		if (ln->ln_link.expires != 0)
			send_link(rq, &ln->ln_link);
		return;
	}
	if (ln->ln_old_name != NULL)
		m.old_name = ln->ln_old_name;
	m.name = ln->ln_changes & SET_NAME ? ln->ln_cell[CSV_NAME] :
	    m.old_name;
	m.expires = ln->ln_link.expires;
	memcpy(m.token, ln->ln_link.token, sizeof(m.token));
	rq_answer(rq, IMSG_A_IMPORT_ROW, &m);
	explicit_bzero(&m, sizeof(m));
}

static void
send_all(struct request *rq, const struct import *im,
    const struct m_import_done *done)
{
	struct rights	*rt = rights_get(rq->rq_db);
	size_t		 i;

	for (i = 0; i < im->im_n; i++)
		send_row(rq, rt, &im->im_lines[i]);
	rq_answer(rq, rq->rq_gr == NULL ? IMSG_C_IMPORT_DONE :
	    IMSG_A_IMPORT_DONE, done);
}

/* With was, only what the dry run has shown is carried out. */
static enum result
finish(struct request *rq, struct import *im, int dry, const uint8_t *was,
    size_t *faults)
{
	struct m_import_done	 done;
	enum result		 r;

	if ((r = look(rq, im)) != R_OK)
		return (r);
	if (digest(im, done.digest) == -1)
		return (R_UNAVAILABLE);
	*faults = im->im_faults;
	done.good = im->im_faults == 0;
	if (!dry && was != NULL && (!done.good ||
	    memcmp(was, done.digest, sizeof(done.digest)) != 0)) {
		rq->rq_field = "digest";
		return (R_CONFLICT);
	}
	if (!dry && done.good && (r = act(rq, im)) != R_OK)
		return (r);
	send_all(rq, im, &done);
	return (R_OK);
}

enum result
import_end(struct request *rq, uint32_t op, uint32_t nr, uint32_t count,
    int dry, const uint8_t *was, size_t *faults)
{
	struct import	*im = import_find(rq, op, nr);
	enum result	 r;

	*faults = 0;
	if (im == NULL)
		return (R_BUSY);	/* another one is being gathered */
	rq->rq_field = "csv";
	if (im->im_over)
		r = R_INVALID;
	else if (im->im_n != count)
		r = R_UNAVAILABLE;	/* some were lost on the way */
	else
		r = finish(rq, im, dry, was, faults);
	import_free(im);
	return (r);
}

/*
 * Requests of administrators.
 */

enum result
adm_import_begin(struct request *rq, const void *arg)
{
	/* That there is another one, END will say. */
	(void)import_begin(rq, 0, ((const struct m_a_import *)arg)->nr);
	return (R_OK);
}

enum result
adm_import_line(struct request *rq, const void *arg)
{
	import_line(rq, 0, arg);
	return (R_OK);
}

enum result
adm_import_end(struct request *rq, const void *arg)
{
	const struct m_a_import_end	*m = arg;
	size_t				 faults;
	enum result			 r;

	r = import_end(rq, 0, m->nr, m->count, m->dry, m->was, &faults);
	if (r == R_OK)
		rq_result(rq, R_OK, 0, NULL);
	return (r);
}
