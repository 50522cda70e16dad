/* Who may give commands, as auth has been told, and when it is noted. */
#include "ledger.h"
#include "unit.h"

#define NOW	1000000

static int
set(uint32_t uid, uint8_t role, uint64_t until)
{
	struct m_operator	 m = { uid, role, until };

	return (ledger_set(&m));
}

static void
test_roles(void)
{
	CHECK_INT(ledger_role(0, NOW), OP_OWNER);
	CHECK_INT(ledger_role(1000, NOW), OP_NONE);
	CHECK_INT(set(1000, OP_AUDITOR, 0), 0);
	CHECK_INT(set(1001, OP_OPERATOR, NOW), 0);
	/* Not before all of it is known: an end may still come. */
	CHECK_INT(ledger_whole(), 0);
	CHECK_INT(ledger_role(1000, NOW), OP_NONE);
	CHECK_INT(ledger_role(0, NOW), OP_OWNER);
	ledger_told();
	CHECK_INT(ledger_whole(), 1);
	CHECK_INT(ledger_role(1000, NOW), OP_AUDITOR);
	CHECK_INT(ledger_role(1000, UINT64_MAX), OP_AUDITOR);
	CHECK_INT(ledger_role(1001, NOW), OP_OPERATOR);
	CHECK_INT(ledger_role(1001, NOW + 1), OP_NONE);
	CHECK_INT(ledger_role(1002, NOW), OP_NONE);
	/* Another role, and none. */
	CHECK_INT(set(1000, OP_OWNER, 0), 0);
	CHECK_INT(ledger_role(1000, NOW), OP_OWNER);
	CHECK_INT(set(1000, OP_NONE, 0), 0);
	CHECK_INT(set(1000, OP_NONE, 0), 0);
	CHECK_INT(ledger_role(1000, NOW), OP_NONE);
	CHECK_INT(ledger_role(1001, NOW), OP_OPERATOR);
	/* What storage says of root changes nothing. */
	CHECK_INT(set(0, OP_NONE, 0), 0);
	CHECK_INT(set(0, OP_AUDITOR, 1), 0);
	CHECK_INT(ledger_role(0, NOW), OP_OWNER);
	ledger_clear();
	CHECK_INT(ledger_whole(), 0);
	ledger_told();
	CHECK_INT(ledger_role(1001, NOW), OP_NONE);
	CHECK_INT(ledger_role(0, NOW), OP_OWNER);
}

static void
test_room(void)
{
	uint32_t	 uid;

	for (uid = 1; uid <= MAX_OPERATORS; uid++)
		CHECK_INT(set(uid, OP_AUDITOR, 0), 0);
	CHECK_INT(set(uid, OP_AUDITOR, 0), -1);
	CHECK_INT(set(7, OP_OWNER, 0), 0);
	CHECK_INT(set(1, OP_NONE, 0), 0);
	CHECK_INT(set(uid, OP_AUDITOR, 0), 0);
	CHECK_INT(ledger_role(7, NOW), OP_OWNER);
	CHECK_INT(ledger_role(uid, NOW), OP_AUDITOR);
	CHECK_INT(ledger_role(1, NOW), OP_NONE);
	ledger_clear();
}

/* One who knocks all the time hides nobody, and many do not fill the disk. */
static void
test_notes(void)
{
	uint32_t	 more = 99, uid;
	int		 i, n = 0;

	for (i = 0; i < 1000; i++)
		n += ledger_notable(5, NOW, &more);
	CHECK(n >= 1 && n <= 5);
	CHECK_INT(more, 0);
	CHECK_INT(ledger_notable(6, NOW, &more), 1);
	CHECK_INT(more, 1000 - n);
	CHECK_INT(ledger_notable(6, NOW, &more), 1);
	CHECK_INT(more, 0);
	for (uid = 100, n = 0; uid < 2000; uid++)
		n += ledger_notable(uid, NOW, &more);
	CHECK(n < 40);
	/* An hour later. */
	CHECK_INT(ledger_notable(5, NOW + 3600000, &more), 1);
	CHECK(more > 1800);
}

int
main(void)
{
	test_roles();
	test_room();
	test_notes();
	return (unit_end());
}
