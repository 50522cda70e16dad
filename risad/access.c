/*
 * What happens here is told to storage, which keeps the access log (F2, F4).
 * While storage is away it waits, so that its restart costs the log nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "session.h"
#include "util.h"

#define WAITING_MAX	4096		/* entries; the oldest give way */
#define SECRET_MIN	40		/* as long in a path: a token */

struct waiting {
	STAILQ_ENTRY(waiting)	 wt_entry;
	struct m_access		 wt_m;
	char			 wt_addr[MAX_ADDR + 1];
	char			 wt_text[];
};

static STAILQ_HEAD(, waiting) waiting = STAILQ_HEAD_INITIALIZER(waiting);
static unsigned int	 nwaiting;
static int		 storage_ready;

static int
is_token(char c)
{
	return ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '-' || c == '_');
}

static void
forget_first(void)
{
	struct waiting	*wt = STAILQ_FIRST(&waiting);

	STAILQ_REMOVE_HEAD(&waiting, wt_entry);
	nwaiting--;
	free(wt);
}

static void
wait_for_storage(const struct m_access *m)
{
	struct waiting	*wt;
	size_t		 len = strlen(m->text) + 1;

	if (nwaiting == WAITING_MAX) {
		forget_first();
		session_stats.ss_unlogged++;
	}
	if ((wt = calloc(1, sizeof(*wt) + len)) == NULL) {
		session_stats.ss_unlogged++;
		return;
	}
	wt->wt_m = *m;
	memcpy(wt->wt_text, m->text, len);
	(void)strlcpy(wt->wt_addr, m->addr, sizeof(wt->wt_addr));
	wt->wt_m.text = wt->wt_text;
	wt->wt_m.addr = wt->wt_addr;
	STAILQ_INSERT_TAIL(&waiting, wt, wt_entry);
	nwaiting++;
}

static void
tell(struct m_access *m)
{
	m->at = now_ms();
	if (!storage_ready || proc_send(proc_peer(PROC_STORAGE, 0),
	    IMSG_ACCESS, 0, -1, m) == -1)
		wait_for_storage(m);
}

void
access_storage(int up)
{
	struct waiting	*wt;

	storage_ready = up;
	while (up && (wt = STAILQ_FIRST(&waiting)) != NULL) {
		if (proc_send(proc_peer(PROC_STORAGE, 0), IMSG_ACCESS, 0, -1,
		    &wt->wt_m) == -1)
			return;
		forget_first();
	}
}

/*
 * Method and URI as they were sent, ASCII; nothing where the request could not
 * be read.  A part that could be a token becomes "*": whoever reads the log may
 * not use what others have been sent.
 */
static void
request_text(const struct conn *cn, char dst[MAX_URI + 1])
{
	const struct http_request	*hr = cn->cn_req;
	const char			*p, *end;
	size_t				 n, len;

	dst[0] = '\0';
	if (hr->hr_status != HTTP_OK)
		return;
	(void)strlcpy(dst, http_method_name(hr->hr_method), MAX_URI + 1);
	(void)strlcat(dst, " ", MAX_URI + 1);
	n = strlen(dst);
	p = (const char *)cn->cn_in + n;
	if ((end = memchr(p, ' ', HTTP_MAXLINE - n)) == NULL)
		return;
	while (p < end && n < MAX_URI) {
		for (len = 0; p + len < end && is_token(p[len]); len++)
			;
		if (len >= SECRET_MIN) {
			dst[n++] = '*';
			p += len;
		} else {
			len = len == 0 ? 1 : len;
			if (len > MAX_URI - n)
				len = MAX_URI - n;
			memcpy(dst + n, p, len);
			n += len;
			p += len;
		}
	}
	dst[n] = '\0';
}

void
access_request(const struct conn *cn, int status, size_t bytes)
{
	char			 text[MAX_URI + 1];
	struct tenant		*tn = NULL;
	struct m_access		 m = { .kind = ACCESS_REQUEST,
				    .status = (uint16_t)status,
				    .bytes = bytes, .addr = cn->cn_addr,
				    .text = text };

	request_text(cn, text);
	if (text[0] != '\0' && cn->cn_tls != NULL)
		tn = session_tenant(cn);
	m.tenant = tn == NULL ? 0 : tn->tn_id;
	m.grant = cn->cn_login == NULL ? 0 : cn->cn_login->lg_last;
	tell(&m);
}

void
access_failed(const struct conn *cn, const char *mail)
{
	struct tenant	*tn = session_tenant(cn);
	struct m_access	 m = { .kind = ACCESS_FAILED, .addr = cn->cn_addr,
			    .text = mail };

	m.tenant = tn == NULL ? 0 : tn->tn_id;
	tell(&m);
}

void
access_floor(const struct login *lg, enum access_kind kind, uint32_t floor)
{
	struct m_access	 m = { .kind = (uint8_t)kind, .floor = floor,
			    .addr = lg->lg_addr, .text = "" };

	m.tenant = lg->lg_tenant;
	m.grant = lg->lg_last;
	tell(&m);
}

void
access_talk(const struct login *lg, enum access_kind kind, uint32_t floor,
    uint32_t user)
{
	char		 text[24];
	struct m_access	 m = { .kind = (uint8_t)kind, .floor = floor,
			    .addr = lg->lg_addr, .text = text };

	(void)snprintf(text, sizeof(text), "with %u", user);
	m.tenant = lg->lg_tenant;
	m.grant = lg->lg_last;
	tell(&m);
}
