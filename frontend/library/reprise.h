/* Reprise as a library: PCs in your own program.
 *
 *     RepriseError error;
 *     const char *options[] = {"-m", "64", "-icount", "shift=3", "-fda", "dos.img"};
 *     RepriseMachine *machine = reprise_create();
 *     if (!reprise_add_options(machine, options, 6, &error) || !reprise_build(machine, &error) ||
 *         reprise_run_until_text(machine, 60 * REPRISE_SECOND, "A:\\>") != REPRISE_MET)
 *         ...
 *     reprise_destroy(machine);
 *
 * A machine is created, told its options, built, run, looked at, and destroyed. There may be any
 * number of them in a process; they share nothing that you could notice. Link with what
 * 'pkg-config --static --libs reprise' says.
 *
 * Threads. A machine is run by the caller, by the reprise_run functions, or by a thread of its own
 * once reprise_start() was called. Without that thread a machine belongs to one of your threads at
 * a time, but for the functions marked 'any thread'; with it, every function may be called from any
 * thread (those that look or change wait for the next instruction's end), and the reprise_run
 * functions must not be. Different machines never wait for each other.
 *
 * Errors are values: a function that can fail returns false or NULL and fills in 'error', one line
 * of English without a full stop. 'error' may be NULL.
 *
 * Stability. REPRISE_API_VERSION grows when functions are added; none is taken away or changes its
 * meaning within one REPRISE_API_MAJOR. All types are opaque or never change their size. */
#ifndef REPRISE_H
#define REPRISE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define REPRISE_API_MAJOR 1
#define REPRISE_API_VERSION 1

#define REPRISE_SECOND 1000000000ll /* of guest time */
#define REPRISE_FOR_EVER INT64_MAX

typedef struct RepriseMachine RepriseMachine;
typedef struct RepriseCheckpoint RepriseCheckpoint;

typedef struct RepriseError {
    char message[512]; /* "": none */
} RepriseError;

/* REPRISE_API_VERSION of the library that is there, and the program's own version, "0.1.0". */
unsigned reprise_api_version(void);
const char *reprise_version(void);

/* For what the library hands out to be freed. NULL is allowed. */
void reprise_free(void *memory);

/* --- making one --- */

/* A machine without a board yet. Never NULL. */
RepriseMachine *reprise_create(void);
/* Ends its thread if there is one, writes back what images are owed, frees everything. NULL is
 * allowed. */
void reprise_destroy(RepriseMachine *machine);

/* Words as on the command line of 'reprise', without the program's name: options, their values, and
 * images. May be called several times. What only makes sense with a screen or a terminal before it
 * (-display, -vnc, -monitor, ports that lead to files or sockets) is refused by reprise_build();
 * the text and pictures are got by the functions below. */
bool reprise_add_options(RepriseMachine *machine, const char *const *words, size_t count,
                         RepriseError *error);
/* One option by its name without the dash ("m", "drive"); 'value' is NULL where it takes none. */
bool reprise_set_option(RepriseMachine *machine, const char *name, const char *value,
                        RepriseError *error);

/* What comes out of a machine's ports. */
typedef enum RepriseOutput {
    REPRISE_SERIAL_0,
    REPRISE_SERIAL_1,
    REPRISE_SERIAL_2,
    REPRISE_SERIAL_3,
    REPRISE_PARALLEL_0,
    REPRISE_PARALLEL_1,
    REPRISE_PARALLEL_2,
    REPRISE_DEBUG_CONSOLE, /* port E9h */
    REPRISE_FIRMWARE_LOG,  /* port 402h; there only if set before reprise_build() */
    REPRISE_OUTPUTS
} RepriseOutput;

/* 'write' is called on the thread that runs the machine, and must not call back into the library. A
 * port exists if the options say so ("-serial null"; the first serial and parallel ports do by
 * default). Not while the machine runs. */
void reprise_set_output(RepriseMachine *machine, RepriseOutput output,
                        void (*write)(void *opaque, const uint8_t *bytes, size_t size),
                        void *opaque);

/* Puts the board together, switches it on, and loads the snapshot of -loadvm. Nothing runs yet.
 * After an error the machine can only be destroyed. */
bool reprise_build(RepriseMachine *machine, RepriseError *error);

/* --- running it in the caller's thread --- */

typedef enum RepriseEnd {
    REPRISE_MET,         /* what was waited for is there */
    REPRISE_TIMED_OUT,   /* guest time ran out */
    REPRISE_HUNG,        /* it is proven that nothing can come any more: halted, nothing armed */
    REPRISE_CRASHED,     /* triple fault (where that is not to reset it), or the panic port */
    REPRISE_ENDED,       /* powered off, debug exit, reset under -no-reboot; or paused */
    REPRISE_INTERRUPTED, /* reprise_interrupt() */
} RepriseEnd;

/* Exactly so many instructions of all processors together. */
RepriseEnd reprise_run_instructions(RepriseMachine *machine, uint64_t instructions);
/* Lets guest time pass: ends as REPRISE_TIMED_OUT. */
RepriseEnd reprise_run_time(RepriseMachine *machine, int64_t guest_ns);
/* Until 'met', which is asked at once and then every 'poll_ns' of guest time, on this thread and
 * between two instructions; it may look at the machine. Under -icount it is asked at the same
 * instructions in every run. */
RepriseEnd reprise_run_until(RepriseMachine *machine, int64_t timeout_ns, int64_t poll_ns,
                             bool (*met)(void *opaque), void *opaque);
/* Until the text screen shows 'text' within a line. */
RepriseEnd reprise_run_until_text(RepriseMachine *machine, int64_t timeout_ns, const char *text);

/* Has the call that runs the machine now, or else the next one, return soon. Any thread. */
void reprise_interrupt(RepriseMachine *machine);

/* Does a triple fault end runs as REPRISE_CRASHED? By default it resets the machine, as the board
 * does. */
void reprise_stop_at_triple_fault(RepriseMachine *machine, bool stop);

/* --- or in a thread of its own --- */

/* Starts the thread; the machine runs at once unless the options say -S. */
bool reprise_start(RepriseMachine *machine, RepriseError *error);
bool reprise_pause(RepriseMachine *machine, RepriseError *error);
bool reprise_continue(RepriseMachine *machine, RepriseError *error);
/* Called on the machine's thread after it was paused, went on, or ended; it must only wake
 * somebody. Before reprise_start(). */
void reprise_set_notify(RepriseMachine *machine, void (*notify)(void *opaque), void *opaque);

/* --- both --- */

/* True once the guest powered off, rebooted under -no-reboot, or left by debug exit; the status is
 * 0, or that of the debug exit. Any thread. */
bool reprise_has_ended(RepriseMachine *machine, int *status);
void reprise_reset(RepriseMachine *machine);      /* the reset button. Any thread */
void reprise_power_down(RepriseMachine *machine); /* the power button: a request. Any thread */

/* Instructions completed since it was switched on, and the guest's time since then. */
uint64_t reprise_instruction_count(RepriseMachine *machine);
int64_t reprise_guest_time_ns(RepriseMachine *machine);
/* A number for everything that the guest could see: equal states have equal ones, on every host and
 * with every accelerator (under -icount, whose runs repeat). */
uint64_t reprise_state_hash(RepriseMachine *machine);

/* --- what enters it --- */

/* A key by its name ("a", "ctrl", "ret"; those of the monitor's sendkey) goes down or up. False:
 * there is no such key, or too many wait already. Any thread. */
bool reprise_send_key(RepriseMachine *machine, const char *key, bool down);
/* A combination ("ctrl-alt-delete") is pressed and let go after so much guest time; combinations of
 * earlier calls come first. */
bool reprise_press_keys(RepriseMachine *machine, const char *keys, unsigned hold_ms,
                        RepriseError *error);
/* Types a text (UTF-8) on a keyboard of the machine's layout, each key when the guest has taken the
 * one before. Runs the machine until the last was taken; one with its own thread goes on typing by
 * itself. */
bool reprise_type(RepriseMachine *machine, const char *text, RepriseError *error);

/* The mouse: by counts (wheel: dz), its buttons (1 left, 2 right, 4 middle), and the place on a USB
 * tablet, 0 to 32767. False: too much waits already. Any thread. */
bool reprise_move_mouse(RepriseMachine *machine, int32_t dx, int32_t dy, int32_t dz);
bool reprise_press_buttons(RepriseMachine *machine, uint32_t buttons);
bool reprise_place_pointer(RepriseMachine *machine, uint32_t x, uint32_t y);

/* Bytes for a serial port (0 to 3). Returns how many were taken; the rest finds room once the guest
 * has read some. Any thread. */
size_t reprise_send_serial(RepriseMachine *machine, unsigned port, const void *bytes, size_t size);

/* --- looking at it --- */

typedef struct RepriseScreen {
    const uint32_t *pixels; /* 00RRGGBBh each, from the upper left corner on, line by line */
    uint32_t width, height;
    uint32_t stride;                      /* pixels from one line to the next */
    uint32_t aspect_width, aspect_height; /* the shape of the whole picture: 4 to 3 */
} RepriseScreen;

/* What the screen shows now. The pixels are the machine's until it is asked again. False: it has no
 * screen. */
bool reprise_read_screen(RepriseMachine *machine, RepriseScreen *screen);
/* The text on the screen, lines without the spaces at their ends, UTF-8: for reprise_free(). NULL:
 * it shows graphics. */
char *reprise_read_text(RepriseMachine *machine);
/* As a file, ".png" or ".ppm". */
bool reprise_save_screen(RepriseMachine *machine, const char *path, RepriseError *error);

/* Memory by physical addresses, or by linear ones as they are mapped now for the processor whose
 * turn it is. False: some of it is not mapped; what lies before was read, nothing was written. */
typedef enum RepriseAddress { REPRISE_PHYSICAL, REPRISE_LINEAR } RepriseAddress;
bool reprise_read_memory(RepriseMachine *machine, RepriseAddress kind, uint32_t address,
                         void *bytes, size_t size);
bool reprise_write_memory(RepriseMachine *machine, RepriseAddress kind, uint32_t address,
                          const void *bytes, size_t size);

/* A register of a processor (from 0 on), by the names that GDB shows: "eax", "eflags", "cs", "cr0",
 * "xmm0"; "eip" is the linear address of the next instruction, "ip" its offset in CS. Up to 16
 * bytes, the lowest first; '*size' becomes how many. */
bool reprise_read_register(RepriseMachine *machine, unsigned processor, const char *name,
                           uint8_t bytes[16], size_t *size);
/* False: there is none, or it cannot be changed so from outside. */
bool reprise_write_register(RepriseMachine *machine, unsigned processor, const char *name,
                            const uint8_t bytes[16]);

/* A line of the monitor ("info registers", "change floppy0 b.img"), for everything that has no
 * function here. What it prints is for reprise_free(). */
char *reprise_command(RepriseMachine *machine, const char *line);

/* --- its state --- */

/* Snapshots in the machine's file (option -snapshots), with what the disks hold. */
bool reprise_save_snapshot(RepriseMachine *machine, const char *name, RepriseError *error);
bool reprise_load_snapshot(RepriseMachine *machine, const char *name, RepriseError *error);
bool reprise_delete_snapshot(RepriseMachine *machine, const char *name, RepriseError *error);

/* Checkpoints: in memory, as many as wanted, in any order; they cost the pages that change. To be
 * freed before the machine is destroyed. */
RepriseCheckpoint *reprise_checkpoint(RepriseMachine *machine, RepriseError *error);
bool reprise_restore(RepriseMachine *machine, RepriseCheckpoint *checkpoint, RepriseError *error);
void reprise_free_checkpoint(RepriseCheckpoint *checkpoint);

/* A further machine that is what this one is now, and goes on by itself, in any thread; they share
 * memory until they change it. Its outputs go nowhere until they are set. All drives must be
 * snapshot=on (-snapshot). */
RepriseMachine *reprise_clone(RepriseMachine *machine, RepriseError *error);

#ifdef __cplusplus
}
#endif

#endif
