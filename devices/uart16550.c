#include "uart16550.h"
#include "allocate.h"
#include <stdlib.h>
#include <string.h>

enum { FIFO_SIZE = 16, INCOMING_SIZE = 64 };

/* Offsets of the registers; 0 and 1 are the divisor while LCR_DIVISOR is set. */
enum {
    REGISTER_DATA = 0,
    REGISTER_INTERRUPT_ENABLE = 1,
    REGISTER_INTERRUPT_ID = 2, /* writes: FIFO control */
    REGISTER_LINE_CONTROL = 3,
    REGISTER_MODEM_CONTROL = 4,
    REGISTER_LINE_STATUS = 5,
    REGISTER_MODEM_STATUS = 6,
    REGISTER_SCRATCH = 7,
    REGISTERS = 8,
};

enum {
    IER_RECEIVED = 0x01,
    IER_TRANSMITTER_EMPTY = 0x02,
    IER_LINE_STATUS = 0x04,
    IER_MODEM_STATUS = 0x08,
    IIR_NONE = 0x01,
    IIR_MODEM_STATUS = 0x00,
    IIR_TRANSMITTER_EMPTY = 0x02,
    IIR_RECEIVED = 0x04,
    IIR_LINE_STATUS = 0x06,
    IIR_TIMEOUT = 0x0C,
    IIR_FIFOS = 0xC0,
    FCR_ENABLE = 0x01,
    FCR_CLEAR_RECEIVER = 0x02,
    FCR_CLEAR_TRANSMITTER = 0x04,
    LCR_DATA_BITS = 0x03,
    LCR_TWO_STOPS = 0x04,
    LCR_PARITY = 0x08,
    LCR_BREAK = 0x40,
    LCR_DIVISOR = 0x80,
    MCR_OUT_2 = 0x08, /* lets the interrupt out of the card */
    MCR_LOOPBACK = 0x10,
    MCR_BITS = 0x1F,
    LSR_DATA_READY = 0x01,
    LSR_OVERRUN = 0x02,
    LSR_FRAMING = 0x08,
    LSR_BREAK = 0x10,
    LSR_ERRORS = 0x1E,
    LSR_TRANSMITTER_EMPTY = 0x20,
    LSR_ALL_SENT = 0x40,
    LSR_FIFO_ERROR = 0x80,
    MSR_LINES = 0xF0,
    MSR_DELTAS = 0x0F,
    MSR_DELTA_RING = 0x04,
};

#define CRYSTAL_HZ 1843200
#define RESET_DIVISOR 12 /* 9600 baud */
#define SEND_NS 1000     /* see transmit_time_ns() */

typedef struct UartState {
    int64_t transmit_due_ns, receive_due_ns, timeout_due_ns;
    uint16_t divisor;
    uint8_t interrupt_enable, fifo_control, line_control, modem_control, scratch;
    uint8_t overrun;
    uint8_t line_interrupt;    /* errors came since LSR was read */
    uint8_t empty_interrupt;   /* the transmitter's holding register emptied since IIR told so */
    uint8_t timeout_interrupt; /* characters wait in the FIFO */
    uint8_t modem_lines;       /* of the other end */
    uint8_t modem_status;
    uint8_t shifting, shift; /* a character is on its way out */
    uint8_t transmit_count, receive_count, incoming_count;
    uint8_t transmit[FIFO_SIZE];
    uint8_t receive[FIFO_SIZE];
    uint8_t receive_errors[FIFO_SIZE]; /* LSR bits of each character */
    uint8_t incoming[INCOMING_SIZE];   /* sent by the other end, still on the line */
    uint8_t padding[6];
} UartState;

static const Field uart_state_fields[] = {
    FIELD(UartState, U64, transmit_due_ns),
    FIELD(UartState, U64, receive_due_ns),
    FIELD(UartState, U64, timeout_due_ns),
    FIELD(UartState, U16, divisor),
    FIELD(UartState, U8, interrupt_enable),
    FIELD(UartState, U8, fifo_control),
    FIELD(UartState, U8, line_control),
    FIELD(UartState, U8, modem_control),
    FIELD(UartState, U8, scratch),
    FIELD(UartState, U8, overrun),
    FIELD(UartState, U8, line_interrupt),
    FIELD(UartState, U8, empty_interrupt),
    FIELD(UartState, U8, timeout_interrupt),
    FIELD(UartState, U8, modem_lines),
    FIELD(UartState, U8, modem_status),
    FIELD(UartState, U8, shifting),
    FIELD(UartState, U8, shift),
    FIELD(UartState, U8, transmit_count),
    FIELD(UartState, U8, receive_count),
    FIELD(UartState, U8, incoming_count),
    FIELD_BYTES_OF(UartState, transmit),
    FIELD_BYTES_OF(UartState, receive),
    FIELD_BYTES_OF(UartState, receive_errors),
    FIELD_BYTES_OF(UartState, incoming),
    FIELD_PADDING(UartState, padding),
    FIELD_END,
};

static const FieldTable uart_fields = {"uart16550", 1, sizeof(UartState), uart_state_fields};

struct Uart16550 {
    UartState state;
    const VirtualClock *clock;
    Uart16550Options options;
    Timer transmit, receive, timeout;
};

static uint8_t take_first(uint8_t *bytes, uint8_t count) {
    uint8_t first = bytes[0];
    memmove(bytes, bytes + 1, count - 1u);
    return first;
}

static bool uses_fifos(const UartState *state) {
    return (state->fifo_control & FCR_ENABLE) != 0;
}

static unsigned fifo_capacity(const UartState *state) {
    return uses_fifos(state) ? FIFO_SIZE : 1;
}

/* Start bit, data, parity, and 1, 1.5 or 2 stop bits, counted in halves. Divisor 0 counts as 65536.
 */
static int64_t character_time_ns(const UartState *state) {
    unsigned data_bits = 5 + (state->line_control & LCR_DATA_BITS);
    int64_t halves = 2 * (1 + data_bits + 1) + (state->line_control & LCR_PARITY ? 2 : 0);
    if (state->line_control & LCR_TWO_STOPS)
        halves += data_bits == 5 ? 1 : 2;
    int64_t divisor = state->divisor != 0 ? state->divisor : 0x10000;
    return clock_scale(halves * divisor * 8, NS_PER_SECOND, CRYSTAL_HZ);
}

/* A file or a terminal at the other end takes characters as fast as they come, and at 9600 baud a
 * system that logs to its serial port would wait for it with interrupts off until timer ticks are
 * lost. So only a loop back to the port itself keeps to the programmed speed. */
static int64_t transmit_time_ns(const UartState *state) {
    int64_t time = character_time_ns(state);
    return state->modem_control & MCR_LOOPBACK || time < SEND_NS ? time : SEND_NS;
}

/* A reset leaves 5 data bits. But kernels that speak before they have set up anything (Xen) count
 * on a BIOS that did, and this machine's does not: a line that nobody set up has 8. */
static uint8_t data_mask(const UartState *state) {
    if (state->line_control == 0 && state->divisor == RESET_DIVISOR)
        return 0xFF;
    return (uint8_t)(0xFF >> (3 - (state->line_control & LCR_DATA_BITS)));
}

/* --- interrupts --------------------------------------------------------------------------------
 */

static bool trigger_reached(const UartState *state) {
    static const uint8_t levels[] = {1, 4, 8, 14};
    unsigned level = uses_fifos(state) ? levels[state->fifo_control >> 6] : 1;
    return state->receive_count >= level;
}

/* The pending source of highest priority (data sheet table IV). */
static uint8_t uart_interrupt_id(const UartState *state) {
    uint8_t enable = state->interrupt_enable;
    if ((enable & IER_LINE_STATUS) && state->line_interrupt)
        return IIR_LINE_STATUS;
    if ((enable & IER_RECEIVED) && trigger_reached(state))
        return IIR_RECEIVED;
    if ((enable & IER_RECEIVED) && state->timeout_interrupt)
        return IIR_TIMEOUT;
    if ((enable & IER_TRANSMITTER_EMPTY) && state->empty_interrupt)
        return IIR_TRANSMITTER_EMPTY;
    if ((enable & IER_MODEM_STATUS) && (state->modem_status & MSR_DELTAS))
        return IIR_MODEM_STATUS;
    return IIR_NONE;
}

static void uart_drive_irq(Uart16550 *uart) {
    const UartState *state = &uart->state;
    bool enabled = (state->modem_control & MCR_OUT_2) && !(state->modem_control & MCR_LOOPBACK);
    wire_set(&uart->options.irq, enabled && uart_interrupt_id(state) != IIR_NONE);
}

/* --- receiver ----------------------------------------------------------------------------------
 */

/* The time-out of the FIFO begins anew with every character that comes or is read (data
 * sheet 8.4.2). */
static void uart_restart_timeout(Uart16550 *uart) {
    UartState *state = &uart->state;
    state->timeout_interrupt = 0;
    if (uses_fifos(state) && state->receive_count > 0)
        timer_arm(&uart->timeout, clock_now_ns(uart->clock) + 4 * character_time_ns(state));
    else
        timer_cancel(&uart->timeout);
}

static void uart_timeout_due(void *opaque) {
    Uart16550 *uart = opaque;
    uart->state.timeout_interrupt = 1;
    uart_drive_irq(uart);
}

/* A character has come in. Overrun: without FIFOs it replaces the one before, with them it is lost
 * itself. */
static void uart_deliver(Uart16550 *uart, uint8_t byte, uint8_t errors) {
    UartState *state = &uart->state;
    if (state->receive_count >= fifo_capacity(state)) {
        state->overrun = 1;
        state->line_interrupt = 1;
        if (!uses_fifos(state)) {
            state->receive[0] = byte & data_mask(state);
            state->receive_errors[0] = errors;
        }
    } else {
        state->receive[state->receive_count] = byte & data_mask(state);
        state->receive_errors[state->receive_count++] = errors;
    }
    if (errors != 0)
        state->line_interrupt = 1;
    uart_restart_timeout(uart);
    uart_drive_irq(uart);
}

/* The next character of the other end begins when the receiver has room for it. */
static void uart_pump(Uart16550 *uart) {
    const UartState *state = &uart->state;
    if (state->incoming_count == 0 || timer_is_armed(&uart->receive) ||
        (state->modem_control & MCR_LOOPBACK) || state->receive_count >= fifo_capacity(state))
        return;
    timer_arm(&uart->receive, clock_now_ns(uart->clock) + character_time_ns(state));
}

static void uart_receive_due(void *opaque) {
    Uart16550 *uart = opaque;
    UartState *state = &uart->state;
    bool room = state->receive_count < fifo_capacity(state);
    if (state->incoming_count > 0 && room && !(state->modem_control & MCR_LOOPBACK)) {
        uint8_t byte = take_first(state->incoming, state->incoming_count--);
        uart_deliver(uart, byte, 0);
    }
    uart_pump(uart);
}

size_t uart16550_room(const Uart16550 *uart) {
    return INCOMING_SIZE - uart->state.incoming_count;
}

size_t uart16550_receive(Uart16550 *uart, const void *data, size_t size) {
    UartState *state = &uart->state;
    size_t taken = size < uart16550_room(uart) ? size : uart16550_room(uart);
    memcpy(state->incoming + state->incoming_count, data, taken);
    state->incoming_count = (uint8_t)(state->incoming_count + taken);
    uart_pump(uart);
    return taken;
}

static uint8_t uart_read_data(Uart16550 *uart) {
    UartState *state = &uart->state;
    if (state->receive_count == 0)
        return state->receive[0];
    uint8_t byte = take_first(state->receive, state->receive_count);
    take_first(state->receive_errors, state->receive_count--);
    if (state->receive_count == 0)
        state->receive[0] = byte; /* the register keeps it */
    if (state->receive_count > 0 && state->receive_errors[0] != 0)
        state->line_interrupt = 1;
    uart_restart_timeout(uart);
    uart_pump(uart);
    return byte;
}

/* --- transmitter -------------------------------------------------------------------------------
 */

static void uart_start_shifting(Uart16550 *uart) {
    UartState *state = &uart->state;
    if (state->shifting || state->transmit_count == 0)
        return;
    state->shift = take_first(state->transmit, state->transmit_count--);
    state->shifting = 1;
    if (state->transmit_count == 0)
        state->empty_interrupt = 1;
    timer_arm(&uart->transmit, clock_now_ns(uart->clock) + transmit_time_ns(state));
}

static void uart_transmit_due(void *opaque) {
    Uart16550 *uart = opaque;
    UartState *state = &uart->state;
    uint8_t byte = state->shift & data_mask(state);
    state->shifting = 0;
    if (state->modem_control & MCR_LOOPBACK)
        uart_deliver(uart, byte, 0);
    else if (uart->options.write != NULL)
        uart->options.write(uart->options.opaque, byte);
    uart_start_shifting(uart);
    uart_drive_irq(uart);
}

/* On the host's clock an event may be fired later than it is due, and xv6 gives up on a character
 * after 128 looks at the line status: what is due has happened before software looks. */
static void uart_catch_up(Uart16550 *uart) {
    if (!timer_is_armed(&uart->transmit) || uart->state.transmit_due_ns > clock_now_ns(uart->clock))
        return;
    timer_cancel(&uart->transmit);
    uart_transmit_due(uart);
}

static void uart_write_data(Uart16550 *uart, uint8_t value) {
    UartState *state = &uart->state;
    state->empty_interrupt = 0;
    if (state->transmit_count < fifo_capacity(state))
        state->transmit[state->transmit_count++] = value;
    else if (!uses_fifos(state))
        state->transmit[0] = value;
    uart_start_shifting(uart);
}

/* --- modem lines -------------------------------------------------------------------------------
 */

/* Lines as the modem status register shows them: the other end's, or in loopback the port's own
 * outputs: DTR to DSR, RTS to CTS, OUT1 to RI, OUT2 to DCD. */
static uint8_t uart_modem_lines(const UartState *state) {
    uint8_t control = state->modem_control;
    if (!(control & MCR_LOOPBACK))
        return state->modem_lines;
    return (uint8_t)((control & 0x01) << 5 | (control & 0x02) << 3 | (control & 0x0C) << 4);
}

/* Notes changes in the delta bits; of RI only the end of a ring counts. */
static void uart_update_modem(UartState *state) {
    uint8_t lines = uart_modem_lines(state);
    uint8_t changed = (lines ^ state->modem_status) >> 4;
    if (lines & UART_RING_INDICATOR)
        changed &= (uint8_t)~MSR_DELTA_RING;
    state->modem_status = lines | (state->modem_status & MSR_DELTAS) | changed;
}

void uart16550_set_modem_lines(Uart16550 *uart, uint8_t lines) {
    uart->state.modem_lines = lines & MSR_LINES;
    uart_update_modem(&uart->state);
    uart_drive_irq(uart);
}

/* --- registers ---------------------------------------------------------------------------------
 */

static void uart_clear_receiver(Uart16550 *uart) {
    uart->state.receive_count = 0;
    uart_restart_timeout(uart);
    uart_pump(uart);
}

static void uart_clear_transmitter(UartState *state) {
    if (state->transmit_count > 0)
        state->empty_interrupt = 1;
    state->transmit_count = 0;
}

static void uart_write_fifo_control(Uart16550 *uart, uint8_t value) {
    UartState *state = &uart->state;
    bool toggled = ((value ^ state->fifo_control) & FCR_ENABLE) != 0;
    state->fifo_control =
        value & FCR_ENABLE ? value & (uint8_t) ~(FCR_CLEAR_RECEIVER | FCR_CLEAR_TRANSMITTER) : 0;
    bool enabled = uses_fifos(state); /* the other bits count only then */
    if (toggled || (enabled && (value & FCR_CLEAR_RECEIVER)))
        uart_clear_receiver(uart);
    if (toggled || (enabled && (value & FCR_CLEAR_TRANSMITTER)))
        uart_clear_transmitter(state);
}

/* In loopback a break comes back as the character 0 with its error bits. */
static void uart_write_line_control(Uart16550 *uart, uint8_t value) {
    UartState *state = &uart->state;
    bool begins = (value & LCR_BREAK) && !(state->line_control & LCR_BREAK);
    state->line_control = value;
    if (begins && (state->modem_control & MCR_LOOPBACK))
        uart_deliver(uart, 0, LSR_BREAK | LSR_FRAMING);
}

static void uart_write_interrupt_enable(UartState *state, uint8_t value) {
    bool enables =
        (value & IER_TRANSMITTER_EMPTY) && !(state->interrupt_enable & IER_TRANSMITTER_EMPTY);
    state->interrupt_enable = value & 0x0F;
    if (enables && state->transmit_count == 0)
        state->empty_interrupt = 1;
}

static void uart_write_divisor(UartState *state, uint32_t offset, uint8_t value) {
    unsigned shift = 8 * offset;
    state->divisor = (uint16_t)((state->divisor & ~(0xFFu << shift)) | (unsigned)value << shift);
}

static void uart_port_write(void *opaque, uint32_t offset, unsigned size, uint32_t value) {
    Uart16550 *uart = opaque;
    UartState *state = &uart->state;
    (void)size;
    if (offset <= REGISTER_INTERRUPT_ENABLE && (state->line_control & LCR_DIVISOR)) {
        uart_write_divisor(state, offset, (uint8_t)value);
        return;
    }
    switch (offset) {
    case REGISTER_DATA:
        uart_write_data(uart, (uint8_t)value);
        break;
    case REGISTER_INTERRUPT_ENABLE:
        uart_write_interrupt_enable(state, (uint8_t)value);
        break;
    case REGISTER_INTERRUPT_ID:
        uart_write_fifo_control(uart, (uint8_t)value);
        break;
    case REGISTER_LINE_CONTROL:
        uart_write_line_control(uart, (uint8_t)value);
        break;
    case REGISTER_MODEM_CONTROL:
        state->modem_control = value & MCR_BITS;
        uart_update_modem(state);
        uart_pump(uart);
        break;
    case REGISTER_SCRATCH:
        state->scratch = (uint8_t)value;
        break;
    default: /* the status registers are not written but in the factory */
        break;
    }
    uart_drive_irq(uart);
}

static uint8_t uart_read_interrupt_id(UartState *state) {
    uint8_t id = uart_interrupt_id(state);
    if (id == IIR_TRANSMITTER_EMPTY)
        state->empty_interrupt = 0;
    return uses_fifos(state) ? id | IIR_FIFOS : id;
}

static uint8_t uart_read_line_status(UartState *state) {
    uint8_t status = state->overrun ? LSR_OVERRUN : 0;
    if (state->receive_count > 0)
        status |= LSR_DATA_READY | (state->receive_errors[0] & LSR_ERRORS);
    if (state->transmit_count == 0)
        status |= LSR_TRANSMITTER_EMPTY | (state->shifting ? 0 : LSR_ALL_SENT);
    for (unsigned i = 0; uses_fifos(state) && i < state->receive_count; i++)
        if (state->receive_errors[i] != 0)
            status |= LSR_FIFO_ERROR;
    state->overrun = 0;
    state->line_interrupt = 0;
    state->receive_errors[0] = 0;
    return status;
}

static uint8_t uart_read(Uart16550 *uart, uint32_t offset) {
    UartState *state = &uart->state;
    uint8_t value;
    if (offset <= REGISTER_INTERRUPT_ENABLE && (state->line_control & LCR_DIVISOR))
        return (uint8_t)(state->divisor >> (8 * offset));
    switch (offset) {
    case REGISTER_DATA:
        return uart_read_data(uart);
    case REGISTER_INTERRUPT_ENABLE:
        return state->interrupt_enable;
    case REGISTER_INTERRUPT_ID:
        return uart_read_interrupt_id(state);
    case REGISTER_LINE_CONTROL:
        return state->line_control;
    case REGISTER_MODEM_CONTROL:
        return state->modem_control;
    case REGISTER_LINE_STATUS:
        return uart_read_line_status(state);
    case REGISTER_MODEM_STATUS:
        value = state->modem_status;
        state->modem_status &= MSR_LINES;
        return value;
    default:
        return state->scratch;
    }
}

static uint32_t uart_port_read(void *opaque, uint32_t offset, unsigned size) {
    (void)size;
    uart_catch_up(opaque);
    uint8_t value = uart_read(opaque, offset);
    uart_drive_irq(opaque);
    return value;
}

/* --- the device --------------------------------------------------------------------------------
 */

/* Master reset (data sheet table III): what the other end has sent and how its lines are stays. */
static void uart16550_reset(void *opaque) {
    Uart16550 *uart = opaque;
    UartState *state = &uart->state;
    timer_cancel(&uart->transmit);
    timer_cancel(&uart->timeout);
    state->interrupt_enable = state->fifo_control = state->line_control = state->modem_control = 0;
    state->divisor = RESET_DIVISOR;
    state->overrun = state->line_interrupt = state->empty_interrupt = state->timeout_interrupt = 0;
    state->shifting = state->transmit_count = state->receive_count = 0;
    state->modem_status = state->modem_lines;
    uart_drive_irq(uart);
    uart_pump(uart);
}

static uint8_t at_most(uint8_t count, uint8_t limit) {
    return count < limit ? count : limit;
}

static void uart16550_restored(void *opaque) {
    Uart16550 *uart = opaque;
    UartState *state = &uart->state;
    state->transmit_count = at_most(state->transmit_count, FIFO_SIZE);
    state->receive_count = at_most(state->receive_count, FIFO_SIZE);
    state->incoming_count = at_most(state->incoming_count, INCOMING_SIZE);
}

static const DeviceClass uart16550_class = {
    "isa-serial",
    &uart_fields,
    uart16550_reset,
    uart16550_restored,
};

Uart16550 *uart16550_create(const DeviceContext *context, const Uart16550Options *options,
                            Error *error) {
    Uart16550 *uart = allocate_zeroed(sizeof *uart);
    const PortRange range = {"serial",       options->port,   REGISTERS, PORT_8,
                             uart_port_read, uart_port_write, uart};
    if (!port_map_add(context->ports, &range, error)) {
        free(uart);
        return NULL;
    }
    uart->clock = context->clock;
    uart->options = *options;
    uart->state.modem_lines = UART_CLEAR_TO_SEND | UART_DATA_SET_READY | UART_CARRIER_DETECT;
    timer_init(&uart->transmit, context->clock, "serial transmit", &uart->state.transmit_due_ns,
               uart_transmit_due, uart);
    timer_init(&uart->receive, context->clock, "serial receive", &uart->state.receive_due_ns,
               uart_receive_due, uart);
    timer_init(&uart->timeout, context->clock, "serial time-out", &uart->state.timeout_due_ns,
               uart_timeout_due, uart);
    device_list_add(context->devices, &uart16550_class, options->id, uart, &uart->state);
    uart16550_reset(uart);
    return uart;
}

void uart16550_destroy(Uart16550 *uart) {
    free(uart);
}
