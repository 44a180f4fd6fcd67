#include "i8042.h"
#include "allocate.h"
#include <stdlib.h>
#include <string.h>

enum { KEYBOARD = I8042_KEYBOARD, AUXILIARY = I8042_AUXILIARY, PORTS };

enum {
    STATUS_OUTPUT_FULL = 0x01,
    STATUS_SYSTEM = 0x04,
    STATUS_COMMAND = 0x08,  /* the last write went to port 64h */
    STATUS_UNLOCKED = 0x10, /* the key lock of the case */
    STATUS_AUXILIARY = 0x20,
    STATUS_TIMEOUT = 0x40,
};

/* The command byte, byte 0 of the controller's RAM. */
enum {
    MODE_INTERRUPT_1 = 0x01,
    MODE_INTERRUPT_12 = 0x02,
    MODE_SYSTEM = 0x04,
    MODE_DISABLE_KEYBOARD = 0x10,
    MODE_DISABLE_AUXILIARY = 0x20,
    MODE_TRANSLATE = 0x40,
};

enum {
    OUTPUT_PORT_NO_RESET = 0x01,
    OUTPUT_PORT_A20 = 0x02,
    OUTPUT_PORT_INTERRUPT_1 = 0x10,
    OUTPUT_PORT_INTERRUPT_12 = 0x20,
    OUTPUT_PORT_LINES = 0xC0,
};

#define INPUT_PORT 0xB0 /* keyboard not locked, no manufacturing jumper, 512 KB on the board */
#define RAM_BYTES 32
#define CODE_BREAK 0xF0
/* A byte is 11 bits at 10 to 16.7 kHz. */
#define BYTE_TIME_NS 1000000LL

/* Where the byte in the output buffer came from. */
enum { FROM_KEYBOARD, FROM_AUXILIARY, FROM_CONTROLLER };

typedef struct I8042State {
    int64_t byte_due_ns; /* a device's byte has come over the cable */
    uint8_t ram[RAM_BYTES];
    uint8_t output, output_full, output_source;
    uint8_t held, held_full,
        held_source; /* a device's byte that had to make room for the controller's */
    uint8_t command; /* that waits for its parameter at port 60h; 0: none */
    uint8_t last_was_command;
    uint8_t timeout;
    uint8_t break_follows; /* translation: F0h was swallowed */
    uint8_t last_port;     /* that was served: they take turns */
    uint8_t padding[5];
} I8042State;

static const Field i8042_state_fields[] = {
    FIELD(I8042State, U64, byte_due_ns),
    FIELD_BYTES_OF(I8042State, ram),
    FIELD(I8042State, U8, output),
    FIELD(I8042State, U8, output_full),
    FIELD(I8042State, U8, output_source),
    FIELD(I8042State, U8, held),
    FIELD(I8042State, U8, held_full),
    FIELD(I8042State, U8, held_source),
    FIELD(I8042State, U8, command),
    FIELD(I8042State, U8, last_was_command),
    FIELD(I8042State, U8, timeout),
    FIELD(I8042State, U8, break_follows),
    FIELD(I8042State, U8, last_port),
    FIELD_PADDING(I8042State, padding),
    FIELD_END,
};

static const FieldTable i8042_fields = {"i8042", 1, sizeof(I8042State), i8042_state_fields};

struct I8042 {
    I8042State state;
    const VirtualClock *clock;
    PhysicalMap *memory;
    I8042Wires wires;
    Ps2Port ports[PORTS];
    Timer byte;
};

/* Scan code set 2 to set 1, as the controller has it in its ROM. */
// clang-format off
static const uint8_t translation[128] = {
    /*        0     1     2     3     4     5     6     7     8     9     A     B     C     D     E     F */
    /* 0 */ 0xFF, 0x43, 0x41, 0x3F, 0x3D, 0x3B, 0x3C, 0x58, 0x64, 0x44, 0x42, 0x40, 0x3E, 0x0F, 0x29, 0x59,
    /* 1 */ 0x65, 0x38, 0x2A, 0x70, 0x1D, 0x10, 0x02, 0x5A, 0x66, 0x71, 0x2C, 0x1F, 0x1E, 0x11, 0x03, 0x5B,
    /* 2 */ 0x67, 0x2E, 0x2D, 0x20, 0x12, 0x05, 0x04, 0x5C, 0x68, 0x39, 0x2F, 0x21, 0x14, 0x13, 0x06, 0x5D,
    /* 3 */ 0x69, 0x31, 0x30, 0x23, 0x22, 0x15, 0x07, 0x5E, 0x6A, 0x72, 0x32, 0x24, 0x16, 0x08, 0x09, 0x5F,
    /* 4 */ 0x6B, 0x33, 0x25, 0x17, 0x18, 0x0B, 0x0A, 0x60, 0x6C, 0x34, 0x35, 0x26, 0x27, 0x19, 0x0C, 0x61,
    /* 5 */ 0x6D, 0x73, 0x28, 0x74, 0x1A, 0x0D, 0x62, 0x6E, 0x3A, 0x36, 0x1C, 0x1B, 0x75, 0x2B, 0x63, 0x76,
    /* 6 */ 0x55, 0x56, 0x77, 0x78, 0x79, 0x7A, 0x0E, 0x7B, 0x7C, 0x4F, 0x7D, 0x4B, 0x47, 0x7E, 0x7F, 0x6F,
    /* 7 */ 0x52, 0x53, 0x50, 0x4C, 0x4D, 0x48, 0x01, 0x45, 0x57, 0x4E, 0x51, 0x4A, 0x37, 0x49, 0x46, 0x54,
};
// clang-format on

static uint8_t translate(uint8_t code) {
    if (code < 0x80)
        return translation[code];
    return code == 0x83 ? 0x41 : code == 0x84 ? 0x54 : code;
}

/* --- the output buffer -------------------------------------------------------------------------
 */

static void controller_drive_interrupts(I8042 *controller) {
    const I8042State *state = &controller->state;
    bool auxiliary = state->output_source == FROM_AUXILIARY;
    uint8_t mode = state->ram[0];
    wire_set(&controller->wires.irq1,
             state->output_full && !auxiliary && (mode & MODE_INTERRUPT_1));
    wire_set(&controller->wires.irq12,
             state->output_full && auxiliary && (mode & MODE_INTERRUPT_12));
}

static bool port_may_send(const I8042 *controller, int index) {
    const Ps2Port *port = &controller->ports[index];
    uint8_t disabled = index == KEYBOARD ? MODE_DISABLE_KEYBOARD : MODE_DISABLE_AUXILIARY;
    return port->device != NULL && !(controller->state.ram[0] & disabled) &&
           port->is_waiting(port->device);
}

/* Lets a device begin to send, when there is room for its byte and none is on its way. */
static void controller_poll(I8042 *controller) {
    if (controller->state.output_full || timer_is_armed(&controller->byte))
        return;
    if (port_may_send(controller, KEYBOARD) || port_may_send(controller, AUXILIARY))
        timer_arm(&controller->byte, clock_now_ns(controller->clock) + BYTE_TIME_NS);
}

static void controller_put(I8042 *controller, uint8_t byte, uint8_t source) {
    I8042State *state = &controller->state;
    state->output = byte;
    state->output_full = 1;
    state->output_source = source;
    controller_drive_interrupts(controller);
}

/* An answer of the controller itself. It does not lose the device's byte that software has not read
 * yet: that comes after it. */
static void controller_answer(I8042 *controller, uint8_t byte) {
    I8042State *state = &controller->state;
    if (state->output_full && state->output_source != FROM_CONTROLLER) {
        state->held = state->output;
        state->held_source = state->output_source;
        state->held_full = 1;
    }
    controller_put(controller, byte, FROM_CONTROLLER);
}

static void controller_take_keyboard(I8042 *controller) {
    I8042State *state = &controller->state;
    uint8_t byte = controller->ports[KEYBOARD].take(controller->ports[KEYBOARD].device);
    if (!(state->ram[0] & MODE_TRANSLATE)) {
        state->break_follows = 0;
    } else if (byte == CODE_BREAK) {
        state->break_follows = 1;
        return;
    } else {
        byte = translate(byte);
        if (state->break_follows)
            byte |= 0x80;
        state->break_follows = 0;
    }
    controller_put(controller, byte, FROM_KEYBOARD);
}

static void controller_byte_due(void *opaque) {
    I8042 *controller = opaque;
    I8042State *state = &controller->state;
    bool keyboard = port_may_send(controller, KEYBOARD);
    bool auxiliary = port_may_send(controller, AUXILIARY);
    if (state->output_full || (!keyboard && !auxiliary))
        return;
    if (keyboard && auxiliary)
        state->last_port ^= 1;
    else
        state->last_port = keyboard ? KEYBOARD : AUXILIARY;
    const Ps2Port *port = &controller->ports[AUXILIARY];
    if (state->last_port == KEYBOARD)
        controller_take_keyboard(controller);
    else
        controller_put(controller, port->take(port->device), FROM_AUXILIARY);
    controller_poll(controller);
}

/* A device has something to send (its wire). */
static void controller_waiting(void *controller, int line, int level) {
    (void)line;
    if (level)
        controller_poll(controller);
}

/* --- commands at port 64h ----------------------------------------------------------------------
 */

/* What the pins of the output port show. */
static uint8_t controller_output_port(const I8042 *controller) {
    const I8042State *state = &controller->state;
    uint8_t value = OUTPUT_PORT_LINES | OUTPUT_PORT_NO_RESET;
    if (physical_map_a20(controller->memory))
        value |= OUTPUT_PORT_A20;
    if (state->output_full)
        value |= state->output_source == FROM_AUXILIARY ? OUTPUT_PORT_INTERRUPT_12
                                                        : OUTPUT_PORT_INTERRUPT_1;
    return value;
}

static void controller_write_output_port(I8042 *controller, uint8_t value) {
    wire_set(&controller->wires.a20, (value & OUTPUT_PORT_A20) != 0);
    if (!(value & OUTPUT_PORT_NO_RESET))
        wire_pulse(&controller->wires.reset);
}

static void controller_set_mode(I8042 *controller, uint8_t value) {
    controller->state.ram[0] = value;
    controller_drive_interrupts(controller);
    controller_poll(controller);
}

static void command_read_ram(I8042 *controller, uint8_t command) {
    controller_answer(controller, controller->state.ram[command & (RAM_BYTES - 1)]);
}

/* Commands whose parameter follows at port 60h. */
static void command_with_parameter(I8042 *controller, uint8_t command) {
    controller->state.command = command;
}

static void command_password(I8042 *controller, uint8_t command) {
    if (command == 0xA4)
        controller_answer(controller, 0xF1); /* none is set */
}

static void command_set_disabled(I8042 *controller, uint8_t command) {
    uint8_t bit = command <= 0xA8 ? MODE_DISABLE_AUXILIARY : MODE_DISABLE_KEYBOARD;
    bool disable = command == 0xA7 || command == 0xAD;
    uint8_t mode = controller->state.ram[0] & (uint8_t)~bit;
    controller_set_mode(controller, disable ? mode | bit : mode);
}

static void command_test_port(I8042 *controller, uint8_t command) {
    (void)command;
    controller_answer(controller, 0x00);
}

static void command_self_test(I8042 *controller, uint8_t command) {
    (void)command;
    controller->state.ram[0] |= MODE_SYSTEM;
    controller_answer(controller, 0x55);
}

static void command_read_version(I8042 *controller, uint8_t command) {
    (void)command;
    controller_answer(controller, 0x00);
}

static void command_read_input_port(I8042 *controller, uint8_t command) {
    (void)command;
    controller_answer(controller, INPUT_PORT);
}

static void command_read_output_port(I8042 *controller, uint8_t command) {
    (void)command;
    controller_answer(controller, controller_output_port(controller));
}

/* Of AT chipsets: the A20 gate without a parameter. */
static void command_a20(I8042 *controller, uint8_t command) {
    wire_set(&controller->wires.a20, command == 0xDF);
}

static void command_read_test_inputs(I8042 *controller, uint8_t command) {
    (void)command;
    controller_answer(controller, controller->state.ram[0] & MODE_DISABLE_KEYBOARD ? 0x02 : 0x03);
}

/* Bits 3 to 0 that are 0 pulse that pin of the output port low; bit 0 is the processor's reset. */
static void command_pulse(I8042 *controller, uint8_t command) {
    if (!(command & OUTPUT_PORT_NO_RESET))
        wire_pulse(&controller->wires.reset);
}

typedef struct ControllerCommand {
    uint8_t first, last;
    void (*run)(I8042 *controller, uint8_t command);
} ControllerCommand;

static const ControllerCommand commands[] = {
    {0x20, 0x3F, command_read_ram},
    {0x60, 0x7F, command_with_parameter},
    {0xA1, 0xA1, command_read_version},
    {0xA4, 0xA6, command_password}, /* test, load and enable a password: there is none */
    {0xA7, 0xA8, command_set_disabled},
    {0xA9, 0xA9, command_test_port},
    {0xAA, 0xAA, command_self_test},
    {0xAB, 0xAB, command_test_port},
    {0xAD, 0xAE, command_set_disabled},
    {0xC0, 0xC0, command_read_input_port},
    {0xD0, 0xD0, command_read_output_port},
    {0xD1, 0xD4, command_with_parameter},
    {0xDD, 0xDD, command_a20},
    {0xDF, 0xDF, command_a20},
    {0xE0, 0xE0, command_read_test_inputs},
    {0xF0, 0xFF, command_pulse},
};

static void controller_write_command(I8042 *controller, uint8_t value) {
    controller->state.last_was_command = 1;
    controller->state.command = 0;
    controller->state.timeout = 0;
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (value >= commands[i].first && value <= commands[i].last)
            commands[i].run(controller, value);
}

/* --- data at port 60h --------------------------------------------------------------------------
 */

/* Sending to a device lets its clock run again. Where nothing is plugged in, the controller tells
 * of a time-out. */
static void controller_send(I8042 *controller, int index, uint8_t value) {
    const Ps2Port *port = &controller->ports[index];
    uint8_t disabled = index == KEYBOARD ? MODE_DISABLE_KEYBOARD : MODE_DISABLE_AUXILIARY;
    controller->state.ram[0] &= (uint8_t)~disabled;
    if (port->device != NULL) {
        port->write(port->device, value);
        controller_poll(controller);
        return;
    }
    controller->state.timeout = 1;
    controller_put(controller, 0xFE, index == KEYBOARD ? FROM_KEYBOARD : FROM_AUXILIARY);
}

static void controller_write_data(I8042 *controller, uint8_t value) {
    I8042State *state = &controller->state;
    uint8_t command = state->command;
    state->command = 0;
    state->last_was_command = 0;
    state->timeout = 0;
    switch (command) {
    case 0:
        controller_send(controller, KEYBOARD, value);
        break;
    case 0x60:
        controller_set_mode(controller, value);
        break;
    case 0xD1:
        controller_write_output_port(controller, value);
        break;
    case 0xD2:
        controller_put(controller, value, FROM_KEYBOARD);
        break;
    case 0xD3:
        controller_put(controller, value, FROM_AUXILIARY);
        break;
    case 0xD4:
        controller_send(controller, AUXILIARY, value);
        break;
    default:
        state->ram[command & (RAM_BYTES - 1)] = value;
        break;
    }
}

/* The buffer keeps its last byte after it was read. */
static uint8_t controller_read_data(I8042 *controller) {
    I8042State *state = &controller->state;
    uint8_t value = state->output;
    if (!state->output_full)
        return value;
    state->output_full = 0;
    controller_drive_interrupts(controller);
    if (state->held_full) {
        state->held_full = 0;
        controller_put(controller, state->held, state->held_source);
    }
    controller_poll(controller);
    return value;
}

static uint8_t controller_status(const I8042 *controller) {
    const I8042State *state = &controller->state;
    uint8_t status = STATUS_UNLOCKED;
    if (state->output_full)
        status |=
            STATUS_OUTPUT_FULL | (state->output_source == FROM_AUXILIARY ? STATUS_AUXILIARY : 0);
    if (state->ram[0] & MODE_SYSTEM)
        status |= STATUS_SYSTEM;
    if (state->last_was_command)
        status |= STATUS_COMMAND;
    if (state->timeout)
        status |= STATUS_TIMEOUT;
    return status;
}

static uint32_t data_port_read(void *opaque, uint32_t offset, unsigned size) {
    (void)offset, (void)size;
    return controller_read_data(opaque);
}

static void data_port_write(void *opaque, uint32_t offset, unsigned size, uint32_t value) {
    (void)offset, (void)size;
    controller_write_data(opaque, (uint8_t)value);
}

static uint32_t command_port_read(void *opaque, uint32_t offset, unsigned size) {
    (void)offset, (void)size;
    return controller_status(opaque);
}

static void command_port_write(void *opaque, uint32_t offset, unsigned size, uint32_t value) {
    (void)offset, (void)size;
    controller_write_command(opaque, (uint8_t)value);
}

/* --- flow control ------------------------------------------------------------------------------
 */

bool i8042_port_is_enabled(const I8042 *controller, I8042Port port) {
    uint8_t disabled = port == I8042_KEYBOARD ? MODE_DISABLE_KEYBOARD : MODE_DISABLE_AUXILIARY;
    return !(controller->state.ram[0] & disabled);
}

bool i8042_holds_byte(const I8042 *controller, I8042Port port) {
    const I8042State *state = &controller->state;
    unsigned source = port == I8042_KEYBOARD ? FROM_KEYBOARD : FROM_AUXILIARY;
    return (state->output_full && state->output_source == source) ||
           (state->held_full && state->held_source == source);
}

bool i8042_byte_is_coming(const I8042 *controller) {
    return timer_is_armed(&controller->byte);
}

void i8042_hasten(I8042 *controller) {
    if (timer_is_armed(&controller->byte))
        timer_arm(&controller->byte, clock_now_ns(controller->clock));
}

/* --- the device --------------------------------------------------------------------------------
 */

static void i8042_reset(void *opaque) {
    I8042 *controller = opaque;
    timer_cancel(&controller->byte);
    memset(&controller->state, 0, sizeof controller->state);
    controller->state.byte_due_ns = TIMER_NEVER;
    controller->state.ram[0] = MODE_DISABLE_KEYBOARD | MODE_DISABLE_AUXILIARY;
    controller_drive_interrupts(controller);
    wire_set(&controller->wires.a20, 1);
}

static const DeviceClass i8042_class = {"i8042", &i8042_fields, i8042_reset, NULL};

I8042 *i8042_create(const DeviceContext *context, const I8042Wires *wires, Ps2Keyboard *keyboard,
                    Ps2Mouse *mouse, Error *error) {
    I8042 *controller = allocate_zeroed(sizeof *controller);
    const PortRange data = {"keyboard-data", 0x60,      1, PORT_8, data_port_read,
                            data_port_write, controller};
    const PortRange command = {"keyboard-command", 0x64,      1, PORT_8, command_port_read,
                               command_port_write, controller};
    if (!port_map_add(context->ports, &data, error) ||
        !port_map_add(context->ports, &command, error)) {
        free(controller);
        return NULL;
    }
    controller->clock = context->clock;
    controller->memory = context->memory;
    controller->wires = *wires;
    timer_init(&controller->byte, context->clock, "keyboard byte", &controller->state.byte_due_ns,
               controller_byte_due, controller);
    const Wire waiting = {controller_waiting, controller, 0};
    controller->ports[KEYBOARD] = ps2_keyboard_connect(keyboard, &waiting);
    if (mouse != NULL)
        controller->ports[AUXILIARY] = ps2_mouse_connect(mouse, &waiting);
    device_list_add(context->devices, &i8042_class, "i8042", controller, &controller->state);
    i8042_reset(controller);
    return controller;
}

void i8042_destroy(I8042 *controller) {
    free(controller);
}
