# OpenBSD has imsg, pledge and unveil; the rest comes from packages.
CPPFLAGS +=	-I/usr/local/include
LDADD =		-L/usr/local/lib -levent -ltls -lssl -lcrypto -lsqlite3 \
		-ljansson -largon2 -loath -lfido2 -lcbor -lusbhid -lz -lzxcvbn \
		-lm -lutil
LDADD_CTL =	-L/usr/local/lib -lcrypto -ljansson -largon2 -liconv -lutil
COMPAT =	risad/compat/memory-openbsd.c risad/compat/tls_ssl-openbsd.c
COMPAT_CTL =
YACC =		yacc
