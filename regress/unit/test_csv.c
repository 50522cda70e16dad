/* csv.c: files of people as spreadsheets write them, and as they should not. */

#include <stdlib.h>

#include "csv.h"
#include "risad.h"
#include "unit.h"

static struct csv	 cs;
static struct csv_row	 cr;
static char		*text;

static enum csv_why
open_text(const char *s)
{
	free(text);
	if ((text = strdup(s)) == NULL)
		abort();
	return (csv_open(&cs, text, strlen(text)));
}

#define ROW(line, mail, name) do {					\
	CHECK_INT(csv_next(&cs, &cr), 1);				\
	CHECK_INT(cr.cr_why, CSV_FINE);					\
	CHECK_INT(cr.cr_line, line);					\
	CHECK_STR(cr.cr_cell[CSV_EMAIL], mail);				\
	CHECK_STR(cr.cr_cell[CSV_NAME], name);				\
} while (0)

#define FAULT(line, why, place) do {					\
	CHECK_INT(csv_next(&cs, &cr), 1);				\
	CHECK_INT(cr.cr_line, line);					\
	CHECK_INT(cr.cr_why, why);					\
	CHECK_INT(cr.cr_place, place);					\
	CHECK(cr.cr_cell[CSV_EMAIL] != NULL);				\
} while (0)

#define END()	CHECK_INT(csv_next(&cs, &cr), 0)

static void
test_lines(void)
{
	static const char	*const ends[] = { "\n", "\r\n", "\r" };
	char			 buf[256];
	size_t			 i;

	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		(void)snprintf(buf, sizeof(buf),
		    "\xef\xbb\xbf" "email,name%sa@b.example,A%s%s,%s"
		    "\"c@d.example\",\"C \"\"c\"\", x\"%s", ends[i], ends[i],
		    ends[i], ends[i], ends[i]);
		CHECK_INT(open_text(buf), CSV_FINE);
		ROW(2, "a@b.example", "A");
		ROW(5, "c@d.example", "C \"c\", x");
		END();
		END();
	}
	CHECK_INT(open_text("name,email\nA,a@b.example"), CSV_FINE);
	ROW(2, "a@b.example", "A");
	END();
	CHECK_INT(open_text("email,name\na@b.example,\"A\nB\"\nc@d.example,C"),
	    CSV_FINE);
	ROW(2, "a@b.example", "A\nB");
	ROW(4, "c@d.example", "C");
	END();
	CHECK_INT(open_text("email\tname\na@b.example\tA, B\n"), CSV_FINE);
	ROW(2, "a@b.example", "A, B");
	END();
	CHECK_INT(open_text("email"), CSV_FINE);
	END();
}

static void
test_header(void)
{
	CHECK_INT(open_text(" メール ,\"名前\",役割,グループ,状態\nx,,,,\n"),
	    CSV_FINE);
	ROW(2, "x", "");
	CHECK(cr.cr_cell[CSV_STATE] != NULL && cr.cr_cell[CSV_ROLE] != NULL);
	CHECK_INT(open_text("EMAIL,Name\nx,y\n"), CSV_FINE);
	ROW(2, "x", "y");
	CHECK(cr.cr_cell[CSV_ROLE] == NULL && cr.cr_cell[CSV_GROUPS] == NULL);
	/* Columns without a name may be there, with nothing in them. */
	CHECK_INT(open_text("email,name,,\nx,y,,\nx,y,z,\n"), CSV_FINE);
	ROW(2, "x", "y");
	FAULT(3, CSV_COUNT, CSV_LINE);
	CHECK_INT(open_text(""), CSV_MISSING);
	CHECK_INT(open_text("\xef\xbb\xbf"), CSV_MISSING);
	CHECK_INT(open_text("\nemail\n"), CSV_MISSING);
	CHECK_INT(cs.cs_place, CSV_HEADER);
	CHECK_INT(open_text("email,phone,name\n"), CSV_UNKNOWN);
	CHECK_STR(cs.cs_name, "phone");
	CHECK_INT(open_text("email,name,mail\n"), CSV_TWICE);
	CHECK_STR(cs.cs_name, "mail");
	CHECK_INT(open_text("name,role\n"), CSV_MISSING);
	CHECK_STR(cs.cs_name, "email");
	CHECK_INT(open_text("email,\"x"), CSV_QUOTE);
	CHECK_INT(open_text("email\xff\n"), CSV_TEXT);
	CHECK_INT(open_text("email,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,\n"),
	    CSV_COUNT);
}

static void
test_faults(void)
{
	char	 buf[1024];

	CHECK_INT(open_text("email,name\n"
	    "a@b.example\n"
	    "a@b.example,A,B\n"
	    "\"a\"b,A\n"
	    "a\"b,A\n"
	    "good@b.example,G\n"
	    "a@b.example,\"A\n"
	    "good@b.example,G\n"), CSV_FINE);
	FAULT(2, CSV_COUNT, CSV_LINE);
	FAULT(3, CSV_COUNT, CSV_LINE);
	FAULT(4, CSV_QUOTE, CSV_LINE);
	FAULT(5, CSV_QUOTE, CSV_LINE);
	ROW(6, "good@b.example", "G");
	FAULT(7, CSV_QUOTE, CSV_LINE);
	END();
	memset(buf, 'x', sizeof(buf));
	memcpy(buf, "email,name\na,", 13);
	buf[13 + MAX_NAME] = '\0';
	CHECK_INT(open_text(buf), CSV_FINE);
	CHECK_INT(csv_next(&cs, &cr), 1);
	CHECK_INT(cr.cr_why, CSV_FINE);
	buf[13 + MAX_NAME] = 'x';
	buf[13 + MAX_NAME + 1] = '\0';
	CHECK_INT(open_text(buf), CSV_FINE);
	FAULT(2, CSV_LONG, CSV_NAME);
	CHECK_STR(cr.cr_cell[CSV_NAME], "");
}

static void
test_limits(void)
{
	char	*buf, *p;
	int	 i;

	if ((buf = p = malloc(CSV_BYTES + 2)) == NULL)
		abort();
	p += snprintf(p, 16, "email\n");
	for (i = 0; i < CSV_LINES + 3; i++)
		p += snprintf(p, 16, "a%d\n\n", i);
	CHECK_INT(open_text(buf), CSV_FINE);
	for (i = 0; i < CSV_LINES; i++)
		if (csv_next(&cs, &cr) != 1 || cr.cr_why != CSV_FINE)
			break;
	CHECK_INT(i, CSV_LINES);
	FAULT(2 + 2 * CSV_LINES, CSV_MANY, CSV_LINE);
	END();
	memset(buf, ' ', CSV_BYTES + 1);
	memcpy(buf, "email\n", 6);
	CHECK_INT(csv_open(&cs, buf, CSV_BYTES), CSV_FINE);
	END();
	CHECK_INT(csv_open(&cs, buf, CSV_BYTES + 1), CSV_LONG);
	buf[20] = '\0';
	CHECK_INT(csv_open(&cs, buf, 30), CSV_TEXT);
	free(buf);
}

static void
test_cells(void)
{
	CHECK_INT(open_text("email,name\n"
	    "  a@b.example ,\" 　佐藤 美咲　 \"\n"
	    "b,'=1\nb,''=1\nb,'+1\nb,'-1\nb,'@x\nb,\"'\tx\"\n"
	    "b,'x\nb,''\nb,O'Neil=\n"), CSV_FINE);
	ROW(2, "a@b.example", "佐藤 美咲");
	ROW(3, "b", "=1");
	ROW(4, "b", "'=1");
	ROW(5, "b", "+1");
	ROW(6, "b", "-1");
	ROW(7, "b", "@x");
	ROW(8, "b", "\tx");
	ROW(9, "b", "'x");
	ROW(10, "b", "''");
	ROW(11, "b", "O'Neil=");
	END();
}

static void
test_words(void)
{
	CHECK_INT(csv_role("admin"), ROLE_ADMIN);
	CHECK_INT(csv_role("Member"), ROLE_MEMBER);
	CHECK_INT(csv_role("管理者"), ROLE_ADMIN);
	CHECK_INT(csv_role("boss"), -1);
	CHECK_INT(csv_role(""), -1);
	CHECK_INT(csv_state("locked"), USER_LOCKED);
	CHECK_INT(csv_state("利用中"), USER_ACTIVE);
	CHECK_INT(csv_state("招待中"), USER_INVITED);
	CHECK_INT(csv_state("x"), -1);
	CHECK_STR(csv_why_name(CSV_INVITED), "invited");
	CHECK_STR(csv_why_name(CSV_WHY_MAX), "?");
	CHECK_STR(csv_place_name(CSV_LINE), "line");
	CHECK_STR(csv_place_name(CSV_PLACE_MAX), "?");
}

static void
test_groups(void)
{
	const char	*p = " A ;; B\\;b\\\\ ; 　C　;\\x";
	char		 name[8], cell[16] = "";

	CHECK_INT(csv_group(&p, name, sizeof(name)), 1);
	CHECK_STR(name, "A");
	CHECK_INT(csv_group(&p, name, sizeof(name)), 1);
	CHECK_STR(name, "B;b\\");
	CHECK_INT(csv_group(&p, name, sizeof(name)), 1);
	CHECK_STR(name, "C");
	CHECK_INT(csv_group(&p, name, sizeof(name)), 1);
	CHECK_STR(name, "\\x");
	CHECK_INT(csv_group(&p, name, sizeof(name)), 0);
	p = "12345678";
	CHECK_INT(csv_group(&p, name, sizeof(name)), -1);
	CHECK_INT(csv_group_add(cell, sizeof(cell), "A"), 0);
	CHECK_INT(csv_group_add(cell, sizeof(cell), "B;\\"), 0);
	CHECK_STR(cell, "A;B\\;\\\\");
	CHECK_INT(csv_group_add(cell, sizeof(cell), "too long a name"), -1);
	CHECK_STR(cell, "A;B\\;\\\\");
}

int
main(void)
{
	test_lines();
	test_header();
	test_faults();
	test_limits();
	test_cells();
	test_words();
	test_groups();
	free(text);
	return (unit_end());
}
