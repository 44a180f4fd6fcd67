/* What scripts do to machines goes to the event log by itself. */
#ifndef REPRISE_SCRIPT_EVENTS_H
#define REPRISE_SCRIPT_EVENTS_H

#include <lauxlib.h>
#include <lua.h>

/* luaL_setfuncs() for methods of machines: each call is noted with its arguments, but for those
 * that only look. */
void script_log_methods(lua_State *L, const luaL_Reg *methods);

#endif
