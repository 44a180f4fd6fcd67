/* What a Lua state has before a script runs, by name: see lua_transfer.h. */
#include "lua_transfer.h"
#include "lua_transfer_internal.h"

#include <lauxlib.h>
#include <stdlib.h>

/* Breadth first and in the order of names, so that what can be reached in two ways has the same
 * name in each state. */
static const char walk[] = "local registry, globals = ...\n"
                           "local names, objects, fields = {}, {}, {}\n"
                           "local queue = {}\n"
                           "local function note(path, object)\n"
                           "    local kind = type(object)\n"
                           "    if names[object] or\n"
                           "       kind ~= 'table' and kind ~= 'function' and kind ~= 'userdata'\n"
                           "    then return end\n"
                           "    names[object], objects[path] = path, object\n"
                           "    queue[#queue + 1] = object\n"
                           "end\n"
                           "local function note_fields(path, object)\n"
                           "    local keys = {}\n"
                           "    for key in next, object do\n"
                           "        if type(key) == 'string' then keys[#keys + 1] = key end\n"
                           "    end\n"
                           "    table.sort(keys)\n"
                           "    for _, key in ipairs(keys) do\n"
                           "        note(path .. '.' .. key, rawget(object, key))\n"
                           "    end\n"
                           "end\n"
                           "note('_G', globals)\n"
                           "note('string metatable', debug.getmetatable(''))\n"
                           "local next_object = 1\n"
                           "local function walk()\n"
                           "    while queue[next_object] do\n"
                           "        local object = queue[next_object]\n"
                           "        local path = names[object]\n"
                           "        next_object = next_object + 1\n"
                           "        note(path .. ' metatable', debug.getmetatable(object))\n"
                           "        if type(object) == 'table' then\n"
                           "            note_fields(path, object)\n"
                           "            local copy = {}\n"
                           "            for key, value in next, object do copy[key] = value end\n"
                           "            fields[object] = copy\n"
                           "        end\n"
                           "    end\n"
                           "end\n"
                           "walk()\n"
                           "note_fields('registry', registry)\n"
                           "walk()\n"
                           "return names, objects, fields\n";

void lua_transfer_note_baseline(lua_State *L) {
    if (luaL_loadbuffer(L, walk, sizeof(walk) - 1, "=baseline") != LUA_OK)
        abort(); /* our own text */
    lua_pushvalue(L, LUA_REGISTRYINDEX);
    lua_pushglobaltable(L);
    lua_call(L, 2, 3);
    lua_setfield(L, LUA_REGISTRYINDEX, BASELINE_FIELDS);
    lua_setfield(L, LUA_REGISTRYINDEX, BASELINE_OBJECTS);
    lua_setfield(L, LUA_REGISTRYINDEX, BASELINE_NAMES);
}
