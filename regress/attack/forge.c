/*
 * Print the table of imsgs for those who forge them: a line for each type,
 * "number name fd largest from>to[,...] hex fields", hex being the shortest
 * payload that the type's reader accepts, "-" for none; each field is its kind
 * and its limit.  The table is static in msg.c, which is therefore included.
 */
#include <sys/socket.h>

#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "msg.c"

static void
print_ways(uint32_t type)
{
	enum proc_type	 from, to;
	const char	*comma = "";

	for (from = 0; from < PROC_MAX; from++)
		for (to = 0; to < PROC_MAX; to++) {
			if (!msg_allowed(type, from, to))
				continue;
			printf("%s%s>%s", comma, proc_title(from),
			    proc_title(to));
			comma = ",";
		}
}

/* What the codec makes of a struct of zeros, as it goes over the wire. */
static void
print_payload(uint32_t type)
{
	union msg_any	 m;
	struct imsgbuf	 ib;
	unsigned char	 buf[512];
	int		 sv[2], fd = -1;
	ssize_t		 n, i;

	memset(&m, 0, sizeof(m));
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sv) == -1 ||
	    imsgbuf_init(&ib, sv[0]) == -1 ||
	    imsgbuf_set_maxsize(&ib, MAX_PAYLOAD) == -1)
		err(1, "channel");
	imsgbuf_allow_fdpass(&ib);
	if (msg_has_fd(type) && (fd = open("/dev/null", O_RDONLY)) == -1)
		err(1, "/dev/null");
	if (msg_compose(&ib, type, 0, fd, m.bytes) == -1 ||
	    imsgbuf_write(&ib) == -1)
		err(1, "%s", msg_name(type));
	if ((n = read(sv[1], buf, sizeof(buf))) < (ssize_t)IMSG_HEADER_SIZE)
		err(1, "read");
	if (n == (ssize_t)IMSG_HEADER_SIZE)
		printf("-");
	for (i = (ssize_t)IMSG_HEADER_SIZE; i < n; i++)
		printf("%02x", buf[i]);
	imsgbuf_clear(&ib);
	close(sv[0]);
	close(sv[1]);
}

static void
print_fields(uint32_t type)
{
	static const char *const	 kinds[] = {
		[M_N8] = "n8", [M_N16] = "n16", [M_N32] = "n32",
		[M_N64] = "n64", [M_STR] = "str", [M_BLOB] = "blob",
		[M_FIX] = "fix"
	};
	const struct field		*f = rows[type].r_fields;

	printf(f->f_kind == M_END ? "-" : "");
	for (; f->f_kind != M_END; f++)
		printf("%s%s:%zu", f == rows[type].r_fields ? "" : ",",
		    kinds[f->f_kind], f->f_max);
}

int
main(void)
{
	uint32_t	 type;

	for (type = 1; type < IMSG_MAX; type++) {
		printf("%u %s %d %zu ", type, msg_name(type),
		    msg_has_fd(type), msg_max(type));
		print_ways(type);
		printf(" ");
		print_payload(type);
		printf(" ");
		print_fields(type);
		printf("\n");
	}
	return (0);
}
