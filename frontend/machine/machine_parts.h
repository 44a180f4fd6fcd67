/* What a Machine is made of, for the files of this folder and for those who look inside it on its
 * thread. */
#ifndef REPRISE_MACHINE_PARTS_H
#define REPRISE_MACHINE_PARTS_H

#include "board.h"
#include "checkpoint.h"
#include "clock.h"
#include "cpu.h"
#include "device_context.h"
#include "held_keys.h"
#include "input_door.h"
#include "key_player.h"
#include "machine.h"
#include "machine_clipboard.h"
#include "machine_debug.h"
#include "machine_events.h"
#include "machine_history.h"
#include "machine_observer.h"
#include "machine_processors.h"
#include "machine_record.h"
#include "machine_replay.h"
#include "machine_time.h"
#include "machine_typing.h"
#include "machine_wait.h"
#include "page_history.h"
#include "physical_map.h"
#include "polling_loop.h"
#include "port_map.h"
#include "ram_hash.h"
#include "serial_feed.h"
#include "spin_wait.h"
#include "trace.h"
#include "translator.h"
#include <pthread.h>

/* When a wait looks at its condition next (machine_wait.c). No state of the guest: it is armed
 * within waits only. */
typedef struct WaitPoll {
    Timer timer;
    int64_t due_ns;
    bool due;
    uint64_t seen_stride; /* the instruction count that the watch was told last */
} WaitPoll;

typedef struct Processor {
    Cpu *cpu;
    Translator *translator;
} Processor;

struct Machine {
    MachineConfig config;
    Trace trace;
    VirtualClock clock;
    PortMap *ports;
    PhysicalMap *memory;
    DeviceList devices;
    Processor processor[MACHINE_PROCESSORS];
    unsigned processor_count;
    unsigned turn;      /* whose turn it is, */
    uint32_t turn_left; /* for so many instructions more; 0 where there is one processor */
    Cpu *cpu;           /* of that processor */
    Translator *translator;
    Board board;
    MachineTime time;
    KeyPlayer key_player;
    HeldKeys held_keys;
    SerialFeed serial_feed[MACHINE_SERIAL_PORTS];
    RamHash ram_hash;
    PollingLoop polling_loop;
    SpinWait spin_wait;
    WaitPoll poll;
    MachineObserver observer;
    MachineTyping typing;
    MachineClipboard clipboard;
    MachineWatch watch;
    MachineDebug debug;
    Recorder *recorder;      /* NULL: nobody records */
    Replay *replay;          /* NULL: it lives in the present */
    MachineHistory *history; /* NULL: there is no way back */
    bool stops_at_triple_fault;
    uint64_t parted_count; /* of instructions when clock.parted_by was set */
    MachineCrash crash;
    PageHistory *page_history; /* NULL before the first checkpoint */
    Checkpoint *checkpoints;   /* all of them */
    /* The snapshot in the file that was saved or loaded last: this run is its future. 0: none. */
    uint64_t snapshot_id;

    /* Requests by the guest, served between two instructions. */
    bool reset_requested, shutdown_requested, debug_exit_requested, wake_requested;
    bool panic_requested;
    int debug_exit_status;

    int64_t paused_host_ns; /* since when it is paused; 0: it is not, or was not yet */

    /* Shared with other threads. */
    pthread_mutex_t lock; /* for the run state and how the machine ended */
    RunState run_state;
    bool ended;
    int exit_status;
    void (*notify)(void *opaque);
    void *notify_opaque;
    MachineEvents events;
    bool gave_disks;               /* its images are another process's: disk_handover.h */
    bool told_trays[BOARD_DRIVES]; /* which of them are known to be open */
    InputDoor door;
    pthread_t thread;
    bool has_thread;
    int thread_id;            /* atomic: of the kernel */
    bool quit;                /* atomic: the thread is to end */
    uint64_t published_count; /* atomic */
    uint64_t published_speed; /* atomic: instructions a second, 0: full speed */
    uint64_t speed_before_turbo;
    unsigned throttle_percent; /* atomic: of the time it waits, so that it changes less */

    pthread_mutex_t frame_lock;
    DisplaySurface frame;
    uint64_t frame_number;
    MachineActivity activity; /* published with the frame, under its lock */
    bool frame_wanted;        /* atomic */
};

/* machine_run.c: one round of the run loop, at most 'limit' instructions. False: the machine does
 * not run, or waits for something that only the door can bring. */
bool machine_run_slice(Machine *machine, int64_t limit, bool may_sleep);
void machine_serve_door(Machine *machine);
void *machine_thread(void *machine);
/* Some instructions of a slice, with all that is counted beside them. */
RunExit machine_run_part(Machine *machine, int64_t budget);
/* 'exact': no block runs over the end of a slice, which an event of the host's clock may. */
void machine_set_exact(Machine *machine, bool exact);
static inline bool machine_is_replaying(const Machine *machine) {
    return machine->replay != NULL;
}

/* run_control.c: changes the state if that is allowed, and tells whoever wants to know. */
bool machine_set_run_state(Machine *machine, RunState state);
/* Serves reset, shutdown and debug exit that the guest asked for. */
void machine_serve_requests(Machine *machine);
/* For the board: the guest pulls the reset line, powers off, leaves by debug exit. */
void machine_reset_pin(void *machine, int line, int level);
void machine_power_off(void *machine);
void machine_debug_exit(void *machine, int status);
/* It suspends to RAM; something wakes it. */
void machine_suspend(void *machine);
void machine_wake_pin(void *machine);

/* The reset button, on the machine's thread. */
void machine_press_reset(Machine *machine);
/* For the processor's shutdown, and for the panic port. */
void machine_triple_fault(Machine *machine);
void machine_panic(void *machine);

/* machine_processors.c, fits a Wire: what this processor does next is to send the others to work.
 */
void machine_end_turn(void *machine, int line, int level);

/* machine_speed.c: after the clock's source was made. */
void machine_speed_init(Machine *machine);

/* machine_wait.c: after the board was made. */
void machine_wait_init(Machine *machine);
/* checkpoint.c: the machine ends; its checkpoints only wait to be freed. */
void checkpoints_end(Machine *machine);

/* frame.c */
void machine_serve_frame(Machine *machine);

#endif
