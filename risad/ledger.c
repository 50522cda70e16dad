#include <string.h>

#include "ledger.h"
#include "limit.h"

/* Notes of misuse: a burst, and then so many a minute. */
#define USERS		256		/* told apart */
#define USER_BURST	3
#define USER_MINUTE	1
#define ALL_BURST	30
#define ALL_MINUTE	10

static struct m_operator	 entries[MAX_OPERATORS];
static size_t			 nentries;
static int			 whole;
static struct limit		*by_user, *by_all;
static uint32_t			 missed;

void
ledger_clear(void)
{
	nentries = 0;
	whole = 0;
}

static struct m_operator *
entry(uid_t uid)
{
	size_t	 i;

	for (i = 0; i < nentries; i++)
		if (entries[i].uid == uid)
			return (&entries[i]);
	return (NULL);
}

int
ledger_set(const struct m_operator *m)
{
	struct m_operator	*op = entry(m->uid);

	if (m->role == OP_NONE) {
		if (op != NULL)
			*op = entries[--nentries];
		return (0);
	}
	if (op == NULL) {
		if (nentries == MAX_OPERATORS)
			return (-1);
		op = &entries[nentries++];
	}
	*op = *m;
	return (0);
}

void
ledger_told(void)
{
	whole = 1;
}

int
ledger_whole(void)
{
	return (whole);
}

enum op_role
ledger_role(uid_t uid, uint64_t now)
{
	const struct m_operator	*op;

	if (uid == 0)
		return (OP_OWNER);
	if (!whole || (op = entry(uid)) == NULL ||
	    (op->until != 0 && now > op->until))
		return (OP_NONE);
	return ((enum op_role)op->role);
}

int
ledger_notable(uid_t uid, uint64_t now, uint32_t *more)
{
	uint8_t	 one[LIMIT_KEY] = { 0 }, all[LIMIT_KEY] = { 0 };

	if (by_user == NULL)
		by_user = limit_new(USERS, USER_BURST, USER_MINUTE);
	if (by_all == NULL)
		by_all = limit_new(1, ALL_BURST, ALL_MINUTE);
	memcpy(one, &uid, sizeof(uid));
	if (by_user == NULL || by_all == NULL ||
	    limit_take(by_user, one, now) != 0 ||
	    limit_take(by_all, all, now) != 0) {
		missed++;
		return (0);
	}
	*more = missed;
	missed = 0;
	return (1);
}
