#include "program.h"
#include "display.h"
#include "host_file.h"
#include "host_process.h"
#include "host_thread.h"
#include "image_shelf.h"
#include "machine_history.h"
#include "recording_description.h"
#include "version.h"

#include <errno.h>
#ifdef __GLIBC__
#endif
#include <stdio.h>
#include <string.h>

/* A frame of the window; without one nothing is urgent. */

void program_quit(void *opaque) {
    program_quit_for(opaque, MACHINE_CAUSE_HOST_QUIT);
}

void program_quit_for(Program *program, MachineCause cause) {
    if (!program->quit && program->machine != NULL)
        machine_tell(program->machine, MACHINE_EVENT_SHUTDOWN, cause);
    program->quit = true;
    program->quit_cause = cause;
    event_loop_wake(&program->loop);
}

void program_fail(Program *program, const Error *error) {
    if (!program->failure.set)
        program->failure = *error;
    program->quit = true;
    event_loop_wake(&program->loop);
}

static void wake_loop(void *opaque) {
    Program *program = opaque;
    event_loop_wake(&program->loop);
}

static void write_to_device(void *opaque, const uint8_t *data, size_t size) {
    character_device_write(opaque, data, size);
}

static CharacterDevice *open_device(Program *program, const CharacterSpec *spec, const char *label,
                                    Error *error) {
    CharacterDevice *device = character_device_open(&program->loop, spec, label, error);
    if (device != NULL)
        program->devices[program->device_count++] = device;
    return device;
}

/* The machine's output goes to a device of its own, if the options say where. */
static bool open_output(Program *program, const CharacterSpec *spec, const char *label,
                        RepriseOutput output, CharacterDevice **device, Error *error) {
    if (spec->kind == CHARACTER_NONE)
        return true;
    *device = open_device(program, spec, label, error);
    reprise_set_output(program->library, output, write_to_device, *device);
    return *device != NULL;
}

static bool open_ports(Program *program, Error *error) {
    static const char *const labels[] = {"serial0",   "serial1",   "serial2",  "serial3",
                                         "parallel0", "parallel1", "parallel2"};
    const Settings *settings = program->settings;
    CharacterDevice *other;
    for (int i = 0; i < settings->serial_count; i++) {
        if (!open_output(program, &settings->serial[i], labels[i], REPRISE_SERIAL_0 + i,
                         &program->serial[i], error))
            return false;
    }
    for (int i = 0; i < settings->parallel_count; i++) {
        if (!open_output(program, &settings->parallel[i], labels[MACHINE_SERIAL_PORTS + i],
                         REPRISE_PARALLEL_0 + i, &other, error))
            return false;
    }
    return open_output(program, &settings->debug_console, "debugcon", REPRISE_DEBUG_CONSOLE, &other,
                       error) &&
           open_output(program, &settings->firmware_log, "firmware log", REPRISE_FIRMWARE_LOG,
                       &other, error);
}

static bool open_monitors(Program *program, Error *error) {
    static const char *const labels[SETTINGS_MONITORS] = {"monitor0", "monitor1", "monitor2",
                                                          "monitor3"};
    Settings *settings = program->settings;
    for (int i = 0; i < settings->monitor_count; i++) {
        if (settings->monitor[i].kind == CHARACTER_NONE || settings->monitor[i].mux)
            continue;
        program->monitor_device[i] = open_device(program, &settings->monitor[i], labels[i], error);
        if (program->monitor_device[i] == NULL)
            return false;
    }
    return true;
}

static void receive_serial(void *opaque, const uint8_t *data, size_t size) {
    SerialInput *input = opaque;
    reprise_send_serial(input->machine, input->port, data, size);
}

static void receive_monitor(void *opaque, const uint8_t *data, size_t size) {
    monitor_receive(opaque, data, size);
}

static void greet_monitor(void *opaque) {
    monitor_greet(opaque);
}

static CharacterClient add_monitor(Program *program, CharacterDevice *device) {
    Monitor *monitor = &program->monitor[program->monitor_count++];
    monitor_init(monitor, &program->monitor_host, device);
    return (CharacterClient){
        .received = receive_monitor, .connected = greet_monitor, .opaque = monitor};
}

static void attach_serial_ports(Program *program) {
    for (unsigned i = 0; i < MACHINE_SERIAL_PORTS; i++) {
        if (program->serial[i] == NULL)
            continue;
        program->serial_input[i] = (SerialInput){program->library, i};
        CharacterClient client = {.received = receive_serial, .opaque = &program->serial_input[i]};
        if (program->settings->serial[i].mux && program->mux.device == NULL) {
            program->mux = (Mux){.device = program->serial[i],
                                 .port = client,
                                 .monitor = add_monitor(program, program->serial[i]),
                                 .quit = program_quit,
                                 .quit_opaque = program};
            mux_attach(&program->mux);
        } else {
            character_device_set_client(program->serial[i], &client);
        }
    }
}

static void attach_monitors(Program *program) {
    for (int i = 0; i < SETTINGS_MONITORS; i++) {
        if (program->monitor_device[i] == NULL || program->settings->monitor_is_control[i])
            continue;
        CharacterClient client = add_monitor(program, program->monitor_device[i]);
        character_device_set_client(program->monitor_device[i], &client);
    }
}

static bool write_pid_file(Program *program, Error *error) {
    const char *path = program->settings->pid_file;
    if (path == NULL)
        return true;
    FILE *file = fopen(path, "w");
    if (file == NULL || fprintf(file, "%d\n", (int)getpid()) < 0 || fclose(file) != 0)
        return error_set(error, "cannot write '%s': %s", path, strerror(errno));
    program->wrote_pid_file = true;
    return true;
}

static bool has_ended(Program *program, int *exit_status) {
    return program->machine != NULL && reprise_has_ended(program->library, exit_status);
}

/* How long nothing of ours is due. */
static int find_wait_ms(const Program *program, const Display *display) {
    return display != NULL ? display_wait_ms(display) : vnc_server_wait_ms(program->vnc);
}

static void serve_migration(Program *program) {
    Error error = {.set = false};
    if (!migration_serve(program->migration, &error))
        program_fail(program, &error);
}

static void run_loop(Program *program, const ProgramPart *part, void *control, Display *display,
                     int *exit_status) {
    while (!program->quit && !has_ended(program, exit_status)) {
        event_loop_run_once(&program->loop, find_wait_ms(program, display));
        vnc_server_update(program->vnc);
        audio_outputs_update(&program->audio);
        gdb_server_update(&program->gdb);
        if (display != NULL && !display_update(display))
            program_quit_for(program, MACHINE_CAUSE_HOST_UI);
        serve_migration(program);
        part->serve(control);
    }
    part->serve(control); /* why it ended */
    if (program->quit)
        *exit_status = 0;
}

static bool serve_debugger(void *opaque, const char *address, Error *error) {
    Program *program = opaque;
    gdb_server_close(&program->gdb);
    return address == NULL ||
           gdb_server_open(&program->gdb, &program->loop, &program->monitor_host, address, error);
}

static void end_recording(void *opaque) {
    Program *program = opaque;
    machine_recording_end(program->recording);
    program->recording = NULL;
}

/* The machine's past or future is in a file. */
static bool begin_recording(Program *program, Error *error) {
    Settings *settings = program->settings;
    if (settings->video_path != NULL && program->machine != NULL &&
        !program_record_video(program, settings->video_path, error))
        return false;
    if (settings->replay != NULL) {
        program->replay.paced = true;
        return machine_replay_recording(program->machine, settings->replay, &program->replay,
                                        error) &&
               machine_history_begin(program->machine, error);
    }
    if (settings->record_path == NULL)
        return true;
    RecordingDescription description;
    if (!recording_describe(settings, &description, error))
        return false;
    program->recording =
        machine_recording_begin(program->machine, settings->record_path, &description, error);
    return program->recording != NULL;
}

static bool set_vnc_password(void *opaque, const char *password, Error *error) {
    Program *program = opaque;
    return vnc_server_set_password(program->vnc, password, error);
}

bool program_record_video(Program *program, const char *path, Error *error) {
    if (path == NULL) {
        VideoRecording *video = program->video;
        program->video = NULL;
        return video != NULL ? video_recording_end(video, error)
                             : error_set(error, "no video is being recorded");
    }
    if (program->video != NULL)
        return error_set(error, "a video is being recorded already");
    program->video =
        video_recording_begin(program->machine, path, audio_outputs_tap(&program->audio), error);
    return program->video != NULL;
}

static bool record_video(void *opaque, const char *path, Error *error) {
    return program_record_video(opaque, path, error);
}

static VideoRecording *find_video(void *opaque) {
    const Program *program = opaque;
    return program->video;
}

static void end_video(Program *program) {
    Error error = {.set = false};
    if (program->video != NULL && !program_record_video(program, NULL, &error))
        fprintf(stderr, "reprise: %s\n", error.message);
}

static bool make_machine(Program *program, Error *error) {
    RepriseError outer;
    if (!reprise_build(program->library, &outer))
        return library_take(error, &outer);
    program->machine = library_inside(program->library);
    program->monitor_host = (MonitorHost){.machine = program->machine,
                                          .version = REPRISE_VERSION,
                                          .quit = program_quit,
                                          .quit_opaque = program,
                                          .settings = program->settings,
                                          .serve_debugger = serve_debugger,
                                          .set_vnc_password = set_vnc_password,
                                          .record_video = record_video,
                                          .video = find_video};
    reprise_set_notify(program->library, wake_loop, program);
    return true;
}

static bool start_machine(Program *program, Error *error) {
    RepriseError outer;
    if (program->settings->sandbox && !host_process_enter_sandbox(error))
        return false;
    return program->machine == NULL || reprise_start(program->library, &outer) ||
           library_take(error, &outer);
}

/* Those that were asked for: a window, a VNC server. */
static bool open_views(Program *program, Display **display, Error *error) {
    const Settings *settings = program->settings;
    if (settings->display != DISPLAY_NONE) {
        DisplayOptions options = {.name = settings->machine.name,
                                  .firmware_folder = settings->machine.firmware_folder,
                                  .scaling_is_named = settings->scaling_is_named,
                                  .scaling = settings->scaling,
                                  .full_screen_is_named = settings->full_screen_is_named,
                                  .full_screen = settings->full_screen,
                                  .keeps_settings = !settings->no_user_config,
                                  .audio = &program->audio,
                                  .monitor_host = &program->monitor_host};
        *display = display_open(program->machine, &options, error);
        if (*display == NULL)
            return false;
        if (settings->main_image != NULL)
            image_shelf_note_used(settings->main_image);
    }
    if (!settings->vnc.wanted)
        return true;
    program->vnc = vnc_server_open(&program->loop, program->machine, &settings->vnc,
                                   settings->machine.name, error);
    return program->vnc != NULL || error_prefix(error, "-vnc: ");
}

static void close_views(Program *program, Display *display) {
    vnc_server_close(program->vnc);
    program->vnc = NULL;
    display_close(display);
}

static bool run_machine(Program *program, const ProgramPart *part, int *exit_status, Error *error) {
    Settings *settings = program->settings;
    Display *display = NULL;
    if (!settings->no_machine && !make_machine(program, error))
        return false;
    program->migration =
        migration_create(program->machine, &program->loop, settings->incoming, error);
    if (program->migration == NULL)
        return false;
    program->monitor_host.migration = program->migration;
    if (!open_views(program, &display, error)) {
        close_views(program, display);
        return false;
    }
    void *control = part->open(program, error);
    bool good = control != NULL;
    if (good && program->machine != NULL) {
        attach_serial_ports(program);
        attach_monitors(program);
    }
    good = good && write_pid_file(program, error) && begin_recording(program, error) &&
           start_machine(program, error) &&
           (program->machine == NULL || serve_debugger(program, settings->gdb_address, error));
    if (good) {
        program_daemonize_end(program);
        run_loop(program, part, control, display, exit_status);
        good = !program->failure.set || error_set(error, "%s", program->failure.message);
    }
    gdb_server_close(&program->gdb);
    end_video(program);
    migration_free(program->migration);
    program->migration = NULL;
    if (program->recording != NULL)
        machine_call(program->machine, end_recording, program);
    if (control != NULL)
        part->close(control);
    close_views(program, display);
    return good;
}

static void close_all(Program *program) {
    migration_free(program->migration);
    if (program->wrote_pid_file)
        unlink(program->settings->pid_file);
    library_end(program->library);
    audio_outputs_close(&program->audio);
    for (int i = 0; i < program->monitor_count; i++)
        monitor_destroy(&program->monitor[i]);
    for (int i = 0; i < program->device_count; i++)
        character_device_close(program->devices[i]);
}

bool program_run(RepriseMachine *machine, const ProgramPart *part, int *exit_status, Error *error) {
    Settings *settings = library_settings(machine);
    Program program = {.library = machine, .settings = settings, .ready_fd = -1};
    host_thread_share_heap();
    library_set_served(machine);
    if (settings->daemonize && !program_daemonize_begin(&program, error))
        return false;
    if (!event_loop_init(&program.loop, error))
        return false;
    program_signals_install(&program);
    bool good = display_check(settings, error) && open_ports(&program, error) &&
                open_monitors(&program, error) &&
                audio_outputs_open(&program.audio, settings, true, wake_loop, &program, error) &&
                run_machine(&program, part, exit_status, error);
    close_all(&program);
    Error unwritten = {.set = false};
    if (!library_finish_coverage(machine, &unwritten) && good)
        good = error_set(error, "%s", unwritten.message);
    program_signals_remove(&program);
    event_loop_destroy(&program.loop);
    return good;
}
