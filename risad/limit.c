/* Token buckets by key.  A tree, so that no choice of keys makes it slow. */

#include <sys/types.h>
#include <sys/queue.h>
#include <sys/tree.h>

#include <netinet/in.h>
#include <arpa/inet.h>

#include <stdlib.h>
#include <string.h>

#include "limit.h"

#define MINUTE	60000		/* a token, in shares of one */

struct bucket {
	RB_ENTRY(bucket)	 bk_node;
	TAILQ_ENTRY(bucket)	 bk_entry;
	uint8_t			 bk_key[LIMIT_KEY];
	uint64_t		 bk_level;	/* in shares of a token */
	uint64_t		 bk_time;	/* when the level was right */
};

RB_HEAD(bucket_tree, bucket);
TAILQ_HEAD(bucket_list, bucket);

struct limit {
	struct bucket_tree	 li_tree;
	struct bucket_list	 li_list;	/* last used at the end */
	size_t			 li_count, li_max;
	uint64_t		 li_full;	/* level of a full bucket */
	uint32_t		 li_rate;	/* tokens a minute */
};

static int		 bucket_cmp(struct bucket *, struct bucket *);
static struct bucket	*limit_find(struct limit *, const uint8_t *);
static struct bucket	*limit_open(struct limit *, const uint8_t *,
			    uint64_t);
static void		 limit_fill(struct limit *, struct bucket *, uint64_t);

RB_PROTOTYPE(bucket_tree, bucket, bk_node, bucket_cmp)
RB_GENERATE(bucket_tree, bucket, bk_node, bucket_cmp)

static int
bucket_cmp(struct bucket *a, struct bucket *b)
{
	return (memcmp(a->bk_key, b->bk_key, sizeof(a->bk_key)));
}

struct limit *
limit_new(size_t max, uint32_t burst, uint32_t per_minute)
{
	struct limit	*li;

	if ((li = calloc(1, sizeof(*li))) == NULL)
		return (NULL);
	RB_INIT(&li->li_tree);
	TAILQ_INIT(&li->li_list);
	li->li_max = max == 0 ? 1 : max;
	li->li_full = (uint64_t)(burst == 0 ? 1 : burst) * MINUTE;
	li->li_rate = per_minute == 0 ? 1 : per_minute;
	return (li);
}

void
limit_free(struct limit *li)
{
	struct bucket	*bk;

	if (li == NULL)
		return;
	while ((bk = TAILQ_FIRST(&li->li_list)) != NULL) {
		TAILQ_REMOVE(&li->li_list, bk, bk_entry);
		free(bk);
	}
	free(li);
}

static struct bucket *
limit_find(struct limit *li, const uint8_t *key)
{
	struct bucket	 find;

	memcpy(find.bk_key, key, sizeof(find.bk_key));
	return (RB_FIND(bucket_tree, &li->li_tree, &find));
}

/* The key's bucket, a full one when it is new. */
static struct bucket *
limit_open(struct limit *li, const uint8_t *key, uint64_t now)
{
	struct bucket	*bk;

	if ((bk = limit_find(li, key)) != NULL) {
		TAILQ_REMOVE(&li->li_list, bk, bk_entry);
		TAILQ_INSERT_TAIL(&li->li_list, bk, bk_entry);
		return (bk);
	}
	if (li->li_count >= li->li_max) {
		bk = TAILQ_FIRST(&li->li_list);
		TAILQ_REMOVE(&li->li_list, bk, bk_entry);
		RB_REMOVE(bucket_tree, &li->li_tree, bk);
	} else {
		if ((bk = calloc(1, sizeof(*bk))) == NULL)
			return (NULL);
		li->li_count++;
	}
	memcpy(bk->bk_key, key, sizeof(bk->bk_key));
	bk->bk_level = li->li_full;
	bk->bk_time = now;
	RB_INSERT(bucket_tree, &li->li_tree, bk);
	TAILQ_INSERT_TAIL(&li->li_list, bk, bk_entry);
	return (bk);
}

/* What has come back since the last look. */
static void
limit_fill(struct limit *li, struct bucket *bk, uint64_t now)
{
	uint64_t	 passed;

	if (now <= bk->bk_time)
		return;
	passed = now - bk->bk_time;
	bk->bk_time = now;
	if (passed >= (li->li_full - bk->bk_level) / li->li_rate + 1)
		bk->bk_level = li->li_full;
	else
		bk->bk_level += passed * li->li_rate;
	if (bk->bk_level > li->li_full)
		bk->bk_level = li->li_full;
}

uint32_t
limit_take(struct limit *li, const uint8_t key[LIMIT_KEY], uint64_t now)
{
	struct bucket	*bk;

	if ((bk = limit_open(li, key, now)) == NULL)
		return (MINUTE);
	limit_fill(li, bk, now);
	if (bk->bk_level >= MINUTE) {
		bk->bk_level -= MINUTE;
		return (0);
	}
	return ((uint32_t)((MINUTE - bk->bk_level + li->li_rate - 1) /
	    li->li_rate));
}

void
limit_give(struct limit *li, const uint8_t key[LIMIT_KEY])
{
	struct bucket	*bk;

	if ((bk = limit_find(li, key)) == NULL)
		return;		/* full, or made room */
	bk->bk_level += MINUTE;
	if (bk->bk_level > li->li_full)
		bk->bk_level = li->li_full;
}

size_t
limit_count(const struct limit *li)
{
	return (li->li_count);
}

void
limit_addr(uint8_t key[LIMIT_KEY], const char *addr)
{
	struct in6_addr	 in6;
	struct in_addr	 in;

	memset(key, 0, LIMIT_KEY);
	if (inet_pton(AF_INET, addr, &in) == 1) {
		key[0] = 4;
		memcpy(key + 1, &in, sizeof(in));
	} else if (inet_pton(AF_INET6, addr, &in6) != 1) {
		key[0] = 1;
	} else if (IN6_IS_ADDR_V4MAPPED(&in6)) {
		key[0] = 4;
		memcpy(key + 1, in6.s6_addr + 12, 4);
	} else {
		key[0] = 6;
		memcpy(key + 1, in6.s6_addr, 8);
	}
}

uint32_t
limit_seconds(uint32_t ms)
{
	return (ms <= 1000 ? 1 : ms / 1000 + (ms % 1000 != 0));
}
