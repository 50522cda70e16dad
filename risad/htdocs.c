#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "log.h"
#include "session.h"
#include "util.h"

#define HTDOC_MAX	(4 * 1024 * 1024)

struct htdoc {
	RB_ENTRY(htdoc)	 hd_entry;
	char		*hd_path;
	const char	*hd_type;
	char		 hd_etag[33];
	struct chunk	*hd_body;
};

RB_HEAD(htdoc_tree, htdoc);
static struct htdoc_tree	 docs = RB_INITIALIZER(&docs);
static struct htdoc_tree	 next_docs = RB_INITIALIZER(&next_docs);

static const struct media {
	const char	*me_ending, *me_type;
} media[] = {
	{ ".html",	"text/html; charset=utf-8" },
	{ ".js",	"text/javascript; charset=utf-8" },
	{ ".css",	"text/css; charset=utf-8" },
	{ ".svg",	"image/svg+xml" },
	{ ".png",	"image/png" },
	{ ".ico",	"image/x-icon" },
	{ ".json",	"application/json" },
	{ ".webmanifest", "application/manifest+json" },
	{ ".woff2",	"font/woff2" },
	{ ".txt",	"text/plain; charset=utf-8" },
};

static int
htdoc_cmp(struct htdoc *a, struct htdoc *b)
{
	return (strcmp(a->hd_path, b->hd_path));
}

RB_GENERATE_STATIC(htdoc_tree, htdoc, hd_entry, htdoc_cmp)

static const char *
media_type(const char *path)
{
	size_t	 i, end, len = strlen(path);

	for (i = 0; i < sizeof(media) / sizeof(media[0]); i++) {
		end = strlen(media[i].me_ending);
		if (len > end &&
		    strcmp(path + len - end, media[i].me_ending) == 0)
			return (media[i].me_type);
	}
	return ("application/octet-stream");
}

static void
htdoc_free(struct htdoc *hd)
{
	free(hd->hd_path);
	chunk_free(hd->hd_body);
	free(hd);
}

static void
tree_clear(struct htdoc_tree *tree)
{
	struct htdoc	*hd;

	while ((hd = RB_ROOT(tree)) != NULL) {
		RB_REMOVE(htdoc_tree, tree, hd);
		htdoc_free(hd);
	}
}

int
htdocs_add(const char *url, int fd)
{
	struct htdoc	*hd;
	uint8_t		 sum[32];
	void		*data;
	ssize_t		 len;

	if ((len = read_all(fd, HTDOC_MAX, &data)) == -1)
		return (-1);
	if ((hd = calloc(1, sizeof(*hd))) == NULL ||
	    (hd->hd_path = strdup(url)) == NULL ||
	    (hd->hd_body = chunk_from(data, (size_t)len)) == NULL ||
	    sha256(sum, data, (size_t)len) == -1)
		goto fail;
	free(data);
	data = NULL;
	hd->hd_type = media_type(url);
	hex_encode(hd->hd_etag, sum, 16);
	if (RB_INSERT(htdoc_tree, &next_docs, hd) != NULL)
		goto fail;
	return (0);
 fail:
	free(data);
	if (hd != NULL)
		htdoc_free(hd);
	return (-1);
}

void
htdocs_commit(void)
{
	struct htdoc	*hd;

	tree_clear(&docs);
	while ((hd = RB_ROOT(&next_docs)) != NULL) {
		RB_REMOVE(htdoc_tree, &next_docs, hd);
		RB_INSERT(htdoc_tree, &docs, hd);
	}
}

void
htdocs_abort(void)
{
	tree_clear(&next_docs);
}

/* Places of the page that are told apart by its script. */
static int
is_page(const char *path)
{
	return (strcmp(path, "/") == 0 || strcmp(path, "/admin") == 0 ||
	    strcmp(path, "/talk-check") == 0 ||
	    strncmp(path, "/admin/", 7) == 0 ||
	    strncmp(path, "/invite/", 8) == 0 ||
	    strncmp(path, "/guest/", 7) == 0);
}

static struct htdoc *
htdoc_find(const char *path)
{
	struct htdoc	 key;

	key.hd_path = (char *)(uintptr_t)path;
	return (RB_FIND(htdoc_tree, &docs, &key));
}

/* The build leaves smaller copies beside what is worth it, best first. */
static const struct coding {
	const char	*co_name, *co_ending;
} codings[] = {
	{ "br",		".br" },
	{ "gzip",	".gz" },
};

static struct htdoc *
htdoc_small(const struct conn *cn, const char *path, struct http_reply *hp)
{
	char		 name[HTTP_MAXPATH + sizeof(".br")];
	struct htdoc	*hd;
	size_t		 i;

	for (i = 0; i < sizeof(codings) / sizeof(codings[0]); i++) {
		if (snprintf(name, sizeof(name), "%s%s", path,
		    codings[i].co_ending) >= (int)sizeof(name) ||
		    (hd = htdoc_find(name)) == NULL)
			continue;
		hp->hp_vary = "Accept-Encoding";
		if (http_accepts(cn->cn_req, codings[i].co_name)) {
			hp->hp_encoding = codings[i].co_name;
			return (hd);
		}
	}
	return (NULL);
}

int
htdocs_serve(struct conn *cn, const char *path)
{
	struct http_reply	 hp = { .hp_status = 200 };
	struct htdoc		*hd, *small;

	if (is_page(path))
		path = "/index.html";
	if ((hd = htdoc_find(path)) == NULL)
		return (0);
	/* Below assets, the name holds the hash of what is in it. */
	hp.hp_cache = strncmp(path, "/assets/", 8) == 0 ? HTTP_IMMUTABLE :
	    HTTP_REVALIDATE;
	hp.hp_type = hd->hd_type;
	if ((small = htdoc_small(cn, path, &hp)) != NULL)
		hd = small;
	hp.hp_etag = hd->hd_etag;
	if (http_etag_match(cn->cn_req, hp.hp_etag)) {
		hp.hp_status = 304;
		api_reply_bytes(cn, &hp, NULL);
		return (1);
	}
	api_reply_chunk(cn, &hp, hd->hd_body);
	return (1);
}

int
htdocs_full(struct conn *cn, const char *path, unsigned int retry)
{
	struct http_reply	 hp = { .hp_status = 503, .hp_retry = retry };
	struct htdoc		*hd;

	if (!is_page(path) || (hd = htdoc_find("/full.html")) == NULL)
		return (0);
	hp.hp_type = hd->hd_type;
	api_reply_chunk(cn, &hp, hd->hd_body);
	return (1);
}
