/*
 * No two records have a nonce in common: a million sealings, ten in a long
 * run, by processes that fork while they seal, that are started anew, and that
 * take the same key again as after a restore.
 */
#include <sys/mman.h>
#include <sys/wait.h>

#include <unistd.h>

#include "seal.h"
#include "unit.h"

#define FORKS		8		/* processes that seal beside us */
#define STARTS		16		/* and those that are started anew */
#define EACH		1000		/* sealings of one of the latter */
#define AT		(1 + 4 + 4)	/* where a record has its nonce */

static const uint8_t		 key[SEAL_KEY] =
				    "0123456789abcdef0123456789abcde";
static const struct seal_at	 at = { "users", "mail", 7, 3, NULL, 0 };

static void
make(struct seal *se, uint8_t *nonce)
{
	uint8_t	 rec[4 + SEAL_OVER];

	if (seal_make(se, &at, "text", 4, rec) == -1)
		abort();
	memcpy(nonce, rec + AT, SEAL_NONCE);
}

/* So many of them; half way it forks, and the other one does the rest too. */
static void
many(struct seal *se, uint8_t (*nonces)[SEAL_NONCE], size_t n)
{
	size_t	 i;
	pid_t	 pid = -1;
	int	 status;

	for (i = 0; i < n / 2; i++) {
		if (i == n / 4) {
			seal_free(se);		/* restored: the same key */
			if ((se = seal_new(key, 1)) == NULL)
				abort();
		}
		if (i == n / 3 && (pid = fork()) == -1)
			abort();
		/* The child's are those of the second half. */
		make(se, nonces[i + (pid == 0 ? n / 2 : 0)]);
	}
	if (pid == 0)
		_exit(0);
	/* What the child leaves out is what was before it began. */
	for (i = 0; i < n / 3; i++)
		make(se, nonces[n / 2 + i]);
	if (waitpid(pid, &status, 0) != pid || status != 0)
		abort();
	if (n % 2 == 1)
		make(se, nonces[n - 1]);
}

/* A program that is started: what it seals goes to its standard output. */
static int
started(void)
{
	static uint8_t	 nonces[EACH][SEAL_NONCE];
	struct seal	*se;
	int		 i;

	if (seal_init() == -1 || (se = seal_new(key, 1)) == NULL)
		return (1);
	for (i = 0; i < EACH; i++)
		make(se, nonces[i]);
	seal_free(se);
	return (fwrite(nonces, sizeof(nonces), 1, stdout) != 1);
}

static int
compare(const void *a, const void *b)
{
	return (memcmp(a, b, SEAL_NONCE));
}

int
main(int argc, char **argv)
{
	uint8_t		(*nonces)[SEAL_NONCE], (*next)[SEAL_NONCE];
	static uint8_t	 zero[SEAL_NONCE];
	struct seal	*se;
	const char	*more = getenv("LONG");
	size_t		 all, each, i, same = 0, none = 0;
	FILE		*fp;
	char		 cmd[512];
	pid_t		 pids[FORKS];
	int		 status;

	if (argc == 2 && strcmp(argv[1], "-started") == 0)
		return (started());
	all = more != NULL && *more != '\0' && strcmp(more, "0") != 0 ?
	    10000000 : 1000000;
	nonces = mmap(NULL, all * sizeof(*nonces), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANON, -1, 0);
	if (nonces == MAP_FAILED || seal_init() == -1 ||
	    (se = seal_new(key, 1)) == NULL)
		abort();
	next = nonces;
	for (i = 0; i < STARTS; i++, next += EACH) {
		(void)snprintf(cmd, sizeof(cmd), "%s -started", argv[0]);
		if ((fp = popen(cmd, "r")) == NULL ||
		    fread(next, sizeof(*next), EACH, fp) != EACH ||
		    pclose(fp) != 0)
			abort();
	}
	make(se, *next++);		/* some are in store now */
	each = (all - (size_t)(next - nonces)) / (FORKS + 1);
	for (i = 0; i < FORKS; i++, next += each) {
		if ((pids[i] = fork()) == -1)
			abort();
		if (pids[i] == 0) {
			many(se, next, each);
			_exit(0);
		}
	}
	many(se, next, each);
	next += each;
	for (i = 0; i < FORKS; i++)
		CHECK(waitpid(pids[i], &status, 0) == pids[i] && status == 0);
	while (next < nonces + all)
		make(se, *next++);
	seal_free(se);

	qsort(nonces, all, sizeof(*nonces), compare);
	for (i = 0; i < all; i++) {
		none += memcmp(nonces[i], zero, sizeof(zero)) == 0;
		same += i > 0 && compare(nonces[i], nonces[i - 1]) == 0;
	}
	CHECK_INT(none, 0);
	CHECK_INT(same, 0);
	printf("%zu sealings, %zu nonces twice\n", all, same);
	return (unit_end());
}
