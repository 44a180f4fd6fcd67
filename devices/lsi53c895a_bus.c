/* The SCSI bus of the adapter: selection, phases and messages, with what targets do there (SPI-2,
 * chapters 10 and 11; SCSI-2, chapter 6). */
#include "lsi53c895a_internal.h"
#include "scsi_codes.h"
#include <string.h>

enum { LINE_REQUEST = 0x80, LINE_ACKNOWLEDGE = 0x40, LINE_BUSY = 0x20, LINE_ATTENTION = 0x08 };

enum {
    MESSAGE_COMPLETE = 0x00,
    MESSAGE_EXTENDED = 0x01,
    MESSAGE_ERROR = 0x05,
    MESSAGE_ABORT = 0x06,
    MESSAGE_REJECT = 0x07,
    MESSAGE_NOTHING = 0x08,
    MESSAGE_PARITY_ERROR = 0x09,
    MESSAGE_DEVICE_RESET = 0x0C,
    MESSAGE_ABORT_TAG = 0x0D,
    MESSAGE_CLEAR_QUEUE = 0x0E,
    MESSAGE_TWO_BYTES_FIRST = 0x20,
    MESSAGE_TWO_BYTES_LAST = 0x2F,
    MESSAGE_IDENTIFY = 0x80,
};
enum { EXTENDED_SYNCHRONOUS = 0x01, EXTENDED_WIDE = 0x03 };
enum { PERIOD_LEAST = 0x0A, OFFSET_MOST = 31, WIDTH_MOST = 1 }; /* Ultra2, 16 bits */

#define SELECTION_TIMEOUT_NS 250000 /* a thousandth of what real ones wait */

static ScsiTarget *target_of(const Lsi *lsi) {
    return lsi->targets[lsi->state.target];
}

static void set_phase(Lsi *lsi, unsigned phase) {
    lsi->state.phase = (uint8_t)phase;
    lsi->state.registers[LSI_SSTAT1] = (uint8_t)phase;
}

static void queue_message(Lsi *lsi, const uint8_t *bytes, size_t size) {
    LsiState *state = &lsi->state;
    if (state->message_in_position == state->message_in_size)
        state->message_in_position = state->message_in_size = 0;
    if (size > sizeof(state->message_in) - state->message_in_size)
        return; /* nobody asks for as many answers at once */
    memcpy(state->message_in + state->message_in_size, bytes, size);
    state->message_in_size = (uint8_t)(state->message_in_size + size);
}

static bool has_message(const LsiState *state) {
    return state->message_in_position < state->message_in_size;
}

bool lsi_bus_has_request(Lsi *lsi) {
    LsiState *state = &lsi->state;
    if (!state->connected || state->acknowledges)
        return false;
    if (has_message(state)) {
        set_phase(lsi, PHASE_MESSAGE_IN);
    } else if (state->attention) {
        set_phase(lsi, PHASE_MESSAGE_OUT);
    } else if (!state->begun) {
        set_phase(lsi, PHASE_COMMAND);
    } else {
        switch (scsi_target_phase(target_of(lsi))) {
        case SCSI_TO_HOST:
            set_phase(lsi, PHASE_DATA_IN);
            break;
        case SCSI_FROM_HOST:
            set_phase(lsi, PHASE_DATA_OUT);
            break;
        case SCSI_DONE:
            set_phase(lsi, PHASE_STATUS);
            break;
        case SCSI_FREE: /* as after the reset of a target that a save knows to be at work */
        case SCSI_BUSY:
            return false;
        }
    }
    return true;
}

void lsi_bus_select(Lsi *lsi, unsigned number, bool attention) {
    LsiState *state = &lsi->state;
    if (lsi->targets[number] == NULL) {
        timer_arm(&lsi->select_timer, clock_now_ns(lsi->context.clock) + SELECTION_TIMEOUT_NS);
        return;
    }
    state->connected = 1;
    state->target = (uint8_t)number;
    state->lun = 0;
    state->attention = attention;
    state->begun = state->frees = state->acknowledges = 0;
    state->command_size = state->message_out_size = 0;
    state->message_in_size = state->message_in_position = 0;
    state->registers[LSI_SCNTL1] |= SCNTL1_CONNECTED;
    state->registers[LSI_SCNTL2] |= SCNTL2_UNEXPECTED;
    state->registers[LSI_SSTAT2] &= (uint8_t)~SSTAT2_LAST_DISCONNECT;
}

void lsi_bus_disconnect(Lsi *lsi) {
    LsiState *state = &lsi->state;
    timer_cancel(&lsi->select_timer);
    if (!state->connected)
        return;
    scsi_target_cancel(target_of(lsi));
    state->connected = state->begun = state->frees = 0;
    state->acknowledges = state->attention = 0;
    state->message_in_size = state->message_in_position = 0;
    state->registers[LSI_SCNTL1] &= (uint8_t)~SCNTL1_CONNECTED;
    state->registers[LSI_SSTAT2] |= SSTAT2_LAST_DISCONNECT;
}

/* The target leaves, which SCRIPTS should have announced (SCNTL2, SDU). */
static void leave(Lsi *lsi) {
    bool unexpected = (lsi->state.registers[LSI_SCNTL2] & SCNTL2_UNEXPECTED) != 0;
    lsi_bus_disconnect(lsi);
    if (unexpected)
        lsi_scsi_interrupt(lsi, SIST0_UNEXPECTED, 0);
}

void lsi_bus_release_acknowledge(Lsi *lsi) {
    lsi->state.acknowledges = 0;
    if (lsi->state.frees)
        leave(lsi);
}

/* The command is whole when its group says so; a host that gives more at once gives zeros. */
static uint32_t move_command(Lsi *lsi, const uint8_t *data, uint32_t size) {
    LsiState *state = &lsi->state;
    uint32_t room = SCSI_COMMAND_BYTES - state->command_size, part = size < room ? size : room;
    memcpy(state->command + state->command_size, data, part);
    state->command_size = (uint8_t)(state->command_size + part);
    unsigned whole = scsi_command_bytes(state->command[0]);
    if (state->command_size < whole)
        return part;
    memset(state->command + whole, 0, SCSI_COMMAND_BYTES - whole);
    state->begun = 1;
    scsi_target_begin(target_of(lsi), state->lun, state->command);
    return part;
}

static void reject(Lsi *lsi) {
    static const uint8_t message[] = {MESSAGE_REJECT};
    queue_message(lsi, message, sizeof(message));
}

static uint8_t bounded(uint8_t value, uint8_t least, uint8_t most) {
    return value < least ? least : value > most ? most : value;
}

/* What both sides can do is what the target says. */
static void negotiate(Lsi *lsi, const uint8_t *message) {
    if (message[2] == EXTENDED_SYNCHRONOUS && message[1] == 3) {
        const uint8_t reply[] = {MESSAGE_EXTENDED, 3, EXTENDED_SYNCHRONOUS,
                                 bounded(message[3], PERIOD_LEAST, 0xFF),
                                 bounded(message[4], 0, OFFSET_MOST)};
        queue_message(lsi, reply, sizeof(reply));
    } else if (message[2] == EXTENDED_WIDE && message[1] == 2) {
        const uint8_t reply[] = {MESSAGE_EXTENDED, 2, EXTENDED_WIDE,
                                 bounded(message[3], 0, WIDTH_MOST)};
        queue_message(lsi, reply, sizeof(reply));
    } else {
        reject(lsi);
    }
}

/* A message that is whole; false: the target leaves the bus for it. */
static bool take_message(Lsi *lsi, const uint8_t *message) {
    if (message[0] >= MESSAGE_IDENTIFY) {
        lsi->state.lun = message[0] & 7;
        return true;
    }
    if (message[0] >= MESSAGE_TWO_BYTES_FIRST && message[0] <= MESSAGE_TWO_BYTES_LAST)
        return true; /* tags of a queue of one */
    switch (message[0]) {
    case MESSAGE_EXTENDED:
        negotiate(lsi, message);
        return true;
    case MESSAGE_ERROR:
    case MESSAGE_PARITY_ERROR:
    case MESSAGE_REJECT:
    case MESSAGE_NOTHING:
        return true;
    case MESSAGE_ABORT:
    case MESSAGE_ABORT_TAG:
    case MESSAGE_CLEAR_QUEUE:
        return false;
    case MESSAGE_DEVICE_RESET:
        scsi_target_reset(target_of(lsi));
        return false;
    }
    reject(lsi);
    return true;
}

static unsigned message_bytes(const uint8_t *message, unsigned given) {
    if (message[0] == MESSAGE_EXTENDED)
        return given < 2 ? 2 : 2u + message[1];
    return message[0] >= MESSAGE_TWO_BYTES_FIRST && message[0] <= MESSAGE_TWO_BYTES_LAST ? 2 : 1;
}

static uint32_t move_message_out(Lsi *lsi, const uint8_t *data, uint32_t size) {
    LsiState *state = &lsi->state;
    for (uint32_t i = 0; i < size; i++) {
        if (state->message_out_size < sizeof(state->message_out))
            state->message_out[state->message_out_size++] = data[i];
        unsigned whole = message_bytes(state->message_out, state->message_out_size);
        if (whole > sizeof(state->message_out))
            whole = sizeof(state->message_out); /* none of ours is as long: it is rejected */
        if (state->message_out_size < whole)
            continue;
        state->message_out_size = 0;
        if (!take_message(lsi, state->message_out)) {
            leave(lsi);
            return size;
        }
    }
    return size;
}

void lsi_bus_end_message_out(Lsi *lsi) {
    lsi->state.attention = 0;
    lsi->state.message_out_size = 0;
}

/* ACK stays asserted behind the last byte, so that the host can refuse the message. */
static uint32_t move_message_in(Lsi *lsi, uint8_t *data, uint32_t size) {
    LsiState *state = &lsi->state;
    uint32_t left = state->message_in_size - state->message_in_position;
    uint32_t part = size < left ? size : left;
    memcpy(data, state->message_in + state->message_in_position, part);
    bool completes = state->begun && part > 0 && data[part - 1] == MESSAGE_COMPLETE &&
                     scsi_target_phase(target_of(lsi)) == SCSI_FREE;
    state->message_in_position = (uint8_t)(state->message_in_position + part);
    state->frees = completes && !has_message(state);
    state->acknowledges = 1;
    return part;
}

static uint32_t move_status(Lsi *lsi, uint8_t *data) {
    static const uint8_t message[] = {MESSAGE_COMPLETE};
    data[0] = scsi_target_take_status(target_of(lsi));
    queue_message(lsi, message, sizeof(message));
    return 1;
}

uint32_t lsi_bus_move(Lsi *lsi, uint8_t *data, uint32_t size) {
    if (size == 0)
        return 0;
    switch (lsi->state.phase) {
    case PHASE_DATA_OUT:
    case PHASE_DATA_IN:
        return (uint32_t)scsi_target_move(target_of(lsi), data, size);
    case PHASE_COMMAND:
        return move_command(lsi, data, size);
    case PHASE_STATUS:
        return move_status(lsi, data);
    case PHASE_MESSAGE_OUT:
        return move_message_out(lsi, data, size);
    case PHASE_MESSAGE_IN:
        return move_message_in(lsi, data, size);
    }
    return 0;
}

void lsi_bus_reset(Lsi *lsi) {
    lsi_bus_disconnect(lsi);
    for (unsigned i = 0; i < LSI_TARGETS; i++)
        if (lsi->targets[i] != NULL)
            scsi_target_reset(lsi->targets[i]);
}

uint8_t lsi_bus_lines(Lsi *lsi) {
    const LsiState *state = &lsi->state;
    if (!state->connected)
        return 0;
    bool request = lsi_bus_has_request(lsi);
    return (uint8_t)(LINE_BUSY | (request ? LINE_REQUEST : 0) |
                     (state->acknowledges ? LINE_ACKNOWLEDGE : 0) |
                     (state->attention ? LINE_ATTENTION : 0) | state->phase);
}
