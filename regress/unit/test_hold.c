#include "hold.h"
#include "unit.h"

int
main(void)
{
	char		 name[] = "name", field[] = "why";
	uint8_t		 ids[] = { 0, 0, 0, 9 };
	struct m_a_floor f = { .floor = 3, .open = 1, .name = name,
			    .template = NULL, .users = { ids, 4 },
			    .groups = { NULL, 0 } };
	struct m_result	 r = { R_CONFLICT, 5, field };
	struct held	*he;
	const struct m_a_floor *c;
	const struct m_result *cr;

	CHECK((he = hold_new(IMSG_A_FLOOR, &f)) != NULL);
	memset(name, 'x', 4);
	memset(ids, 0xff, 4);
	f.floor = 4;
	c = he->he_msg;
	CHECK_INT(he->he_type, IMSG_A_FLOOR);
	CHECK_INT(c->floor, 3);
	CHECK_INT(c->open, 1);
	CHECK_STR(c->name, "name");
	CHECK(c->template == NULL);
	CHECK_INT(c->users.mb_len, 4);
	CHECK(memcmp(c->users.mb_data, "\0\0\0\t", 4) == 0);
	CHECK_INT(c->groups.mb_len, 0);
	hold_free(he);
	CHECK((he = hold_new(IMSG_RESULT, &r)) != NULL);
	field[0] = 'W';
	cr = he->he_msg;
	CHECK_STR(cr->field, "why");
	CHECK_INT(cr->arg, 5);
	hold_free(he);
	CHECK(hold_new(IMSG_LOGIN, &r) == NULL);
	return (unit_end());
}
