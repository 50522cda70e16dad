/*
 * Files that are handed out: their text leaves in parts, and what has left is
 * summed up, so that keys signs in the end what the client has got (F12).
 */
#include <openssl/evp.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "storage.h"
#include "util.h"

#define CHUNK		(48 * 1024)	/* in one imsg */

struct signing {
	TAILQ_ENTRY(signing) sg_entry;
	EVP_MD_CTX	*sg_sum;
	FILE		*sg_out;		/* in this turn */
	char		*sg_text;		/* what was written to it */
	size_t		 sg_len;
	uint32_t	 sg_id;			/* asked for; 0: not yet */
	int		 sg_answered;
	char		 sg_line[MAX_LINE + 1];
};

static TAILQ_HEAD(, signing) asked = TAILQ_HEAD_INITIALIZER(asked);

struct signing *
signing_new(void)
{
	struct signing	*sg;

	if ((sg = calloc(1, sizeof(*sg))) == NULL)
		return (NULL);
	if ((sg->sg_sum = EVP_MD_CTX_new()) == NULL ||
	    EVP_DigestInit_ex(sg->sg_sum, EVP_sha256(), NULL) != 1) {
		signing_free(sg);
		return (NULL);
	}
	return (sg);
}

void
signing_free(struct signing *sg)
{
	if (sg == NULL)
		return;
	if (sg->sg_id != 0)
		TAILQ_REMOVE(&asked, sg, sg_entry);
	EVP_MD_CTX_free(sg->sg_sum);
	free(sg);
}

FILE *
signing_open(struct signing *sg)
{
	sg->sg_text = NULL;
	sg->sg_len = 0;
	return (sg->sg_out = open_memstream(&sg->sg_text, &sg->sg_len));
}

/* The client has to read this before more than some of it may follow. */
static int
text_send(struct signing *sg, struct stream *sm, struct peer *pe)
{
	struct m_c_log_text	 m;
	size_t			 done;

	if (EVP_DigestUpdate(sg->sg_sum, sg->sg_text, sg->sg_len) != 1)
		return (-1);
	for (done = 0; done < sg->sg_len; done += m.text.mb_len) {
		m.text.mb_data = sg->sg_text + done;
		m.text.mb_len = sg->sg_len - done > CHUNK ? CHUNK :
		    sg->sg_len - done;
		if (proc_send(pe, IMSG_C_LOG_TEXT, sm->st_id, -1, &m) == -1)
			return (-1);
		sm->st_unread++;
	}
	return (0);
}

int
signing_close(struct signing *sg, struct stream *sm, struct peer *pe)
{
	int	 n = ferror(sg->sg_out) ? -1 : 0;

	if (fclose(sg->sg_out) == EOF || (n == 0 &&
	    text_send(sg, sm, pe) == -1))
		n = -1;
	sg->sg_out = NULL;
	freezero(sg->sg_text, sg->sg_len);
	sg->sg_text = NULL;
	return (n);
}

int
signing_ask(struct signing *sg, uint32_t tenant, enum proof_kind kind)
{
	static uint32_t	 last;
	struct tenant	*tn = tenant_by_id(tenant);
	struct peer	*keys = keys_peer();
	struct m_prove	 m = { tenant, tn == NULL ? "-" : tn->tn_name,
			    (uint8_t)kind, 0, now_ms(), { 0 } };
	unsigned int	 n;

	if (keys == NULL || (tenant != DB_SYSTEM && tn == NULL) ||
	    EVP_DigestFinal_ex(sg->sg_sum, m.sum, &n) != 1)
		return (-1);
	do
		sg->sg_id = ++last;
	while (sg->sg_id == 0 || sg->sg_id == PROVE_ERASURE);
	TAILQ_INSERT_TAIL(&asked, sg, sg_entry);
	return (proc_send(keys, IMSG_PROVE, sg->sg_id, -1, &m));
}

int
signing_asked(const struct signing *sg)
{
	return (sg->sg_id != 0);
}

const char *
signing_line(const struct signing *sg)
{
	return (sg->sg_answered ? sg->sg_line : NULL);
}

void
signing_proven(uint32_t id, const struct m_proven *m)
{
	struct signing	*sg;

	TAILQ_FOREACH(sg, &asked, sg_entry) {
		if (sg->sg_id != id)
			continue;
		sg->sg_answered = 1;
		(void)strlcpy(sg->sg_line, m->line, sizeof(sg->sg_line));
	}
}

void
signing_unproven(void)
{
	struct m_proven	 none = { 0, 0, "" };
	struct signing	*sg;

	TAILQ_FOREACH(sg, &asked, sg_entry)
		if (!sg->sg_answered)
			signing_proven(sg->sg_id, &none);
}

/* RFC 8259, section 7. */
void
json_text(FILE *f, const char *s)
{
	putc('"', f);
	for (; *s != '\0'; s++) {
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			fprintf(f, "\\u%04x", (unsigned int)*s);
		else {
			if (*s == '"' || *s == '\\')
				putc('\\', f);
			putc(*s, f);
		}
	}
	putc('"', f);
}

void
json_at(FILE *f, const char *name, uint64_t ms)
{
	char	 at[TIME_TEXT];

	if (time_text(at, ms) == -1)
		fprintf(f, ",\"%s\":null", name);
	else
		fprintf(f, ",\"%s\":\"%s\"", name, at);
}
