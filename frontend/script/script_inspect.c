/* Looking into a machine, and changing what is found: ports, memory, registers, time, the monitor.
 */
#include "little_endian.h"
#include "machine_action.h"
#include "machine_parts.h"
#include "machine_snapshot.h"
#include "monitor.h"
#include "script.h"
#include "script_wait.h"
#include "version.h"

#include <stdlib.h>
#include <string.h>

/* More than this in one go is a slip. */
#define READ_BYTES_MAX (256u << 20)

/* --- ports --- */

static int push_bytes(lua_State *L, const ByteBuffer *bytes) {
    lua_pushlstring(L, bytes->size > 0 ? (const char *)bytes->data : "", bytes->size);
    return 1;
}

static unsigned check_serial_port(lua_State *L, int index) {
    lua_Integer port = luaL_optinteger(L, index, 0);
    if (port < 0 || port >= MACHINE_SERIAL_PORTS)
        script_fail(L, KIND_USAGE, "serial ports are 0 to %d", MACHINE_SERIAL_PORTS - 1);
    return (unsigned)port;
}

/* m:serial([port]) -> all that the guest sent */
static int get_serial(lua_State *L) {
    ScriptMachine *machine = script_machine_check(L, 1);
    return push_bytes(L, &machine->output.serial[check_serial_port(L, 2)]);
}

/* m:parallel([port]) */
static int get_parallel(lua_State *L) {
    ScriptMachine *machine = script_machine_check(L, 1);
    lua_Integer port = luaL_optinteger(L, 2, 0);
    if (port < 0 || port >= MACHINE_PARALLEL_PORTS)
        script_fail(L, KIND_USAGE, "parallel ports are 0 to %d", MACHINE_PARALLEL_PORTS - 1);
    return push_bytes(L, &machine->output.parallel[port]);
}

/* m:debugcon() -> what was written to port E9h */
static int get_debug_console(lua_State *L) {
    return push_bytes(L, &script_machine_check(L, 1)->output.debug_console);
}

/* In pieces, as what a user sends. */
static void send_bytes(Machine *machine, unsigned port, const uint8_t *bytes, size_t size) {
    uint8_t piece[1 + INPUT_DOOR_BYTES] = {(uint8_t)port};
    for (size_t done = 0, count; done < size; done += count) {
        count = size - done < INPUT_DOOR_BYTES ? size - done : INPUT_DOOR_BYTES;
        memcpy(piece + 1, bytes + done, count);
        machine_act(machine, ACTION_SERIAL, piece, 1 + count);
    }
}

/* m:send_serial(text [, port]) */
static int send_serial(lua_State *L) {
    ScriptMachine *machine = script_machine_check(L, 1);
    size_t size;
    const char *bytes = luaL_checklstring(L, 2, &size);
    unsigned port = check_serial_port(L, 3);
    SerialFeed *feed = &machine->machine->serial_feed[port];
    if (feed->uart == NULL)
        return script_fail(L, KIND_USAGE, "this machine has no serial port %u", port);
    if (size > SERIAL_FEED_BYTES - feed->count)
        return script_fail(L, KIND_USAGE,
                           "%zu bytes are too many at once: %u more have room until the guest "
                           "reads some",
                           size, SERIAL_FEED_BYTES - feed->count);
    script_log(machine->script, machine, "send %zu bytes to serial port %u", size, port);
    send_bytes(machine->machine, port, (const uint8_t *)bytes, size);
    return 0;
}

/* --- memory --- */

static uint32_t check_address(lua_State *L, int index) {
    lua_Integer address = luaL_checkinteger(L, index);
    if (address < 0 || address > UINT32_MAX)
        script_fail(L, KIND_USAGE, "an address has 32 bits");
    return (uint32_t)address;
}

/* One access within a page: of a linear address where it is mapped now, without a fault. */
static uint32_t find_physical(lua_State *L, ScriptMachine *machine, uint32_t address, bool linear) {
    uint32_t physical = address;
    if (linear && !tlb_probe(&machine->machine->cpu->tlb, address, &physical))
        script_fail(L, KIND_FAIL, "linear address %08X is not mapped", address);
    return physical;
}

static size_t left_in_page(uint32_t address, size_t size) {
    size_t left = PAGE_SIZE - address % PAGE_SIZE;
    return size < left ? size : left;
}

static void read_memory(lua_State *L, ScriptMachine *machine, uint32_t address, bool linear,
                        uint8_t *bytes, size_t size) {
    while (size > 0) {
        size_t part = left_in_page(address, size);
        physical_read_bytes(machine->machine->memory, find_physical(L, machine, address, linear),
                            bytes, part);
        bytes += part;
        address += (uint32_t)part;
        size -= part;
    }
}

static void check_range(lua_State *L, uint32_t address, uint64_t size) {
    if (size > READ_BYTES_MAX || address + size > (uint64_t)UINT32_MAX + 1)
        script_fail(L, KIND_USAGE, "%llu bytes from %08Xh on are too many",
                    (unsigned long long)size, address);
}

/* m:read(address, size [, {linear=true}]) -> bytes */
static int read_bytes(lua_State *L) {
    ScriptMachine *machine = script_machine_check(L, 1);
    uint32_t address = check_address(L, 2);
    lua_Integer size = luaL_checkinteger(L, 3);
    luaL_argcheck(L, size >= 0, 3, "a number of bytes is wanted");
    check_range(L, address, (uint64_t)size);
    bool linear = script_option_flag(L, 4, "linear", false);
    luaL_Buffer buffer;
    uint8_t *bytes = (uint8_t *)luaL_buffinitsize(L, &buffer, (size_t)size);
    read_memory(L, machine, address, linear, bytes, (size_t)size);
    luaL_pushresultsize(&buffer, (size_t)size);
    return 1;
}

static int read_number(lua_State *L, unsigned size) {
    ScriptMachine *machine = script_machine_check(L, 1);
    uint32_t address = check_address(L, 2);
    uint8_t bytes[4] = {0};
    check_range(L, address, size);
    read_memory(L, machine, address, script_option_flag(L, 3, "linear", false), bytes, size);
    lua_pushinteger(L, bytes[0] | bytes[1] << 8 | bytes[2] << 16 | (lua_Integer)bytes[3] << 24);
    return 1;
}

/* m:read_u8(address [, {linear=true}]), and u16 and u32, the lowest byte first */
static int read_u8(lua_State *L) {
    return read_number(L, 1);
}
static int read_u16(lua_State *L) {
    return read_number(L, 2);
}
static int read_u32(lua_State *L) {
    return read_number(L, 4);
}

/* Within a page. */
static void write_memory(Machine *machine, uint32_t address, const char *bytes, size_t size) {
    uint8_t action[4 + 4096];
    store_le32(action, address);
    memcpy(action + 4, bytes, size);
    machine_act(machine, ACTION_WRITE_MEMORY, action, 4 + size);
}

/* m:write(address, bytes [, {linear=true}]) */
static int write_bytes(lua_State *L) {
    ScriptMachine *machine = script_machine_check(L, 1);
    uint32_t address = check_address(L, 2);
    size_t size;
    const char *bytes = luaL_checklstring(L, 3, &size);
    bool linear = script_option_flag(L, 4, "linear", false);
    check_range(L, address, size);
    script_log(machine->script, machine, "write %zu bytes at %08X", size, address);
    while (size > 0) {
        size_t part = left_in_page(address, size);
        write_memory(machine->machine, find_physical(L, machine, address, linear), bytes, part);
        bytes += part;
        address += (uint32_t)part;
        size -= part;
    }
    return 0;
}

/* --- the processor --- */

static void set_number(lua_State *L, const char *name, uint64_t value) {
    lua_pushinteger(L, (lua_Integer)value);
    lua_setfield(L, -2, name);
}

/* m:registers() -> {eax=, ..., eip=, eflags=, cs=, ..., cr0=, ..., cpl=, halted=} */
static int get_registers(lua_State *L) {
    static const char *const general[8] = {"eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi"};
    static const char *const segments[SEG_ALL] = {"es", "cs", "ss", "ds", "fs", "gs", "ldtr", "tr"};
    const Cpu *cpu = script_machine_check(L, 1)->machine->cpu;
    const CpuState *state = &cpu->state;
    lua_newtable(L);
    for (int i = 0; i < 8; i++)
        set_number(L, general[i], (uint32_t)state->gpr[i]);
    for (int i = 0; i < SEG_ALL; i++)
        set_number(L, segments[i], state->segment[i].selector);
    set_number(L, "cs_base", state->segment[SEG_CS].base);
    set_number(L, "ss_base", state->segment[SEG_SS].base);
    set_number(L, "eip", state->eip);
    set_number(L, "eflags", cpu_get_eflags(cpu));
    set_number(L, "cr0", state->cr0);
    set_number(L, "cr2", state->cr2);
    set_number(L, "cr3", state->cr3);
    set_number(L, "cr4", state->cr4);
    set_number(L, "cpl", state->cpl);
    lua_pushboolean(L, state->halted != 0);
    lua_setfield(L, -2, "halted");
    return 1;
}

/* m:time() -> guest seconds since the machine was made */
static int get_time(lua_State *L) {
    ScriptMachine *machine = script_machine_check(L, 1);
    lua_pushnumber(L, (double)machine_guest_time_ns(machine->machine) / 1e9);
    return 1;
}

/* m:instructions() -> how many the guest completed */
static int get_instructions(lua_State *L) {
    lua_pushinteger(L,
                    (lua_Integer)machine_count_instructions(script_machine_check(L, 1)->machine));
    return 1;
}

/* m:hash() -> of the whole state: 16 hexadecimal digits */
static int get_hash(lua_State *L) {
    char text[17];
    snprintf(text, sizeof(text), "%016llx",
             (unsigned long long)machine_state_hash(script_machine_check(L, 1)->machine));
    lua_pushstring(L, text);
    return 1;
}

/* --- the monitor --- */

/* There is no program to end: the machine is switched off. */
static void quit_machine(void *opaque) {
    ScriptMachine *machine = opaque;
    machine_power_off(machine->machine);
}

/* m:monitor(line) -> what the monitor's command prints */
static int run_monitor(lua_State *L) {
    ScriptMachine *machine = script_machine_check(L, 1);
    const char *line = luaL_checkstring(L, 2);
    MonitorHost host = {.machine = machine->machine,
                        .version = REPRISE_VERSION,
                        .quit = quit_machine,
                        .quit_opaque = machine,
                        .settings = &machine->settings->settings};
    Monitor monitor;
    script_log(machine->script, machine, "monitor: %s", line);
    monitor_init(&monitor, &host, NULL);
    monitor_run_line(&monitor, line);
    push_bytes(L, &monitor.output);
    monitor_destroy(&monitor);
    return 1;
}

static const luaL_Reg inspect_methods[] = {
    {"debugcon", get_debug_console},
    {"hash", get_hash},
    {"instructions", get_instructions},
    {"monitor", run_monitor},
    {"parallel", get_parallel},
    {"read", read_bytes},
    {"read_u16", read_u16},
    {"read_u32", read_u32},
    {"read_u8", read_u8},
    {"registers", get_registers},
    {"send_serial", send_serial},
    {"serial", get_serial},
    {"time", get_time},
    {"write", write_bytes},
    {NULL, NULL},
};
const ScriptPart script_inspect_part = {.methods = inspect_methods};
