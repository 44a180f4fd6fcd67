/* Keys, mouse and buttons of the case. All of it goes in while the guest runs, at guest times that
 * depend on the guest alone. */
#include "board_input.h"
#include "machine_action.h"
#include "machine_parts.h"
#include "machine_wait.h"
#include "mouse_hand.h"
#include "script.h"
#include "script_wait.h"
#include "typist.h"

#include <math.h>
#include <string.h>

#define KEY_TIMEOUT_SECONDS 30.0
#define HOLD_SECONDS 0.05 /* well below the quarter of a second after which keys repeat */
#define COUNTS_MAX 1000000

/* The movement that ends in the upper left corner wherever the pointer was. */
#define HOME_COUNTS 8192

/* Small movements are not accelerated by drivers. */
#define CAREFUL_STEP 2

static int64_t read_seconds(lua_State *L, int options, const char *name, double otherwise) {
    if (!lua_isnoneornil(L, options) && !lua_istable(L, options))
        script_fail(L, KIND_USAGE, "the options are a table, as {timeout=30}");
    return script_seconds_to_ns(L, script_option_number(L, options, name, otherwise));
}

/* --- keys --- */

/* Lets the typist finish, or raises why that could not be. */
static void run_typist(lua_State *L, ScriptMachine *machine, Typist *typist, const char *what) {
    Error error = {.set = false};
    WaitEnd end = machine_run_with(machine->machine, TYPIST_STEP_NS, typist_step, typist);
    if ((end == WAIT_ENDED || end == WAIT_HUNG) && typist_has_pressed(typist))
        return;
    if (end != WAIT_MET)
        script_wait_fail(L, machine, end, what);
    if (typist->phase == TYPIST_DONE)
        return;
    typist_explain(typist, &error);
    script_fail(L, KIND_TIMEOUT, "%s", error.message);
}

/* m:type(text [, {pause=, timeout=}]): types it on a keyboard of the machine's layout; the guest
 * has taken each key when this returns. */
static int type_text(lua_State *L) {
    ScriptMachine *machine = script_machine_check(L, 1);
    Error error = {.set = false};
    Typist typist;
    size_t size;
    const char *text = luaL_checklstring(L, 2, &size);
    int64_t timeout_ns = read_seconds(L, 3, "timeout", KEY_TIMEOUT_SECONDS);
    if (!typist_begin_text(&typist, machine->machine, text, size, timeout_ns, &error))
        return script_fail(L, KIND_USAGE, "type: %s", error.message);
    typist.pause_ns = read_seconds(L, 3, "pause", 0);
    script_log(machine->script, machine, "type %zu characters: %.40s%s", size, text,
               size > 40 ? "..." : "");
    run_typist(L, machine, &typist, "typed keys to be taken");
    return 0;
}

static void act_on_keys(lua_State *L, ScriptMachine *machine, const char *name, unsigned actions,
                        int options) {
    Error error = {.set = false};
    Typist typist;
    int keys[TYPIST_MOST_KEYS];
    unsigned count;
    int64_t hold_ns = read_seconds(L, options, "hold", HOLD_SECONDS);
    int64_t timeout_ns = read_seconds(L, options, "timeout", KEY_TIMEOUT_SECONDS);
    if (!typist_read_keys(name, keys, &count, &error))
        script_fail(L, KIND_USAGE, "%s", error.message);
    typist_begin_keys(&typist, machine->machine, keys, count, actions, hold_ns, timeout_ns);
    typist.pause_ns = read_seconds(L, options, "pause", 0);
    script_log(machine->script, machine, "key %s%s", name,
               actions == TYPIST_PRESS     ? " down"
               : actions == TYPIST_RELEASE ? " up"
                                           : "");
    run_typist(L, machine, &typist, "a key to be taken");
}

/* m:key(combination [, {hold=, pause=, timeout=}]): presses the keys together, and lets them go. */
static int press_key(lua_State *L) {
    ScriptMachine *machine = script_machine_check(L, 1);
    act_on_keys(L, machine, luaL_checkstring(L, 2), TYPIST_PRESS | TYPIST_RELEASE, 3);
    return 0;
}

/* m:keys({combination, ...} [, {hold=, pause=, timeout=}]): one after the other. */
static int press_keys(lua_State *L) {
    ScriptMachine *machine = script_machine_check(L, 1);
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_Integer count = luaL_len(L, 2);
    lua_settop(L, 3);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_geti(L, 2, i);
        act_on_keys(L, machine, luaL_checkstring(L, -1), TYPIST_PRESS | TYPIST_RELEASE, 3);
        lua_pop(L, 1);
    }
    return 0;
}

/* m:key_down(combination), m:key_up(combination) */
static int hold_key(lua_State *L) {
    act_on_keys(L, script_machine_check(L, 1), luaL_checkstring(L, 2), TYPIST_PRESS, 3);
    return 0;
}

static int release_key(lua_State *L) {
    act_on_keys(L, script_machine_check(L, 1), luaL_checkstring(L, 2), TYPIST_RELEASE, 3);
    return 0;
}

/* --- mouse --- */

static void run_hand(lua_State *L, ScriptMachine *machine, MouseHand *hand) {
    Error error = {.set = false};
    WaitEnd end = machine_run_with(machine->machine, MOUSE_HAND_STEP_NS, mouse_hand_step, hand);
    if (end != WAIT_MET)
        script_wait_fail(L, machine, end, "the mouse to be read");
    if (!hand->late)
        return;
    mouse_hand_explain(hand, &error);
    script_fail(L, KIND_TIMEOUT, "%s", error.message);
}

static uint32_t check_place(lua_State *L, int argument) {
    lua_Number place = luaL_checknumber(L, argument);
    if (!(place >= 0 && place <= MACHINE_PLACE_MOST))
        script_fail(L, KIND_USAGE, "a place on a tablet is 0 to %d", MACHINE_PLACE_MOST);
    return (uint32_t)place;
}

/* m:tablet_to(x, y): the pointer on the USB tablet, 0 to 32767 each. */
static int move_on_tablet(lua_State *L) {
    ScriptMachine *machine = script_machine_check(L, 1);
    uint32_t place[] = {check_place(L, 2), check_place(L, 3)};
    script_log(machine->script, machine, "tablet: %d, %d", (int)place[0], (int)place[1]);
    machine_act_numbers(machine->machine, ACTION_MOUSE_ABSOLUTE, place, 2);
    return 0;
}

static int32_t check_counts(lua_State *L, double counts) {
    if (!(fabs(counts) <= COUNTS_MAX))
        script_fail(L, KIND_USAGE, "a mouse moves by %d counts at most", COUNTS_MAX);
    return (int32_t)lround(counts);
}

static void move_by(lua_State *L, ScriptMachine *machine, double dx, double dy, double dz,
                    double step, int options) {
    MouseHand hand;
    if (!(step >= 1 && step <= MOUSE_LONGEST_STEP))
        script_fail(L, KIND_USAGE, "a step has 1 to %d counts", MOUSE_LONGEST_STEP);
    int64_t timeout_ns = read_seconds(L, options, "timeout", KEY_TIMEOUT_SECONDS);
    mouse_hand_begin_move(&hand, machine->machine, check_counts(L, dx), check_counts(L, dy),
                          check_counts(L, dz), (int32_t)step, timeout_ns);
    run_hand(L, machine, &hand);
}

/* m:mouse_move(dx, dy [, {wheel=, step=, timeout=}]): by counts, right and down; the wheel towards
 * the user. */
static int move_mouse(lua_State *L) {
    ScriptMachine *machine = script_machine_check(L, 1);
    double dx = luaL_checknumber(L, 2), dy = luaL_checknumber(L, 3);
    script_log(machine->script, machine, "mouse moves by %g, %g", dx, dy);
    move_by(L, machine, dx, dy, script_option_number(L, 4, "wheel", 0),
            script_option_number(L, 4, "step", MOUSE_LONGEST_STEP), 4);
    return 0;
}

/* m:mouse_home([{timeout=}]): into the upper left corner. */
static int send_mouse_home(lua_State *L) {
    ScriptMachine *machine = script_machine_check(L, 1);
    script_log(machine->script, machine, "mouse goes to the corner");
    move_by(L, machine, -HOME_COUNTS, -HOME_COUNTS, 0, MOUSE_LONGEST_STEP, 2);
    return 0;
}

/* m:mouse_to(x, y [, {step=, scale_x=, scale_y=, timeout=}]): to the corner and from there, in
 * steps so small that drivers do not accelerate them. A count is 'scale' pixels. */
static int send_mouse_to(lua_State *L) {
    ScriptMachine *machine = script_machine_check(L, 1);
    double x = luaL_checknumber(L, 2), y = luaL_checknumber(L, 3);
    double scale_x = script_option_number(L, 4, "scale_x", 1);
    double scale_y = script_option_number(L, 4, "scale_y", 1);
    if (!(scale_x > 0 && scale_y > 0))
        return script_fail(L, KIND_USAGE, "a scale is greater than 0");
    script_log(machine->script, machine, "mouse goes to %g, %g", x, y);
    move_by(L, machine, -HOME_COUNTS, -HOME_COUNTS, 0, MOUSE_LONGEST_STEP, 4);
    move_by(L, machine, x / scale_x, y / scale_y, 0,
            script_option_number(L, 4, "step", CAREFUL_STEP), 4);
    return 0;
}

static uint32_t check_button(lua_State *L, int index) {
    static const struct {
        const char *name;
        uint32_t bit;
    } buttons[] = {{"left", 1}, {"right", 2}, {"middle", 4}};
    const char *name = luaL_optstring(L, index, "left");
    for (size_t i = 0; i < sizeof(buttons) / sizeof(buttons[0]); i++)
        if (strcmp(buttons[i].name, name) == 0)
            return buttons[i].bit;
    script_fail(L, KIND_USAGE, "the buttons are left, right and middle, not '%s'", name);
}

static void set_buttons(lua_State *L, ScriptMachine *machine, uint32_t buttons, int options) {
    MouseHand hand;
    mouse_hand_begin_buttons(&hand, machine->machine, buttons,
                             read_seconds(L, options, "timeout", KEY_TIMEOUT_SECONDS));
    run_hand(L, machine, &hand);
}

static uint32_t held_buttons(const ScriptMachine *machine) {
    return board_mouse_held(&machine->machine->board);
}

/* m:mouse_down([button]), m:mouse_up([button]) */
static int hold_button(lua_State *L) {
    ScriptMachine *machine = script_machine_check(L, 1);
    uint32_t button = check_button(L, 2);
    script_log(machine->script, machine, "mouse button down");
    set_buttons(L, machine, held_buttons(machine) | button, 3);
    return 0;
}

static int release_button(lua_State *L) {
    ScriptMachine *machine = script_machine_check(L, 1);
    uint32_t button = check_button(L, 2);
    script_log(machine->script, machine, "mouse button up");
    set_buttons(L, machine, held_buttons(machine) & ~button, 3);
    return 0;
}

static void let_time_pass(lua_State *L, ScriptMachine *machine, int64_t nanoseconds) {
    int64_t deadline_ns = machine_guest_time_ns(machine->machine) + nanoseconds;
    WaitEnd end = machine_run_until(machine->machine, deadline_ns, INT64_MAX, NULL, NULL);
    if (end != WAIT_TIMED_OUT)
        script_wait_fail(L, machine, end, "a mouse button to be held");
}

/* m:mouse_click([button [, {hold=, count=, timeout=}]]) */
static int click_mouse(lua_State *L) {
    ScriptMachine *machine = script_machine_check(L, 1);
    uint32_t button = check_button(L, 2), held = held_buttons(machine) & ~button;
    int64_t hold_ns = read_seconds(L, 3, "hold", HOLD_SECONDS);
    double count = script_option_number(L, 3, "count", 1);
    script_log(machine->script, machine, "mouse clicks");
    for (int i = 0; i < count && i < 100; i++) {
        if (i > 0)
            let_time_pass(L, machine, hold_ns);
        set_buttons(L, machine, held | button, 3);
        let_time_pass(L, machine, hold_ns);
        set_buttons(L, machine, held, 3);
    }
    return 0;
}

/* --- the case --- */

/* m:power_button() */
static int press_power_button(lua_State *L) {
    ScriptMachine *machine = script_machine_check(L, 1);
    script_log(machine->script, machine, "power button");
    machine_power_down(machine->machine);
    return 0;
}

/* m:sleep_button() */
static int press_sleep_button(lua_State *L) {
    ScriptMachine *machine = script_machine_check(L, 1);
    script_log(machine->script, machine, "sleep button");
    machine_sleep_button(machine->machine);
    return 0;
}

/* m:reset(): also brings back a machine that ended. */
static int press_reset(lua_State *L) {
    ScriptMachine *machine = script_machine_check(L, 1);
    script_log(machine->script, machine, "reset button");
    machine_reset(machine->machine);
    machine_revive(machine->machine);
    return 0;
}

/* m:wake(): out of suspend to RAM. */
static int wake(lua_State *L) {
    ScriptMachine *machine = script_machine_check(L, 1);
    script_log(machine->script, machine, "wake up");
    machine_wake_up(machine->machine);
    return 0;
}

static const luaL_Reg input_methods[] = {
    {"key", press_key},
    {"key_down", hold_key},
    {"key_up", release_key},
    {"keys", press_keys},
    {"mouse_click", click_mouse},
    {"mouse_down", hold_button},
    {"mouse_home", send_mouse_home},
    {"mouse_move", move_mouse},
    {"mouse_to", send_mouse_to},
    {"mouse_up", release_button},
    {"power_button", press_power_button},
    {"sleep_button", press_sleep_button},
    {"reset", press_reset},
    {"tablet_to", move_on_tablet},
    {"type", type_text},
    {"wake", wake},
    {NULL, NULL},
};
const ScriptPart script_input_part = {.methods = input_methods};
