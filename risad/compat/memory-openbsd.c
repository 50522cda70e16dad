#include "compat/memory.h"

void
memory_give_back(void)
{
}
