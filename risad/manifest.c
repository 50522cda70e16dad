#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "manifest.h"

#define HEX		(2 * TOKEN_LEN + 1)

static const char *const words[COUNT_MAX] = {
	"tenants", "users", "floors", "messages", "lines", "blocks"
};

const char *
manifest_word(enum manifest_count n)
{
	return (words[n]);
}

void
manifest_clear(struct manifest *mn)
{
	free(mn->mn_files);
	memset(mn, 0, sizeof(*mn));
}

struct manifest_file *
manifest_add(struct manifest *mn, uint32_t tenant, uint32_t month,
    const char *name)
{
	struct manifest_file	*mf;

	if (mn->mn_n >= MANIFEST_FILES || (mf = reallocarray(mn->mn_files,
	    mn->mn_n + 1, sizeof(*mf))) == NULL)
		return (NULL);
	mn->mn_files = mf;
	mf += mn->mn_n;
	memset(mf, 0, sizeof(*mf));
	mf->mf_tenant = tenant;
	mf->mf_month = month;
	if (strlcpy(mf->mf_name, name, sizeof(mf->mf_name)) >=
	    sizeof(mf->mf_name))
		return (NULL);
	mn->mn_n++;
	return (mf);
}

void
manifest_drop(struct manifest *mn, uint32_t tenant)
{
	size_t	 i, n = 0;

	for (i = 0; i < mn->mn_n; i++)
		if (mn->mn_files[i].mf_tenant != tenant)
			mn->mn_files[n++] = mn->mn_files[i];
	mn->mn_n = n;
}

const struct manifest_file *
manifest_find(const struct manifest *mn, const char *name, uint32_t tenant)
{
	const struct manifest_file	*mf;
	size_t				 i;

	for (i = 0; i < mn->mn_n; i++) {
		mf = &mn->mn_files[i];
		if (mf->mf_month == 0 && (name == NULL ?
		    mf->mf_tenant == tenant : mf->mf_tenant != 0 &&
		    strcmp(mf->mf_name, name) == 0))
			return (mf);
	}
	return (NULL);
}

uint64_t
manifest_bytes(const struct manifest *mn)
{
	uint64_t	 n = 0;
	size_t		 i;

	for (i = 0; i < mn->mn_n; i++)
		n += mn->mn_files[i].mf_bytes;
	return (n);
}

uint32_t
manifest_tenants(const struct manifest *mn)
{
	uint32_t	 n = 0;
	size_t		 i;

	for (i = 0; i < mn->mn_n; i++)
		n += mn->mn_files[i].mf_tenant != 0 &&
		    mn->mn_files[i].mf_month == 0;
	return (n);
}

int
manifest_path(char dst[MANIFEST_PATH], const char *dir,
    const struct manifest_file *mf)
{
	char	 name[20], tenant[24] = "";
	int	 n;

	if (mf->mf_month != 0)
		(void)snprintf(name, sizeof(name), "log-%06u.db",
		    mf->mf_month);
	else
		(void)strlcpy(name, mf->mf_tenant == 0 ? "system.db" :
		    "main.db", sizeof(name));
	if (mf->mf_tenant != 0)
		(void)snprintf(tenant, sizeof(tenant), "tenants/%u/",
		    mf->mf_tenant);
	n = snprintf(dst, MANIFEST_PATH, "%s/%s%s", dir, tenant, name);
	return (n < 0 || n >= MANIFEST_PATH ? -1 : 0);
}

static void
file_write(FILE *f, const struct manifest_file *mf)
{
	char	 sha[HEX], head[HEX];
	int	 i;

	hex_encode(sha, mf->mf_sha, sizeof(mf->mf_sha));
	hex_encode(head, mf->mf_head, sizeof(mf->mf_head));
	fprintf(f, "file tenant %u name %s month %u bytes %llu sha256 %s",
	    mf->mf_tenant, mf->mf_name, mf->mf_month,
	    (unsigned long long)mf->mf_bytes, sha);
	for (i = 0; i < COUNT_MAX; i++)
		fprintf(f, " %s %llu", words[i],
		    (unsigned long long)mf->mf_count[i]);
	fprintf(f, " last %llu head %s\n", (unsigned long long)mf->mf_last,
	    head);
}

char *
manifest_write(const struct manifest *mn, size_t *len)
{
	char	*text = NULL, at[TIME_TEXT];
	size_t	 i;
	FILE	*f;

	if ((f = open_memstream(&text, len)) == NULL)
		return (NULL);
	(void)time_text(at, mn->mn_at);
	fprintf(f, "risad backup v1\nstamp %s\nmade %s\nms %llu\n",
	    mn->mn_stamp, at, (unsigned long long)mn->mn_took);
	for (i = 0; i < mn->mn_n; i++)
		file_write(f, &mn->mn_files[i]);
	if (fclose(f) == EOF) {
		free(text);
		return (NULL);
	}
	return (text);
}

/* The word, a space and the number; what comes behind it, or NULL. */
static const char *
take_number(const char *p, const char *word, uint64_t *value)
{
	size_t	 len = strlen(word), digits;
	char	 text[24];
	const char *why;

	if (p == NULL || strncmp(p, word, len) != 0 || p[len] != ' ')
		return (NULL);
	p += len + 1;
	digits = strspn(p, "0123456789");
	if (digits == 0 || digits >= sizeof(text))
		return (NULL);
	(void)strlcpy(text, p, digits + 1);
	*value = (uint64_t)strtonum(text, 0, INT64_MAX, &why);
	if (why != NULL)
		return (NULL);
	p += digits;
	return (*p == ' ' ? p + 1 : p);
}

static const char *
take_hex(const char *p, const char *word, uint8_t value[TOKEN_LEN])
{
	size_t	 len = strlen(word);
	char	 text[HEX];

	if (p == NULL || strncmp(p, word, len) != 0 || p[len] != ' ')
		return (NULL);
	p += len + 1;
	if (strlcpy(text, p, sizeof(text)) < sizeof(text) - 1 ||
	    hex_decode(value, TOKEN_LEN, text) == -1)
		return (NULL);
	p += HEX - 1;
	return (*p == ' ' ? p + 1 : p);
}

static const char *
take_name(const char *p, char name[MAX_LABEL + 1])
{
	size_t	 len;

	if (p == NULL || strncmp(p, "name ", 5) != 0)
		return (NULL);
	p += 5;
	len = strcspn(p, " \n");
	if (len == 0 || len > MAX_LABEL || p[len] != ' ')
		return (NULL);
	(void)strlcpy(name, p, len + 1);
	return (p + len + 1);
}

/* From one line; what is behind it, or NULL. */
static const char *
file_read(struct manifest *mn, const char *p)
{
	struct manifest_file	 mf = { 0 }, *to;
	uint64_t		 tenant = 0, month = 0;
	int			 i;

	p = take_number(p, "file tenant", &tenant);
	p = take_name(p, mf.mf_name);
	p = take_number(p, "month", &month);
	p = take_number(p, "bytes", &mf.mf_bytes);
	p = take_hex(p, "sha256", mf.mf_sha);
	for (i = 0; i < COUNT_MAX; i++)
		p = take_number(p, words[i], &mf.mf_count[i]);
	p = take_number(p, "last", &mf.mf_last);
	p = take_hex(p, "head", mf.mf_head);
	if (p == NULL || *p != '\n' || tenant > UINT32_MAX ||
	    month > 999912 || (tenant == 0 ? strcmp(mf.mf_name, "-") != 0 :
	    !label_valid(mf.mf_name)))
		return (NULL);
	mf.mf_tenant = (uint32_t)tenant;
	mf.mf_month = (uint32_t)month;
	if ((to = manifest_add(mn, mf.mf_tenant, mf.mf_month, mf.mf_name)) ==
	    NULL)
		return (NULL);
	*to = mf;
	return (p + 1);
}

/* The lines in front of those of files. */
static const char *
head_read(struct manifest *mn, const char *p)
{
	static const char	 first[] = "risad backup v1\nstamp ";
	char			 at[TIME_TEXT];

	if (strncmp(p, first, sizeof(first) - 1) != 0)
		return (NULL);
	p += sizeof(first) - 1;
	if (strlcpy(mn->mn_stamp, p, sizeof(mn->mn_stamp)) <
	    STAMP_TEXT - 1 || stamp_read(mn->mn_stamp, NULL) == -1)
		return (NULL);
	p += STAMP_TEXT - 1;
	if (strncmp(p, "\nmade ", 6) != 0)
		return (NULL);
	p += 6;
	(void)strlcpy(at, p, sizeof(at));
	at[strcspn(at, "\n")] = '\0';
	if (time_read(at, &mn->mn_at) == -1)
		return (NULL);
	p += strlen(at);
	if (*p != '\n' || (p = take_number(p + 1, "ms", &mn->mn_took)) ==
	    NULL || *p != '\n')
		return (NULL);
	return (p + 1);
}

/* What it says is written again: any other spelling is none. */
int
manifest_read(struct manifest *mn, const char *text, size_t len)
{
	const char	*p;
	char		*again = NULL;
	size_t		 n;
	int		 same = 0;

	memset(mn, 0, sizeof(*mn));
	if (strlen(text) == len && (p = head_read(mn, text)) != NULL) {
		while (p != NULL && *p != '\0')
			p = file_read(mn, p);
		if (p != NULL && (again = manifest_write(mn, &n)) != NULL)
			same = n == len && memcmp(again, text, n) == 0;
	}
	free(again);
	if (!same)
		manifest_clear(mn);
	return (same ? 0 : -1);
}
