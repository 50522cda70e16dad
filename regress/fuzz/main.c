/*
 * Runs a fuzz target without a fuzzer: each file named, or standard input, is
 * one input.  Linked to every target that is built without -fsanitize=fuzzer.
 */
#include <err.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define INPUT_MAX	(1024 * 1024)

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* The buffer is as long as the input: a read beyond it is found. */
static void
run(FILE *fp, const char *name)
{
	uint8_t	*all, *data;
	size_t	 len;

	if ((all = malloc(INPUT_MAX)) == NULL)
		err(1, NULL);
	len = fread(all, 1, INPUT_MAX, fp);
	if (ferror(fp))
		err(1, "%s", name);
	if ((data = realloc(all, len == 0 ? 1 : len)) == NULL)
		err(1, NULL);
	(void)LLVMFuzzerTestOneInput(data, len);
	free(data);
}

int
main(int argc, char **argv)
{
	FILE	*fp;
	int	 i;

	if (argc < 2)
		run(stdin, "stdin");
	for (i = 1; i < argc; i++) {
		if ((fp = fopen(argv[i], "r")) == NULL)
			err(1, "%s", argv[i]);
		run(fp, argv[i]);
		(void)fclose(fp);
	}
	return (0);
}
