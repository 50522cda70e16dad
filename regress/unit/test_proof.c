/* proof.c: lines that others check, and nothing else passes for one. */
#include "proof.h"
#include "unit.h"
#include "util.h"

/* RFC 8032, section 7.1, test 1. */
static const char	 seed_hex[] = "9d61b19deffd5a60ba844af492ec2cc4"
			    "4449c5697b326919703bac031cae7f60";
static const char	 pub_hex[] = "d75a980182b10ab7d54bfed3c964073a"
			    "0ee172f3daa62325af021a68f707511a";

/* Of that key by an independent program. */
static const char	 pem[] = "-----BEGIN PUBLIC KEY-----\n"
	"MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n"
	"-----END PUBLIC KEY-----\n";

static uint8_t	 seed[PROOF_KEY], pub[PROOF_KEY], other[PROOF_KEY];

static void
sample(struct proof *pf, uint8_t kind)
{
	memset(pf, 0, sizeof(*pf));
	pf->pf_kind = kind;
	pf->pf_tenant = 7;
	pf->pf_seq = kind == PROOF_CHECKPOINT ? 1234567890123ULL : 0;
	pf->pf_at = 1764000000000ULL;
	memset(pf->pf_sum, 0xa5, sizeof(pf->pf_sum));
	(void)strlcpy(pf->pf_name, "acme", sizeof(pf->pf_name));
}

static void
test_keys(void)
{
	uint8_t	 got[PROOF_KEY];
	char	 text[PROOF_PEM];

	CHECK_INT(hex_decode(seed, sizeof(seed), seed_hex), 0);
	CHECK_INT(hex_decode(pub, sizeof(pub), pub_hex), 0);
	CHECK_INT(proof_public(seed, got), 0);
	CHECK(memcmp(got, pub, sizeof(pub)) == 0);
	CHECK_INT(proof_pem(pub, text), 0);
	CHECK_STR(text, pem);
	memset(got, 0, sizeof(got));
	CHECK_INT(proof_unpem(got, pem, strlen(pem)), 0);
	CHECK(memcmp(got, pub, sizeof(pub)) == 0);
	CHECK_INT(proof_unpem(got, "", 0), -1);
	CHECK_INT(proof_unpem(got, pem, strlen(pem) / 2), -1);
	/* A key, but not of this kind: P-256. */
	CHECK_INT(proof_unpem(got, "-----BEGIN PUBLIC KEY-----\n"
	    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEnvXRr+UfelvuCPXIX32eqWfzrS8b\n"
	    "Hyn1oZgM8JvBvDH1DjDY60eq3BdKzIPv7IrLU7HqIWTgi+Nl/Zr1VsVgjQ==\n"
	    "-----END PUBLIC KEY-----\n", 178), -1);
	memcpy(other, pub, sizeof(other));
	other[0] ^= 1;
}

static void
test_lines(uint8_t kind)
{
	struct proof	 pf, got;
	char		 line[PROOF_LINE], twin[PROOF_LINE], was;
	size_t		 i;

	sample(&pf, kind);
	CHECK_INT(proof_sign(&pf, seed, line), 0);
	CHECK_INT(proof_read(&got, line, pub), 1);
	CHECK_INT(got.pf_kind, kind);
	CHECK_INT(got.pf_tenant, 7);
	CHECK(got.pf_seq == pf.pf_seq);
	CHECK(got.pf_at == pf.pf_at);
	CHECK(memcmp(got.pf_sum, pf.pf_sum, sizeof(pf.pf_sum)) == 0);
	CHECK_STR(got.pf_name, "acme");
	CHECK_INT(proof_read(&got, line, NULL), 0);
	CHECK_INT(proof_read(&got, line, other), 0);
	/* Deterministic (RFC 8032): signing again tells nothing. */
	CHECK_INT(proof_sign(&pf, seed, twin), 0);
	CHECK_STR(twin, line);
	for (i = 0; i < strlen(line); i++) {
		was = line[i];
		line[i] ^= 1;
		CHECK(proof_read(&got, line, pub) != 1);
		line[i] = '\0';
		CHECK_INT(proof_read(&got, line, pub), -1);
		line[i] = was;
	}
	CHECK_INT(proof_read(&got, line, pub), 1);
	(void)strlcat(line, " ", sizeof(line));
	CHECK_INT(proof_read(&got, line, pub), -1);
}

static void
test_odd(void)
{
	static const char	*const odd[] = {
		"", "risad", "risad checkpoint", "risad checkpoint v1 ",
		"risad checkpoint v1 key= tenant=0"
	};
	struct proof		 pf;
	char			 line[PROOF_LINE];
	size_t			 i;

	for (i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
		CHECK_INT(proof_read(&pf, odd[i], pub), -1);
	sample(&pf, PROOF_MAX);
	CHECK_INT(proof_sign(&pf, seed, line), -1);
	sample(&pf, PROOF_CHECKPOINT);
	pf.pf_at = 0;				/* no time */
	CHECK_INT(proof_sign(&pf, seed, line), -1);
	/* The longest of all fields has room. */
	sample(&pf, PROOF_CHECKPOINT);
	pf.pf_tenant = UINT32_MAX;
	pf.pf_seq = INT64_MAX;
	memset(pf.pf_name, 'a', MAX_LABEL);
	CHECK_INT(proof_sign(&pf, seed, line), 0);
	CHECK_INT(proof_read(&pf, line, pub), 1);
}

int
main(void)
{
	test_keys();
	test_lines(PROOF_CHECKPOINT);
	test_lines(PROOF_LOG);
	test_odd();
	return (unit_end());
}
