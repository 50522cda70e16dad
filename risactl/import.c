#include <sys/types.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <iconv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "csv.h"
#include "import.h"
#include "msg.h"
#include "output.h"
#include "utf8.h"

static struct csv	 file;

/* All of it, from wherever it comes; room for one byte more. */
static char *
slurp(int fd, const char *name, size_t *len)
{
	char	*buf;
	ssize_t	 n;

	if ((buf = malloc(CSV_BYTES + 2)) == NULL)
		err(1, NULL);
	for (*len = 0; *len <= CSV_BYTES; *len += (size_t)n) {
		n = read(fd, buf + *len, CSV_BYTES + 1 - *len);
		if (n == -1 && errno == EINTR)
			n = 0;
		else if (n == -1)
			err(1, "%s", name);
		else if (n == 0)
			return (buf);
	}
	errx(1, "%s: larger than %d bytes", name, CSV_BYTES);
}

/* From what is written in Japan where it is not UTF-8. */
static char *
from_cp932(char *in, const char *name, size_t *len)
{
	iconv_t	 cd;
	char	*out, *src = in, *dst;
	size_t	 left = *len, room = 3 * *len;

	if ((out = malloc(room + 1)) == NULL)
		err(1, NULL);
	dst = out;
	if ((cd = iconv_open("UTF-8", "CP932")) == (iconv_t)-1 ||
	    iconv(cd, &src, &left, &dst, &room) == (size_t)-1)
		errx(1, "%s: neither UTF-8 nor Shift_JIS", name);
	(void)iconv_close(cd);
	*len = (size_t)(dst - out);
	free(in);
	return (out);
}

void
import_read(const char *path)
{
	const char	*name = strcmp(path, "-") == 0 ? "stdin" : path;
	char		*text, *at;
	enum csv_why	 why;
	size_t		 len;
	int		 fd = STDIN_FILENO;

	if (name == path && (fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		err(1, "%s", path);
	text = slurp(fd, name, &len);
	if (name == path)
		(void)close(fd);
	if (!utf8_valid(text, len))
		text = from_cp932(text, name, &len);
	if ((why = csv_open(&file, text, len)) == CSV_FINE)
		return;
	at = visible(file.cs_name);
	errx(1, "%s: line 1: %s %s%s%s", name, csv_place_name(file.cs_place),
	    at, at[0] == '\0' ? "" : ": ", csv_why_name(why));
}

static void
tell(struct imsgbuf *ib, enum imsg_type type, const void *m)
{
	if (msg_compose(ib, type, 1, -1, m) == -1)
		err(1, "imsg");
	if (imsgbuf_flush(ib) == -1 && errno != EPIPE && errno != ECONNRESET)
		err(1, "write");
}

static void
send_line(struct imsgbuf *ib, const struct command *cm, uint32_t nr,
    const struct csv_row *cr)
{
	struct m_c_import_line	 m = { .tenant = cm->cm_tenant, .nr = nr };

	m.line = cr->cr_line;
	m.why = (uint8_t)cr->cr_why;
	m.place = (uint8_t)cr->cr_place;
	m.mask = (cr->cr_cell[CSV_NAME] != NULL ? SET_NAME : 0) |
	    (cr->cr_cell[CSV_ROLE] != NULL ? SET_ROLE : 0) |
	    (cr->cr_cell[CSV_GROUPS] != NULL ? SET_GROUPS : 0) |
	    (cr->cr_cell[CSV_STATE] != NULL ? SET_STATE : 0);
	m.email = cr->cr_cell[CSV_EMAIL];
	m.name = cr->cr_cell[CSV_NAME];
	m.role = cr->cr_cell[CSV_ROLE];
	m.groups = cr->cr_cell[CSV_GROUPS];
	m.state = cr->cr_cell[CSV_STATE];
	tell(ib, IMSG_C_IMPORT_LINE, &m);
}

int
import_send(struct imsgbuf *ib, const struct command *cm,
    int (*answer)(struct imsgbuf *))
{
	struct m_c_import	 begin = { .tenant = cm->cm_tenant };
	struct m_c_import_end	 end = { .tenant = cm->cm_tenant,
				    .dry = cm->cm_arg };
	struct csv_row		 cr;
	int			 code;

	begin.nr = end.nr = arc4random();
	tell(ib, IMSG_C_IMPORT_BEGIN, &begin);
	if ((code = answer(ib)) != 0)
		return (code);
	for (; csv_next(&file, &cr); end.count++) {
		send_line(ib, cm, begin.nr, &cr);
		if ((code = answer(ib)) != 0)
			return (code);
	}
	tell(ib, IMSG_C_IMPORT_END, &end);
	return (0);
}
