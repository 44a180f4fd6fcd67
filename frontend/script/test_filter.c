/* --filter: which tests and cases run. A pattern of Lua, searched for in the test's name; after
 * " / " one for the cases. */
#include "allocate.h"
#include "test_run.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define DIVIDER TEST_CASE_DIVIDER

static bool find_pattern(lua_State *L, const char *pattern, size_t length, const char *name) {
    lua_getglobal(L, "string");
    lua_getfield(L, -1, "find");
    lua_pushstring(L, name);
    lua_pushlstring(L, pattern, length);
    bool good = lua_pcall(L, 2, 1, 0) == LUA_OK;
    bool found = good && !lua_isnil(L, -1);
    if (!good) {
        lua_pop(L, 2);
        script_fail(L, KIND_USAGE, "--filter: '%s' is not a pattern of Lua", pattern);
    }
    lua_pop(L, 2);
    return found;
}

bool test_filter_allows(lua_State *L, const char *filter, const char *name) {
    if (filter == NULL)
        return true;
    const char *divider = strstr(filter, DIVIDER);
    return find_pattern(L, filter, divider != NULL ? (size_t)(divider - filter) : strlen(filter),
                        name);
}

bool test_filter_allows_case(lua_State *L, const char *filter, const char *name) {
    const char *divider = filter != NULL ? strstr(filter, DIVIDER) : NULL;
    if (divider == NULL)
        return true;
    const char *pattern = divider + strlen(DIVIDER);
    return find_pattern(L, pattern, strlen(pattern), name);
}

/* The part's characters that mean something in patterns get a '%', and the slash of a divider. */
static char *append_part(char *at, const char *part, size_t length) {
    *at++ = '^';
    for (size_t i = 0; i < length; i++) {
        if (ispunct((unsigned char)part[i]))
            *at++ = '%';
        *at++ = part[i];
    }
    *at++ = '$';
    return at;
}

char *test_filter_exactly(const TestResult *result, unsigned repetition) {
    char number[32] = "";
    const char *name = result->name;
    char *filter = allocate_zeroed(2 * strlen(name) + 16);
    size_t length = result->case_offset > 0 ? result->case_offset - strlen(DIVIDER) : strlen(name);
    if (repetition > 0)
        length -= (size_t)snprintf(number, sizeof(number), REPETITION_FORMAT, repetition);
    char *at = append_part(filter, name, length);
    if (result->case_offset > 0) {
        memcpy(at, DIVIDER, strlen(DIVIDER));
        name += result->case_offset;
        append_part(at + strlen(DIVIDER), name, strlen(name));
    }
    return filter;
}
