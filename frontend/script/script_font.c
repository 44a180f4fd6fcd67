/* Text in graphics modes: fonts that a script learns, and reading by them. */
#include "allocate.h"
#include "character_codes.h"
#include "script_screen.h"
#include "script_wait.h"

#include <stdlib.h>
#include <string.h>

#define FONT_TYPE "reprise.font"
#define TEXT_TYPE "reprise.text"
#define ADDRESS_MAX 4294967295.0
#define COLOUR_MAX 0xFFFFFF

/* ---- Values of Lua ---- */

static int collect_font(lua_State *L) {
    ScreenFont **holder = lua_touserdata(L, 1);
    screen_font_free(*holder);
    *holder = NULL;
    return 0;
}

/* #font -> how many characters look different */
static int count_glyphs(lua_State *L) {
    ScreenFont **holder = luaL_checkudata(L, 1, FONT_TYPE);
    lua_pushinteger(L, (lua_Integer)(*holder)->count);
    return 1;
}

/* A text that was read, or the characters of a font while it is made: freed by Lua. */
static int collect_text(lua_State *L) {
    screen_text_free(lua_touserdata(L, 1));
    return 0;
}

static ScreenText *new_text(lua_State *L) {
    ScreenText *text = lua_newuserdatauv(L, sizeof(*text), 0);
    memset(text, 0, sizeof(*text));
    luaL_setmetatable(L, TEXT_TYPE);
    return text;
}

static void open_font(lua_State *L) {
    luaL_newmetatable(L, FONT_TYPE);
    lua_pushcfunction(L, collect_font);
    lua_setfield(L, -2, "__gc");
    lua_pushcfunction(L, count_glyphs);
    lua_setfield(L, -2, "__len");
    luaL_newmetatable(L, TEXT_TYPE);
    lua_pushcfunction(L, collect_text);
    lua_setfield(L, -2, "__gc");
    lua_pop(L, 2);
}

const ScreenFont *script_font_at(lua_State *L, int index) {
    ScreenFont **holder = luaL_testudata(L, index, FONT_TYPE);
    return holder != NULL ? *holder : NULL;
}

void script_push_font_copy(lua_State *L, const ScreenFont *font) {
    ScreenFont **holder = lua_newuserdatauv(L, sizeof(*holder), 0);
    *holder = screen_font_copy(font);
    luaL_setmetatable(L, FONT_TYPE);
}

/* The field 'font' of a table of options; NULL without. */
static ScreenFont *option_font(lua_State *L, int options) {
    if (!lua_istable(L, options))
        return NULL;
    ScreenFont **holder = NULL;
    if (lua_getfield(L, options, "font") != LUA_TNIL) {
        holder = luaL_testudata(L, -1, FONT_TYPE);
        if (holder == NULL)
            script_fail(L, KIND_USAGE, "'font' is what learn_font() or m:font() gave");
    }
    lua_pop(L, 1);
    return holder != NULL ? *holder : NULL;
}

/* A further font of the size that the options say, on the stack. */
static ScreenFont *new_font(lua_State *L, int options, double height) {
    Error error = {.set = false};
    bool proportional = script_option_flag(L, options, "proportional", false);
    double width = script_option_number(L, options, "width", 8);
    height = script_option_number(L, options, "height", height);
    ScreenFont **holder = lua_newuserdatauv(L, sizeof(ScreenFont *), 0);
    *holder = NULL;
    luaL_setmetatable(L, FONT_TYPE);
    bool possible = width >= 0 && width <= UINT16_MAX && height >= 0 && height <= UINT16_MAX;
    if (possible)
        *holder = proportional ? screen_font_create_proportional((uint32_t)height, &error)
                               : screen_font_create((uint32_t)width, (uint32_t)height, &error);
    if (*holder == NULL)
        script_fail(L, KIND_USAGE, "%s", possible ? error.message : "a font has no such size");
    return *holder;
}

/* ---- Learning ---- */

/* Learns from a picture what the options say, into the font that they name or a new one, which is
 * left on the stack. */
static void learn(lua_State *L, int options, const DisplaySurface *screen) {
    Error error = {.set = false};
    ScreenRectangle place;
    luaL_checktype(L, options, LUA_TTABLE);
    const char *text = script_option_string(L, options, "text", NULL);
    if (text == NULL || *text == '\0')
        script_fail(L, KIND_USAGE, "'text' says which characters are in the picture");
    ScreenFont *font = option_font(L, options);
    if (font != NULL)
        lua_getfield(L, options, "font");
    else
        font = new_font(L, options, 16);
    script_option_rectangle(L, options, &place);
    double spacing = script_option_number(L, options, "spacing", font->width);
    double colour = script_option_number(L, options, "colour", -1);
    if (!(spacing >= font->width && spacing <= UINT16_MAX))
        script_fail(L, KIND_USAGE, "'spacing' is from one character to the next");
    if (colour > COLOUR_MAX)
        script_fail(L, KIND_USAGE, "a colour is a number 0xRRGGBB");
    ScreenLesson lesson = {.text = text,
                           .x = place.x,
                           .y = place.y,
                           .spacing = (uint32_t)spacing,
                           .width = place.width,
                           .has_colour = colour >= 0,
                           .colour = colour >= 0 ? (uint32_t)colour : 0};
    if (!screen_font_learn(font, screen, &lesson, &error))
        script_fail(L, KIND_USAGE, "learn_font: %s", error.message);
}

static int collect_surface(lua_State *L) {
    display_surface_free(lua_touserdata(L, 1));
    return 0;
}

/* A surface that Lua frees. */
static DisplaySurface *new_surface(lua_State *L) {
    DisplaySurface *surface = lua_newuserdatauv(L, sizeof(*surface), 0);
    memset(surface, 0, sizeof(*surface));
    lua_newtable(L);
    lua_pushcfunction(L, collect_surface);
    lua_setfield(L, -2, "__gc");
    lua_setmetatable(L, -2);
    return surface;
}

static bool read_surface(const Script *script, const char *name, DisplaySurface *surface,
                         Error *error) {
    PngPicture picture;
    char *path = script_find_file(script, name);
    bool good = png_read(path, &picture, error);
    free(path);
    if (!good)
        return false;
    display_surface_resize(surface, picture.width, picture.height);
    for (size_t i = 0; i < (size_t)picture.width * picture.height; i++)
        surface->pixels[i] = picture.pixels[i] & 0xFFFFFF;
    png_picture_free(&picture);
    return true;
}

/* learn_font{picture=, text=, x=, y=, width=, height= or font= [, spacing=, colour=]} -> font */
static int learn_from_picture(lua_State *L) {
    Error error = {.set = false};
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    const char *name = script_option_string(L, 1, "picture", NULL);
    if (name == NULL)
        script_fail(L, KIND_USAGE, "'picture' is a PNG file");
    DisplaySurface *surface = new_surface(L);
    if (!read_surface(script_get(L), name, surface, &error))
        script_fail(L, KIND_USAGE, "%s", error.message);
    learn(L, 1, surface);
    return 1;
}

/* m:learn_font{text=, x=, y=, width=, height= or font= [, spacing=, colour=]} -> font: from the
 * screen */
static int learn_from_screen(lua_State *L) {
    ScriptMachine *machine = script_machine_check(L, 1);
    lua_settop(L, 2);
    learn(L, 2, screen_watch_look(machine->screen));
    return 1;
}

/* ---- Fonts in guest memory ---- */

/* What the glyphs are, as a value of Lua: 'characters' as UTF-8, else code page 437 from 'first'
 * on. */
static uint32_t *read_characters(lua_State *L, int options, size_t *count) {
    const char *given = script_option_string(L, options, "characters", NULL);
    size_t size = given != NULL ? strlen(given) : 0, used;
    double first = script_option_number(L, options, "first", 0);
    double wanted = script_option_number(L, options, "count", FONT_CHARACTERS);
    if (!(first >= 0 && first < FONT_CHARACTERS && wanted >= 0))
        script_fail(L, KIND_USAGE, "'first' and 'count' number characters from 0 to 255");
    size_t room = given != NULL ? size : FONT_CHARACTERS;
    uint32_t *characters = lua_newuserdatauv(L, (room + 1) * sizeof(*characters), 0);
    *count = 0;
    for (size_t at = 0; at < size; at += used)
        characters[(*count)++] = utf8_decode((const uint8_t *)given + at, size - at, &used);
    for (size_t i = (size_t)first; given == NULL && i < FONT_CHARACTERS && *count < wanted; i++)
        characters[(*count)++] = code_page_437[i];
    return characters;
}

/* m:font{address= [, width=, height=, first=, count=, characters=]} -> font: of bitmaps at that
 * physical address, a row of each in as many bytes as it needs, the highest bit leftmost */
static int font_in_memory(lua_State *L) {
    ScriptMachine *machine = script_machine_check(L, 1);
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_settop(L, 2);
    double address = script_option_number(L, 2, "address", -1);
    if (!(address >= 0 && address <= ADDRESS_MAX))
        script_fail(L, KIND_USAGE, "'address' is the font's physical address");
    size_t count;
    uint32_t *characters = read_characters(L, 2, &count);
    ScreenFont *font = new_font(L, 2, 16);
    size_t size = count * font->height * screen_font_row_bytes(font);
    uint8_t *bytes = lua_newuserdatauv(L, size + 1, 0);
    guest_memory_peek(machine->machine, (uint32_t)address, bytes, size);
    screen_font_add_bytes(font, bytes, characters, count);
    lua_pop(L, 1);
    return 1;
}

/* ---- Reading ---- */

typedef struct FontLook {
    ScreenWatch *watch;
    const ScreenFont *font;
    ScreenRectangle area;
    const char *wanted;
    uint64_t number; /* of the picture that was read */
    ScreenText *text;
    bool found;
} FontLook;

static void start_look(lua_State *L, int options, FontLook *look) {
    memset(look, 0, sizeof(*look));
    look->watch = script_machine_check(L, 1)->screen;
    look->font = option_font(L, options);
    script_option_rectangle(L, options, &look->area);
    look->text = new_text(L);
}

/* A text as the font reads it, where some characters look the same: a value of Lua. */
static const char *push_as_read(lua_State *L, const ScreenFont *font, const char *text) {
    size_t size = strlen(text);
    luaL_Buffer buffer;
    luaL_buffinit(L, &buffer);
    for (size_t at = 0, used; at < size; at += used) {
        uint8_t bytes[UTF8_BYTES_MAXIMUM];
        uint32_t character = utf8_decode((const uint8_t *)text + at, size - at, &used);
        uint32_t read_as = font != NULL ? screen_font_read_as(font, character) : character;
        if (read_as == character)
            luaL_addlstring(&buffer, text + at, used);
        else
            luaL_addlstring(&buffer, (const char *)bytes, utf8_encode(read_as, bytes));
    }
    luaL_pushresult(&buffer);
    return lua_tostring(L, -1);
}

static void read_screen(FontLook *look) {
    screen_text_free(look->text);
    if (look->font != NULL || !screen_watch_read_cells(look->watch, look->text))
        screen_watch_read(look->watch, look->font, &look->area, look->text);
    look->number = look->watch->number;
}

/* m:text_in{font=, x=, y=, w=, h=} -> the text of that part of a graphics screen */
static int text_in(lua_State *L) {
    FontLook look;
    lua_settop(L, 2);
    start_look(L, 2, &look);
    screen_watch_read(look.watch, look.font, &look.area, look.text);
    lua_pushlstring(L, look.text->utf8.size != 0 ? (const char *)look.text->utf8.data : "",
                    look.text->utf8.size);
    return 1;
}

/* m:find_text(text [, {font=, x=, y=, w=, h=}]) -> x, y, width, height on the screen; nil where it
 * is not there */
static int find_text(lua_State *L) {
    FontLook look;
    ScreenRectangle place;
    const char *wanted = luaL_checkstring(L, 2);
    lua_settop(L, 3);
    start_look(L, 3, &look);
    wanted = push_as_read(L, look.font, wanted);
    read_screen(&look);
    if (!screen_text_find(look.text, wanted, &look.area, &place)) {
        lua_pushnil(L);
        return 1;
    }
    lua_pushinteger(L, place.x);
    lua_pushinteger(L, place.y);
    lua_pushinteger(L, place.width);
    lua_pushinteger(L, place.height);
    return 4;
}

static bool text_is_there(void *opaque) {
    FontLook *look = opaque;
    ScreenRectangle place;
    screen_watch_look(look->watch);
    if (look->number == look->watch->number && look->number != 0)
        return look->found;
    read_screen(look);
    look->found = screen_text_find(look->text, look->wanted, &look->area, &place);
    return look->found;
}

bool script_wait_text_in_font(lua_State *L) {
    FontLook look;
    if (option_font(L, 3) == NULL)
        return false;
    start_look(L, 3, &look);
    const char *what = lua_pushfstring(L, "the text \"%s\" in that font", luaL_checkstring(L, 2));
    look.wanted = push_as_read(L, look.font, lua_tostring(L, 2));
    ScriptWait wait = {what, text_is_there, &look, SCRIPT_FONT_POLL_NS, script_timeout_ns(L, 3)};
    script_wait_for(L, script_machine_check(L, 1), &wait);
    lua_pushlstring(L, (const char *)look.text->utf8.data, look.text->utf8.size);
    return true;
}

static const luaL_Reg font_methods[] = {
    {"find_text", find_text},
    {"font", font_in_memory},
    {"learn_font", learn_from_screen},
    {"text_in", text_in},
    {NULL, NULL},
};
static const luaL_Reg font_globals[] = {
    {"learn_font", learn_from_picture},
    {NULL, NULL},
};
const ScriptPart script_font_part = {
    .methods = font_methods, .globals = font_globals, .open = open_font};
