#include "mpu401.h"
#include "allocate.h"
#include <stdlib.h>

enum {
    STATUS_NOTHING = 0x80, /* nothing to read */
    STATUS_FREE = 0x3F,    /* bit 6 clear: it takes a byte; the others float */
    COMMAND_UART = 0x3F,
    COMMAND_VERSION = 0xAC,
    COMMAND_REVISION = 0xAD,
    COMMAND_RESET = 0xFF,
    ACKNOWLEDGE = 0xFE,
    ANSWERS = 4,
};

typedef struct Mpu401State {
    uint8_t uart;
    uint8_t answer_count;
    uint8_t answers[ANSWERS];
    uint8_t last_answer;
    uint8_t padding;
} Mpu401State;

static const Field mpu401_rows[] = {
    FIELD(Mpu401State, U8, uart),         FIELD(Mpu401State, U8, answer_count),
    FIELD_BYTES_OF(Mpu401State, answers), FIELD(Mpu401State, U8, last_answer),
    FIELD_PADDING(Mpu401State, padding),  FIELD_END,
};

static const FieldTable mpu401_fields = {"mpu401", 1, sizeof(Mpu401State), mpu401_rows};

struct Mpu401 {
    Mpu401State state;
    const VirtualClock *clock;
    Wire irq;
    MidiSink sink;
};

static void update_irq(Mpu401 *mpu) {
    wire_set(&mpu->irq, mpu->state.answer_count > 0);
}

static void answer(Mpu401 *mpu, uint8_t value) {
    if (mpu->state.answer_count < ANSWERS)
        mpu->state.answers[mpu->state.answer_count++] = value;
    update_irq(mpu);
}

static uint8_t read_answer(Mpu401 *mpu) {
    Mpu401State *state = &mpu->state;
    if (state->answer_count > 0) {
        state->last_answer = state->answers[0];
        for (unsigned i = 1; i < ANSWERS; i++)
            state->answers[i - 1] = state->answers[i];
        state->answers[ANSWERS - 1] = 0;
        state->answer_count--;
        update_irq(mpu);
    }
    return state->last_answer;
}

/* As a serial line it listens to nothing but the reset, and does not say that it did. */
static void run_command(Mpu401 *mpu, uint8_t command) {
    if (mpu->state.uart && command != COMMAND_RESET)
        return;
    bool silent = mpu->state.uart;
    mpu->state.uart = command == COMMAND_UART;
    if (command == COMMAND_RESET)
        mpu->state.answer_count = 0;
    if (!silent)
        answer(mpu, ACKNOWLEDGE);
    if (command == COMMAND_VERSION)
        answer(mpu, 0x15); /* 1.5 */
    else if (command == COMMAND_REVISION)
        answer(mpu, 0x01);
    update_irq(mpu);
}

static uint32_t mpu401_read(void *opaque, uint32_t offset, unsigned size) {
    Mpu401 *mpu = opaque;
    (void)size;
    if (offset == 0)
        return read_answer(mpu);
    return STATUS_FREE | (mpu->state.answer_count == 0 ? STATUS_NOTHING : 0);
}

static void mpu401_write(void *opaque, uint32_t offset, unsigned size, uint32_t value) {
    Mpu401 *mpu = opaque;
    (void)size;
    if (offset != 0)
        run_command(mpu, (uint8_t)value);
    else if (mpu->state.uart && mpu->sink.write != NULL)
        mpu->sink.write(mpu->sink.opaque, clock_now_ns(mpu->clock), (uint8_t)value);
}

static void mpu401_reset(void *opaque) {
    Mpu401 *mpu = opaque;
    mpu->state = (Mpu401State){.uart = 0};
    update_irq(mpu);
}

static void mpu401_restored(void *opaque) {
    Mpu401 *mpu = opaque;
    if (mpu->state.answer_count > ANSWERS)
        mpu->state.answer_count = ANSWERS;
}

static const DeviceClass mpu401_class = {"mpu401", &mpu401_fields, mpu401_reset, mpu401_restored};

Mpu401 *mpu401_create(const DeviceContext *context, uint16_t port, const Wire *irq,
                      const MidiSink *sink, Error *error) {
    Mpu401 *mpu = allocate_zeroed(sizeof *mpu);
    const PortRange range = {"mpu401", port, 2, PORT_8, mpu401_read, mpu401_write, mpu};
    if (!port_map_add(context->ports, &range, error)) {
        free(mpu);
        return NULL;
    }
    mpu->clock = context->clock;
    mpu->irq = *irq;
    mpu->sink = *sink;
    device_list_add(context->devices, &mpu401_class, "mpu401", mpu, &mpu->state);
    return mpu;
}

void mpu401_destroy(Mpu401 *mpu) {
    free(mpu);
}
