/*
 * What the trail of a tenant says of a change: from what to what, and by whom
 * (F1, F3).  Names of people stand beside it, see audit.c; of members there are
 * numbers.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "storage.h"
#include "util.h"

#define LIST_IDS	100		/* in one line */

int
note_text(struct request *rq, const char *what, const char *from,
    const char *to)
{
	return (audit_add(rq->rq_db, "by %s %u: %s from [%s] to [%s]",
	    asker(rq), asker_id(rq), what, from, to));
}

int
note_user(struct request *rq, uint32_t user, const char *what,
    const char *from, const char *to)
{
	char	 names[2 * MAX_NAME + 16];

	(void)snprintf(names, sizeof(names), "from [%s] to [%s]", from, to);
	return (audit_add_names(rq->rq_db, user, names, "by %s %u: %s user %u",
	    asker(rq), asker_id(rq), what, user));
}

/* Those of one list that are not in the other, some in each line. */
static int
note_missing(struct request *rq, const char *what, const char *kind,
    const struct idlist *il, const struct idlist *other)
{
	char	 line[LIST_IDS * 20], word[20];
	size_t	 i, n = 0;

	line[0] = '\0';
	for (i = 0; i <= il->il_n; i++) {
		if (i < il->il_n && !idlist_has(other, il->il_ids[i])) {
			(void)snprintf(word, sizeof(word), "%s%s %u",
			    n == 0 ? "" : ", ", kind, il->il_ids[i]);
			(void)strlcat(line, word, sizeof(line));
			n++;
		}
		if (n == 0 || (n < LIST_IDS && i < il->il_n))
			continue;
		if (audit_add(rq->rq_db, "by %s %u: %s: %s", asker(rq),
		    asker_id(rq), what, line) == -1)
			return (-1);
		line[0] = '\0';
		n = 0;
	}
	return (0);
}

int
note_list(struct request *rq, const char *object, uint32_t id,
    const char *kind, const struct idlist *from, const struct idlist *to)
{
	static const struct idlist	 none;
	char				 what[64];

	if (from == NULL)
		from = &none;
	if (to == NULL)
		to = &none;
	(void)snprintf(what, sizeof(what), "add to %s %u", object, id);
	if (note_missing(rq, what, kind, to, from) == -1)
		return (-1);
	(void)snprintf(what, sizeof(what), "take from %s %u", object, id);
	return (note_missing(rq, what, kind, from, to));
}

int
note_access(struct request *rq, const struct floor *fl, uint8_t open,
    const struct idlist *users, const struct idlist *groups)
{
	uint32_t	 id = fl->fl_id;

	if (open != fl->fl_open && audit_add(rq->rq_db, "by %s %u: set floor "
	    "%u from %s to %s", asker(rq), asker_id(rq), id,
	    fl->fl_open ? "open to all" : "closed",
	    open ? "open to all" : "closed") == -1)
		return (-1);
	if (note_list(rq, "floor", id, "user", &fl->fl_users, users) == -1)
		return (-1);
	return (note_list(rq, "floor", id, "group", &fl->fl_groups, groups));
}

int
note_guest(struct request *rq, const char *what, const struct guest *gu)
{
	char	 floors[600] = "", word[16], until[TIME_TEXT];
	size_t	 i;

	for (i = 0; i < gu->gu_floors.il_n && i < 50; i++) {
		(void)snprintf(word, sizeof(word), "%s%u", i == 0 ? "" : ", ",
		    gu->gu_floors.il_ids[i]);
		(void)strlcat(floors, word, sizeof(floors));
	}
	if (i < gu->gu_floors.il_n)
		(void)strlcat(floors, ", and more", sizeof(floors));
	if (time_text(until, gu->gu_expires) == -1)
		(void)strlcpy(until, "-", sizeof(until));
	return (audit_add(rq->rq_db, "by %s %u: %s guest URL %u, floors %s, "
	    "uses %u of %u, until %s, password %s, approval %s", asker(rq),
	    asker_id(rq), what, gu->gu_id, floors, gu->gu_used, gu->gu_uses,
	    until, gu->gu_secret ? "yes" : "no",
	    gu->gu_approval ? "yes" : "no"));
}

const char *
state_word(uint8_t state)
{
	return (state == USER_ACTIVE ? "active" : state == USER_LOCKED ?
	    "locked" : "invited");
}
