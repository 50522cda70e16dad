#include <stdlib.h>
#include <string.h>

#include "hold.h"

#define POINTERS	7

/* Where a struct points elsewhere: strings, then blobs. */
struct shape {
	enum imsg_type	 sh_type;
	size_t		 sh_size;
	unsigned int	 sh_nstr, sh_nblob;
	size_t		 sh_off[POINTERS];
};

#define AT(t, m)		offsetof(struct t, m)
#define PLAIN(type, t)		{ IMSG_##type, sizeof(struct t), 0, 0, { 0 } }
#define SHAPE(type, t, s, b, ...)					\
	{ IMSG_##type, sizeof(struct t), s, b, { __VA_ARGS__ } }

static const struct shape	 shapes[] = {
	SHAPE(RESULT, m_result, 1, 0, AT(m_result, field)),
	SHAPE(CRED, m_cred, 0, 4, AT(m_cred, sealed), AT(m_cred, totp),
	    AT(m_cred, pending), AT(m_cred, old)),
	PLAIN(TOKEN_ROW, m_token_row),
	PLAIN(LINK_DONE, m_link_done),
	PLAIN(LOCK_ROW, m_lock_row),
	SHAPE(UNLOCK, m_unlock, 1, 0, AT(m_unlock, email)),
	SHAPE(PASSKEY_OWNER, m_passkey_owner, 0, 1, AT(m_passkey_owner, ids)),
	SHAPE(PASSKEY_ROW, m_passkey_row, 1, 1, AT(m_passkey_row, email),
	    AT(m_passkey_row, key)),
	SHAPE(PASSKEY, m_passkey, 1, 0, AT(m_passkey, name)),
	SHAPE(GUEST_NEED, m_guest_need, 0, 1, AT(m_guest_need, sealed)),
	PLAIN(GUEST, m_guest),
	SHAPE(KNOCK, m_knock, 1, 1, AT(m_knock, name), AT(m_knock, floors)),
	SHAPE(KNOCK_END, m_knock_end, 1, 0, AT(m_knock_end, by)),
	SHAPE(GUEST_ROW, m_guest_row, 2, 1, AT(m_guest_row, note),
	    AT(m_guest_row, name), AT(m_guest_row, floors)),
	SHAPE(VISIT_ROW, m_visit_row, 2, 0, AT(m_visit_row, name),
	    AT(m_visit_row, addr)),
	SHAPE(TENANT, m_tenant, 2, 1, AT(m_tenant, name),
	    AT(m_tenant, title), AT(m_tenant, policy)),
	SHAPE(GRANT, m_grant, 3, 0, AT(m_grant, name), AT(m_grant, note),
	    AT(m_grant, email)),
	PLAIN(GRANT_END, m_grant_end),
	PLAIN(GRANT_MUST, m_grant_must),
	PLAIN(FACTOR_ROW, m_factor_row),
	PLAIN(BUS_GRANT, m_bus_grant),
	PLAIN(BUS_ERASED, m_bus_erased),
	PLAIN(BUS_CLEARED, m_bus_cleared),
	SHAPE(LINK, m_link, 2, 0, AT(m_link, email), AT(m_link, name)),
	PLAIN(RIGHTS, m_rights),
	PLAIN(ROLE, m_role),
	SHAPE(PROFILE, m_user, 3, 0, AT(m_user, name), AT(m_user, note),
	    AT(m_user, email)),
	SHAPE(USER, m_user, 3, 0, AT(m_user, name), AT(m_user, note),
	    AT(m_user, email)),
	SHAPE(SIGNIN, m_signin, 2, 0, AT(m_signin, addr),
	    AT(m_signin, agent)),
	SHAPE(FLOOR_ROW, m_floor_row, 1, 0, AT(m_floor_row, name)),
	PLAIN(TALK_MAKE, m_talk_make),
	SHAPE(FLOOR_DOC, m_floor_doc, 1, 1, AT(m_floor_doc, name),
	    AT(m_floor_doc, map)),
	PLAIN(SAID, m_said),
	SHAPE(BUS_MSG, m_bus_msg, 2, 0, AT(m_bus_msg, name),
	    AT(m_bus_msg, text)),
	SHAPE(MESSAGE, m_message, 2, 0, AT(m_message, name),
	    AT(m_message, text)),
	PLAIN(UNREAD_ROW, m_unread_row),
	SHAPE(PERSON, m_person, 1, 0, AT(m_person, name)),
	SHAPE(A_USER, m_a_user, 2, 1, AT(m_a_user, email),
	    AT(m_a_user, name), AT(m_a_user, groups)),
	PLAIN(A_LINK, m_a_link),
	SHAPE(A_IMPORT_ROW, m_import_row, 7, 0, AT(m_import_row, email),
	    AT(m_import_row, old_name), AT(m_import_row, name),
	    AT(m_import_row, old_role), AT(m_import_row, role),
	    AT(m_import_row, old_groups), AT(m_import_row, groups)),
	PLAIN(A_IMPORT_DONE, m_import_done),
	SHAPE(C_IMPORT_ROW, m_import_row, 7, 0, AT(m_import_row, email),
	    AT(m_import_row, old_name), AT(m_import_row, name),
	    AT(m_import_row, old_role), AT(m_import_row, role),
	    AT(m_import_row, old_groups), AT(m_import_row, groups)),
	PLAIN(C_IMPORT_DONE, m_import_done),
	SHAPE(A_GROUP, m_a_group, 1, 1, AT(m_a_group, name),
	    AT(m_a_group, members)),
	SHAPE(A_ROLE, m_a_role, 1, 0, AT(m_a_role, name)),
	SHAPE(A_TEMPLATE, m_a_template, 1, 0, AT(m_a_template, name)),
	SHAPE(A_ALERT, m_a_alert, 1, 0, AT(m_a_alert, addrs)),
	SHAPE(A_AUDIT_ROW, m_c_audit_row, 1, 0, AT(m_c_audit_row, text)),
	SHAPE(A_POINT, m_c_point, 1, 0, AT(m_c_point, line)),
	SHAPE(A_FLOOR, m_a_floor, 3, 2, AT(m_a_floor, name),
	    AT(m_a_floor, template), AT(m_a_floor, networks),
	    AT(m_a_floor, users),
	    AT(m_a_floor, groups)),
	SHAPE(C_TENANT_ROW, m_c_tenant_row, 3, 0, AT(m_c_tenant_row, name),
	    AT(m_c_tenant_row, title), AT(m_c_tenant_row, contact)),
	SHAPE(C_USER_ROW, m_c_user_row, 2, 0, AT(m_c_user_row, email),
	    AT(m_c_user_row, role)),
	SHAPE(C_LINK_TOKEN, m_c_link_token, 1, 0,
	    AT(m_c_link_token, tenant)),
	SHAPE(C_FLOOR_ROW, m_c_floor_row, 3, 0, AT(m_c_floor_row, name),
	    AT(m_c_floor_row, who), AT(m_c_floor_row, networks)),
	SHAPE(C_POLICY_ROW, m_c_policy_row, 2, 0, AT(m_c_policy_row, name),
	    AT(m_c_policy_row, text)),
	SHAPE(C_ROLE_ROW, m_c_role_row, 1, 0, AT(m_c_role_row, name)),
	SHAPE(C_GUEST_ROW, m_c_guest_row, 1, 0, AT(m_c_guest_row, floors)),
	SHAPE(C_SESSION_ROW, m_c_session_row, 3, 0,
	    AT(m_c_session_row, email), AT(m_c_session_row, addr),
	    AT(m_c_session_row, agent)),
	PLAIN(OPERATOR, m_operator),
	PLAIN(OPERATORS, m_none),
	SHAPE(C_OPERATOR_ROW, m_c_operator_row, 2, 0,
	    AT(m_c_operator_row, name), AT(m_c_operator_row, byname)),
	SHAPE(C_STAT_ROW, m_c_stat_row, 1, 0, AT(m_c_stat_row, name)),
};

static const struct shape *
shape_of(enum imsg_type type)
{
	size_t	 i;

	for (i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
		if (shapes[i].sh_type == type)
			return (&shapes[i]);
	return (NULL);
}

/* What pointer i of the struct leads to, and how long it is. */
static const void *
target(const struct shape *sh, unsigned int i, const char *m, size_t *len)
{
	const struct m_blob	*mb;
	const char		*s;

	if (i < sh->sh_nstr) {
		s = *(const char *const *)(const void *)(m + sh->sh_off[i]);
		*len = s == NULL ? 0 : strlen(s) + 1;
		return (s);
	}
	mb = (const void *)(m + sh->sh_off[i]);
	*len = mb->mb_len;
	return (mb->mb_data);
}

struct held *
hold_new(enum imsg_type type, const void *m)
{
	const struct shape	*sh;
	struct held		*he;
	const void		*from;
	char			*p;
	size_t			 len, size;
	unsigned int		 i;

	if ((sh = shape_of(type)) == NULL)
		return (NULL);
	size = sh->sh_size;
	for (i = 0; i < sh->sh_nstr + sh->sh_nblob; i++) {
		(void)target(sh, i, m, &len);
		size += len;
	}
	if ((he = calloc(1, sizeof(*he))) == NULL)
		return (NULL);
	if ((he->he_msg = malloc(size)) == NULL) {
		free(he);
		return (NULL);
	}
	he->he_type = type;
	he->he_len = size;
	memcpy(he->he_msg, m, sh->sh_size);
	p = (char *)he->he_msg + sh->sh_size;
	for (i = 0; i < sh->sh_nstr + sh->sh_nblob; i++) {
		from = target(sh, i, m, &len);
		if (len == 0)
			continue;
		memcpy(p, from, len);
		/* A blob begins with its pointer, so both are set alike. */
		memcpy((char *)he->he_msg + sh->sh_off[i], &p, sizeof(p));
		p += len;
	}
	return (he);
}

void
hold_free(struct held *he)
{
	freezero(he->he_msg, he->he_len);	/* tokens, hashes, text */
	free(he);
}
