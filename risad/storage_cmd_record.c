/*
 * Commands about what is recorded and kept: trails, logs, exports, purges,
 * keys, backups.
 */
#include <string.h>

#include "backup.h"
#include "log.h"
#include "storage_cmd.h"

/*
 * Audit trails, and what their checkpoints are signed with.
 */

static int
trail_show(struct command *co)
{
	return (audit_show(co->co_rq, co->co_m, co->co_why));
}

static int
trail_verify(struct command *co)
{
	return (audit_verify(co->co_rq, co->co_m, co->co_why));
}

static int
trail_points(struct command *co)
{
	return (audit_points(co->co_rq, co->co_m, co->co_why));
}

static int
proof_show(struct command *co)
{
	static const uint8_t	 none[TOKEN_LEN];
	struct m_proof_key	 m;

	if (memcmp(storage_key, none, sizeof(none)) == 0)
		return (co_refuse(co, "keys has not told it yet, try again"));
	memcpy(m.key, storage_key, sizeof(m.key));
	rq_answer(co->co_rq, IMSG_C_PROOF_ROW, &m);
	return (0);
}

/*
 * Access logs.  Who looks at what people do is in their tenant's trail, too.
 */

static int
log_read(struct command *co)
{
	const struct m_c_log	*m = co->co_m;
	struct request		*rq = co->co_rq;
	const char		*why;
	enum result		 r = R_OK;

	if (m->tenant[0] != '\0' && co_tenant(co, m->tenant) == -1)
		return (-1);
	if (m->tenant[0] != '\0' && m->format == LOG_ROWS) {
		if (co_begin(co) == -1)
			return (-1);
		if (audit_add(rq->rq_db, "by operator %u: show access log",
		    rq->rq_op) == -1)
			r = R_UNAVAILABLE;
		if (co_commit(co, r, m->tenant) == -1)
			return (-1);
	}
	if ((why = log_begin(rq, m)) != NULL)
		return (co_refuse(co, "%s", why));
	return (1);
}

/*
 * Exports, and commands that wait for a second operator.
 */

static int
tenant_export(struct command *co)
{
	const struct m_c_export	*m = co->co_m;
	const char		*why;

	if (co_tenant(co, m->tenant) == -1)
		return (-1);
	if ((why = export_begin(co->co_rq, m->reason)) != NULL)
		return (co_refuse(co, "%s", why));
	return (1);
}

static int
export_list(struct command *co)
{
	const struct m_c_name	*m = co->co_m;
	const char		*why;

	if (m->name[0] != '\0' && co_tenant(co, m->name) == -1)
		return (-1);
	if ((why = exported_list(co->co_rq)) != NULL)
		return (co_refuse(co, "%s", why));
	return (1);
}

static int
confirm(struct command *co)
{
	return (confirm_give(co->co_rq, co->co_m, co->co_why));
}

static int
confirms(struct command *co)
{
	confirm_list(co->co_rq);
	return (0);
}

/*
 * What is kept.
 */

static int
store(struct command *co)
{
	const struct m_c_name	*m = co->co_m;
	const char		*why;

	if (m->name[0] != '\0' && co_tenant(co, m->name) == -1)
		return (-1);
	if ((why = store_begin(co->co_rq)) != NULL)
		return (co_refuse(co, "%s", why));
	return (1);
}

static int
purge(struct command *co, int now)
{
	const struct m_c_name	*m = co->co_m;
	const char		*why;

	if (m->name[0] != '\0' && co_tenant(co, m->name) == -1)
		return (-1);
	if ((why = retain_begin(co->co_rq, now)) != NULL)
		return (co_refuse(co, "%s", why));
	return (1);
}

static int
purge_show(struct command *co)
{
	return (purge(co, 0));
}

static int
purge_run(struct command *co)
{
	return (purge(co, 1));
}

static int
keep_own(struct command *co)
{
	const struct m_c_keep	*m = co->co_m;

	switch (retain_own(co->co_rq, m->kind, m->days)) {
	case R_OK:
		return (0);
	case R_INVALID:
		return (co_refuse(co, "%u is not from %u to %u", m->days,
		    policy_rules[m->kind == KEEP_AUDIT ? POLICY_AUDIT_DAYS :
		    POLICY_LOG_DAYS].pr_min,
		    policy_rules[POLICY_AUDIT_DAYS].pr_max));
	case R_NOTFOUND:
		return (co_refuse(co, "the installation has no chat"));
	default:
		return (co_refuse(co, "system.db cannot be written"));
	}
}

/*
 * Keys.
 */

static int
key_rotate(struct command *co)
{
	const struct m_c_name	*m = co->co_m;
	const char		*why;

	if (m->name[0] != '\0' && co_tenant(co, m->name) == -1)
		return (-1);
	if ((why = rotate_begin(co->co_rq)) != NULL)
		return (co_refuse(co, "%s", why));
	return (0);
}

static int
key_show(struct command *co)
{
	return (rotate_show(co->co_rq) == 0 ? 1 : co_refuse(co, "no memory"));
}

static int
key_backup(struct command *co)
{
	const struct m_c_key_backup	*m = co->co_m;
	const char			*why;

	if ((why = key_backup_begin(co->co_rq, m->name)) != NULL)
		return (co_refuse(co, "%s", why));
	return (1);
}

/*
 * Backups.
 */

/* NULL: it is begun, and the trail will say how it ends. */
static int
begun(struct command *co, const char *why)
{
	return (why == NULL ? 2 : co_refuse(co, "%s", why));
}

static int
backup_make(struct command *co)
{
	return (begun(co, backup_now(co->co_rq)));
}

static int
backup_check(struct command *co)
{
	return (begun(co, backup_verify(co->co_rq, co->co_m)));
}

static int
backup_back(struct command *co)
{
	return (begun(co, backup_restore(co->co_rq, co->co_m)));
}

static int
backup_try(struct command *co)
{
	return (begun(co, backup_rehearse(co->co_rq)));
}

static int
backup_show(struct command *co)
{
	const char	*why = backup_list(co->co_rq);

	return (why == NULL ? 1 : co_refuse(co, "%s", why));
}

const struct verb	 record_verbs[] = {
	{ IMSG_C_TENANT_EXPORT, "tenant export", tenant_export },
	{ IMSG_C_EXPORTS, NULL, export_list },
	{ IMSG_C_CONFIRM, "confirm", confirm },
	{ IMSG_C_CONFIRMS, NULL, confirms },
	{ IMSG_C_STORAGE, NULL, store },
	{ IMSG_C_AUDIT_SHOW, NULL, trail_show },
	{ IMSG_C_AUDIT_VERIFY, NULL, trail_verify },
	{ IMSG_C_AUDIT_POINTS, NULL, trail_points },
	{ IMSG_C_LOG_SHOW, "log read", log_read },
	{ IMSG_C_PURGE_SHOW, NULL, purge_show },
	{ IMSG_C_PURGE_RUN, "purge run", purge_run },
	{ IMSG_C_KEY_ROTATE, "key rotate", key_rotate },
	{ IMSG_C_KEY_SHOW, NULL, key_show },
	{ IMSG_C_KEY_BACKUP, "key backup", key_backup },
	{ IMSG_C_BACKUP_NOW, "backup now", backup_make },
	{ IMSG_C_BACKUP_LIST, NULL, backup_show },
	{ IMSG_C_BACKUP_VERIFY, NULL, backup_check },
	{ IMSG_C_BACKUP_RESTORE, "backup restore", backup_back },
	{ IMSG_C_BACKUP_REHEARSE, "backup rehearse", backup_try },
	{ IMSG_C_KEEP, "retention set installation", keep_own },
	{ IMSG_C_PROOF_KEY, NULL, proof_show },
	{ 0, NULL, NULL }
};
