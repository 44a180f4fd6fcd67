/* Making a machine and taking it apart, and the ways in from other threads. */
#include "machine.h"
#include "cpu_model.h"
#include "gameport.h"
#include "machine_action.h"
#include "machine_parts.h"
#include "machine_perturb.h"

#include <semaphore.h>
#include <stdlib.h>
#include <string.h>

static void play_key(void *opaque, int key, bool down) {
    Machine *machine = opaque;
    board_key(&machine->board, key, down);
}

/* A nearer event, or an interrupt request: the run loop looks after this instruction. */
static void event_moved_nearer(void *opaque, int64_t due_ns) {
    Machine *machine = opaque;
    (void)due_ns;
    machine->cpu->break_after = 1;
}

/* A speed that the processor is to have is its pace under icount too. */
static InstructionPace find_pace(const MachineConfig *config, const CpuModel *model) {
    if (model->instructions_per_second != 0)
        return (InstructionPace){NS_PER_SECOND, model->instructions_per_second};
    return config->icount ? (InstructionPace){1ull << config->icount_shift, 1}
                          : (InstructionPace){0, 0};
}

static uint64_t count_instructions(const void *opaque) {
    return machine_count_instructions(opaque);
}

static bool create_core(Machine *machine, Error *error) {
    const MachineConfig *config = &machine->config;
    machine->ports = port_map_create();
    machine->memory = physical_map_create(config->ram_bytes, error);
    if (machine->memory == NULL)
        return false;
    if (!machine_create_processors(machine, error))
        return false;
    machine_time_init(&machine->time, &machine->clock, count_instructions, machine, config->icount,
                      find_pace(config, machine->cpu->model), &machine->devices);
    machine_speed_init(machine);
    machine->clock.earlier = event_moved_nearer;
    machine->clock.earlier_opaque = machine;
    return true;
}

static void init_shared(Machine *machine) {
    pthread_mutex_init(&machine->lock, NULL);
    pthread_mutex_init(&machine->frame_lock, NULL);
    input_door_init(&machine->door);
    machine_events_init(&machine->events);
    machine_clipboard_init(&machine->clipboard);
    machine->run_state = RUN_STATE_PRELAUNCH;
}

Machine *machine_create(const MachineConfig *config, Error *error) {
    Machine *machine = calloc(1, sizeof(*machine));
    if (machine == NULL) {
        error_set(error, "no memory for a machine");
        return NULL;
    }
    machine->config = *config;
    machine->gave_disks = config->incoming;
    machine->trace = (Trace){.mask = config->trace_mask, .output = config->trace_output};
    clock_init(&machine->clock);
    init_shared(machine);
    if (create_core(machine, error)) {
        key_player_init(&machine->key_player, &machine->clock, &machine->devices, play_key,
                        machine);
        if (board_create(machine, error) &&
            ram_hash_init(&machine->ram_hash, machine->memory, error)) {
            if (!config->icount && machine->processor_count == 1) {
                polling_loop_watch(&machine->polling_loop, machine->cpu, &machine->ram_hash);
                spin_wait_watch(&machine->spin_wait, machine->cpu);
            }
            machine_wait_init(machine);
            machine_observer_init(machine);
            machine_typing_init(machine);
            machine_perturb_init(machine);
            return machine;
        }
    }
    machine_destroy(machine);
    return NULL;
}

static void end_thread(Machine *machine) {
    if (!machine->has_thread)
        return;
    __atomic_store_n(&machine->quit, true, __ATOMIC_RELEASE);
    input_door_wake(&machine->door);
    pthread_join(machine->thread, NULL);
    machine->has_thread = false;
}

void machine_destroy(Machine *machine) {
    if (machine == NULL)
        return;
    end_thread(machine);
    machine_typing_stop(machine);
    machine_history_end(machine);
    board_destroy(&machine->board);
    checkpoints_end(machine);
    ram_hash_destroy(&machine->ram_hash);
    machine_destroy_processors(machine);
    if (machine->memory != NULL)
        physical_map_destroy(machine->memory);
    if (machine->ports != NULL)
        port_map_destroy(machine->ports);
    clock_destroy(&machine->clock);
    for (int i = 0; i < MACHINE_SERIAL_PORTS; i++)
        serial_feed_free(&machine->serial_feed[i]);
    display_surface_free(&machine->frame);
    input_door_destroy(&machine->door);
    machine_events_destroy(&machine->events);
    machine_clipboard_destroy(&machine->clipboard);
    pthread_mutex_destroy(&machine->frame_lock);
    pthread_mutex_destroy(&machine->lock);
    free(machine);
}

bool machine_start(Machine *machine, Error *error) {
    if (!machine->config.start_paused)
        machine_set_run_state(machine, RUN_STATE_RUNNING);
    int failure = pthread_create(&machine->thread, NULL, machine_thread, machine);
    if (failure != 0)
        return error_set(error, "no thread for the machine: %s", strerror(failure));
    machine->has_thread = true;
    return true;
}

void machine_set_notify(Machine *machine, void (*notify)(void *opaque), void *opaque) {
    machine->notify = notify;
    machine->notify_opaque = opaque;
}

typedef struct Call {
    void (*run)(void *opaque);
    void *opaque;
    sem_t done;
} Call;

static void run_call(void *opaque) {
    Call *call = opaque;
    call->run(call->opaque);
    sem_post(&call->done);
}

void machine_call(Machine *machine, void (*run)(void *opaque), void *opaque) {
    if (!machine->has_thread || pthread_equal(pthread_self(), machine->thread)) {
        run(opaque);
        return;
    }
    Call call = {.run = run, .opaque = opaque};
    InputItem item = {.kind = INPUT_COMMAND, .command = {run_call, &call}};
    sem_init(&call.done, 0, 0);
    while (!input_door_put(&machine->door, &item))
        sched_yield(); /* full of keys: the machine's thread empties it at its next boundary */
    while (sem_wait(&call.done) != 0) {
    }
    sem_destroy(&call.done);
}

bool machine_send_key(Machine *machine, int key, bool down) {
    InputItem item = {.kind = INPUT_KEY, .key = {key, down}};
    return input_door_put(&machine->door, &item);
}

bool machine_send_mouse_move(Machine *machine, int32_t dx, int32_t dy, int32_t dz) {
    InputItem item = {.kind = INPUT_MOUSE_MOVE, .mouse = {.dx = dx, .dy = dy, .dz = dz}};
    return input_door_put(&machine->door, &item);
}

bool machine_send_mouse_buttons(Machine *machine, uint32_t buttons) {
    InputItem item = {.kind = INPUT_MOUSE_BUTTON, .mouse = {.buttons = buttons}};
    return input_door_put(&machine->door, &item);
}

bool machine_has_absolute_pointer(const Machine *machine) {
    return board_has_tablet(&machine->board);
}

bool machine_may_take_places(const Machine *machine) {
    return machine->board.usb_tablet != NULL || board_has_tablet(&machine->board);
}

bool machine_send_mouse_absolute(Machine *machine, uint32_t x, uint32_t y) {
    InputItem item = {.kind = INPUT_MOUSE_ABSOLUTE, .place = {x, y}};
    return input_door_put(&machine->door, &item);
}

bool machine_has_gameport(const Machine *machine) {
    return machine->board.gameport != NULL;
}

static bool send_control(Machine *machine, uint32_t control, int32_t value) {
    InputItem item = {.kind = INPUT_JOYSTICK, .joystick = {control, value}};
    return input_door_put(&machine->door, &item);
}

bool machine_send_joystick(Machine *machine, unsigned axis, int position) {
    return axis < GAMEPORT_AXES && send_control(machine, axis, position);
}

bool machine_send_joystick_button(Machine *machine, unsigned button, bool down) {
    return button < GAMEPORT_BUTTONS && send_control(machine, GAMEPORT_AXES + button, down);
}

size_t machine_send_serial(Machine *machine, unsigned port, const uint8_t *data, size_t size) {
    size_t sent = 0;
    while (sent < size && port < MACHINE_SERIAL_PORTS) {
        size_t part = size - sent < INPUT_DOOR_BYTES ? size - sent : INPUT_DOOR_BYTES;
        InputItem item = {.kind = INPUT_SERIAL, .serial = {.port = (uint8_t)port}};
        item.serial.count = (uint8_t)part;
        memcpy(item.serial.bytes, data + sent, part);
        if (!input_door_put(&machine->door, &item))
            break;
        sent += part;
    }
    return sent;
}

/* More than anybody's fingers. */
#define KEYS_TOGETHER 16

typedef struct KeyPress {
    Machine *machine;
    const int *keys;
    int count;
    uint32_t hold_ms;
    bool done;
} KeyPress;

static void press_keys(void *opaque) {
    KeyPress *press = opaque;
    uint32_t numbers[1 + KEYS_TOGETHER] = {press->hold_ms};
    size_t count = 1;
    for (int i = 0; i < press->count && i < KEYS_TOGETHER; i++)
        numbers[count++] = (uint32_t)press->keys[i];
    press->done = machine_act_numbers(press->machine, ACTION_PRESS_KEYS, numbers, count);
}

bool machine_press_keys(Machine *machine, const int *keys, int count, uint32_t hold_ms) {
    KeyPress press = {machine, keys, count, hold_ms, false};
    machine_call(machine, press_keys, &press);
    return press.done;
}

int machine_thread_id(Machine *machine) {
    return __atomic_load_n(&machine->thread_id, __ATOMIC_RELAXED);
}

uint64_t machine_instruction_count(Machine *machine) {
    return __atomic_load_n(&machine->published_count, __ATOMIC_RELAXED);
}
