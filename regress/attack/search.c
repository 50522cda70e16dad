/*
 * Which of many strings of bytes stand in which files?  Standard input has the
 * strings in hex, a line each, an empty line, and paths, a line each; what is
 * found is printed as the number of the string, a blank, and the path.  A file
 * that has gone is passed over.
 */
#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEAD	4		/* bytes that tell them apart at first */
#define BUCKETS	65536

struct string {
	uint8_t		*st_data;
	size_t		 st_len;
	struct string	*st_next;	/* of the same bucket */
	unsigned long	 st_number;
};

static struct string	*buckets[BUCKETS];

static struct string **
bucket(const uint8_t *p)
{
	uint32_t	 n;

	memcpy(&n, p, HEAD);
	return (&buckets[n * 2654435761U >> 16]);
}

static void
add(const char *hex, unsigned long number)
{
	struct string	*st, **head;
	size_t		 i;

	if ((st = calloc(1, sizeof(*st))) == NULL ||
	    (st->st_data = malloc(strlen(hex) / 2)) == NULL)
		err(1, NULL);
	st->st_len = strlen(hex) / 2;
	st->st_number = number;
	if (st->st_len < HEAD)
		errx(1, "string %lu is too short", number);
	for (i = 0; i < st->st_len; i++)
		if (sscanf(hex + 2 * i, "%2hhx", &st->st_data[i]) != 1)
			errx(1, "string %lu is no hex", number);
	head = bucket(st->st_data);
	st->st_next = *head;
	*head = st;
}

static void
look(const uint8_t *data, size_t len, const char *path)
{
	struct string	*st;
	size_t		 i;

	for (i = 0; i + HEAD <= len; i++)
		for (st = *bucket(data + i); st != NULL; st = st->st_next)
			if (st->st_len <= len - i &&
			    memcmp(st->st_data, data + i, st->st_len) == 0)
				printf("%lu %s\n", st->st_number, path);
}

static void
search(const char *path)
{
	static uint8_t	*data;
	static size_t	 size;
	size_t		 len = 0;
	ssize_t		 n;
	int		 fd;

	if ((fd = open(path, O_RDONLY | O_NONBLOCK)) == -1)
		return;
	do {
		if (len == size && (data = realloc(data, size = size * 2 +
		    65536)) == NULL)
			err(1, NULL);
		if ((n = read(fd, data + len, size - len)) > 0)
			len += (size_t)n;
	} while (n > 0);
	close(fd);
	look(data, len, path);
}

int
main(void)
{
	char		*line = NULL;
	size_t		 size = 0;
	unsigned long	 number = 0;
	int		 paths = 0;

	while (getline(&line, &size, stdin) != -1) {
		line[strcspn(line, "\n")] = '\0';
		if (paths)
			search(line);
		else if (*line == '\0')
			paths = 1;
		else
			add(line, number++);
	}
	free(line);
	return (fflush(stdout) == 0 ? 0 : 1);
}
