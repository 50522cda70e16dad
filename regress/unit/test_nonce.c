/*
 * No two records have a nonce in common: a million sealings, ten in a long
 * run, by processes that fork while they seal, that are started anew, that
 * take the same key again as after a restore, and that are killed while they
 * seal.
 */
#include <sys/mman.h>
#include <sys/wait.h>

#include <signal.h>
#include <unistd.h>

#include "seal.h"
#include "unit.h"

#define FORKS		8		/* processes that seal beside us */
#define STARTS		16		/* and those that are started anew */
#define EACH		1000		/* sealings of one of the latter */
#define KILLS		1000		/* processes that are killed, */
#define KILLS_SAN	100		/* under sanitizers, */
#define KILLS_ANEW	8		/* each so many'th is started anew */
#define ROOM		1024		/* and what is seen of one */
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

/* What a process has sealed until it was killed, in memory that outlives it. */
struct killed {
	uint32_t	 ki_n;
	uint8_t		 ki_nonces[ROOM][SEAL_NONCE];
};

static struct killed *
killed_map(int fd)
{
	void	*p;

	p = mmap(NULL, sizeof(struct killed), PROT_READ | PROT_WRITE,
	    MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		abort();
	return (p);
}

/* Without an end: what it is killed in the midst of is not counted yet. */
static void
killed_seals(struct killed *ki, struct seal *se)
{
	uint8_t		 nonce[SEAL_NONCE];
	uint32_t	 n;

	for (n = 0;;) {
		make(se, nonce);
		if (n == ROOM)
			continue;
		memcpy(ki->ki_nonces[n++], nonce, sizeof(nonce));
		__atomic_store_n(&ki->ki_n, n, __ATOMIC_RELEASE);
	}
}

/* The same as a program that is started. */
static int
killed_started(int fd)
{
	struct seal	*se;

	if (seal_init() == -1 || (se = seal_new(key, 1)) == NULL)
		return (1);
	killed_seals(killed_map(fd), se);
	return (1);
}

static void
killed_begin(const char *self, int anew, int fd, struct killed *ki,
    struct seal *se)
{
	char	 text[16];

	if (anew) {
		(void)snprintf(text, sizeof(text), "%d", fd);
		execl(self, self, "-killed", text, (char *)NULL);
		_exit(127);
	}
	killed_seals(ki, se);
}

/*
 * One after the other, each killed when it has sealed some; in between we seal
 * ourselves, of what was in store when they began.  How many nonces.
 */
static size_t
killed_all(const char *self, struct seal *se, int kills,
    uint8_t (*nonces)[SEAL_NONCE])
{
	struct killed	*ki;
	FILE		*fp;
	uint32_t	 wanted;
	size_t		 n = 0;
	pid_t		 pid;
	int		 i, fd, status, ended = 0;

	if ((fp = tmpfile()) == NULL || (fd = dup(fileno(fp))) == -1 ||
	    ftruncate(fd, sizeof(*ki)) == -1)
		abort();
	ki = killed_map(fd);
	for (i = 0; i < kills; i++) {
		ki->ki_n = 0;
		wanted = arc4random_uniform(ROOM / 2);
		if ((pid = fork()) == -1)
			abort();
		if (pid == 0)
			killed_begin(self, i % KILLS_ANEW == 0, fd, ki, se);
		while (__atomic_load_n(&ki->ki_n, __ATOMIC_ACQUIRE) <=
		    wanted && waitpid(pid, &status, WNOHANG) == 0)
			(void)usleep(20);
		if (kill(pid, SIGKILL) == -1 ||
		    waitpid(pid, &status, 0) != pid || !WIFSIGNALED(status) ||
		    WTERMSIG(status) != SIGKILL)
			abort();
		ended++;
		memcpy(nonces[n], ki->ki_nonces, ki->ki_n * sizeof(*nonces));
		n += ki->ki_n;
		make(se, nonces[n++]);
	}
	CHECK_INT(ended, kills);
	CHECK(n > (size_t)kills);
	(void)munmap(ki, sizeof(*ki));
	(void)close(fd);
	(void)fclose(fp);
	return (n);
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
	size_t		 all, some, each, i, same = 0, none = 0;
	FILE		*fp;
	char		 cmd[512];
	pid_t		 pids[FORKS];
	int		 status, kills = KILLS;

	if (argc == 3 && strcmp(argv[1], "-killed") == 0)
		return (killed_started((int)strtonum(argv[2], 0, 1024, NULL)));
	if (argc == 2 && strcmp(argv[1], "-started") == 0)
		return (started());
	some = more != NULL && *more != '\0' && strcmp(more, "0") != 0 ?
	    10000000 : 1000000;
	if (argc == 2 && strcmp(argv[1], "san") == 0)
		kills = KILLS_SAN;
	all = some + (size_t)kills * (ROOM + 1);
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
	each = (some - (size_t)(next - nonces)) / (FORKS + 1);
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
	while (next < nonces + some)
		make(se, *next++);
	next += killed_all(argv[0], se, kills, next);
	all = (size_t)(next - nonces);
	seal_free(se);

	qsort(nonces, all, sizeof(*nonces), compare);
	for (i = 0; i < all; i++) {
		none += memcmp(nonces[i], zero, sizeof(zero)) == 0;
		same += i > 0 && compare(nonces[i], nonces[i - 1]) == 0;
	}
	CHECK_INT(none, 0);
	CHECK_INT(same, 0);
	printf("%zu sealings, %d kills, %zu nonces twice\n", all, kills,
	    same);
	return (unit_end());
}
