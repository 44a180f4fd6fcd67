/* A machine of the library from its options to its end; clones. */
#include "allocate.h"
#include "command_line.h"
#include "library_parts.h"
#include "machine_clone.h"
#include "settings_finish.h"
#include "snapshot_of_machine.h"
#include "version.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(((RepriseError *)NULL)->message) == sizeof(((Error *)NULL)->message), "");
_Static_assert((int)REPRISE_PARALLEL_0 == MACHINE_SERIAL_PORTS, "");
_Static_assert((int)REPRISE_DEBUG_CONSOLE == (int)MACHINE_SERIAL_PORTS + MACHINE_PARALLEL_PORTS,
               "");

unsigned reprise_api_version(void) {
    return REPRISE_API_VERSION;
}

const char *reprise_version(void) {
    return REPRISE_VERSION;
}

void reprise_free(void *memory) {
    free(memory);
}

bool library_tell(RepriseError *error, const Error *inner) {
    if (error != NULL)
        memcpy(error->message, inner->set ? inner->message : "",
               inner->set ? sizeof(error->message) : 1);
    return !inner->set;
}

bool library_take(Error *error, const RepriseError *outer) {
    return outer->message[0] == '\0' || error_set(error, "%s", outer->message);
}

Settings *library_settings(RepriseMachine *machine) {
    return &machine->shared->settings;
}

Machine *library_inside(RepriseMachine *machine) {
    return machine->machine;
}

void library_set_served(RepriseMachine *machine) {
    machine->served = true;
}

RepriseMachine *reprise_create(void) {
    RepriseMachine *machine = allocate_zeroed(sizeof(*machine));
    machine->shared = allocate_zeroed(sizeof(*machine->shared));
    machine->shared->users = 1;
    settings_init(&machine->shared->settings);
    return machine;
}

static void release_settings(LibrarySettings *shared) {
    if (__atomic_sub_fetch(&shared->users, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    guest_coverage_finish(shared->coverage, NULL);
    FILE *trace = shared->settings.machine.trace_output;
    if (trace != NULL && trace != stderr)
        fclose(trace);
    settings_free(&shared->settings);
    free(shared);
}

void library_end(RepriseMachine *machine) {
    machine_destroy(machine->machine);
    machine->machine = NULL;
    audio_outputs_close(&machine->audio);
}

bool library_finish_coverage(RepriseMachine *machine, Error *error) {
    GuestCoverage *coverage = machine->shared->coverage;
    machine->shared->coverage = NULL;
    return guest_coverage_finish(coverage, error);
}

void reprise_destroy(RepriseMachine *machine) {
    if (machine == NULL)
        return;
    library_end(machine);
    display_surface_free(&machine->screen);
    release_settings(machine->shared);
    free(machine);
}

/* --- options --- */

/* The settings keep pointers to the words. */
static const char *keep(RepriseMachine *machine, const char *word) {
    return settings_keep_string(library_settings(machine), word);
}

static bool may_have_options(const RepriseMachine *machine, Error *error) {
    return !machine->shared->settings.finished ||
           error_set(error, "the machine is built: it has its options");
}

bool reprise_add_options(RepriseMachine *machine, const char *const *words, size_t count,
                         RepriseError *error) {
    Error inner = {.set = false};
    if (!may_have_options(machine, &inner) || count > INT32_MAX)
        return library_tell(error, &inner);
    char **kept = allocate_zeroed((count + 1) * sizeof(*kept));
    for (size_t i = 0; i < count; i++)
        kept[i] = (char *)keep(machine, words[i]);
    command_line_parse_more(library_settings(machine), (int)count, kept, &inner);
    free(kept);
    return library_tell(error, &inner);
}

bool reprise_set_option(RepriseMachine *machine, const char *name, const char *value,
                        RepriseError *error) {
    Error inner = {.set = false};
    if (may_have_options(machine, &inner))
        command_line_apply(library_settings(machine), keep(machine, name), keep(machine, value),
                           &inner);
    return library_tell(error, &inner);
}

static bool leads_outside(const CharacterSpec *spec) {
    return spec->kind != CHARACTER_NONE && spec->kind != CHARACTER_NULL;
}

/* What somebody else would have to serve, by the option that asks for it. NULL: nothing. */
static const char *find_unserved(const Settings *settings) {
    if (settings->show_help || settings->show_version || settings->listed)
        return "-help";
    if (settings->display == DISPLAY_SDL || settings->full_screen)
        return "-display";
    if (settings->no_machine)
        return "-machine none";
    if (settings->record_path != NULL)
        return "-record";
    if (settings->incoming != NULL)
        return "-incoming";
    if (settings->vnc.wanted)
        return "-vnc";
    if (settings->gdb_address != NULL)
        return "-gdb";
    if (settings->daemonize || settings->sandbox || settings->pid_file != NULL)
        return settings->daemonize ? "-daemonize" : settings->sandbox ? "-sandbox" : "-pidfile";
    for (int i = 0; i < settings->serial_count; i++) {
        if (leads_outside(&settings->serial[i]))
            return "-serial";
    }
    for (int i = 0; i < settings->parallel_count; i++) {
        if (leads_outside(&settings->parallel[i]))
            return "-parallel";
    }
    for (int i = 0; i < settings->monitor_count; i++) {
        if (leads_outside(&settings->monitor[i]))
            return "-monitor";
    }
    return leads_outside(&settings->debug_console)  ? "-debugcon"
           : leads_outside(&settings->firmware_log) ? "-firmware-log"
                                                    : NULL;
}

/* --- outputs --- */

static void forward(void *opaque, const uint8_t *bytes, size_t size) {
    const LibraryOutput *output = opaque;
    if (output->write != NULL)
        output->write(output->opaque, bytes, size);
}

void reprise_set_output(RepriseMachine *machine, RepriseOutput output,
                        void (*write)(void *opaque, const uint8_t *bytes, size_t size),
                        void *opaque) {
    if ((unsigned)output < REPRISE_OUTPUTS)
        machine->output[output] = (LibraryOutput){write, opaque};
}

static void wire_outputs(RepriseMachine *machine, MachineConfig *config) {
    LibraryOutput *output = machine->output;
    for (int i = 0; i < MACHINE_SERIAL_PORTS; i++)
        config->serial[i] = (ByteSink){forward, &output[REPRISE_SERIAL_0 + i]};
    for (int i = 0; i < MACHINE_PARALLEL_PORTS; i++)
        config->parallel[i] = (ByteSink){forward, &output[REPRISE_PARALLEL_0 + i]};
    if (config->debug_console.write != NULL)
        config->debug_console = (ByteSink){forward, &output[REPRISE_DEBUG_CONSOLE]};
    if (config->firmware_log.write != NULL)
        config->firmware_log = (ByteSink){forward, &output[REPRISE_FIRMWARE_LOG]};
}

/* Which ports there are. */
static void plug_in_ports(RepriseMachine *machine) {
    Settings *settings = library_settings(machine);
    MachineConfig *config = &settings->machine;
    for (int i = 0; i < settings->serial_count; i++)
        config->has_serial[i] = settings->serial[i].kind != CHARACTER_NONE;
    for (int i = 0; i < settings->parallel_count; i++)
        config->has_parallel[i] = settings->parallel[i].kind != CHARACTER_NONE;
    if (settings->debug_console.kind != CHARACTER_NONE ||
        machine->output[REPRISE_DEBUG_CONSOLE].write != NULL)
        config->debug_console.write = forward;
    if (settings->firmware_log.kind != CHARACTER_NONE ||
        machine->output[REPRISE_FIRMWARE_LOG].write != NULL)
        config->firmware_log.write = forward;
    wire_outputs(machine, config);
}

/* --- the board --- */

static bool open_trace(Settings *settings, Error *error) {
    if (settings->trace_file == NULL)
        return true;
    settings->machine.trace_output = fopen(settings->trace_file, "w");
    return settings->machine.trace_output != NULL ||
           error_set(error, "cannot write '%s': %s", settings->trace_file, strerror(errno));
}

static bool open_coverage(LibrarySettings *shared, Error *error) {
    Settings *settings = &shared->settings;
    if (!guest_coverage_is_wanted(&settings->coverage))
        return true;
    shared->coverage = guest_coverage_open(&settings->coverage, settings->machine.kernel, error);
    if (shared->coverage == NULL)
        return false;
    guest_coverage_attach(shared->coverage, &settings->machine.translator);
    return true;
}

static bool is_interrupted(void *opaque) {
    RepriseMachine *machine = opaque;
    return __atomic_exchange_n(&machine->interrupted, false, __ATOMIC_RELAXED);
}

static bool take_machine(RepriseMachine *machine, Machine *made) {
    machine->machine = made;
    if (made == NULL)
        return false;
    MachineWatch watch = {.interrupted = is_interrupted, .opaque = machine};
    machine_set_watch(made, &watch);
    return true;
}

static bool build(RepriseMachine *machine, Error *error) {
    Settings *settings = library_settings(machine);
    if (machine->machine != NULL)
        return error_set(error, "the machine is built already");
    if (!settings_finish(settings, error))
        return false;
    const char *unserved = machine->served ? NULL : find_unserved(settings);
    if (unserved != NULL)
        return error_set(error, "%s: a machine of the library has nobody to do that", unserved);
    plug_in_ports(machine);
    return open_trace(settings, error) && open_coverage(machine->shared, error) &&
           (machine->served ||
            audio_outputs_open(&machine->audio, settings, false, NULL, NULL, error)) &&
           take_machine(machine, machine_create(&settings->machine, error)) &&
           (settings->load_snapshot == NULL ||
            machine_load_snapshot(machine->machine, settings->load_snapshot, error));
}

bool reprise_build(RepriseMachine *machine, RepriseError *error) {
    Error inner = {.set = false};
    build(machine, &inner);
    return library_tell(error, &inner);
}

/* --- clones --- */

typedef struct CloneCall {
    Machine *machine;
    CloneBase *base;
    bool stops_at_triple_fault;
    Error error;
} CloneCall;

static void make_base(void *opaque) {
    CloneCall *call = opaque;
    call->stops_at_triple_fault = call->machine->stops_at_triple_fault;
    call->base = clone_base_create(call->machine, &call->error);
}

RepriseMachine *reprise_clone(RepriseMachine *machine, RepriseError *error) {
    CloneCall call = {.machine = machine->machine};
    machine_call(machine->machine, make_base, &call);
    RepriseMachine *clone = NULL;
    if (call.base != NULL) {
        clone = allocate_zeroed(sizeof(*clone));
        clone->shared = machine->shared;
        __atomic_add_fetch(&clone->shared->users, 1, __ATOMIC_RELAXED);
        MachineConfig config = machine->machine->config;
        wire_outputs(clone, &config);
        if (take_machine(clone, machine_create_clone(call.base, &config, &call.error))) {
            machine_stop_at_triple_fault(clone->machine, call.stops_at_triple_fault);
        } else {
            reprise_destroy(clone);
            clone = NULL;
        }
    }
    clone_base_release(call.base);
    library_tell(error, &call.error);
    return clone;
}
