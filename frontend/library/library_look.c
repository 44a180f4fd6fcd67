/* Looking at a machine of the library: screen, memory, registers, counters, the monitor. Each look
 * is a call on the thread that runs the machine. */
#include "board.h"
#include "gdb_registers.h"
#include "library_parts.h"
#include "machine_action.h"
#include "machine_snapshot.h"
#include "monitor.h"
#include "screenshot.h"
#include "version.h"

#include <stdlib.h>
#include <string.h>

/* --- counters --- */

typedef struct NumberCall {
    Machine *machine;
    uint64_t number;
} NumberCall;

static void count_instructions(void *opaque) {
    NumberCall *call = opaque;
    call->number = machine_count_instructions(call->machine);
}

static void read_time(void *opaque) {
    NumberCall *call = opaque;
    call->number = (uint64_t)machine_guest_time_ns(call->machine);
}

static void hash_state(void *opaque) {
    NumberCall *call = opaque;
    call->number = machine_state_hash(call->machine);
}

static uint64_t ask_number(RepriseMachine *machine, void (*ask)(void *opaque)) {
    NumberCall call = {.machine = machine->machine};
    machine_call(machine->machine, ask, &call);
    return call.number;
}

uint64_t reprise_instruction_count(RepriseMachine *machine) {
    return ask_number(machine, count_instructions);
}

int64_t reprise_guest_time_ns(RepriseMachine *machine) {
    return (int64_t)ask_number(machine, read_time);
}

uint64_t reprise_state_hash(RepriseMachine *machine) {
    return ask_number(machine, hash_state);
}

/* --- screen --- */

static void render(void *opaque) {
    RepriseMachine *machine = opaque;
    board_render(&machine->machine->board, &machine->screen);
}

bool reprise_read_screen(RepriseMachine *machine, RepriseScreen *screen) {
    const DisplaySurface *surface = &machine->screen;
    machine_call(machine->machine, render, machine);
    if (surface->pixels == NULL)
        return false;
    *screen = (RepriseScreen){surface->pixels, surface->width,        surface->height,
                              surface->stride, surface->aspect_width, surface->aspect_height};
    return true;
}

typedef struct TextCall {
    Machine *machine;
    ByteBuffer text;
    bool good;
} TextCall;

static void read_text(void *opaque) {
    TextCall *call = opaque;
    call->good = board_get_text(&call->machine->board, &call->text);
}

/* Ended by a NUL; the caller frees it. */
static char *take_text(ByteBuffer *text) {
    byte_buffer_append(text, "", 1);
    return (char *)text->data;
}

char *reprise_read_text(RepriseMachine *machine) {
    TextCall call = {.machine = machine->machine};
    machine_call(machine->machine, read_text, &call);
    if (call.good)
        return take_text(&call.text);
    byte_buffer_free(&call.text);
    return NULL;
}

bool reprise_save_screen(RepriseMachine *machine, const char *path, RepriseError *error) {
    Error inner = {.set = false};
    screenshot_write(machine->machine, path, NULL, &inner);
    return library_tell(error, &inner);
}

/* --- memory --- */

typedef struct MemoryCall {
    Machine *machine;
    bool linear, write;
    uint32_t address;
    uint8_t *bytes;
    size_t size;
    bool good;
} MemoryCall;

/* The piece at 'done' up to the end of its page; false: it is not mapped. */
static bool find_piece(const MemoryCall *call, size_t done, uint32_t *physical, size_t *size) {
    uint32_t address = call->address + (uint32_t)done;
    size_t left = PAGE_SIZE - address % PAGE_SIZE;
    *size = call->size - done < left ? call->size - done : left;
    *physical = address;
    return !call->linear || tlb_probe(&call->machine->cpu->tlb, address, physical);
}

static bool all_is_mapped(const MemoryCall *call) {
    uint32_t physical;
    for (size_t done = 0, size; done < call->size; done += size) {
        if (!find_piece(call, done, &physical, &size))
            return false;
    }
    return true;
}

static void access_memory(void *opaque) {
    MemoryCall *call = opaque;
    uint32_t physical;
    if (call->write && !all_is_mapped(call))
        return;
    for (size_t done = 0, size; done < call->size; done += size) {
        if (!find_piece(call, done, &physical, &size))
            return;
        if (call->write)
            physical_write_bytes(call->machine->memory, physical, call->bytes + done, size);
        else
            physical_read_bytes(call->machine->memory, physical, call->bytes + done, size);
    }
    if (call->write)
        machine_changed_otherwise(call->machine, "memory was written by hand");
    call->good = true;
}

static bool call_memory(RepriseMachine *machine, MemoryCall *call, RepriseAddress kind) {
    call->machine = machine->machine;
    call->linear = kind == REPRISE_LINEAR;
    if (call->size > (uint64_t)UINT32_MAX + 1 - call->address)
        return false;
    machine_call(machine->machine, access_memory, call);
    return call->good;
}

bool reprise_read_memory(RepriseMachine *machine, RepriseAddress kind, uint32_t address,
                         void *bytes, size_t size) {
    MemoryCall call = {.address = address, .bytes = bytes, .size = size};
    return call_memory(machine, &call, kind);
}

bool reprise_write_memory(RepriseMachine *machine, RepriseAddress kind, uint32_t address,
                          const void *bytes, size_t size) {
    MemoryCall call = {.write = true, .address = address, .bytes = (uint8_t *)bytes, .size = size};
    return call_memory(machine, &call, kind);
}

/* --- registers --- */

typedef struct RegisterCall {
    Machine *machine;
    Cpu *cpu;
    unsigned number;
    bool write, good;
    uint8_t bytes[GDB_REGISTER_BYTES];
} RegisterCall;

static void access_register(void *opaque) {
    RegisterCall *call = opaque;
    if (!call->write) {
        gdb_get_register(call->cpu, call->number, call->bytes);
        return;
    }
    call->good = gdb_set_register(call->cpu, call->number, call->bytes);
    machine_changed_otherwise(call->machine, "a register was written by hand");
}

static bool find_register(RepriseMachine *machine, unsigned processor, const char *name,
                          RegisterCall *call) {
    call->machine = machine->machine;
    if (processor >= machine->machine->processor_count || !gdb_find_register(name, &call->number))
        return false;
    call->cpu = machine->machine->processor[processor].cpu;
    return true;
}

bool reprise_read_register(RepriseMachine *machine, unsigned processor, const char *name,
                           uint8_t bytes[16], size_t *size) {
    RegisterCall call = {.write = false};
    if (!find_register(machine, processor, name, &call))
        return false;
    machine_call(machine->machine, access_register, &call);
    memcpy(bytes, call.bytes, sizeof(call.bytes));
    if (size != NULL)
        *size = gdb_register_size(call.number);
    return true;
}

bool reprise_write_register(RepriseMachine *machine, unsigned processor, const char *name,
                            const uint8_t bytes[16]) {
    RegisterCall call = {.write = true};
    if (!find_register(machine, processor, name, &call))
        return false;
    memcpy(call.bytes, bytes, gdb_register_size(call.number));
    machine_call(machine->machine, access_register, &call);
    return call.good;
}

/* --- the monitor --- */

/* There is no program to end: the machine is switched off. */
static void quit_machine(void *opaque) {
    machine_call(opaque, machine_power_off, opaque);
}

char *reprise_command(RepriseMachine *machine, const char *line) {
    MonitorHost host = {.machine = machine->machine,
                        .version = REPRISE_VERSION,
                        .quit = quit_machine,
                        .quit_opaque = machine->machine,
                        .settings = library_settings(machine)};
    Monitor monitor;
    monitor_init(&monitor, &host, NULL);
    monitor_run_line(&monitor, line);
    ByteBuffer text = monitor.output;
    monitor.output = (ByteBuffer){.data = NULL};
    monitor_destroy(&monitor);
    return take_text(&text);
}
