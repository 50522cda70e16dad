/*
 * How fast this machine is now, in the two things that most of the CPU time
 * of an office goes to: sealing records, and the system calls that bring them
 * in and out.  Other figures are worth comparing where these are alike.
 *
 * Prints {"aes_mb_s","write_read_ns"}, both of CPU time, as the figures are:
 * that others have the processor does not count, how fast it runs does.
 */
#include <sys/socket.h>

#include <openssl/evp.h>

#include <err.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define SECS		0.4	/* for each */
#define BATCH		1000	/* between looks at the clock */
#define MAX_SECS	10	/* when others take the processor */
#define RECORD		1024
#define AAD		5	/* the head of a record of TLS 1.3 */
#define IV		12
#define TAG		16
#define MESSAGE		100

static double
cpu_secs(void)
{
	struct timespec	 ts;

	if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts) == -1)
		err(1, "clock_gettime");
	return ((double)ts.tv_sec + (double)ts.tv_nsec / 1e9);
}

static void
seal(EVP_CIPHER_CTX *ctx)
{
	static uint8_t	 data[RECORD], iv[IV], head[AAD], tag[TAG];
	int		 n;

	iv[0]++;
	if (EVP_EncryptInit_ex(ctx, NULL, NULL, NULL, iv) != 1 ||
	    EVP_EncryptUpdate(ctx, NULL, &n, head, AAD) != 1 ||
	    EVP_EncryptUpdate(ctx, data, &n, data, RECORD) != 1 ||
	    EVP_EncryptFinal_ex(ctx, data, &n) != 1 ||
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG, tag) != 1)
		errx(1, "AES-128-GCM");
}

static double
aes_mb_s(void)
{
	static const uint8_t	 key[16];
	EVP_CIPHER_CTX		*ctx;
	double			 begin, used;
	uint64_t		 n = 0;
	int			 i;

	if ((ctx = EVP_CIPHER_CTX_new()) == NULL ||
	    EVP_EncryptInit_ex(ctx, EVP_aes_128_gcm(), NULL, key, NULL) != 1)
		errx(1, "AES-128-GCM");
	begin = cpu_secs();
	do {
		for (i = 0; i < BATCH; i++)
			seal(ctx);
		n += BATCH;
	} while ((used = cpu_secs() - begin) < SECS);
	EVP_CIPHER_CTX_free(ctx);
	return ((double)n * RECORD / 1e6 / used);
}

static double
write_read_ns(void)
{
	uint8_t		 buf[MESSAGE] = { 0 };
	double		 begin, used;
	uint64_t	 n = 0;
	int		 i, fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == -1)
		err(1, "socketpair");
	begin = cpu_secs();
	do {
		for (i = 0; i < BATCH; i++)
			if (write(fds[0], buf, MESSAGE) != MESSAGE ||
			    read(fds[1], buf, MESSAGE) != MESSAGE)
				err(1, "socketpair");
		n += BATCH;
	} while ((used = cpu_secs() - begin) < SECS);
	return (used * 1e9 / (double)n);
}

int
main(void)
{
	alarm(MAX_SECS);
	printf("{\"aes_mb_s\":%.0f,", aes_mb_s());
	printf("\"write_read_ns\":%.0f}\n", write_read_ns());
	return (0);
}
