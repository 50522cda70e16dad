/*
 * The Nth request for memory fails, and the Nth send to a pipe, N = 1, 2, 3
 * and so on until a run passes untouched: no crash, no leak, nothing done by
 * half.  The linker puts the functions of ours in place of malloc and its
 * like; SQLite and jansson are asked to use them too.
 *
 * Each try is either refused or dies by fatal(), cleanly; what is in the file
 * afterwards is all of the change or nothing of it.
 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <jansson.h>

#include "db.h"
#include "log.h"
#include "map.h"
#include "msg.h"
#include "session.h"
#include "unit.h"
#include "websocket.h"

#define TRIES		100000		/* more: it would never end */

void	*__real_malloc(size_t);
void	*__real_calloc(size_t, size_t);
void	*__real_realloc(void *, size_t);
void	*__real_reallocarray(void *, size_t, size_t);
void	*__real_recallocarray(void *, size_t, size_t, size_t);
char	*__real_strdup(const char *);
ssize_t	 __real_sendmsg(int, const struct msghdr *, int);
ssize_t	 __real_writev(int, const struct iovec *, int);
void	*__wrap_malloc(size_t);
void	*__wrap_calloc(size_t, size_t);
void	*__wrap_realloc(void *, size_t);
void	*__wrap_reallocarray(void *, size_t, size_t);
void	*__wrap_recallocarray(void *, size_t, size_t, size_t);
char	*__wrap_strdup(const char *);
void	 __wrap_exit(int) __attribute__((noreturn));
ssize_t	 __wrap_sendmsg(int, const struct msghdr *, int);
ssize_t	 __wrap_writev(int, const struct iovec *, int);

/* Which of the requests to come fails, 0: none; and how many there were. */
static unsigned long	 fail_at, asked;
static unsigned long	 send_at, sent;
static int		 send_errno;

static struct sqlite3_mem_methods	 sqlite_real;

static int
fails(void)
{
	if (++asked != fail_at)
		return (0);
	errno = ENOMEM;
	return (1);
}

static int
send_fails(void)
{
	if (++sent != send_at)
		return (0);
	errno = send_errno;
	return (1);
}

void *
__wrap_malloc(size_t n)
{
	return (fails() ? NULL : __real_malloc(n));
}

void *
__wrap_calloc(size_t n, size_t size)
{
	return (fails() ? NULL : __real_calloc(n, size));
}

void *
__wrap_realloc(void *p, size_t n)
{
	return (fails() ? NULL : __real_realloc(p, n));
}

void *
__wrap_reallocarray(void *p, size_t n, size_t size)
{
	return (fails() ? NULL : __real_reallocarray(p, n, size));
}

void *
__wrap_recallocarray(void *p, size_t old, size_t n, size_t size)
{
	return (fails() ? NULL : __real_recallocarray(p, old, n, size));
}

char *
__wrap_strdup(const char *s)
{
	return (fails() ? NULL : __real_strdup(s));
}

ssize_t
__wrap_sendmsg(int fd, const struct msghdr *m, int flags)
{
	return (send_fails() ? -1 : __real_sendmsg(fd, m, flags));
}

ssize_t
__wrap_writev(int fd, const struct iovec *iov, int n)
{
	return (send_fails() ? -1 : __real_writev(fd, iov, n));
}

/* fatal() in a child: what is buffered is the parent's to say. */
void
__wrap_exit(int code)
{
	_exit(code);
}

static void *
sqlite_malloc(int n)
{
	return (fails() ? NULL : sqlite_real.xMalloc(n));
}

static void *
sqlite_realloc(void *p, int n)
{
	return (fails() ? NULL : sqlite_real.xRealloc(p, n));
}

/* Count from here on; the end of counting says whether one has failed. */
static void
begin(unsigned long n)
{
	asked = 0;
	fail_at = n;
}

static int
untouched(void)
{
	int	 all = asked < fail_at;

	fail_at = 0;
	return (all);
}

/*
 * The scenarios in this process.  0 when all was done, -1 when something was
 * refused; what they made is gone again either way.
 */

static int
codec(uint32_t type)
{
	union msg_any	 zero, any;
	struct imsgbuf	 out, in;
	struct imsg	 imsg;
	int		 n, ok = -1, sv[2], tries = 0;

	memset(&zero, 0, sizeof(zero));
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sv) == -1)
		abort();
	if (imsgbuf_init(&out, sv[0]) == -1)
		goto sockets;
	if (imsgbuf_init(&in, sv[1]) == -1)
		goto first;
	imsgbuf_set_maxsize(&out, MAX_PAYLOAD);
	imsgbuf_set_maxsize(&in, MAX_PAYLOAD);
	if (msg_compose(&out, type, 7, -1, &zero) == -1) {
		CHECK_INT(imsgbuf_queuelen(&out), 0);
		goto both;
	}
	while ((n = imsgbuf_get(&in, &imsg)) == 0 && tries++ < 8) {
		if (imsgbuf_queuelen(&out) > 0 && imsgbuf_write(&out) == -1)
			goto both;
		if (imsgbuf_read(&in) != 1)
			goto both;
	}
	CHECK_INT(n, 1);
	if (n == 1) {
		CHECK_INT(imsg_get_id(&imsg), 7);
		ok = msg_decode(&imsg, &any);
		imsg_free(&imsg);
	}
 both:
	imsgbuf_clear(&in);
 first:
	imsgbuf_clear(&out);
 sockets:
	close(sv[0]);
	close(sv[1]);
	return (ok);
}

/* A text of three pieces, longer than the first room for it. */
static int
websocket(uint32_t unused)
{
	static const uint8_t	 first[3] = { 0x01, 0x00, 0x80 };
	struct ws_parser	 wp;
	struct ws_event		 we;
	uint8_t			 buf[8 + 900];
	ssize_t			 n;
	int			 i, ok = -1;

	ws_init(&wp, 4096);
	for (i = 0; i < 3; i++) {
		memset(buf, 0, sizeof(buf));
		memset(buf + 8, 'x', 900);
		buf[0] = first[i];
		buf[1] = 0x80 | 126;
		buf[2] = 900 >> 8;
		buf[3] = 900 & 255;
		if ((n = ws_parse(&wp, buf, sizeof(buf), &we)) == -1) {
			CHECK_INT(we.we_code, WS_CODE_INTERN);
			CHECK_INT(ws_parse(&wp, buf, sizeof(buf), &we), -1);
			goto end;
		}
		CHECK_INT(n, sizeof(buf));
	}
	CHECK_INT(we.we_type, WS_TEXT);
	CHECK_INT(we.we_len, 2700);
	ok = 0;
 end:
	ws_clear(&wp);
	return (ok);
}

/*
 * Of these each try has a process, for jansson ends it.  3 when it was not
 * touched, 2 when it was refused.
 */
static int
json(unsigned long n, const char *unused)
{
	static const char	 text[] = "{\"t\":\"say\",\"to\":{\"user\":7},"
	    "\"text\":\"\\u3042\\ud83c\\udf38 and more, longer than what "
	    "there is room for at first\",\"list\":[1,2.5,true]}";
	json_t			*o;

	begin(n);
	o = json_parse(text, strlen(text));
	if (untouched())
		return (o != NULL ? 3 : 4);
	return (o == NULL ? 2 : 0);
}

static char	 map_text[65536];
static size_t	 map_len;

static int
map(unsigned long n, const char *unused)
{
	struct floor_map	*m;
	char			 error[128] = "";

	begin(n);
	m = map_parse(map_text, map_len, error, sizeof(error));
	if (untouched())
		return (m != NULL ? 3 : 4);
	if (m == NULL && error[0] == '\0')
		return (4);
	map_free(m);
	return (m == NULL ? 2 : 0);
}

/* All N of a scenario; how many were refused. */
static unsigned long
each(const char *name, int (*scenario)(uint32_t), uint32_t arg)
{
	unsigned long	 n;
	int		 ok;

	for (n = 1; n < TRIES; n++) {
		begin(n);
		ok = scenario(arg);
		if (untouched()) {
			CHECK_INT(ok, 0);
			return (n - 1);
		}
		CHECK_INT(ok, -1);
	}
	fprintf(stderr, "%s: without end\n", name);
	CHECK(0);
	return (0);
}

/* A pipe that breaks, is full, or is interrupted at its Nth send. */
static unsigned long
each_send(uint32_t type)
{
	static const int	 errnos[] = { EPIPE, EAGAIN, EINTR, ENOBUFS };
	unsigned long		 n, all = 0;
	size_t			 i;
	int			 ok, over;

	for (i = 0; i < sizeof(errnos) / sizeof(errnos[0]); i++) {
		for (n = 1; n < TRIES; n++) {
			sent = 0;
			send_at = n;
			send_errno = errnos[i];
			ok = codec(type);
			over = sent < send_at;
			send_at = 0;
			/* Only a pipe that is broken loses what was queued. */
			CHECK_INT(ok, over || errnos[i] != EPIPE ? 0 : -1);
			if (over)
				break;
			all++;
		}
	}
	return (all);
}

/*
 * Storage, a process for each try.  Two rows in one change: a reader finds
 * both of the same age afterwards, and the new age if we were told so.
 */

static const struct seal_at	 at1 = { "meta", "value", 1, 0, NULL, 0 };
static uint8_t			 master[SEAL_KEY] = { 1 };

static int
migrated(struct db *db, int version)
{
	(void)db;
	(void)version;
	return (0);
}

static void
committed(struct db *db, int ok)
{
	(void)db;
	(void)ok;
}

static void
forget(struct db *db)
{
	db->db_rights = NULL;
}

static int
put(struct db *db, const char *name, const char *word)
{
	void	*rec;
	size_t	 len;
	int	 n;

	if ((rec = db_seal(db, &at1, word, strlen(word), &len)) == NULL)
		return (-1);
	n = db_exec(db, S_META_SET, ARGS(TXT(name), BIN(rec, len)));
	free(rec);
	return (n == 1 ? 0 : -1);
}

static int
get(struct db *db, const char *name, char *word, size_t wordlen)
{
	sqlite3_stmt	*st;
	char		*text = NULL;
	size_t		 len;
	int		 n;

	word[0] = '\0';
	if ((st = db_query(db, S_META_GET, ARGS(TXT(name)))) == NULL)
		return (-1);
	if ((n = db_step(db, st)) == 1 &&
	    (text = db_open(db, &at1, st, 0, &len)) != NULL)
		(void)strlcpy(word, text, wordlen);
	db_done(st);
	free(text);
	return (n == 1 && text != NULL ? 0 : -1);
}

/* Exit code of a try: 0 done, 2 refused, 3 untouched; 1 is fatal()'s. */
static int
change(unsigned long n, const char *word)
{
	enum db_why	 why;
	struct db	*db;
	char		 was[16];
	int		 ok = -1;

	if (db_start(master, NULL) != DB_OK ||
	    (db = db_enter(1, &why)) == NULL)
		return (9);
	begin(n);
	if (get(db, "a", was, sizeof(was)) == 0 || n == TRIES) {
		if (db_begin(db) == 0)
			ok = db_end(db, put(db, "a", word) == 0 &&
			    put(db, "b", word) == 0);
		if (ok == 0)
			ok = db_commit(db);
	}
	if (untouched())
		return (ok == 0 ? 3 : 4);
	db_leave(db);
	db_stop();
	return (ok == 0 ? 0 : 2);
}

static int
make(unsigned long n, const char *unused)
{
	begin(n);
	if (db_start(master, NULL) != DB_OK || db_create(7) != DB_OK)
		return (untouched() ? 4 : 2);
	return (untouched() ? 3 : 0);
}

/* What stands there: 0 when both rows have this word, 1 that one, -1 mixed. */
static int
look(unsigned long unused, const char *words)
{
	enum db_why	 why;
	struct db	*db;
	char		 a[16], b[16];

	if (db_start(master, NULL) != DB_OK ||
	    (db = db_enter(1, &why)) == NULL ||
	    get(db, "a", a, sizeof(a)) == -1 ||
	    get(db, "b", b, sizeof(b)) == -1 || strcmp(a, b) != 0)
		return (9);
	return (strcmp(a, words) == 0 ? 0 : 5);
}

/* And what a new tenant is: whole, or not there and can be made. */
static int
look_made(unsigned long unused, const char *words)
{
	enum db_why	 why;

	if (db_start(master, NULL) != DB_OK)
		return (9);
	if (db_enter(7, &why) == NULL && db_create(7) != DB_OK)
		return (9);
	return (db_enter(7, &why) != NULL ? 0 : 9);
}

static int
in_child(int (*fn)(unsigned long, const char *), unsigned long n,
    const char *word)
{
	pid_t	 pid;
	int	 null, status;

	if ((pid = fork()) == -1)
		abort();
	if (pid == 0) {
		/* what fatal() says is not of interest, that it says it is */
		if ((null = open("/dev/null", O_WRONLY)) == -1 ||
		    (fail_at == 0 && n != 0 && dup2(null, 2) == -1))
			abort();
		_exit(fn(n, word));
	}
	if (waitpid(pid, &status, 0) != pid)
		abort();
	return (WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status));
}

static void
each_child(const char *name, int (*fn)(unsigned long, const char *))
{
	unsigned long	 n, dies = 0, refused = 0;
	int		 code = 0;

	for (n = 1; n < TRIES; n++) {
		if ((code = in_child(fn, n, "")) == 3)
			break;
		CHECK(code == 1 || code == 2);
		dies += code == 1;
		refused += code == 2;
		if (code < 0 || code > 2)
			break;
	}
	CHECK_INT(code, 3);
	printf("%s: %lu tries, %lu refused, %lu die\n", name, n - 1, refused,
	    dies);
}

static void
storage(void)
{
	unsigned long	 n, dies = 0, refused = 0, done = 0;
	char		 old[16] = "word0", word[16];
	int		 code = 0, now;

	CHECK_INT(in_child(change, TRIES, old), 3);
	for (n = 1; n < TRIES; n++) {
		(void)snprintf(word, sizeof(word), "word%lu", n);
		if ((code = in_child(change, n, word)) == 3)
			break;
		CHECK(code >= 0 && code <= 2);
		now = in_child(look, 0, word);
		CHECK(now == 0 || (code != 0 && now == 5 &&
		    in_child(look, 0, old) == 0));
		dies += code == 1;
		refused += code == 2;
		done += code == 0;
		if (now == 0)
			(void)strlcpy(old, word, sizeof(old));
		if (now != 0 && now != 5)
			break;
	}
	CHECK_INT(code, 3);
	printf("storage, a change: %lu tries, %lu refused, %lu done all the "
	    "same, %lu die\n", n - 1, refused, done, dies);
}

static void
new_tenant(void)
{
	unsigned long	 n, dies = 0, refused = 0, done = 0, step;
	int		 code = 0;

	/* Most are SQLite's: outside a long run every 101st of them. */
	step = getenv("LONG") != NULL && strcmp(getenv("LONG"), "") != 0 &&
	    strcmp(getenv("LONG"), "0") != 0 ? 1 : 101;
	for (n = 1; n < TRIES; n += step) {
		if ((code = in_child(make, n, "")) == 3)
			break;
		CHECK(code >= 0 && code <= 2);
		CHECK_INT(in_child(look_made, 0, ""), 0);
		dies += code == 1;
		refused += code == 2;
		done += code == 0;
		if (system("rm -rf tenants/7 keys/7.key") != 0)
			abort();
	}
	CHECK_INT(code, 3);
	printf("storage, a new tenant: every %lu of %lu, %lu refused, %lu done "
	    "all the same, %lu die\n", step, n, refused, done, dies);
}

static void
read_map(const char *path)
{
	ssize_t	 n;
	int	 fd;

	if ((fd = open(path, O_RDONLY)) == -1 ||
	    (n = read(fd, map_text, sizeof(map_text))) <= 0)
		abort();
	close(fd);
	map_len = (size_t)n;
}

static int
first(unsigned long unused, const char *word)
{
	if (db_start(master, NULL) != DB_OK || db_create(1) != DB_OK)
		return (9);
	db_stop();
	return (0);
}

int
main(int argc, char **argv)
{
	struct sqlite3_mem_methods	 sq;
	unsigned long			 all = 0, sends = 0;
	char				 dir[] = "/dev/shm/nomem.XXXXXX";
	char				 cmd[64];
	uint32_t			 type;

	if (argc != 2)
		abort();
	read_map(argv[1]);
	json_set_alloc_funcs(memory_or_die, free);
	if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &sqlite_real) != SQLITE_OK)
		abort();
	sq = sqlite_real;
	sq.xMalloc = sqlite_malloc;
	sq.xRealloc = sqlite_realloc;
	if (sqlite3_config(SQLITE_CONFIG_MALLOC, &sq) != SQLITE_OK)
		abort();

	for (type = 1; type < IMSG_MAX; type++) {
		if (msg_has_fd(type))
			continue;
		all += each("codec", codec, type);
		sends += each_send(type);
	}
	printf("codec: %lu refused, %lu sends failed\n", all, sends);
	CHECK(all > IMSG_MAX && sends > IMSG_MAX);
	all = each("websocket", websocket, 0);
	CHECK(all > 0);
	printf("websocket: %lu refused\n", all);
	each_child("json", json);
	each_child("map", map);

	(void)umask(077);
	if (mkdtemp(dir) == NULL || chdir(dir) == -1 || db_init() == -1)
		abort();
	db_hooks(migrated, committed, forget);
	CHECK_INT(in_child(first, 0, ""), 0);
	storage();
	new_tenant();
	(void)chdir("/");
	(void)snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	if (system(cmd) != 0)
		abort();
	return (unit_end());
}
