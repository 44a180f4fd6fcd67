/* The program around a machine: its character devices, monitors, window and event loop. */
#ifndef REPRISE_PROGRAM_H
#define REPRISE_PROGRAM_H

#include "audio_outputs.h"
#include "character_device.h"
#include "event_loop.h"
#include "gdb_server.h"
#include "library_inside.h"
#include "machine.h"
#include "machine_events.h"
#include "machine_recording.h"
#include "migration.h"
#include "monitor.h"
#include "mux.h"
#include "settings.h"
#include "video_recording.h"
#include "vnc_server.h"

#define PROGRAM_DEVICES (MACHINE_SERIAL_PORTS + MACHINE_PARALLEL_PORTS + 2 + SETTINGS_MONITORS)

/* A serial port's input, on its way to the machine. */
typedef struct SerialInput {
    RepriseMachine *machine;
    unsigned port;
} SerialInput;

typedef struct Program Program;

/* What drives a machine besides window and human monitors, and is no part of this library. */
typedef struct ProgramPart {
    /* When everything is open and the machine is made (program->machine; NULL under '-machine
     * none') but does not run yet. NULL on error. */
    void *(*open)(Program *program, Error *error);
    /* After each round of the event loop: the machine may have told something. */
    void (*serve)(void *part);
    void (*close)(void *part);
} ProgramPart;

struct Program {
    RepriseMachine *library; /* the machine from making it to its end, */
    Settings *settings;      /* its options, */
    Machine *machine;        /* and its inside, once it is made */
    EventLoop loop;
    CharacterDevice *devices[PROGRAM_DEVICES];
    int device_count;
    CharacterDevice *serial[MACHINE_SERIAL_PORTS];
    SerialInput serial_input[MACHINE_SERIAL_PORTS];
    CharacterDevice *monitor_device[SETTINGS_MONITORS];
    Monitor monitor[SETTINGS_MONITORS + 1];
    int monitor_count;
    MonitorHost monitor_host;
    Mux mux;
    AudioOutputs audio;
    GdbServer gdb;
    MachineRecording *recording; /* NULL: none is made */
    Replay replay;
    VideoRecording *video; /* NULL: none is made */
    VncServer *vnc;        /* NULL: none */
    Migration *migration;
    bool wrote_pid_file;
    Error failure; /* set: what ends the program */
    bool quit;     /* the user wants to end, */
    MachineCause quit_cause;
    int ready_fd;  /* tells the process that waits for -daemonize; -1: none does */
    HostEvent end; /* the host asks for the end */
};

/* Builds the machine, which has its options, and opens what is around it; runs until the guest or
 * the user ends it; '*exit_status' says how. */
bool program_run(RepriseMachine *machine, const ProgramPart *part, int *exit_status, Error *error);

void program_quit(void *program);
/* Ends the program with an error. */
void program_fail(Program *program, const Error *error);
/* Ends the program in order, and the machine's events say why. */
void program_quit_for(Program *program, MachineCause cause);

/* program_daemonize.c: goes on in a child; the parent waits until the child is ready, or has failed
 * and said so, and exits. After program_daemonize_end() nothing is left of the terminal. */
bool program_daemonize_begin(Program *program, Error *error);
void program_daemonize_end(Program *program);

/* program_signals.c */
void program_signals_install(Program *program);
void program_signals_remove(Program *program);

/* Begins a film of screen and sound; NULL: ends it. */
bool program_record_video(Program *program, const char *path, Error *error);

#endif
