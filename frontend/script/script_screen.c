/* Screens as pictures: waiting for one, comparing with one, pixels, screenshots. */
#include "script_screen.h"
#include "board.h"
#include "machine_parts.h"
#include "screenshot.h"
#include "script_wait.h"

#include <stdlib.h>
#include <string.h>

#define MEMORY_TYPE "reprise.screen"
#define COORDINATE_MAX 1e6
enum { COLOUR_MASK = 0xFFFFFF, CHANNEL_MAX = 255 };

/* What a screen should look like, or did. Lua frees it, whatever happens. */
typedef struct ScreenMemory {
    ScreenReference reference;
    ByteBuffer text; /* of a text screen that was taken */
    bool is_text;
} ScreenMemory;

static void forget_screen(ScreenMemory *memory) {
    screen_reference_free(&memory->reference);
    byte_buffer_free(&memory->text);
    memset(memory, 0, sizeof(*memory));
}

static int collect_memory(lua_State *L) {
    forget_screen(lua_touserdata(L, 1));
    return 0;
}

static ScreenMemory *new_memory(lua_State *L) {
    ScreenMemory *memory = lua_newuserdatauv(L, sizeof(*memory), 0);
    memset(memory, 0, sizeof(*memory));
    luaL_setmetatable(L, MEMORY_TYPE);
    return memory;
}

static void open_screen(lua_State *L) {
    luaL_newmetatable(L, MEMORY_TYPE);
    lua_pushcfunction(L, collect_memory);
    lua_setfield(L, -2, "__gc");
    lua_pop(L, 1);
}

/* ---- Options ---- */

static uint32_t check_coordinate(lua_State *L, double value) {
    if (!(value >= 0 && value <= COORDINATE_MAX))
        script_fail(L, KIND_USAGE, "coordinates are numbers of pixels from 0 on");
    return (uint32_t)value;
}

static double field_or_item(lua_State *L, int index, const char *name, int item) {
    double otherwise = -1;
    if (lua_geti(L, index, item) != LUA_TNIL)
        otherwise = lua_tonumber(L, -1);
    lua_pop(L, 1);
    return script_option_number(L, index, name, otherwise);
}

void script_read_rectangle(lua_State *L, int index, ScreenRectangle *rectangle) {
    index = lua_absindex(L, index);
    if (!lua_istable(L, index))
        script_fail(L, KIND_USAGE, "a rectangle is {x, y, width, height}");
    double width = script_option_number(L, index, "w", field_or_item(L, index, "width", 3));
    double height = script_option_number(L, index, "h", field_or_item(L, index, "height", 4));
    rectangle->x = check_coordinate(L, field_or_item(L, index, "x", 1));
    rectangle->y = check_coordinate(L, field_or_item(L, index, "y", 2));
    rectangle->width = check_coordinate(L, width);
    rectangle->height = check_coordinate(L, height);
}

bool script_option_rectangle(lua_State *L, int options, ScreenRectangle *rectangle) {
    static const char *const names[] = {"x", "y", "w", "h"};
    static const char *const long_names[] = {"x", "y", "width", "height"};
    double value[4] = {0, 0, COORDINATE_MAX, COORDINATE_MAX};
    bool any = false;
    for (int i = 0; i < 4; i++) {
        double given = script_option_number(L, options, names[i],
                                            script_option_number(L, options, long_names[i], -1));
        any |= given >= 0;
        value[i] = given >= 0 ? given : value[i];
    }
    *rectangle = (ScreenRectangle){check_coordinate(L, value[0]), check_coordinate(L, value[1]),
                                   check_coordinate(L, value[2]), check_coordinate(L, value[3])};
    return any;
}

/* Parts of the screen that do not count: 'masks', a list of rectangles, and what is not in
 * 'area'. */
typedef struct Masks {
    bool has_area;
    ScreenRectangle area;
    ScreenRectangle *rectangles;
    size_t count;
} Masks;

/* A field of a table of options, left on the stack; false, and nothing there, without. */
static bool push_option(lua_State *L, int options, const char *name) {
    if (!lua_istable(L, options))
        return false;
    if (lua_getfield(L, options, name) != LUA_TNIL)
        return true;
    lua_pop(L, 1);
    return false;
}

/* What keeps the rectangles is left on the stack. */
static void read_masks(lua_State *L, int options, Masks *masks) {
    memset(masks, 0, sizeof(*masks));
    masks->has_area = push_option(L, options, "area");
    if (masks->has_area) {
        script_read_rectangle(L, -1, &masks->area);
        lua_pop(L, 1);
    }
    if (!push_option(L, options, "masks"))
        return;
    if (!lua_istable(L, -1))
        script_fail(L, KIND_USAGE, "'masks' is a list of rectangles {x, y, width, height}");
    int list = lua_gettop(L);
    masks->count = lua_rawlen(L, list);
    masks->rectangles = lua_newuserdatauv(L, (masks->count + 1) * sizeof(ScreenRectangle), 0);
    for (size_t i = 0; i < masks->count; i++) {
        lua_geti(L, list, (lua_Integer)i + 1);
        script_read_rectangle(L, -1, &masks->rectangles[i]);
        lua_pop(L, 1);
    }
}

static void apply_masks(const Masks *masks, ScreenReference *reference) {
    for (size_t i = 0; i < masks->count; i++)
        screen_reference_leave_out(reference, &masks->rectangles[i]);
    if (!masks->has_area)
        return;
    const ScreenRectangle *area = &masks->area;
    uint32_t right = area->x + area->width, bottom = area->y + area->height;
    const ScreenRectangle outside[] = {{0, 0, UINT32_MAX, area->y},
                                       {0, bottom, UINT32_MAX, UINT32_MAX},
                                       {0, 0, area->x, UINT32_MAX},
                                       {right, 0, UINT32_MAX, UINT32_MAX}};
    for (size_t i = 0; i < sizeof(outside) / sizeof(outside[0]); i++)
        screen_reference_leave_out(reference, &outside[i]);
}

static ScreenTolerance read_tolerance(lua_State *L, int options) {
    double channel = script_option_number(L, options, "tolerance", 0);
    double different = script_option_number(L, options, "different", 0);
    if (!(channel >= 0 && channel <= CHANNEL_MAX))
        script_fail(L, KIND_USAGE, "'tolerance' is a number from 0 to %d", CHANNEL_MAX);
    if (!(different >= 0))
        script_fail(L, KIND_USAGE, "'different' is a share of the pixels below 1, or a number");
    return (ScreenTolerance){(unsigned)channel, different};
}

/* ---- Comparison with a file ---- */

typedef struct ScreenLook {
    ScreenWatch *watch;
    ScreenMemory *memory;
    ScreenTolerance tolerance;
    ScreenDifference difference;
    const char *name;
    uint64_t number; /* of the picture that was compared */
    bool alike;
} ScreenLook;

static bool screen_is_alike(void *opaque) {
    ScreenLook *look = opaque;
    const DisplaySurface *screen = screen_watch_look(look->watch);
    if (look->number != look->watch->number || look->number == 0)
        look->alike =
            screen_compare(screen, &look->memory->reference, &look->tolerance, &look->difference);
    look->number = look->watch->number;
    return look->alike;
}

static void read_reference(lua_State *L, ScriptMachine *machine, ScreenLook *look, int options) {
    Masks masks;
    Error error = {.set = false};
    look->memory = new_memory(L);
    char *path = script_find_file(machine->script, look->name);
    bool good = screen_reference_read(&look->memory->reference, path, &error);
    free(path);
    const char *mask = script_option_string(L, options, "mask", NULL);
    if (good && mask != NULL) {
        path = script_find_file(machine->script, mask);
        good = screen_reference_leave_out_mask(&look->memory->reference, path, &error);
        free(path);
    }
    if (!good)
        script_fail(L, KIND_USAGE, "%s", error.message);
    read_masks(L, options, &masks);
    apply_masks(&masks, &look->memory->reference);
}

/* The arguments of wait_screen() and screen_matches(): a file, options. */
static ScriptMachine *start_comparison(lua_State *L, ScreenLook *look) {
    ScriptMachine *machine = script_machine_check(L, 1);
    memset(look, 0, sizeof(*look));
    look->name = luaL_checkstring(L, 2);
    lua_settop(L, 3);
    look->watch = machine->screen;
    look->tolerance = read_tolerance(L, 3);
    read_reference(L, machine, look, 3);
    return machine;
}

/* Describes the difference, and draws it for whoever keeps what a failing test leaves. */
static const char *push_difference(lua_State *L, const ScreenLook *look) {
    char text[200];
    const DisplaySurface *screen = &look->watch->surface;
    screen_difference_describe(&look->difference, screen, &look->memory->reference, text,
                               sizeof(text));
    if (look->alike)
        display_surface_free(&look->watch->difference);
    else
        screen_draw_difference(screen, &look->memory->reference, &look->tolerance,
                               &look->watch->difference);
    return lua_pushstring(L, text);
}

/* m:wait_screen(file [, {masks=, mask=, area=, tolerance=, different=, timeout=}]) -> pixels that
 * differ */
static int wait_screen(lua_State *L) {
    ScreenLook look;
    ScriptMachine *machine = start_comparison(L, &look);
    int64_t deadline_ns = machine_guest_time_ns(machine->machine) + script_timeout_ns(L, 3);
    script_log(machine->script, machine, "wait for the screen of %s", look.name);
    WaitEnd end = machine_run_until(machine->machine, deadline_ns, SCRIPT_SCREEN_POLL_NS,
                                    screen_is_alike, &look);
    const char *difference = push_difference(L, &look);
    if (end != WAIT_MET) {
        const char *what = lua_pushfstring(L, "the screen of %s (%s)", look.name, difference);
        script_wait_fail(L, machine, end, what);
    }
    lua_pushinteger(L, (lua_Integer)look.difference.different);
    return 1;
}

/* m:screen_matches(file [, {masks=, mask=, area=, tolerance=, different=}]) -> whether it does, and
 * the difference in words */
static int screen_matches(lua_State *L) {
    ScreenLook look;
    start_comparison(L, &look);
    lua_pushboolean(L, screen_is_alike(&look));
    push_difference(L, &look);
    return 2;
}

/* ---- Change ---- */

/* Characters count on a text screen, not the cursor that blinks on it. */
static void take_screen(ScreenWatch *watch, const Masks *masks, ScreenMemory *memory) {
    forget_screen(memory);
    memory->is_text = board_get_text(&watch->machine->board, &memory->text);
    if (memory->is_text)
        return;
    screen_reference_take(&memory->reference, screen_watch_look(watch));
    apply_masks(masks, &memory->reference);
}

typedef struct ChangeLook {
    ScreenWatch *watch;
    ScreenMemory *memory;
    Masks masks;
    ScreenTolerance tolerance;
    uint64_t number; /* of the picture that was compared */
    int64_t since_ns, still_ns;
} ChangeLook;

static bool is_as_before(ChangeLook *look) {
    ByteBuffer text = {.data = NULL};
    ScreenDifference difference;
    const ScreenMemory *memory = look->memory;
    bool is_text = board_get_text(&look->watch->machine->board, &text);
    bool same = is_text == memory->is_text;
    if (same && is_text) {
        same = text.size == memory->text.size &&
               (text.size == 0 || memcmp(text.data, memory->text.data, text.size) == 0);
    } else if (same) {
        const DisplaySurface *screen = screen_watch_look(look->watch);
        same = look->number == look->watch->number ||
               screen_compare(screen, &memory->reference, &look->tolerance, &difference);
        look->number = look->watch->number;
    }
    byte_buffer_free(&text);
    return same;
}

static bool screen_has_changed(void *opaque) {
    return !is_as_before(opaque);
}

static bool screen_is_still(void *opaque) {
    ChangeLook *look = opaque;
    int64_t now_ns = machine_guest_time_ns(look->watch->machine);
    if (!is_as_before(look)) {
        take_screen(look->watch, &look->masks, look->memory);
        look->number = look->watch->number;
        look->since_ns = now_ns;
    }
    return now_ns - look->since_ns >= look->still_ns;
}

static void wait_change_or_still(lua_State *L, int options, int64_t still_ns, const char *what,
                                 bool (*met)(void *opaque)) {
    ScriptMachine *machine = script_machine_check(L, 1);
    ChangeLook look = {.watch = machine->screen, .still_ns = still_ns};
    look.tolerance = read_tolerance(L, options);
    read_masks(L, options, &look.masks);
    look.memory = new_memory(L);
    take_screen(look.watch, &look.masks, look.memory);
    look.number = look.watch->number;
    look.since_ns = machine_guest_time_ns(machine->machine);
    ScriptWait wait = {what, met, &look, SCRIPT_SCREEN_POLL_NS, script_timeout_ns(L, options)};
    script_wait_for(L, machine, &wait);
}

/* m:wait_change([{masks=, area=, tolerance=, different=, timeout=}]): until the screen shows
 * something else than now. */
static int wait_change(lua_State *L) {
    lua_settop(L, 2);
    wait_change_or_still(L, 2, 0, "the screen to change", screen_has_changed);
    return 0;
}

/* m:wait_still(seconds [, {...}]): until the screen has not changed for so long. */
static int wait_still(lua_State *L) {
    int64_t still_ns = script_seconds_to_ns(L, luaL_checknumber(L, 2));
    lua_settop(L, 3);
    const char *what = lua_pushfstring(L, "the screen to stand still for %f s", lua_tonumber(L, 2));
    wait_change_or_still(L, 3, still_ns, what, screen_is_still);
    return 0;
}

/* ---- Pixels ---- */

typedef struct WantedPixel {
    uint32_t x, y, colour;
} WantedPixel;

typedef struct PixelLook {
    ScreenWatch *watch;
    const WantedPixel *pixels, *missing; /* missing: the first that is not there */
    size_t count;
    unsigned tolerance;
} PixelLook;

static bool get_pixel(const DisplaySurface *screen, uint32_t x, uint32_t y, uint32_t *colour) {
    if (x >= screen->width || y >= screen->height)
        return false;
    *colour = display_surface_line(screen, y)[x] & COLOUR_MASK;
    return true;
}

static bool pixels_are_there(void *opaque) {
    PixelLook *look = opaque;
    const DisplaySurface *screen = screen_watch_look(look->watch);
    for (size_t i = 0; i < look->count; i++) {
        uint32_t colour;
        const WantedPixel *pixel = &look->pixels[i];
        look->missing = pixel;
        if (!get_pixel(screen, pixel->x, pixel->y, &colour) ||
            screen_pixel_difference(colour, pixel->colour) > look->tolerance)
            return false;
    }
    look->missing = NULL;
    return true;
}

static void read_pixels(lua_State *L, int list, PixelLook *look) {
    luaL_checktype(L, list, LUA_TTABLE);
    look->count = lua_rawlen(L, list);
    WantedPixel *pixels = lua_newuserdatauv(L, (look->count + 1) * sizeof(*pixels), 0);
    for (size_t i = 0; i < look->count; i++) {
        if (lua_geti(L, list, (lua_Integer)i + 1) != LUA_TTABLE)
            script_fail(L, KIND_USAGE, "a list of pixels is {{x, y, 0xRRGGBB}, ...}");
        int item = lua_gettop(L);
        pixels[i].x = check_coordinate(L, field_or_item(L, item, "x", 1));
        pixels[i].y = check_coordinate(L, field_or_item(L, item, "y", 2));
        double colour = field_or_item(L, item, "colour", 3);
        if (!(colour >= 0 && colour <= COLOUR_MASK))
            script_fail(L, KIND_USAGE, "a colour is a number 0xRRGGBB");
        pixels[i].colour = (uint32_t)colour;
        lua_settop(L, item - 1);
    }
    look->pixels = pixels;
}

/* m:wait_pixels({{x, y, 0xRRGGBB}, ...} [, {tolerance=, timeout=}]) */
static int wait_pixels(lua_State *L) {
    ScriptMachine *machine = script_machine_check(L, 1);
    lua_settop(L, 3);
    PixelLook look = {.watch = machine->screen, .tolerance = read_tolerance(L, 3).channel};
    read_pixels(L, 2, &look);
    int64_t deadline_ns = machine_guest_time_ns(machine->machine) + script_timeout_ns(L, 3);
    script_log(machine->script, machine, "wait for %zu pixels", look.count);
    WaitEnd end = machine_run_until(machine->machine, deadline_ns, SCRIPT_SCREEN_POLL_NS,
                                    pixels_are_there, &look);
    if (end == WAIT_MET)
        return 0;
    char what[100], is[30] = "outside the screen";
    uint32_t colour;
    if (get_pixel(&look.watch->surface, look.missing->x, look.missing->y, &colour))
        snprintf(is, sizeof(is), "%06X", colour);
    snprintf(what, sizeof(what), "pixel (%u, %u) to be %06X (it is %s)", look.missing->x,
             look.missing->y, look.missing->colour, is);
    script_wait_fail(L, machine, end, what);
}

/* m:pixel(x, y) -> 0xRRGGBB; nil outside the screen */
static int read_pixel(lua_State *L) {
    ScriptMachine *machine = script_machine_check(L, 1);
    uint32_t x = check_coordinate(L, luaL_checknumber(L, 2));
    uint32_t y = check_coordinate(L, luaL_checknumber(L, 3)), colour;
    if (get_pixel(screen_watch_look(machine->screen), x, y, &colour))
        lua_pushinteger(L, colour);
    else
        lua_pushnil(L);
    return 1;
}

/* m:pixels([x, y, width, height]) -> red, green and blue of each as bytes, line by line; of the
 * whole screen, or of as much of the rectangle as there is of it. */
static int read_rectangle(lua_State *L) {
    const DisplaySurface *screen = screen_watch_look(script_machine_check(L, 1)->screen);
    uint32_t left = check_coordinate(L, luaL_optnumber(L, 2, 0));
    uint32_t top = check_coordinate(L, luaL_optnumber(L, 3, 0));
    uint32_t right = left + check_coordinate(L, luaL_optnumber(L, 4, screen->width));
    uint32_t bottom = top + check_coordinate(L, luaL_optnumber(L, 5, screen->height));
    luaL_Buffer bytes;
    luaL_buffinit(L, &bytes);
    for (uint32_t y = top; y < bottom && y < screen->height; y++) {
        const uint32_t *line = display_surface_line(screen, y);
        for (uint32_t x = left; x < right && x < screen->width; x++) {
            luaL_addchar(&bytes, (char)(line[x] >> 16));
            luaL_addchar(&bytes, (char)(line[x] >> 8));
            luaL_addchar(&bytes, (char)line[x]);
        }
    }
    luaL_pushresult(&bytes);
    return 1;
}

/* m:screen_size() -> width, height */
static int screen_size(lua_State *L) {
    const DisplaySurface *screen = screen_watch_look(script_machine_check(L, 1)->screen);
    lua_pushinteger(L, screen->width);
    lua_pushinteger(L, screen->height);
    return 2;
}

/* m:screenshot(file): PNG, or PPM if its name ends so. */
static int take_screenshot(lua_State *L) {
    ScriptMachine *machine = script_machine_check(L, 1);
    const char *name = luaL_checkstring(L, 2);
    Error error = {.set = false};
    char *path = script_find_file(machine->script, name);
    const char *dot = strrchr(name, '.');
    const char *format = dot != NULL && strcmp(dot, ".ppm") == 0 ? "ppm" : "png";
    bool good = screenshot_write(machine->machine, path, format, &error);
    free(path);
    if (!good)
        script_fail(L, KIND_USAGE, "%s", error.message);
    return 0;
}

/* ---- Text ---- */

bool script_screen_text(ScriptMachine *machine, ByteBuffer *text) {
    return screen_watch_text(machine->screen, true, text);
}

bool script_poll_screen_text(ScriptMachine *machine, ByteBuffer *text) {
    return screen_watch_text(machine->screen, false, text);
}

static void make_watch(ScriptMachine *machine) {
    machine->screen = screen_watch_create(machine->machine);
}

static void free_watch(ScriptMachine *machine) {
    screen_watch_free(machine->screen);
    machine->screen = NULL;
}

static const luaL_Reg screen_methods[] = {
    {"pixel", read_pixel},
    {"pixels", read_rectangle},
    {"screen_matches", screen_matches},
    {"screen_size", screen_size},
    {"screenshot", take_screenshot},
    {"wait_change", wait_change},
    {"wait_pixels", wait_pixels},
    {"wait_screen", wait_screen},
    {"wait_still", wait_still},
    {NULL, NULL},
};
const ScriptPart script_screen_part = {
    .methods = screen_methods, .open = open_screen, .made = make_watch, .freed = free_watch};
