/*
 * Payloads of every type of imsg from a hostile peer: what the table's reader
 * takes holds what the table allows, and written again is the same bytes.
 * Links risad/msg.c and the compat channel.
 *
 * Input: two bytes that choose the type, then the payload.  Before the first
 * one, each type is read from what its writer makes of zeros; at the end it
 * says of how many types some payload was taken and one refused.
 */
#include <sys/types.h>
#include <sys/socket.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "msg.h"
#include "utf8.h"

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);
int	 LLVMFuzzerInitialize(int *, char ***);

static struct imsgbuf	 out, in;
static unsigned long	 taken[IMSG_MAX], refused[IMSG_MAX];

static void
must(int cond)
{
	if (!cond)
		abort();
}

static void
report(void)
{
	unsigned int	 type, n = 0, both = 0;

	for (type = 1; type < IMSG_MAX; type++) {
		n += taken[type] > 0;
		both += taken[type] > 0 && refused[type] > 0;
	}
	fprintf(stderr, "stat::types_taken: %u of %u, refused too: %u\n", n,
	    IMSG_MAX - 1, both);
	must(n == IMSG_MAX - 1);
}

/* The payload as an imsg that has come over a pipe. */
static void
receive(uint32_t type, const void *data, size_t len, struct imsg *m)
{
	must(imsg_compose(&out, type, 7, 0, -1, data, len) == 1);
	while (imsgbuf_get(&in, m) != 1) {
		must(imsgbuf_write(&out) == 0);
		must(imsgbuf_read(&in) == 1);
	}
}

static void
one(uint32_t type, const uint8_t *data, size_t len)
{
	union msg_any	 any;
	struct ibuf	*again;
	struct imsg	 m;

	receive(type, data, len, &m);
	if (msg_decode(&m, &any) == -1) {
		refused[type]++;
		imsg_free(&m);
		return;
	}
	taken[type]++;
	must(len <= msg_max(type));
	must((again = msg_encode(type, any.bytes)) != NULL);
	must(ibuf_size(again) == len);
	must(len == 0 || memcmp(ibuf_data(again), data, len) == 0);
	must(msg_size(type, any.bytes) >= len);
	ibuf_free(again);
	imsg_free(&m);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	union msg_any	 any;
	struct ibuf	*buf;
	uint32_t	 type;
	int		 s[2];

	(void)argc;
	(void)argv;
	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s) == 0);
	must(imsgbuf_init(&out, s[0]) == 0 && imsgbuf_init(&in, s[1]) == 0);
	must(imsgbuf_set_maxsize(&out, MAX_PAYLOAD) == 0 &&
	    imsgbuf_set_maxsize(&in, MAX_PAYLOAD) == 0);
	for (type = 1; type < IMSG_MAX; type++) {
		memset(&any, 0, sizeof(any));
		must((buf = msg_encode(type, any.bytes)) != NULL);
		one(type, ibuf_data(buf), ibuf_size(buf));
		must(taken[type] == 1);
		ibuf_free(buf);
	}
	atexit(report);
	return (0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (out.w == NULL)		/* without a fuzzer nobody has called */
		(void)LLVMFuzzerInitialize(NULL, NULL);
	if (len < 2 || len - 2 > MAX_PAYLOAD)
		return (0);
	one(1 + ((uint32_t)data[0] << 8 | data[1]) % (IMSG_MAX - 1), data + 2,
	    len - 2);
	return (0);
}
