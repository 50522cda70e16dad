#include <malloc.h>

#include "compat/memory.h"

void
memory_give_back(void)
{
	(void)malloc_trim(0);
}
