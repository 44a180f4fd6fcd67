#include "machine_state.h"
#include "board_parts.h"
#include "cpu_check.h"
#include "machine_parts.h"
#include "smm.h"

#include <stdlib.h>
#include <string.h>

#define STATE_VERSION 2

/* What a machine has beside its chips. */
typedef struct ControlState {
    uint8_t a20_open;
    uint8_t reset_requested, shutdown_requested, debug_exit_requested, wake_requested;
    uint8_t ended;
    uint8_t run_state;
    uint8_t panic_requested;
    uint32_t debug_exit_status, exit_status;
    uint32_t crash;
    uint32_t turn;
    uint32_t turn_left;
    uint32_t unused;
    uint64_t snapshot_id;
} ControlState;

static const Field control_rows[] = {
    FIELD(ControlState, U8, a20_open),
    FIELD(ControlState, U8, reset_requested),
    FIELD(ControlState, U8, shutdown_requested),
    FIELD(ControlState, U8, debug_exit_requested),
    FIELD(ControlState, U8, wake_requested),
    FIELD(ControlState, U8, ended),
    FIELD(ControlState, U8, run_state),
    FIELD(ControlState, U8, panic_requested),
    FIELD(ControlState, U32, debug_exit_status),
    FIELD(ControlState, U32, exit_status),
    FIELD(ControlState, U32, crash),
    FIELD(ControlState, U32, turn),
    FIELD(ControlState, U32, turn_left),
    FIELD_PADDING(ControlState, unused),
    FIELD(ControlState, U64, snapshot_id),
    FIELD_END,
};
static const FieldTable control_fields = {"machine", 2, sizeof(ControlState), control_rows};

static ControlState get_control(Machine *machine) {
    return (ControlState){
        .a20_open = physical_map_a20(machine->memory),
        .reset_requested = machine->reset_requested,
        .shutdown_requested = machine->shutdown_requested,
        .debug_exit_requested = machine->debug_exit_requested,
        .wake_requested = machine->wake_requested,
        .ended = machine->ended,
        .run_state = (uint8_t)machine->run_state,
        .panic_requested = machine->panic_requested,
        .debug_exit_status = (uint32_t)machine->debug_exit_status,
        .exit_status = (uint32_t)machine->exit_status,
        .crash = (uint32_t)machine->crash,
        .turn = machine->turn,
        .turn_left = machine->turn_left,
        .snapshot_id = machine->snapshot_id,
    };
}

static void save_feeds(const Machine *machine, ByteBuffer *buffer) {
    for (int i = 0; i < MACHINE_SERIAL_PORTS; i++) {
        const SerialFeed *feed = &machine->serial_feed[i];
        byte_buffer_append_le(buffer, feed->count, 4);
        for (uint32_t at = 0; at < feed->count; at++)
            byte_buffer_append(buffer, &feed->bytes[(feed->first + at) % SERIAL_FEED_BYTES], 1);
    }
}

void machine_state_save(Machine *machine, ByteBuffer *buffer) {
    machine_time_settle(&machine->time);
    ControlState control = get_control(machine);
    byte_buffer_append_le(buffer, STATE_VERSION, 4);
    field_table_save(&control_fields, &control, buffer);
    save_feeds(machine, buffer);
    for (unsigned i = 0; i < machine->processor_count; i++) {
        const Cpu *cpu = machine->processor[i].cpu;
        field_table_save(&cpu_fields, &cpu->state, buffer);
        tlb_save(&cpu->tlb, buffer);
    }
    board_save_network(&machine->board, buffer);
    device_list_save(&machine->devices, buffer);
}

/* Everything that is read before anything is changed. */
typedef struct Loading {
    ControlState control;
    SerialFeed feed[MACHINE_SERIAL_PORTS];
    CpuState cpu[MACHINE_PROCESSORS];
    TlbImage *tlb[MACHINE_PROCESSORS];
    ByteReader network; /* at what board_load_network() takes */
} Loading;

static bool read_feed(const Machine *machine, unsigned port, SerialFeed *feed, ByteReader *reader,
                      Error *error) {
    feed->uart = machine->serial_feed[port].uart;
    uint32_t count = (uint32_t)byte_reader_read_le(reader, 4);
    if (count > SERIAL_FEED_BYTES || (count > 0 && feed->uart == NULL))
        return error_set(error, "the saved state holds %u bytes for serial port %u", count, port);
    if (count > 0)
        feed->bytes = malloc(SERIAL_FEED_BYTES);
    if (count > 0 && feed->bytes == NULL)
        return error_set(error, "no memory for the bytes of a serial port");
    feed->count = count;
    return byte_reader_read(reader, feed->bytes, count) ||
           error_set(error, "the saved state is cut in the bytes of a serial port");
}

static bool read_control(const Machine *machine, ControlState *control, ByteReader *reader,
                         Error *error) {
    uint32_t version = (uint32_t)byte_reader_read_le(reader, 4);
    if (version != STATE_VERSION)
        return error_set(error, "the saved state has version %u, this program reads version %u",
                         version, STATE_VERSION);
    if (!field_table_load(&control_fields, control, reader, error))
        return false;
    return (control->run_state < RUN_STATE_COUNT && control->debug_exit_status <= 0xFF &&
            control->exit_status <= 0xFF && control->crash <= CRASH_PANIC &&
            control->turn < machine->processor_count) ||
           error_set(error, "the saved state is damaged: it is in no known run state");
}

static bool read_all(const Machine *machine, Loading *loading, ByteReader *reader, Error *error) {
    if (!read_control(machine, &loading->control, reader, error))
        return false;
    for (unsigned i = 0; i < MACHINE_SERIAL_PORTS; i++)
        if (!read_feed(machine, i, &loading->feed[i], reader, error))
            return false;
    for (unsigned i = 0; i < machine->processor_count; i++) {
        if (!field_table_load(&cpu_fields, &loading->cpu[i], reader, error) ||
            !cpu_check_state(&loading->cpu[i], error))
            return false;
        loading->tlb[i] = tlb_image_read(reader, error);
        if (loading->tlb[i] == NULL)
            return false;
    }
    loading->network = *reader;
    return board_skip_network(reader, error);
}

/* After the devices: what they drove into the processor meanwhile is in its state already. */
static void take_processors(Machine *machine, const Loading *loading) {
    for (unsigned i = 0; i < machine->processor_count; i++) {
        Cpu *cpu = machine->processor[i].cpu;
        cpu->state = loading->cpu[i];
        cpu_state_restored(cpu);
        tlb_image_take(&cpu->tlb, loading->tlb[i]);
        cpu->break_after = 1;
    }
    machine_set_turn(machine, loading->control.turn, loading->control.turn_left);
    smm_update_pins(machine->cpu);
    __atomic_store_n(&machine->published_count, machine_count_instructions(machine),
                     __ATOMIC_RELAXED);
}

static void take_feeds(Machine *machine, Loading *loading) {
    for (int i = 0; i < MACHINE_SERIAL_PORTS; i++) {
        serial_feed_free(&machine->serial_feed[i]);
        machine->serial_feed[i] = loading->feed[i];
        loading->feed[i].bytes = NULL;
    }
}

static bool is_over(RunState state) {
    return state == RUN_STATE_SHUTDOWN || state == RUN_STATE_INTERNAL_ERROR ||
           state == RUN_STATE_GUEST_PANICKED;
}

static void take_control(Machine *machine, const ControlState *control) {
    RunState saved = (RunState)control->run_state;
    machine->reset_requested = control->reset_requested != 0;
    machine->shutdown_requested = control->shutdown_requested != 0;
    machine->debug_exit_requested = control->debug_exit_requested != 0;
    machine->wake_requested = control->wake_requested != 0;
    machine->panic_requested = control->panic_requested != 0;
    machine->crash = (MachineCrash)control->crash;
    machine->snapshot_id = control->snapshot_id;
    machine->debug_exit_status = (int)control->debug_exit_status;
    pthread_mutex_lock(&machine->lock);
    machine->ended = control->ended != 0;
    machine->exit_status = (int)control->exit_status;
    pthread_mutex_unlock(&machine->lock);
    if (is_over(machine->run_state) || is_over(saved)) {
        machine_set_run_state(machine, RUN_STATE_RESTORE_VM);
        machine_set_run_state(machine, saved);
    }
}

static void free_loading(Loading *loading) {
    for (int i = 0; i < MACHINE_SERIAL_PORTS; i++)
        serial_feed_free(&loading->feed[i]);
    for (int i = 0; i < MACHINE_PROCESSORS; i++)
        tlb_image_free(loading->tlb[i]);
}

bool machine_state_load(Machine *machine, ByteReader *reader, Error *error) {
    Loading loading = {.tlb = {NULL}};
    /* The devices come last: loading them is the one step that changes something and can fail, and
     * it changes nothing then. */
    bool good = read_all(machine, &loading, reader, error) &&
                device_list_load(&machine->devices, reader, error);
    if (good) {
        physical_map_set_a20(machine->memory, loading.control.a20_open != 0);
        take_processors(machine, &loading);
        take_feeds(machine, &loading);
        clock_rebuild(&machine->clock);
        take_control(machine, &loading.control);
        board_load_network(&machine->board, &loading.network);
    }
    free_loading(&loading);
    return good;
}
