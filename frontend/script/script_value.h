/* Lua values compared and shown, for messages. */
#ifndef REPRISE_SCRIPT_VALUE_H
#define REPRISE_SCRIPT_VALUE_H

#include "byte_buffer.h"
#include <lua.h>
#include <stdbool.h>

/* Tables are equal if their contents are, down to any depth. False: 'difference' says where both
 * differ first and what is there: "got 3, expected 4". */
bool script_value_equals(lua_State *L, int value, int expected, ByteBuffer *difference);

/* A value as Lua would have it in a script; long ones are shortened. */
void script_value_print(lua_State *L, int index, ByteBuffer *text);

#endif
