/* A typist who never loses a key: the next one goes down only when the guest has taken the bytes of
 * the one before, and has done something with it.
 *
 * Three buffers lie between a keyboard and a program, and each is watched:
 * - The keyboard's own queue and the controller's output buffer. The next key waits until both are
 *   empty. While the guest keeps up, bytes do not take the millisecond that a real cable needs, so
 *   that long texts are typed in little guest time.
 * - The BIOS's buffer of 15 keys at 0040:001Eh (IBM Technical Reference, 'Keyboard Encoding and
 *   Usage'). Where a key has moved its tail, the next one waits until a program has read it.
 * - Buffers of other systems, such as a terminal's line of 4096 characters, which nobody can see
 *   from outside. Where the BIOS's buffer did not move, the next key waits until the processor was
 *   seen idle in HLT, or for a bounded time where the system never is.
 *
 * A typist looks at the machine between two instructions, at intervals of guest time: so under
 * icount a run is always the same. */
#ifndef REPRISE_TYPIST_H
#define REPRISE_TYPIST_H

#include "error.h"
#include "keyboard_layouts.h"
#include "machine.h"

/* How often typist_step() is to be called, in guest time. */
#define TYPIST_STEP_NS 50000

#define TYPIST_MOST_KEYS 16

/* What a typist waits for at present. */
typedef enum TypistPhase {
    TYPIST_READY,   /* the line to be free for the next key */
    TYPIST_TAKING,  /* the guest to take the bytes of a key */
    TYPIST_HOLDING, /* the time that a combination is held */
    TYPIST_READING, /* a program to read what the BIOS keeps, or the system to come to rest */
    TYPIST_DONE,
    TYPIST_LATE, /* given up: the guest did not do what 'late_phase' says within the time-out */
} TypistPhase;

typedef struct TypistEvent {
    uint16_t key; /* KEYBOARD_KEY_* */
    bool down;
} TypistEvent;

/* Keys that go out in one go, then what is waited for. */
typedef struct TypistStroke {
    TypistEvent events[8];
    unsigned count;
    int64_t hold_ns; /* after it was taken */
    bool read;       /* wait until it was read */
} TypistStroke;

typedef struct Typist {
    Machine *machine;
    int64_t timeout_ns; /* of guest time, for each key */
    TypistPhase phase, late_phase;
    int64_t pause_ns; /* at least, after each key; for programs that lose some all the same */
    int64_t since_ns; /* when the phase began */
    TypistStroke stroke;
    uint16_t bios_tail; /* before the stroke */
    bool enter;         /* the stroke ends a line */
    bool hurried;       /* the guest is too slow for the rest of a combination to wait for it */
    /* A text... */
    const char *text;
    size_t size, next;
    KeyboardTyping typing; /* the character before 'next' */
    unsigned typed;        /* its strokes that were made */
    /* ...or a combination. */
    int keys[TYPIST_MOST_KEYS];
    unsigned count, strokes_made;
    enum { TYPIST_PRESS = 1, TYPIST_RELEASE = 2 } actions;
    int64_t hold_ns;
} Typist;

/* Prepares to type a text (UTF-8) on the keyboard that the machine is set to: its layout's
 * characters, line feed or carriage return (or both) for Enter, tab, backspace and escape. False,
 * and nothing typed, if a character is none of these. The text must last as long as the typist is
 * at work. */
bool typist_begin_text(Typist *typist, Machine *machine, const char *text, size_t size,
                       int64_t timeout_ns, Error *error);

/* Prepares to press keys one after the other (TYPIST_PRESS), to let them go in reverse order
 * (TYPIST_RELEASE), or both, with 'hold_ns' in between. */
void typist_begin_keys(Typist *typist, Machine *machine, const int *keys, unsigned count,
                       unsigned actions, int64_t hold_ns, int64_t timeout_ns);

/* Goes on as far as the guest allows. True once there is nothing more to do: done, or late. Made
 * for machine_run_until(). */
bool typist_step(void *typist);

/* Did the last press go out? What the guest does from then on it may do because of it: power off,
 * or halt for ever, with the release of the key still in the controller. */
bool typist_has_pressed(const Typist *typist);

/* One line on what a typist who is late waits for. */
void typist_explain(const Typist *typist, Error *error);

/* Reads a combination such as "ctrl-alt-delete". The key "-" is called "minus". */
bool typist_read_keys(const char *text, int keys[TYPIST_MOST_KEYS], unsigned *count, Error *error);

#endif
