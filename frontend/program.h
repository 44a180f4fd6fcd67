/* The program around a machine: its character devices, monitors, window and event loop. */
#ifndef REPRISE_PROGRAM_H
#define REPRISE_PROGRAM_H

#include "audio_outputs.h"
#include "character_device.h"
#include "event_loop.h"
#include "gdb_server.h"
#include "machine.h"
#include "monitor.h"
#include "mux.h"
#include "settings.h"

#define PROGRAM_DEVICES (MACHINE_SERIAL_PORTS + MACHINE_PARALLEL_PORTS + 2 + SETTINGS_MONITORS)

/* A serial port's input, on its way to the machine. */
typedef struct SerialInput {
    Machine *machine;
    unsigned port;
} SerialInput;

typedef struct Program {
    Settings *settings;
    EventLoop loop;
    Machine *machine;
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
    bool wrote_pid_file;
    bool quit; /* the user wants to end */
    int signal_fd;
} Program;

/* Makes machine and devices, runs until the guest or the user ends it; '*exit_status' says how. */
bool program_run(Settings *settings, int *exit_status, Error *error);

void program_quit(void *program);

/* program_signals.c */
void program_signals_install(Program *program);
void program_signals_remove(Program *program);

#endif
