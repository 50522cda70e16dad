#include <stdlib.h>
#include <string.h>

#include "manifest.h"
#include "unit.h"

static struct manifest	 mn;

static void
fill(void)
{
	struct manifest_file	*mf;
	int			 i;

	memset(&mn, 0, sizeof(mn));
	mn.mn_at = 1795923000000;
	mn.mn_took = 1234;
	CHECK_INT(stamp_text(mn.mn_stamp, mn.mn_at), 0);
	CHECK(manifest_add(&mn, 0, 0, "-") != NULL);
	CHECK(manifest_add(&mn, 0, 202611, "-") != NULL);
	mf = manifest_add(&mn, 7, 0, "acme");
	mf->mf_bytes = INT64_MAX;
	mf->mf_last = 9;
	for (i = 0; i < COUNT_MAX; i++)
		mf->mf_count[i] = (uint64_t)i * 1000;
	memset(mf->mf_sha, 0xa5, sizeof(mf->mf_sha));
	memset(mf->mf_head, 0x5a, sizeof(mf->mf_head));
	CHECK(manifest_add(&mn, 7, 202611, "acme") != NULL);
	CHECK(manifest_add(&mn, 8, 0, "globex") != NULL);
}

static void
test_round(void)
{
	struct manifest	 again;
	char		*text;
	size_t		 len;

	fill();
	text = manifest_write(&mn, &len);
	CHECK(text != NULL && strlen(text) == len);
	CHECK_INT(manifest_read(&again, text, len), 0);
	CHECK_INT(again.mn_n, mn.mn_n);
	CHECK(memcmp(again.mn_files, mn.mn_files, mn.mn_n *
	    sizeof(*mn.mn_files)) == 0);
	CHECK_STR(again.mn_stamp, mn.mn_stamp);
	CHECK_INT(again.mn_took, 1234);
	CHECK_INT(manifest_tenants(&again), 2);
	CHECK(manifest_bytes(&again) == INT64_MAX);
	manifest_clear(&again);
	free(text);
	manifest_clear(&mn);
}

/* A manifest that was read is the one that its text says, or none. */
static void
test_mutations(void)
{
	struct manifest	 again;
	char		*text, *same, keep;
	size_t		 len, n, i;
	int		 c;

	fill();
	text = manifest_write(&mn, &len);
	for (i = 0; i < len; i++) {
		keep = text[i];
		for (c = 0; c < 128; c++) {
			text[i] = (char)c;
			if (manifest_read(&again, text, len) == -1)
				continue;
			same = manifest_write(&again, &n);
			CHECK(n == len && memcmp(same, text, n) == 0);
			free(same);
			manifest_clear(&again);
		}
		text[i] = keep;
	}
	/* Cut anywhere but behind a line it is none. */
	for (i = 0; i < len; i++) {
		keep = text[i];
		text[i] = '\0';
		if (manifest_read(&again, text, i) == 0)
			CHECK(i > 0 && text[i - 1] == '\n');
		manifest_clear(&again);
		text[i] = keep;
	}
	free(text);
	manifest_clear(&mn);
}

static void
test_paths(void)
{
	static const char *const	 want[] = {
		"x/system.db", "x/log-202611.db", "x/tenants/7/main.db",
		"x/tenants/7/log-202611.db", "x/tenants/8/main.db"
	};
	char				 path[MANIFEST_PATH], dir[80];
	size_t				 i;

	fill();
	for (i = 0; i < mn.mn_n; i++) {
		CHECK_INT(manifest_path(path, "x", &mn.mn_files[i]), 0);
		CHECK_STR(path, want[i]);
	}
	memset(dir, 'x', sizeof(dir));
	dir[sizeof(dir) - 1] = '\0';
	CHECK_INT(manifest_path(path, dir, &mn.mn_files[0]), -1);
	manifest_clear(&mn);
}

static void
test_names(void)
{
	const struct manifest_file	*mf;

	fill();
	mf = manifest_find(&mn, "acme", 0);
	CHECK(mf != NULL && mf->mf_tenant == 7 && mf->mf_month == 0);
	CHECK(manifest_find(&mn, "-", 0) == NULL);
	CHECK(manifest_find(&mn, "nobody", 0) == NULL);
	mf = manifest_find(&mn, NULL, 8);
	CHECK(mf != NULL && strcmp(mf->mf_name, "globex") == 0);
	CHECK(manifest_add(&mn, 9, 0, "a-name-that-is-much-too-long-for-the-"
	    "label-of-a-host-which-has-63-characters") == NULL);
	manifest_drop(&mn, 7);
	CHECK_INT(mn.mn_n, 3);
	CHECK(manifest_find(&mn, "acme", 0) == NULL);
	CHECK(manifest_find(&mn, "globex", 0) != NULL);
	manifest_clear(&mn);
}

static void
test_stamps(void)
{
	static const char *const	 wrong[] = {
		"", ".", "..", "20261129T033000", "20261129T033000Z ",
		"20261129t033000Z", "20261131T033000Z", "20261129T243000Z",
		"+0261129T033000Z", "2026-1129T03300Z", "20261129T033000Z.part"
	};
	char				 stamp[STAMP_TEXT];
	uint64_t			 ms;
	size_t				 i;

	CHECK_INT(stamp_read("20261129T033000Z", &ms), 0);
	CHECK_INT(stamp_text(stamp, ms), 0);
	CHECK_STR(stamp, "20261129T033000Z");
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		CHECK_INT(stamp_read(wrong[i], NULL), -1);
	CHECK_INT(stamp_text(stamp, 0), -1);
}

int
main(void)
{
	test_round();
	test_mutations();
	test_paths();
	test_names();
	test_stamps();
	return (unit_end());
}
