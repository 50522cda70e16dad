/*
 * Where people may come from: the lists of a tenant, of its administration and
 * of its floors, and the address that a grant was asked for from.
 */
#include <stdlib.h>

#include "storage.h"

int
grant_may_enter(struct db *db, const struct floor *fl, const struct grant *gr)
{
	struct rights	*rt;

	if (fl->fl_networks != NULL &&
	    !networks_allow(fl->fl_networks, gr->gr_addr))
		return (0);
	if (gr->gr_role == ROLE_GUEST)
		return (guest_may_enter(db, fl, gr));
	return ((rt = rights_get(db)) != NULL &&
	    rights_may_enter(rt, fl, gr->gr_user));
}

/* The lists, in the order in which the page has them. */
static const enum policy_list	 address_lists[] = {
	POLICY_NETWORKS, POLICY_ADMIN_NETWORKS
};

const char *
policy_excludes(const struct policy *po, const struct grant *gr)
{
	size_t	 i;

	for (i = 0; i < sizeof(address_lists) / sizeof(address_lists[0]); i++)
		if (!policy_allows(po, address_lists[i], gr->gr_addr))
			return (policy_lists[address_lists[i]].pw_name);
	return (NULL);
}

static void
end_outside(struct grant *gr, void *arg)
{
	if (!networks_allow(arg, gr->gr_addr))
		grant_end(gr, END_ADDRESS);
}

void
networks_apply(const struct tenant *tn)
{
	struct networks	 ns;

	if (networks_parse(&ns, tn->tn_policy.po_list[POLICY_NETWORKS], NULL,
	    0) == NETWORK_OK && ns.ns_count > 0)
		grant_each(tn->tn_id, 0, 0, end_outside, &ns);
}

enum result
floor_networks(struct request *rq, const struct floor *fl, const char *text,
    char bad[NETWORK_TEXT])
{
	static const struct networks	 anywhere;
	struct floor	 to = *fl;
	struct networks	*ns;
	char		*kept = NULL, *old;
	char		 what[48];
	enum result	 r = R_OK;

	bad[0] = '\0';
	if ((ns = to.fl_networks = malloc(sizeof(*ns))) == NULL)
		return (R_UNAVAILABLE);
	rq->rq_field = "networks";
	old = networks_text(fl->fl_networks == NULL ? &anywhere :
	    fl->fl_networks);
	(void)snprintf(what, sizeof(what), "set networks of floor %u",
	    fl->fl_id);
	if (networks_parse(ns, text, bad, NETWORK_TEXT) != NETWORK_OK)
		r = R_INVALID;
	else if (old == NULL || (kept = networks_text(ns)) == NULL ||
	    note_text(rq, what, old, kept) == -1 ||
	    floor_row_rights(rq->rq_db, &to) == -1)
		r = R_UNAVAILABLE;
	free(old);
	free(kept);
	free(ns);
	return (r);
}
