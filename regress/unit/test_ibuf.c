/*
 * Buffers and queues of buffers: each adder and getter at its edges, views
 * that may not grow, memory that is wiped.  Links risad/compat/imsg-buffer.c.
 */
#include <sys/types.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "imsg.h"
#include "unit.h"

#define MAX	64	/* of the buffers whose edges are tried */

static size_t	 freed[2];	/* sizes of the last two freezero */

/* Stands before the one in libbsd: tells what was wiped. */
void
freezero(void *p, size_t len)
{
	freed[0] = freed[1];
	freed[1] = len;
	if (p != NULL)
		explicit_bzero(p, len);
	free(p);
}

static int
count_fds(void)
{
	struct dirent	*de;
	DIR		*dir;
	int		 n = 0;

	if ((dir = opendir("/proc/self/fd")) == NULL)
		return (-1);
	while ((de = readdir(dir)) != NULL)
		n++;
	closedir(dir);
	return (n);
}

/* Does fn abort?  In a child, without a core file. */
static int
aborts(void (*fn)(void))
{
	struct rlimit	 rl = { 0, 0 };
	pid_t		 pid;
	int		 status;

	fflush(NULL);
	if ((pid = fork()) == 0) {
		(void)setrlimit(RLIMIT_CORE, &rl);
		(void)signal(SIGABRT, SIG_DFL);
		fn();
		_exit(0);
	}
	if (waitpid(pid, &status, 0) != pid)
		return (0);
	return (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static void
test_open(void)
{
	struct ibuf	*b;
	size_t		 len;

	for (len = 0; len < 3; len++) {
		b = ibuf_open(len);
		CHECK(b != NULL);
		CHECK_INT(ibuf_size(b), 0);
		CHECK_INT(ibuf_left(b), len);
		CHECK(ibuf_data(b) != NULL);
		CHECK_INT(ibuf_fd_avail(b), 0);
		ibuf_free(b);
	}
	errno = 0;
	CHECK(ibuf_dynamic(0, 0) == NULL && errno == EINVAL);
	errno = 0;
	CHECK(ibuf_dynamic(2, 1) == NULL && errno == EINVAL);
	b = ibuf_dynamic(0, 1);
	CHECK_INT(ibuf_left(b), 1);
	CHECK_INT(ibuf_add_n8(b, 1), 0);
	CHECK_INT(ibuf_add_n8(b, 1), -1);
	ibuf_free(b);
	errno = ENOTTY;
	ibuf_free(NULL);
	CHECK_INT(errno, ENOTTY);
}

/* A fixed and a growing buffer take max bytes, no more, and stay whole. */
static void
test_add_edges(void)
{
	static const size_t	 lens[] = { 0, 1, MAX - 1, MAX, MAX + 1 };
	unsigned char		 data[MAX + 1], back[MAX + 1];
	struct ibuf		*b;
	size_t			 i;
	int			 dyn, want;

	memset(data, 'x', sizeof(data));
	for (i = 0; i < 10; i++) {
		dyn = i >= 5;
		b = dyn ? ibuf_dynamic(0, MAX) : ibuf_open(MAX);
		want = lens[i % 5] > MAX ? -1 : 0;
		errno = 0;
		CHECK_INT(ibuf_add(b, data, lens[i % 5]), want);
		CHECK_INT(errno, want == -1 ? ERANGE : 0);
		CHECK_INT(ibuf_size(b), want == -1 ? 0 : lens[i % 5]);
		CHECK_INT(ibuf_left(b), MAX - ibuf_size(b));
		if (want == 0) {
			CHECK_INT(ibuf_get(b, back, lens[i % 5]), 0);
			CHECK(memcmp(data, back, lens[i % 5]) == 0);
		}
		ibuf_free(b);
	}
	b = ibuf_open(MAX);
	CHECK_INT(ibuf_add(b, NULL, 0), 0);
	CHECK(ibuf_reserve(b, 0) != NULL);
	errno = 0;
	CHECK(ibuf_reserve(b, SIZE_MAX) == NULL && errno == ERANGE);
	CHECK(ibuf_reserve(b, MAX) != NULL);
	errno = 0;
	CHECK(ibuf_reserve(b, SIZE_MAX) == NULL && errno == ERANGE);
	ibuf_free(b);
}

/* Growth keeps the bytes and new ones are zero. */
static void
test_grow(void)
{
	struct ibuf	*b;
	unsigned char	*p;
	size_t		 had;
	uint32_t	 i, v;
	int		 bad = 0, grown = 0;

	b = ibuf_dynamic(1, 400000);
	for (i = 0; i < 100000; i++) {
		had = b->size;
		bad += ibuf_add_n32(b, i) != 0;
		grown += b->size != had;
	}
	CHECK(grown < 25);		/* not once for each addition */
	CHECK_INT(ibuf_add_n8(b, 0), -1);
	for (i = 0; i < 100000; i++)
		bad += ibuf_get_n32(b, &v) != 0 || v != i;
	CHECK_INT(bad, 0);
	CHECK_INT(ibuf_size(b), 0);
	ibuf_free(b);

	b = ibuf_dynamic(3, 1000);
	CHECK_INT(ibuf_add_zero(b, 900), 0);
	p = ibuf_data(b);
	for (i = 0; i < 900; i++)
		bad += p[i] != 0;
	CHECK_INT(bad, 0);
	CHECK_INT(ibuf_add_zero(b, 101), -1);
	CHECK_INT(ibuf_add_zero(b, 100), 0);
	CHECK_INT(ibuf_add_zero(b, 0), 0);
	ibuf_free(b);
}

struct number {
	const char	*name;
	int		(*add)(struct ibuf *, uint64_t);
	int		(*set)(struct ibuf *, size_t, uint64_t);
	size_t		 width;
	int		 net;
};

static const struct number numbers[] = {
	{ "n8",  ibuf_add_n8,  ibuf_set_n8,  1, 1 },
	{ "n16", ibuf_add_n16, ibuf_set_n16, 2, 1 },
	{ "n32", ibuf_add_n32, ibuf_set_n32, 4, 1 },
	{ "n64", ibuf_add_n64, ibuf_set_n64, 8, 1 },
	{ "h16", ibuf_add_h16, ibuf_set_h16, 2, 0 },
	{ "h32", ibuf_add_h32, ibuf_set_h32, 4, 0 },
	{ "h64", ibuf_add_h64, ibuf_set_h64, 8, 0 },
};

/* The value by the getter of that name; -1 if the getter failed. */
static int
get_number(struct ibuf *b, const struct number *nu, uint64_t *v)
{
	uint8_t		 v8;
	uint16_t	 v16;
	uint32_t	 v32;
	int		 r;

	if (nu->width == 1) {
		r = ibuf_get_n8(b, &v8);
		*v = r == 0 ? v8 : 0;
	} else if (nu->width == 2) {
		r = nu->net ? ibuf_get_n16(b, &v16) : ibuf_get_h16(b, &v16);
		*v = r == 0 ? v16 : 0;
	} else if (nu->width == 4) {
		r = nu->net ? ibuf_get_n32(b, &v32) : ibuf_get_h32(b, &v32);
		*v = r == 0 ? v32 : 0;
	} else
		r = nu->net ? ibuf_get_n64(b, v) : ibuf_get_h64(b, v);
	return (r);
}

/* What the bytes must be, made without the code under test. */
static void
number_bytes(const struct number *nu, uint64_t v, unsigned char *out)
{
	size_t	 i, shift;

	for (i = 0; i < nu->width; i++) {
		shift = nu->net || BYTE_ORDER == BIG_ENDIAN ?
		    nu->width - 1 - i : i;
		out[i] = (unsigned char)(v >> (8 * shift));
	}
}

static void
test_number(const struct number *nu)
{
	unsigned char	 want[8];
	struct ibuf	*b, *shorter;
	uint64_t	 max, vals[4], v;
	size_t		 i;

	max = nu->width == 8 ? UINT64_MAX : (1ULL << (8 * nu->width)) - 1;
	vals[0] = 0;
	vals[1] = 1;
	vals[2] = 0x0102030405060708ULL & max;
	vals[3] = max;
	for (i = 0; i < 4; i++) {
		b = ibuf_open(nu->width);
		CHECK_INT(nu->add(b, vals[i]), 0);
		number_bytes(nu, vals[i], want);
		CHECK(memcmp(ibuf_data(b), want, nu->width) == 0);
		CHECK_INT(nu->add(b, vals[i]), -1);
		CHECK_INT(errno, ERANGE);
		CHECK_INT(nu->set(b, 0, max - vals[i]), 0);
		CHECK_INT(nu->set(b, 1, 0), -1);
		CHECK_INT(errno, ERANGE);
		CHECK_INT(get_number(b, nu, &v), 0);
		CHECK(v == max - vals[i]);
		errno = 0;
		CHECK_INT(get_number(b, nu, &v), -1);
		CHECK_INT(errno, EBADMSG);
		ibuf_free(b);
	}
	b = ibuf_open(2 * nu->width);
	CHECK_INT(nu->add(b, 5), 0);
	if (nu->width < 8) {
		errno = 0;
		CHECK_INT(nu->add(b, max + 1), -1);
		CHECK_INT(errno, EINVAL);
		CHECK_INT(nu->add(b, UINT64_MAX), -1);
		errno = 0;
		CHECK_INT(nu->set(b, 0, max + 1), -1);
		CHECK_INT(errno, EINVAL);
		CHECK_INT(ibuf_size(b), nu->width);
	}
	CHECK_INT(ibuf_truncate(b, nu->width - 1), 0);
	shorter = b;
	CHECK_INT(get_number(shorter, nu, &v), -1);
	CHECK_INT(errno, EBADMSG);
	CHECK_INT(ibuf_size(shorter), nu->width - 1);
	ibuf_free(shorter);
}

static void
test_numbers(void)
{
	size_t	 i;

	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		test_number(&numbers[i]);
}

/* Each getter of bytes at 0, 1, all but one, all, one too many. */
static void
test_get_edges(void)
{
	static const size_t	 lens[] = { 0, 1, MAX - 1, MAX, MAX + 1 };
	char			 dst[MAX + 1], *s;
	struct ibuf		*b, view;
	size_t			 i, len;
	int			 fit;

	for (i = 0; i < 5; i++) {
		len = lens[i];
		fit = len <= MAX;
		b = ibuf_open(MAX);
		memset(ibuf_reserve(b, MAX), 'y', MAX);

		errno = 0;
		CHECK_INT(ibuf_get(b, dst, len), fit ? 0 : -1);
		CHECK_INT(errno, fit ? 0 : EBADMSG);
		CHECK_INT(ibuf_size(b), fit ? MAX - len : MAX);
		ibuf_rewind(b);
		errno = 0;
		CHECK_INT(ibuf_skip(b, len), fit ? 0 : -1);
		CHECK_INT(errno, fit ? 0 : EBADMSG);
		CHECK_INT(ibuf_size(b), fit ? MAX - len : MAX);
		ibuf_rewind(b);
		errno = 0;
		CHECK_INT(ibuf_get_ibuf(b, len, &view), fit ? 0 : -1);
		CHECK_INT(errno, fit ? 0 : EBADMSG);
		CHECK_INT(ibuf_size(b), fit ? MAX - len : MAX);
		if (fit)
			CHECK_INT(ibuf_size(&view), len);
		ibuf_rewind(b);
		errno = 0;
		s = ibuf_get_string(b, len);
		CHECK((s != NULL) == fit);
		CHECK_INT(errno, fit ? 0 : EBADMSG);
		if (s != NULL)
			CHECK_INT(strlen(s), len);
		free(s);
		ibuf_rewind(b);
		errno = 0;
		CHECK((ibuf_seek(b, 0, len) != NULL) == fit);
		CHECK_INT(errno, fit ? 0 : ERANGE);
		CHECK((ibuf_seek(b, len, MAX - len) != NULL) == fit);
		CHECK(ibuf_seek(b, len, MAX - len + 1) == NULL);
		CHECK(ibuf_seek(b, len, SIZE_MAX) == NULL);
		CHECK(ibuf_seek(b, SIZE_MAX, len) == NULL);
		ibuf_free(b);
	}
	CHECK_INT(ibuf_get_ibuf((b = ibuf_open(1)), SIZE_MAX, &view), -1);
	CHECK(ibuf_get_string(b, SIZE_MAX) == NULL);
	CHECK_INT(ibuf_skip(b, SIZE_MAX), -1);
	CHECK_INT(ibuf_get(b, dst, SIZE_MAX), -1);
	ibuf_free(b);
}

static void
test_strbuf(void)
{
	char		 dst[8];
	struct ibuf	*b;

	b = ibuf_open(32);
	errno = 0;
	CHECK_INT(ibuf_add_strbuf(b, "", 0), -1);
	CHECK_INT(errno, EOVERFLOW);
	errno = 0;
	CHECK_INT(ibuf_add_strbuf(b, "abcdefgh", 8), -1);
	CHECK_INT(errno, EOVERFLOW);
	CHECK_INT(ibuf_size(b), 0);
	CHECK_INT(ibuf_add_strbuf(b, "abcdefg", 8), 0);
	CHECK_INT(ibuf_add_strbuf(b, "ab", 8), 0);
	CHECK_INT(ibuf_add_strbuf(b, "", 1), 0);
	CHECK_INT(ibuf_add(b, "12345678", 8), 0);
	errno = 0;
	CHECK_INT(ibuf_add_strbuf(b, "x", 8), -1);
	CHECK_INT(errno, ERANGE);
	CHECK(memcmp(ibuf_data(b), "abcdefg\0ab\0\0\0\0\0\0\00012345678",
	    25) == 0);

	errno = 0;
	CHECK_INT(ibuf_get_strbuf(b, dst, 0), -1);
	CHECK_INT(errno, EINVAL);
	CHECK_INT(ibuf_get_strbuf(b, dst, 8), 0);
	CHECK_STR(dst, "abcdefg");
	CHECK_INT(ibuf_get_strbuf(b, dst, 8), 0);
	CHECK_STR(dst, "ab");
	CHECK_INT(ibuf_get_strbuf(b, dst, 1), 0);
	CHECK_STR(dst, "");
	errno = 0;
	CHECK_INT(ibuf_get_strbuf(b, dst, 8), -1);
	CHECK_INT(errno, EOVERFLOW);
	CHECK_STR(dst, "1234567");
	CHECK_INT(ibuf_size(b), 0);
	errno = 0;
	CHECK_INT(ibuf_get_strbuf(b, dst, 1), -1);
	CHECK_INT(errno, EBADMSG);
	CHECK_STR(dst, "1234567");
	ibuf_free(b);
}

static void
test_set(void)
{
	struct ibuf	*b;

	b = ibuf_open(8);
	CHECK_INT(ibuf_add(b, "abcd", 4), 0);
	CHECK_INT(ibuf_set(b, 0, "", 0), 0);
	CHECK_INT(ibuf_set(b, 4, "", 0), 0);
	CHECK_INT(ibuf_set(b, 5, "", 0), -1);
	CHECK_INT(ibuf_set(b, 3, "X", 1), 0);
	errno = 0;
	CHECK_INT(ibuf_set(b, 3, "XY", 2), -1);
	CHECK_INT(errno, ERANGE);
	CHECK_INT(ibuf_skip(b, 1), 0);
	CHECK_INT(ibuf_set(b, 0, "Y", 1), 0);	/* from the read position */
	CHECK_INT(ibuf_set(b, 3, "Z", 1), -1);
	ibuf_rewind(b);
	CHECK(memcmp(ibuf_data(b), "aYcX", 4) == 0);
	ibuf_free(b);
}

static void
test_truncate(void)
{
	struct ibuf	*b, view;
	unsigned char	*p;

	b = ibuf_open(8);
	CHECK_INT(ibuf_add(b, "abcdefgh", 8), 0);
	CHECK_INT(ibuf_skip(b, 2), 0);
	CHECK_INT(ibuf_truncate(b, 3), 0);
	CHECK_INT(ibuf_size(b), 3);
	CHECK_INT(ibuf_left(b), 3);
	p = ibuf_data(b);
	CHECK(memcmp(p, "cde\0\0", 5) == 0);	/* wiped, not only hidden */
	CHECK_INT(ibuf_truncate(b, 6), 0);
	CHECK(memcmp(ibuf_data(b), "cde\0\0", 6) == 0);
	errno = 0;
	CHECK_INT(ibuf_truncate(b, 7), -1);
	CHECK_INT(errno, ERANGE);
	ibuf_from_ibuf(&view, b);
	CHECK_INT(ibuf_truncate(&view, 6), 0);
	CHECK_INT(ibuf_truncate(&view, 2), 0);
	CHECK_INT(ibuf_size(&view), 2);
	CHECK_INT(ibuf_left(&view), 0);
	errno = 0;
	CHECK_INT(ibuf_truncate(&view, 3), -1);
	CHECK_INT(errno, EINVAL);
	CHECK(memcmp(ibuf_data(b), "cde", 3) == 0);	/* not through a view */
	CHECK_INT(ibuf_truncate(b, 0), 0);
	CHECK_INT(ibuf_size(b), 0);
	ibuf_free(b);
}

static void
test_maxsize(void)
{
	struct ibuf	*b, view;

	b = ibuf_dynamic(4, 100);
	CHECK_INT(ibuf_add(b, "abcd", 4), 0);
	errno = 0;
	CHECK_INT(ibuf_set_maxsize(b, 101), -1);
	CHECK_INT(errno, ERANGE);
	CHECK_INT(ibuf_set_maxsize(b, 3), -1);
	CHECK_INT(ibuf_set_maxsize(b, 100), 0);
	CHECK_INT(ibuf_set_maxsize(b, 5), 0);
	CHECK_INT(ibuf_left(b), 1);
	CHECK_INT(ibuf_add(b, "ef", 2), -1);
	CHECK_INT(ibuf_add(b, "e", 1), 0);
	CHECK_INT(ibuf_left(b), 0);
	ibuf_from_ibuf(&view, b);
	errno = 0;
	CHECK_INT(ibuf_set_maxsize(&view, 1), -1);
	CHECK_INT(errno, EINVAL);
	ibuf_free(b);
}

static void
test_views(void)
{
	unsigned char	 mem[] = { 1, 2, 3, 4 };
	struct ibuf	 view, sub, *b;
	uint8_t		 v;

	ibuf_from_buffer(&view, NULL, 0);
	CHECK_INT(ibuf_size(&view), 0);
	CHECK(ibuf_data(&view) == NULL);
	b = ibuf_open(8);
	CHECK_INT(ibuf_add_ibuf(b, &view), 0);
	ibuf_from_buffer(&view, mem, sizeof(mem));
	CHECK_INT(ibuf_left(&view), 0);
	errno = 0;
	CHECK_INT(ibuf_add(&view, "", 0), -1);
	CHECK_INT(errno, EINVAL);
	CHECK_INT(ibuf_add_n8(&view, 1), -1);
	CHECK_INT(ibuf_add_zero(&view, 1), -1);
	CHECK(ibuf_reserve(&view, 1) == NULL);
	CHECK_INT(ibuf_add_strbuf(&view, "", 1), -1);
	CHECK_INT(ibuf_get_n8(&view, &v), 0);
	CHECK_INT(v, 1);
	CHECK_INT(ibuf_get_ibuf(&view, 2, &sub), 0);
	CHECK_INT(ibuf_size(&sub), 2);
	CHECK_INT(ibuf_set_n8(&sub, 0, 9), 0);
	CHECK_INT(mem[1], 9);
	ibuf_from_ibuf(&sub, &view);		/* peek */
	CHECK_INT(ibuf_get_n8(&sub, &v), 0);
	CHECK_INT(v, 4);
	CHECK_INT(ibuf_get_n8(&sub, &v), -1);
	CHECK_INT(ibuf_size(&view), 1);
	CHECK_INT(ibuf_fd_avail(&view), 0);
	CHECK_INT(ibuf_fd_get(&view), -1);
	CHECK_INT(ibuf_add_ibuf(b, &view), 0);
	CHECK_INT(ibuf_size(&view), 1);
	CHECK_INT(ibuf_get_n8(b, &v), 0);
	CHECK_INT(v, 4);
	ibuf_free(b);
}

static void
view_free(void)
{
	struct ibuf	 view;
	char		 mem[4];

	ibuf_from_buffer(&view, mem, sizeof(mem));
	ibuf_free(&view);
}

static void
view_push(void)
{
	struct ibuf	 view;
	char		 mem[4];

	ibuf_from_buffer(&view, mem, sizeof(mem));
	ibufq_push(ibufq_new(), &view);
}

static void
view_close(void)
{
	struct ibuf	 view, *b;

	b = ibuf_open(4);
	ibuf_from_ibuf(&view, b);
	ibuf_close(msgbuf_new(), &view);
}

static void
view_fd(void)
{
	struct ibuf	 view, *b;

	b = ibuf_open(4);
	(void)ibuf_get_ibuf(b, 0, &view);
	ibuf_fd_set(&view, 0);
}

static void
no_abort(void)
{
	ibuf_free(ibuf_open(4));
}

static void
test_aborts(void)
{
	CHECK(!aborts(no_abort));
	CHECK(aborts(view_free));
	CHECK(aborts(view_push));
	CHECK(aborts(view_close));
	CHECK(aborts(view_fd));
}

static void
test_wipe(void)
{
	struct ibuf	*b;

	b = ibuf_open(100);
	CHECK_INT(ibuf_add(b, "secret", 6), 0);
	ibuf_fd_set(b, 1000000);	/* close fails, sets errno */
	errno = ENOTTY;
	ibuf_free(b);
	CHECK_INT(errno, ENOTTY);
	CHECK_INT(freed[0], 100);
	CHECK_INT(freed[1], sizeof(struct ibuf));
	b = ibuf_dynamic(10, 1000);
	CHECK_INT(ibuf_add_zero(b, 900), 0);
	ibuf_free(b);
	CHECK(freed[0] >= 900);
}

static void
test_fd(void)
{
	struct ibuf	*b;
	int		 fd, other;

	b = ibuf_open(1);
	CHECK_INT(ibuf_fd_get(b), -1);
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	other = open("/dev/null", O_RDONLY | O_CLOEXEC);
	ibuf_fd_set(b, fd);
	CHECK_INT(ibuf_fd_avail(b), 1);
	ibuf_fd_set(b, other);
	CHECK_INT(fcntl(fd, F_GETFD), -1);	/* the old one is closed */
	CHECK_INT(ibuf_fd_get(b), other);
	CHECK_INT(ibuf_fd_get(b), -1);
	CHECK_INT(ibuf_fd_avail(b), 0);
	CHECK(fcntl(other, F_GETFD) != -1);	/* and this one is ours */
	ibuf_fd_set(b, other);
	ibuf_fd_set(b, -1);
	CHECK_INT(fcntl(other, F_GETFD), -1);
	ibuf_fd_set(b, -7);
	CHECK_INT(ibuf_fd_avail(b), 0);
	ibuf_fd_set(b, open("/dev/null", O_RDONLY | O_CLOEXEC));
	ibuf_free(b);				/* closes; main counts */
}

static void
test_queue(void)
{
	struct ibufqueue	*q, *r;
	struct ibuf		*b;
	uint32_t		 i, v;
	int			 bad = 0;

	q = ibufq_new();
	r = ibufq_new();
	CHECK(ibufq_pop(q) == NULL);
	ibufq_concat(q, r);
	CHECK_INT(ibufq_queuelen(q), 0);
	for (i = 0; i < 2000; i++) {
		b = ibuf_open(4);
		bad += ibuf_add_n32(b, i) != 0;
		ibufq_push(i < 1000 ? q : r, b);
	}
	ibufq_concat(q, r);
	CHECK_INT(ibufq_queuelen(q), 2000);
	CHECK_INT(ibufq_queuelen(r), 0);
	CHECK(ibufq_pop(r) == NULL);
	for (i = 0; i < 1500; i++) {
		b = ibufq_pop(q);
		bad += ibuf_get_n32(b, &v) != 0 || v != i;
		ibuf_free(b);
	}
	CHECK_INT(bad, 0);
	CHECK_INT(ibufq_queuelen(q), 500);
	ibufq_flush(q);
	CHECK_INT(ibufq_queuelen(q), 0);
	ibufq_push(q, ibuf_open(1));		/* still of use */
	ibufq_free(q);
	ibufq_free(r);
	ibufq_free(NULL);
}

/* The reader's callback: a length of one byte in front, itself included. */
static struct ibuf *
byte_hdr(struct ibuf *hdr, void *arg, int *fd)
{
	uint8_t	 len;

	(void)fd;
	*(int *)arg += 1;
	if (ibuf_get_n8(hdr, &len) == -1 || len == 255)
		return (NULL);
	return (ibuf_open(len));
}

/* A stream over an ordinary pipe, with a header that is not imsg's. */
static void
test_stream(void)
{
	struct msgbuf		*w, *r;
	struct ibufqueue	*q;
	struct ibuf		*b;
	uint8_t			 v;
	int			 i, p[2], calls = 0;

	CHECK(msgbuf_new_reader(0, byte_hdr, NULL) == NULL);
	CHECK(msgbuf_new_reader(IBUF_READ_SIZE / 2 + 1, byte_hdr,
	    NULL) == NULL);
	CHECK_INT(errno, EINVAL);
	CHECK_INT(pipe2(p, O_NONBLOCK | O_CLOEXEC), 0);
	w = msgbuf_new();
	r = msgbuf_new_reader(1, byte_hdr, &calls);
	q = ibufq_new();
	CHECK_INT(ibuf_read(p[0], w), -1);	/* cannot read */
	CHECK_INT(errno, EINVAL);
	CHECK_INT(msgbuf_read(p[0], w), -1);
	CHECK_INT(ibuf_write(p[1], w), 0);	/* nothing to do */
	for (i = 1; i <= 200; i++) {
		b = ibuf_open((size_t)i);
		CHECK_INT(ibuf_add_n8(b, (uint64_t)i), 0);
		CHECK_INT(ibuf_add_zero(b, (size_t)i - 1), 0);
		ibufq_push(q, b);
	}
	msgbuf_concat(w, q);
	CHECK_INT(ibufq_queuelen(q), 0);
	CHECK_INT(msgbuf_queuelen(w), 200);
	CHECK_INT(ibuf_write(p[1], w), 0);
	CHECK_INT(msgbuf_queuelen(w), 0);
	CHECK_INT(ibuf_read(p[0], r), 1);
	CHECK_INT(ibuf_read(p[0], r), 1);	/* nothing there: not an end */
	CHECK_INT(calls, 200);
	for (i = 1; i <= 200; i++) {
		b = msgbuf_get(r);
		CHECK(b != NULL && ibuf_size(b) == (size_t)i);
		CHECK(b != NULL && ibuf_get_n8(b, &v) == 0 && v == i);
		ibuf_free(b);
	}
	CHECK(msgbuf_get(r) == NULL);
	CHECK_INT(write(p[1], "\002a\000b", 4), 4);	/* a length of 0 */
	errno = 0;
	CHECK_INT(ibuf_read(p[0], r), -1);
	CHECK_INT(errno, EINVAL);
	CHECK_INT(write(p[1], "\002a", 2), 2);	/* broken stays broken */
	CHECK_INT(ibuf_read(p[0], r), -1);
	msgbuf_clear(r);			/* and clear mends it */
	CHECK(msgbuf_get(r) == NULL);
	CHECK_INT(write(p[1], "\002a", 2), 2);
	CHECK_INT(ibuf_read(p[0], r), 1);
	ibuf_free(msgbuf_get(r));
	(void)close(p[1]);
	CHECK_INT(ibuf_read(p[0], r), 0);
	(void)close(p[0]);
	ibuf_close(w, ibuf_open(0));		/* nothing to send: dropped */
	CHECK_INT(msgbuf_queuelen(w), 1);
	CHECK_INT(ibuf_write(-1, w), 0);
	CHECK_INT(msgbuf_queuelen(w), 0);
	ibufq_free(q);
	msgbuf_free(w);
	msgbuf_free(r);
	msgbuf_free(NULL);
}

int
main(void)
{
	static void	(*const tests[])(void) = {
		test_open, test_add_edges, test_grow, test_numbers,
		test_get_edges, test_strbuf, test_set, test_truncate,
		test_maxsize, test_views, test_aborts, test_wipe, test_fd,
		test_queue, test_stream
	};
	size_t		 i;
	int		 before;

	for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		before = count_fds();
		tests[i]();
		CHECK_INT(count_fds(), before);
	}
	return (unit_end());
}
