#include <sys/types.h>

#include <endian.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "points.h"
#include "proof.h"
#include "util.h"

#define MAX_PUB		4096
#define MAX_LOGLINE	8192

static struct proof	*points;
static size_t		 npoints;
static uint8_t		 wire[MAX_KEPT * KEPT_LEN];

static void
key_read(const char *path, uint8_t pub[PROOF_KEY])
{
	void	*pem;
	ssize_t	 len;
	int	 fd;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1 ||
	    (len = read_all(fd, MAX_PUB, &pem)) == -1)
		err(1, "%s", path);
	close(fd);
	if (proof_unpem(pub, pem, (size_t)len) == -1)
		errx(1, "%s: no public key of Ed25519 in PEM", path);
	free(pem);
}

static int
file_sum(const char *path, uint8_t sum[TOKEN_LEN])
{
	EVP_MD_CTX	*ctx = EVP_MD_CTX_new();
	uint8_t		 buf[64 * 1024];
	unsigned int	 len;
	ssize_t		 n;
	int		 fd;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		err(1, "%s", path);
	if (ctx == NULL || EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) != 1)
		errx(1, "SHA-256 does not work");
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		if (EVP_DigestUpdate(ctx, buf, (size_t)n) != 1)
			errx(1, "SHA-256 does not work");
	if (n == -1)
		err(1, "%s", path);
	close(fd);
	n = EVP_DigestFinal_ex(ctx, sum, &len);
	EVP_MD_CTX_free(ctx);
	return (n == 1 ? 0 : -1);
}

int
signature_check(const char *path, const char *sig, const char *key,
    const struct output *output)
{
	uint8_t		 pub[PROOF_KEY], sum[TOKEN_LEN];
	struct proof	 pf;
	char		 name[PATH_MAX], line[PROOF_LINE + 1];
	FILE		*f;
	int		 is = -1;

	if (sig == NULL) {
		if (snprintf(name, sizeof(name), "%s.sig", path) >=
		    (int)sizeof(name) || access(name, F_OK) == -1)
			return (-1);
		sig = name;
	}
	key_read(key == NULL ? SIGN_PUB : key, pub);
	if ((f = fopen(sig, "re")) == NULL)
		err(1, "%s", sig);
	if (fgets(line, sizeof(line), f) != NULL) {
		line[strcspn(line, "\r\n")] = '\0';
		is = proof_read(&pf, line, pub);
	}
	fclose(f);
	if (is == -1 || (is == 1 && pf.pf_kind == PROOF_CHECKPOINT))
		errx(1, "%s: not a signature of a file", sig);
	if (is == 0)
		errx(1, "%s: not signed by this key", sig);
	if (file_sum(path, sum) == -1)
		errx(1, "SHA-256 does not work");
	if (CRYPTO_memcmp(sum, pf.pf_sum, sizeof(sum)) != 0)
		errx(1, "%s: not the file that was signed", path);
	output->out_signed(path, &pf);
	return (0);
}

static void
point_keep(const struct proof *pf)
{
	static size_t	 room;

	if (npoints == room) {
		room = room == 0 ? 256 : 2 * room;
		points = reallocarray(points, room, sizeof(*points));
		if (points == NULL)
			err(1, NULL);
	}
	points[npoints++] = *pf;
}

/* By trail, then from its beginning to its end. */
static int
point_cmp(const void *va, const void *vb)
{
	const struct proof	*a = va, *b = vb;
	int			 n = strcmp(a->pf_key, b->pf_key);

	if (n != 0)
		return (n);
	if (a->pf_tenant != b->pf_tenant)
		return (a->pf_tenant < b->pf_tenant ? -1 : 1);
	if (a->pf_seq != b->pf_seq)
		return (a->pf_seq < b->pf_seq ? -1 : 1);
	return (a->pf_at < b->pf_at ? -1 : a->pf_at > b->pf_at);
}

void
points_read(const char *path, const char *key)
{
	uint8_t		 pub[PROOF_KEY];
	struct proof	 pf;
	char		 line[MAX_LOGLINE], *s;
	FILE		*f;
	unsigned int	 n = 0;
	int		 is;

	key_read(key == NULL ? SIGN_PUB : key, pub);
	if ((f = strcmp(path, "-") == 0 ? stdin : fopen(path, "re")) == NULL)
		err(1, "%s", path);
	while (fgets(line, sizeof(line), f) != NULL) {
		n++;
		line[strcspn(line, "\r\n")] = '\0';
		if ((s = strstr(line, "risad checkpoint ")) == NULL)
			continue;
		if ((is = proof_read(&pf, s, pub)) == 1)
			point_keep(&pf);
		else
			errx(1, "%s: line %u: %s", path, n, is == 0 ?
			    "not signed by this key" :
			    "not a checkpoint as risad writes it");
	}
	if (ferror(f))
		err(1, "%s", path);
	if (f != stdin)
		fclose(f);
	if (npoints == 0)
		errx(1, "%s: no checkpoint in it", path);
	qsort(points, npoints, sizeof(*points), point_cmp);
}

/* Of a trail the newest count most: from the end, trail by trail alike. */
static int
newer(const void *va, const void *vb)
{
	const struct proof	*a = va, *b = vb;

	return (a->pf_at > b->pf_at ? -1 : a->pf_at < b->pf_at);
}

void
points_kept(struct m_blob *mb)
{
	uint8_t		*p = wire;
	uint32_t	 tenant;
	uint64_t	 seq, at;
	size_t		 i;

	if (npoints > MAX_KEPT) {
		warnx("the newest %u of %zu checkpoints are compared",
		    MAX_KEPT, npoints);
		qsort(points, npoints, sizeof(*points), newer);
		npoints = MAX_KEPT;
	}
	for (i = 0; i < npoints; i++, p += KEPT_LEN) {
		tenant = htobe32(points[i].pf_tenant);
		seq = htobe64(points[i].pf_seq);
		at = htobe64(points[i].pf_at);
		memcpy(p, &tenant, sizeof(tenant));
		memcpy(p + 4, &seq, sizeof(seq));
		memcpy(p + 12, &at, sizeof(at));
		memcpy(p + 20, points[i].pf_sum, TOKEN_LEN);
	}
	mb->mb_data = wire;
	mb->mb_len = (size_t)(p - wire);
}

/* Of the same trail, in order: can both be true? */
static int
contradict(const struct proof *a, const struct proof *b)
{
	if (a->pf_seq == b->pf_seq)
		return (memcmp(a->pf_sum, b->pf_sum, TOKEN_LEN) != 0);
	return (a->pf_at > b->pf_at);	/* it became shorter */
}

int
points_print(const struct output *output)
{
	const struct proof	*a, *b;
	size_t			 i;
	int			 code = 0;

	for (i = 0; i < npoints; i++) {
		a = &points[i];
		b = i + 1 < npoints ? &points[i + 1] : NULL;
		if (b != NULL && a->pf_tenant == b->pf_tenant) {
			if (!contradict(a, b))
				continue;
			warnx("%s: two trails: the checkpoints of line %llu "
			    "and of line %llu contradict each other",
			    a->pf_name, (unsigned long long)a->pf_seq,
			    (unsigned long long)b->pf_seq);
			code = 1;
			continue;
		}
		output->out_signed(NULL, a);
	}
	return (code);
}
