/* See machine_action.h. Numbers are little-endian. */
#include "machine_action.h"
#include "block.h"
#include "board_parts.h"
#include "i8042.h"
#include "little_endian.h"
#include "machine_parts.h"
#include "machine_record.h"
#include "mc146818.h"
#include "vmware_port.h"

#include <string.h>

typedef bool Perform(Machine *machine, const uint8_t *bytes, size_t size);

static bool perform_key(Machine *machine, const uint8_t *bytes, size_t size) {
    (void)size;
    board_key(&machine->board, (int)load_le32(bytes), load_le32(bytes + 4) != 0);
    return true;
}

static bool perform_mouse_move(Machine *machine, const uint8_t *bytes, size_t size) {
    (void)size;
    board_mouse_move(&machine->board, (int32_t)load_le32(bytes), (int32_t)load_le32(bytes + 4),
                     (int32_t)load_le32(bytes + 8));
    return true;
}

static bool perform_mouse_button(Machine *machine, const uint8_t *bytes, size_t size) {
    (void)size;
    board_mouse_buttons(&machine->board, load_le32(bytes));
    return true;
}

static bool perform_serial(Machine *machine, const uint8_t *bytes, size_t size) {
    if (bytes[0] < MACHINE_SERIAL_PORTS)
        serial_feed_add(&machine->serial_feed[bytes[0]], bytes + 1, size - 1);
    return true;
}

static bool perform_serial_taken(Machine *machine, const uint8_t *bytes, size_t size) {
    (void)size;
    uint32_t port = load_le32(bytes);
    return port < MACHINE_SERIAL_PORTS &&
           serial_feed_deliver(&machine->serial_feed[port], load_le32(bytes + 4)) > 0;
}

static bool perform_press_keys(Machine *machine, const uint8_t *bytes, size_t size) {
    int keys[16], count = 0;
    for (size_t at = 4; at + 4 <= size && count < 16; at += 4)
        keys[count++] = (int)load_le32(bytes + at);
    return key_player_press(&machine->key_player, keys, count, load_le32(bytes));
}

static bool perform_reset(Machine *machine, const uint8_t *bytes, size_t size) {
    (void)bytes;
    (void)size;
    machine_press_reset(machine);
    return true;
}

static bool perform_power_button(Machine *machine, const uint8_t *bytes, size_t size) {
    (void)bytes;
    (void)size;
    board_power_button(&machine->board);
    return true;
}

static bool perform_sleep_button(Machine *machine, const uint8_t *bytes, size_t size) {
    (void)bytes;
    (void)size;
    board_sleep_button(&machine->board);
    return true;
}

static bool perform_pass_time(Machine *machine, const uint8_t *bytes, size_t size) {
    (void)size;
    uint64_t ns = load_le64(bytes);
    mc146818_pass_time(machine->board.rtc, ns > INT64_MAX / 2 ? 0 : (int64_t)ns);
    return true;
}

static bool perform_offer_text(Machine *machine, const uint8_t *bytes, size_t size) {
    struct VmwarePort *port = machine->board.vmware_port;
    if (port == NULL)
        return false;
    vmware_port_offer(port, bytes, size);
    return true;
}

static bool perform_wake(Machine *machine, const uint8_t *bytes, size_t size) {
    (void)bytes;
    (void)size;
    if (board_is_asleep(&machine->board))
        machine->wake_requested = true;
    return true;
}

static bool perform_nmi(Machine *machine, const uint8_t *bytes, size_t size) {
    (void)bytes;
    (void)size;
    board_set_nmi(&machine->board, 1);
    board_set_nmi(&machine->board, 0);
    return true;
}

static bool perform_quiet_step(Machine *machine, const uint8_t *bytes, size_t size) {
    (void)size;
    uint32_t number = load_le32(bytes);
    if (number >= machine->processor_count)
        return false;
    CpuState *state = &machine->processor[number].cpu->state;
    if (!state->halted && state->interrupt_shadow == 0)
        state->interrupt_shadow = SHADOW_STI;
    return true;
}

static bool perform_joystick(Machine *machine, const uint8_t *bytes, size_t size) {
    (void)size;
    board_joystick(&machine->board, load_le32(bytes), (int32_t)load_le32(bytes + 4));
    return true;
}

static bool perform_mouse_absolute(Machine *machine, const uint8_t *bytes, size_t size) {
    (void)size;
    board_mouse_absolute(&machine->board, load_le32(bytes), load_le32(bytes + 4));
    return true;
}

static bool perform_hasten_keys(Machine *machine, const uint8_t *bytes, size_t size) {
    (void)bytes;
    (void)size;
    i8042_hasten(machine->board.keyboard_controller);
    return true;
}

static bool perform_triple_fault(Machine *machine, const uint8_t *bytes, size_t size) {
    (void)size;
    machine->stops_at_triple_fault = load_le32(bytes) != 0;
    return true;
}

static bool perform_write_memory(Machine *machine, const uint8_t *bytes, size_t size) {
    physical_write_bytes(machine->memory, load_le32(bytes), bytes + 4, (uint32_t)(size - 4));
    return true;
}

/* ---- Media ---- */

static BoardDrive *find_drive(Machine *machine, uint32_t number) {
    BoardDrive *drive = number < BOARD_DRIVES ? &machine->board.drive[number] : NULL;
    return drive != NULL && drive->present && (drive->is_floppy || drive->is_cd) ? drive : NULL;
}

static bool perform_eject(Machine *machine, const uint8_t *bytes, size_t size) {
    BoardDrive *drive = find_drive(machine, load_le32(bytes));
    Error error = {.set = false};
    (void)size;
    return drive != NULL && board_eject(&machine->board, drive, load_le32(bytes + 4) != 0, &error);
}

/* What the guest writes to it is forgotten. */
static bool perform_change_medium(Machine *machine, const uint8_t *bytes, size_t size) {
    BoardDrive *drive = find_drive(machine, load_le32(bytes));
    Error error = {.set = false};
    const char *format = (const char *)bytes + 12;
    const char *end = memchr(format, '\0', size - 12);
    if (drive == NULL || end == NULL || bytes[size - 1] != '\0')
        return false;
    BlockOptions options = {.path = end + 1,
                            .format = *format != '\0' ? format : NULL,
                            .node_name = drive->id,
                            .read_only = load_le32(bytes + 8) != 0,
                            .snapshot = true,
                            .auto_read_only = true};
    return board_change_medium(&machine->board, drive, &options, load_le32(bytes + 4) != 0, &error);
}

static bool perform_plug_usb(Machine *machine, const uint8_t *bytes, size_t size) {
    (void)size;
    const UsbDeviceConfig device = {.kind = (UsbDeviceKind)load_le32(bytes),
                                    .disk = load_le32(bytes + 4)};
    return board_plug_usb(&machine->board, &device, load_le32(bytes + 8));
}

static const struct {
    Perform *perform;
    size_t least; /* bytes */
} actions[ACTION_KINDS] = {
    [ACTION_KEY] = {perform_key, 8},
    [ACTION_MOUSE_MOVE] = {perform_mouse_move, 12},
    [ACTION_MOUSE_BUTTON] = {perform_mouse_button, 4},
    [ACTION_SERIAL] = {perform_serial, 1},
    [ACTION_SERIAL_TAKEN] = {perform_serial_taken, 8},
    [ACTION_PRESS_KEYS] = {perform_press_keys, 4},
    [ACTION_RESET] = {perform_reset, 0},
    [ACTION_POWER_BUTTON] = {perform_power_button, 0},
    [ACTION_WAKE] = {perform_wake, 0},
    [ACTION_NMI] = {perform_nmi, 0},
    [ACTION_QUIET_STEP] = {perform_quiet_step, 4},
    [ACTION_JOYSTICK] = {perform_joystick, 8},
    [ACTION_MOUSE_ABSOLUTE] = {perform_mouse_absolute, 8},
    [ACTION_HASTEN_KEYS] = {perform_hasten_keys, 0},
    [ACTION_TRIPLE_FAULT] = {perform_triple_fault, 4},
    [ACTION_WRITE_MEMORY] = {perform_write_memory, 4},
    [ACTION_EJECT] = {perform_eject, 8},
    [ACTION_CHANGE_MEDIUM] = {perform_change_medium, 14},
    [ACTION_PLUG_USB] = {perform_plug_usb, 12},
    [ACTION_SLEEP_BUTTON] = {perform_sleep_button, 0},
    [ACTION_PASS_TIME] = {perform_pass_time, 8},
    [ACTION_OFFER_TEXT] = {perform_offer_text, 0},
};

bool machine_action_perform(Machine *machine, uint8_t kind, const uint8_t *bytes, size_t size) {
    return kind < ACTION_KINDS && size >= actions[kind].least &&
           actions[kind].perform(machine, bytes, size);
}

bool machine_act(Machine *machine, MachineActionKind kind, const void *bytes, size_t size) {
    if (machine_is_replaying(machine))
        return false; /* the past is as it was */
    recorder_note_action(machine, kind, bytes, size);
    return machine_action_perform(machine, (uint8_t)kind, bytes, size);
}

bool machine_act_numbers(Machine *machine, MachineActionKind kind, const uint32_t *numbers,
                         size_t count) {
    uint8_t bytes[ACTION_BYTES];
    if (count > sizeof(bytes) / 4)
        return false;
    for (size_t i = 0; i < count; i++)
        store_le32(bytes + 4 * i, numbers[i]);
    return machine_act(machine, kind, bytes, 4 * count);
}

static bool refuse_in_past(const Machine *machine, Error *error) {
    return !machine_is_replaying(machine) ||
           error_set(error, "the machine replays what was: media stay as they were");
}

bool machine_eject(Machine *machine, BoardDrive *drive, bool force, Error *error) {
    uint8_t bytes[8];
    if (!refuse_in_past(machine, error))
        return false;
    store_le32(bytes, (uint32_t)(drive - machine->board.drive));
    store_le32(bytes + 4, force);
    recorder_note_action(machine, ACTION_EJECT, bytes, sizeof(bytes));
    return board_eject(&machine->board, drive, force, error);
}

bool machine_change_medium(Machine *machine, BoardDrive *drive, const BlockOptions *options,
                           bool force, Error *error) {
    ByteBuffer bytes = {.data = NULL};
    const char *format = options->format != NULL ? options->format : "";
    if (!refuse_in_past(machine, error))
        return false;
    byte_buffer_append_le(&bytes, (uint32_t)(drive - machine->board.drive), 4);
    byte_buffer_append_le(&bytes, force, 4);
    byte_buffer_append_le(&bytes, options->read_only, 4);
    byte_buffer_append(&bytes, format, strlen(format) + 1);
    byte_buffer_append(&bytes, options->path, strlen(options->path) + 1);
    if (options->snapshot || options->read_only || drive->is_cd)
        recorder_note_action(machine, ACTION_CHANGE_MEDIUM, bytes.data, bytes.size);
    else
        machine_changed_otherwise(machine, "a medium that is written to");
    byte_buffer_free(&bytes);
    return board_change_medium(&machine->board, drive, options, force, error);
}

void machine_deliver_serial(Machine *machine) {
    if (machine_is_replaying(machine))
        return;
    for (uint32_t port = 0; port < MACHINE_SERIAL_PORTS; port++) {
        SerialFeed *feed = &machine->serial_feed[port];
        uint32_t taken = feed->count == 0 ? 0 : serial_feed_deliver(feed, UINT32_MAX);
        if (taken == 0)
            continue;
        uint8_t bytes[8];
        store_le32(bytes, port);
        store_le32(bytes + 4, taken);
        recorder_note_action(machine, ACTION_SERIAL_TAKEN, bytes, sizeof(bytes));
    }
}

void machine_changed_otherwise(Machine *machine, const char *what) {
    recorder_break(machine, what);
}
