/* What the Lua functions about screens share. */
#ifndef REPRISE_SCRIPT_SCREEN_H
#define REPRISE_SCRIPT_SCREEN_H

#include "screen_watch.h"
#include "script.h"

/* Waits look at the screen so often: a frame of the adapter takes no less. */
#define SCRIPT_SCREEN_POLL_NS (10 * 1000000LL)
/* Reading text from a picture costs. */
#define SCRIPT_FONT_POLL_NS (50 * 1000000LL)

/* Reads a rectangle at 'index': {x, y, width, height}, or with these (or w, h) as names. */
void script_read_rectangle(lua_State *L, int index, ScreenRectangle *rectangle);
/* The same of fields of a table of options, all of the screen where one is missing; false: none is
 * there. */
bool script_option_rectangle(lua_State *L, int options, ScreenRectangle *rectangle);

/* The text on the screen for a wait that looks again and again: false also where it is not read at
 * this time, since the picture changes all the time and reading costs. */
bool script_poll_screen_text(ScriptMachine *machine, ByteBuffer *text);

/* m:wait_text() where its options at 3 name a font: waits, and leaves the text on the stack. False:
 * they name none. */
bool script_wait_text_in_font(lua_State *L);

/* The font at 'index', NULL if that is none; and a font of Lua that is a copy of one. */
const ScreenFont *script_font_at(lua_State *L, int index);
void script_push_font_copy(lua_State *L, const ScreenFont *font);

extern const ScriptPart script_screen_part, script_font_part, script_video_part;

#endif
