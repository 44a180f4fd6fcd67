/* The machine that cases start from, and its clones: one for each case. */
#ifndef REPRISE_CASE_MACHINE_H
#define REPRISE_CASE_MACHINE_H

#include "script.h"

typedef struct CaseBase CaseBase;

/* What 'machine' is now; it may go on, and be gone before the base is. */
CaseBase *case_base_create(ScriptMachine *machine, Error *error);
void case_base_free(CaseBase *base);

/* A clone for the script of 'L', in any thread; leaves its Lua value on the stack. */
ScriptMachine *case_base_clone(const CaseBase *base, lua_State *L, Error *error);

#endif
