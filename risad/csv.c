#include <string.h>
#include <strings.h>

#include "csv.h"
#include "risad.h"
#include "utf8.h"

#define WIDE_SPACE	"\xe3\x80\x80"	/* U+3000 */

/* The words for a number, in the file's language whichever it is. */
struct word {
	const char	*wo_text;
	int		 wo_number;
};

static const struct word columns[] = {
	{ "email", CSV_EMAIL }, { "mail", CSV_EMAIL },
	{ "メール", CSV_EMAIL }, { "メールアドレス", CSV_EMAIL },
	{ "name", CSV_NAME },
	{ "名前", CSV_NAME }, { "氏名", CSV_NAME }, { "role", CSV_ROLE },
	{ "役割", CSV_ROLE }, { "groups", CSV_GROUPS },
	{ "グループ", CSV_GROUPS }, { "state", CSV_STATE },
	{ "状態", CSV_STATE }, { NULL, 0 }
};
static const struct word roles[] = {
	{ "member", ROLE_MEMBER }, { "メンバー", ROLE_MEMBER },
	{ "admin", ROLE_ADMIN }, { "管理者", ROLE_ADMIN }, { NULL, 0 }
};
static const struct word states[] = {
	{ "active", USER_ACTIVE }, { "利用中", USER_ACTIVE },
	{ "locked", USER_LOCKED }, { "停止中", USER_LOCKED },
	{ "invited", USER_INVITED }, { "招待中", USER_INVITED }, { NULL, 0 }
};

static int
word_number(const struct word *wo, const char *s)
{
	for (; wo->wo_text != NULL; wo++)
		if (strcasecmp(wo->wo_text, s) == 0)
			return (wo->wo_number);
	return (-1);
}

int
csv_role(const char *s)
{
	return (word_number(roles, s));
}

int
csv_state(const char *s)
{
	return (word_number(states, s));
}

const char *
csv_place_name(enum csv_place place)
{
	static const char	*const names[CSV_PLACE_MAX] = {
		"email", "name", "role", "groups", "state", "column", "line"
	};

	return (place < CSV_PLACE_MAX ? names[place] : "?");
}

const char *
csv_why_name(enum csv_why why)
{
	static const char	*const names[CSV_WHY_MAX] = {
		"", "text", "quote", "count", "unknown", "twice", "missing",
		"long", "many", "invalid", "domain", "last-admin", "self",
		"full", "invited"
	};

	return (why < CSV_WHY_MAX ? names[why] : "?");
}

/*
 * Cells.
 */

static int
line_end(const struct csv *cs)
{
	return (cs->cs_p == cs->cs_end || *cs->cs_p == '\n' ||
	    *cs->cs_p == '\r');
}

/* Past the end of the line, which is LF, CRLF or CR. */
static void
line_skip(struct csv *cs)
{
	while (!line_end(cs))
		cs->cs_p++;
	if (cs->cs_p == cs->cs_end)
		return;
	if (*cs->cs_p == '\r' && cs->cs_p + 1 < cs->cs_end &&
	    cs->cs_p[1] == '\n')
		cs->cs_p++;
	cs->cs_p++;
	cs->cs_line++;
}

/* Between quotes, of which two stand for one; where the text ends, or NULL. */
static char *
cell_quoted(struct csv *cs, char *dst)
{
	for (; cs->cs_p < cs->cs_end; cs->cs_p++) {
		if (*cs->cs_p == '"') {
			if (cs->cs_p + 1 == cs->cs_end || cs->cs_p[1] != '"') {
				cs->cs_p++;
				return (dst);
			}
			cs->cs_p++;
		} else if (*cs->cs_p == '\n' || (*cs->cs_p == '\r' &&
		    (cs->cs_p + 1 == cs->cs_end || cs->cs_p[1] != '\n')))
			cs->cs_line++;
		*dst++ = *cs->cs_p;
	}
	return (NULL);
}

static size_t
space_at(const char *s)
{
	if (*s == ' ')
		return (1);
	return (strncmp(s, WIDE_SPACE, 3) == 0 ? 3 : 0);
}

/* Of len bytes, how many are left without the spaces at their end. */
static size_t
trimmed(const char *s, size_t len)
{
	for (;;) {
		if (len >= 1 && s[len - 1] == ' ')
			len--;
		else if (len >= 3 && memcmp(s + len - 3, WIDE_SPACE, 3) == 0)
			len -= 3;
		else
			return (len);
	}
}

/* Without the spaces around it, and the quote that keeps it no formula. */
static char *
cell_trim(char *s)
{
	size_t	 n;

	while ((n = space_at(s)) > 0)
		s += n;
	s[trimmed(s, strlen(s))] = '\0';
	n = strspn(s, "'");
	if (n > 0 && s[n] != '\0' && strchr("=+-@\t\r", s[n]) != NULL)
		s++;
	return (s);
}

/*
 * The next cell of the line, with NUL behind it; *more: another one follows,
 * else the line is done.  NULL when its quotes are wrong.
 */
static char *
cell_next(struct csv *cs, int *more)
{
	char	*s = cs->cs_p, *end;

	if (!line_end(cs) && *s == '"') {
		cs->cs_p++;
		if ((end = cell_quoted(cs, s)) == NULL)
			return (NULL);
		if (!line_end(cs) && *cs->cs_p != cs->cs_separator)
			return (NULL);
	} else {
		while (!line_end(cs) && *cs->cs_p != cs->cs_separator) {
			if (*cs->cs_p == '"')
				return (NULL);
			cs->cs_p++;
		}
		end = cs->cs_p;
	}
	*more = !line_end(cs);
	if (*more)
		cs->cs_p++;
	else
		line_skip(cs);
	*end = '\0';
	return (cell_trim(s));
}

/* The cells of a line: how many, at most CSV_CELLS + 1, or -1 for quotes. */
static int
cells_read(struct csv *cs, char *cell[CSV_CELLS])
{
	char	*s;
	int	 n = 0, more = 1;

	while (more) {
		if ((s = cell_next(cs, &more)) == NULL) {
			line_skip(cs);
			return (-1);
		}
		if (n < CSV_CELLS)
			cell[n] = s;
		if (n <= CSV_CELLS)
			n++;
	}
	return (n);
}

/*
 * The header.
 */

/* Cells that were copied from a spreadsheet have tabs between them. */
static char
separator(const struct csv *cs)
{
	const char	*p;
	char		 found = ',';

	for (p = cs->cs_p; p < cs->cs_end && *p != '\n' && *p != '\r'; p++) {
		if (*p == ',')
			return (',');
		if (*p == '\t')
			found = '\t';
	}
	return (found);
}

static enum csv_why
header_fault(struct csv *cs, enum csv_why why, const char *name)
{
	cs->cs_place = CSV_HEADER;
	cs->cs_name = name;
	return (why);
}

static enum csv_why
header_read(struct csv *cs, char *cell[CSV_CELLS], unsigned int n)
{
	unsigned int	 i, seen = 0;
	int		 column;

	for (i = 0; i < n; i++) {
		cs->cs_column[i] = CSV_COLUMNS;
		if (cell[i][0] == '\0')
			continue;
		if ((column = word_number(columns, cell[i])) == -1)
			return (header_fault(cs, CSV_UNKNOWN, cell[i]));
		if (seen & 1U << column)
			return (header_fault(cs, CSV_TWICE, cell[i]));
		seen |= 1U << column;
		cs->cs_column[i] = (uint8_t)column;
	}
	cs->cs_ncells = n;
	if (!(seen & 1U << CSV_EMAIL))
		return (header_fault(cs, CSV_MISSING, "email"));
	return (CSV_FINE);
}

enum csv_why
csv_open(struct csv *cs, char *text, size_t len)
{
	char	*cell[CSV_CELLS];
	int	 n;

	memset(cs, 0, sizeof(*cs));
	cs->cs_name = "";
	cs->cs_place = CSV_LINE;
	cs->cs_line = 1;
	if (len > CSV_BYTES)
		return (CSV_LONG);
	if (!utf8_valid(text, len) || memchr(text, '\0', len) != NULL)
		return (CSV_TEXT);
	text[len] = '\0';
	cs->cs_end = text + len;
	cs->cs_p = strncmp(text, "\xef\xbb\xbf", 3) == 0 ? text + 3 : text;
	cs->cs_separator = separator(cs);
	if (cs->cs_p == cs->cs_end)
		return (header_fault(cs, CSV_MISSING, "email"));
	if ((n = cells_read(cs, cell)) == -1)
		return (CSV_QUOTE);
	if (n > CSV_CELLS)
		return (CSV_COUNT);
	return (header_read(cs, cell, (unsigned int)n));
}

/*
 * Lines.
 */

static size_t
cell_max(enum csv_place column)
{
	switch (column) {
	case CSV_EMAIL:
		return (MAX_MAIL);
	case CSV_GROUPS:
		return (CSV_LISTED);
	default:
		return (MAX_NAME);
	}
}

static void
row_fault(struct csv_row *cr, enum csv_why why, enum csv_place place)
{
	if (cr->cr_why != CSV_FINE)
		return;
	cr->cr_why = why;
	cr->cr_place = place;
}

/* The cells under their names; 0 when the line says nothing at all. */
static int
row_read(const struct csv *cs, struct csv_row *cr, char *cell[CSV_CELLS],
    unsigned int n)
{
	unsigned int	 i, column;
	int		 any = 0;

	if (n > CSV_CELLS) {
		row_fault(cr, CSV_COUNT, CSV_LINE);
		return (1);
	}
	for (i = 0; i < n; i++) {
		any |= cell[i][0] != '\0';
		column = i < cs->cs_ncells ? cs->cs_column[i] : CSV_COLUMNS;
		if (column == CSV_COLUMNS) {
			if (cell[i][0] != '\0')
				row_fault(cr, CSV_COUNT, CSV_LINE);
			continue;
		}
		if (strlen(cell[i]) <= cell_max(column)) {
			cr->cr_cell[column] = cell[i];
			continue;
		}
		cr->cr_cell[column] = "";
		row_fault(cr, CSV_LONG, column);
	}
	if (n != cs->cs_ncells)
		row_fault(cr, CSV_COUNT, CSV_LINE);
	return (any);
}

/* No cell of a column that the header has is NULL. */
static void
row_init(const struct csv *cs, struct csv_row *cr)
{
	unsigned int	 i;

	memset(cr, 0, sizeof(*cr));
	cr->cr_line = cs->cs_line;
	for (i = 0; i < cs->cs_ncells; i++)
		if (cs->cs_column[i] < CSV_COLUMNS)
			cr->cr_cell[cs->cs_column[i]] = "";
}

int
csv_next(struct csv *cs, struct csv_row *cr)
{
	char	*cell[CSV_CELLS];
	int	 n;

	while (cs->cs_p < cs->cs_end) {
		row_init(cs, cr);
		if ((n = cells_read(cs, cell)) == -1)
			row_fault(cr, CSV_QUOTE, CSV_LINE);
		else if (!row_read(cs, cr, cell, (unsigned int)n))
			continue;
		if (cs->cs_rows++ >= CSV_LINES) {
			cr->cr_why = CSV_MANY;
			cr->cr_place = CSV_LINE;
			cs->cs_p = cs->cs_end;
		}
		return (1);
	}
	return (0);
}

/*
 * Groups.
 */

int
csv_group(const char **cell, char *dst, size_t size)
{
	const char	*p = *cell;
	size_t		 n = 0;

	while (*p == ';' || space_at(p) > 0)
		p += *p == ';' ? 1 : space_at(p);
	if (*p == '\0')
		return (0);
	for (; *p != '\0' && *p != ';'; p++) {
		if (*p == '\\' && (p[1] == ';' || p[1] == '\\'))
			p++;
		if (n + 1 >= size)
			return (-1);
		dst[n++] = *p;
	}
	*cell = p;
	dst[trimmed(dst, n)] = '\0';
	return (1);
}

int
csv_group_add(char *cell, size_t size, const char *name)
{
	size_t	 was = strlen(cell), n = was;

	if (n > 0 && n + 1 < size)
		cell[n++] = ';';
	for (; *name != '\0'; name++) {
		if (n + 3 > size) {
			cell[was] = '\0';
			return (-1);
		}
		if (*name == ';' || *name == '\\')
			cell[n++] = '\\';
		cell[n++] = *name;
	}
	cell[n] = '\0';
	return (0);
}
