/*
 * Work that takes long: one task at a time, some milliseconds of each turn, and
 * those who wait for it.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backup.h"
#include "log.h"
#include "util.h"

#define TURN		3		/* ms of work in a turn */
#define PAUSE		5		/* ms between two turns */
#define TELL_EACH	(5 * SECOND)	/* who waits hears that it goes on */

static struct task	*task;		/* the one that there may be */
static struct event	 turn_ev;

/*
 * Outcomes.
 */

static void
outcome_drop(void *arg)
{
	struct outcome	*ou = arg;

	if (ou == NULL || --ou->ou_refs > 0)
		return;
	free(ou->ou_parts);
	free(ou);
}

int
task_fail(struct task *tk, const char *fmt, ...)
{
	va_list	 ap;

	va_start(ap, fmt);
	(void)vsnprintf(tk->tk_out->ou_why, sizeof(tk->tk_out->ou_why), fmt,
	    ap);
	va_end(ap);
	return (-1);
}

int
task_part(struct task *tk, const char *tenant, int done, const char *fmt, ...)
{
	struct outcome	*ou = tk->tk_out;
	struct part	*pa;
	va_list		 ap;

	if ((pa = reallocarray(ou->ou_parts, ou->ou_n + 1, sizeof(*pa))) ==
	    NULL)
		return (task_fail(tk, "no memory"));
	ou->ou_parts = pa;
	pa += ou->ou_n++;
	memset(pa, 0, sizeof(*pa));
	(void)strlcpy(pa->pa_tenant, strcmp(tenant, "-") == 0 ? "" : tenant,
	    sizeof(pa->pa_tenant));
	pa->pa_done = done == 1;
	va_start(ap, fmt);
	(void)vsnprintf(pa->pa_note, sizeof(pa->pa_note), fmt, ap);
	va_end(ap);
	if (done == 0 && ou->ou_why[0] == '\0')
		(void)snprintf(ou->ou_why, sizeof(ou->ou_why), "%s: %.900s",
		    pa->pa_tenant[0] == '\0' ? "installation" : pa->pa_tenant,
		    pa->pa_note);
	return (0);
}

/*
 * Tasks.
 */

void
task_free(struct task *tk)
{
	manifest_clear(&tk->tk_mn);
	outcome_drop(tk->tk_out);
	free(tk);
}

struct task *
task_new(void)
{
	struct task	*tk;

	if ((tk = calloc(1, sizeof(*tk))) == NULL ||
	    (tk->tk_out = calloc(1, sizeof(*tk->tk_out))) == NULL) {
		free(tk);
		return (NULL);
	}
	tk->tk_out->ou_refs = 1;
	tk->tk_began = now_ms();
	return (tk);
}

static void
turn_arm(void)
{
	struct timeval	 tv = { 0, PAUSE * 1000 };

	(void)evtimer_add(&turn_ev, &tv);
}

void
task_start(struct task *tk)
{
	task = tk;
	turn_arm();
}

static void
turn(int fd, short ev, void *arg)
{
	struct task	*tk = task;
	uint64_t	 begun = mono_ms();
	int		 n;

	(void)fd;
	(void)ev;
	(void)arg;
	do
		n = tk->tk_step(tk);
	while (n == 1 && mono_ms() - begun < TURN);
	if (n == 1) {
		turn_arm();
		return;
	}
	task = NULL;
	tk->tk_out->ou_ok = n == 0 && tk->tk_out->ou_why[0] == '\0';
	tk->tk_out->ou_over = 1;
	if (tk->tk_end != NULL)
		tk->tk_end(tk, tk->tk_out->ou_ok);
	task_free(tk);
}

/* In the installation's trail, and in the log. */
void
task_note(const struct task *tk, const char *what)
{
	struct db	*sys = db_system();
	const char	*why = tk->tk_out->ou_ok ? "done" : tk->tk_out->ou_why;
	char		 who[32] = "";

	if (tk->tk_asked)
		(void)snprintf(who, sizeof(who), "uid %u: ", tk->tk_op);
	if (tk->tk_out->ou_ok)
		log_info("backup %s: %s", tk->tk_out->ou_stamp, what);
	else if (tk->tk_asked)
		log_warnx("backup %s: %s: %s", tk->tk_out->ou_stamp, what,
		    why);
	else
		alert_raise(ALERT_BACKUP, DB_SYSTEM, "backup %s: %s: %s",
		    tk->tk_out->ou_stamp, what, why);
	if (sys == NULL || audit_add(sys, "%sbackup %s: %s: %.600s", who,
	    tk->tk_out->ou_stamp, what, why) == -1)
		log_warnx("backup %s: %s, but not in the audit trail",
		    tk->tk_out->ou_stamp, what);
}

/*
 * Who waits for a task.
 */

struct waiter {
	struct outcome	*wt_ou;
	size_t		 wt_sent;
	uint64_t	 wt_told;
	int		 wt_row;	/* the generation is the answer */
};

static void
waiter_free(void *arg)
{
	struct waiter	*wt = arg;

	outcome_drop(wt->wt_ou);
	free(wt);
}

static void
wait_parts(struct waiter *wt, struct stream *sm, struct peer *pe)
{
	struct outcome		*ou = wt->wt_ou;
	struct m_c_backup_part	 m;
	const struct part	*pa;

	for (; !wt->wt_row && wt->wt_sent < ou->ou_n; wt->wt_sent++) {
		pa = &ou->ou_parts[wt->wt_sent];
		m.stamp = ou->ou_stamp;
		m.tenant = pa->pa_tenant;
		m.done = pa->pa_done != 0;
		m.note = pa->pa_note;
		(void)proc_send(pe, IMSG_C_BACKUP_PART, sm->st_id, -1, &m);
	}
}

static int
stream_wait(struct stream *sm, struct peer *pe)
{
	struct waiter		*wt = sm->st_data;
	struct outcome		*ou = wt->wt_ou;
	struct m_c_backup_step	 m = { ou->ou_done, ou->ou_total };
	struct manifest		 mn;
	const char		*why;

	wait_parts(wt, sm, pe);
	if (!ou->ou_over) {
		if (mono_ms() - wt->wt_told >= TELL_EACH) {
			wt->wt_told = mono_ms();
			(void)proc_send(pe, IMSG_C_BACKUP_STEP, sm->st_id, -1,
			    &m);
		}
		sm->st_idle = 1;
		return (1);
	}
	if (wt->wt_row && ou->ou_stamp[0] != '\0') {
		if ((why = generation_load(&mn, ou->ou_stamp)) == NULL)
			generation_row(pe, sm->st_id, ou->ou_stamp, &mn, NULL);
		manifest_clear(&mn);
	}
	(void)proc_result(pe, sm->st_id, ou->ou_ok ? R_OK : R_REFUSED, 0,
	    ou->ou_ok ? "" : ou->ou_why);
	return (0);
}

const char *
task_answer(struct request *rq, struct task *tk, int row)
{
	struct waiter	*wt;

	if ((wt = calloc(1, sizeof(*wt))) == NULL) {
		free(tk->tk_data);
		task_free(tk);
		return ("no memory");
	}
	wt->wt_ou = tk->tk_out;
	wt->wt_told = mono_ms();
	wt->wt_row = row;
	tk->tk_out->ou_refs++;
	tk->tk_op = rq->rq_op;
	tk->tk_asked = 1;
	if (rq_stream(rq, stream_wait, wt, waiter_free) == -1) {
		free(tk->tk_data);
		task_free(tk);
		return ("no memory");
	}
	task_start(tk);
	return (NULL);
}

int
task_busy(void)
{
	return (task != NULL);
}

void
task_init(void)
{
	evtimer_set(&turn_ev, turn, NULL);
}
