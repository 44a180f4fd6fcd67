/* See failure_folder.h. */
#include "failure_folder.h"
#include "allocate.h"
#include "back_trace.h"
#include "host_file.h"
#include "machine_parts.h"
#include "monitor.h"
#include "options.h"
#include "png_write.h"
#include "screen_watch.h"
#include "script_recording.h"
#include "test_run.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define STANDARD_FOLDER "reprise-failures"

enum { NAME_CHARACTERS = 80, NAMES_MAX = 100000, PATH_BYTES = 4096 };

/* --- places --- */

/* A folder and those above it, as far as they are not there. */
static bool make_folders(const char *path, Error *error) {
    char part[PATH_BYTES];
    snprintf(part, sizeof(part), "%s", path);
    for (char *at = part + 1; *at != '\0'; at++) {
        if (*at != '/')
            continue;
        *at = '\0';
        mkdir(part, 0777);
        *at = '/';
    }
    return mkdir(part, 0777) == 0 || errno == EEXIST ||
           error_set(error, "cannot make the folder '%s': %s", path, strerror(errno));
}

/* "dir lists files / a: b" becomes "dir-lists-files-a-b". */
static void make_file_name(const char *text, char *name) {
    size_t length = 0;
    for (; *text != '\0' && length < NAME_CHARACTERS; text++) {
        unsigned char byte = (unsigned char)*text;
        if (isalnum(byte) || byte == '_' || byte == '.' || byte >= 0x80)
            name[length++] = (char)byte;
        else if (length > 0 && name[length - 1] != '-')
            name[length++] = '-';
    }
    while (length > 0 && name[length - 1] == '-')
        length--;
    name[length] = '\0';
    if (length == 0 || name[0] == '.')
        memcpy(name, "test", 5);
}

/* mkdir() itself tells whether the name was free: several threads may want the same one. */
static bool make_fresh_folder(const char *parent, const char *name, char *path, Error *error) {
    if (!make_folders(parent, error))
        return false;
    for (unsigned number = 1; number < NAMES_MAX; number++) {
        if (number == 1)
            snprintf(path, PATH_BYTES, "%s/%s", parent, name);
        else
            snprintf(path, PATH_BYTES, "%s/%s-%u", parent, name, number);
        if (mkdir(path, 0777) == 0)
            return true;
        if (errno != EEXIST)
            return error_set(error, "cannot make the folder '%s': %s", path, strerror(errno));
    }
    return error_set(error, "too many folders of the name '%s' in '%s'", name, parent);
}

static void write_file(const char *folder, const char *name, const ByteBuffer *content,
                       Error *error) {
    char path[PATH_BYTES + 64];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    bool good = file != NULL && (content->size == 0 ||
                                 fwrite(content->data, 1, content->size, file) == content->size);
    if (file != NULL && fclose(file) != 0)
        good = false;
    if (!good)
        error_set(error, "cannot write '%s': %s", path, strerror(errno));
}

/* --- the script --- */

static void write_script(const FailureFolder *folder, const char *path, Error *error) {
    const TestResult *result = folder->result;
    ByteBuffer text = {.data = NULL};
    byte_buffer_print(&text, "test: %s\nscript: %s\n", result->name, result->file);
    byte_buffer_print(&text, "kind: %s\n", result->kind != NULL ? result->kind : KIND_FAIL);
    if (result->step != NULL)
        byte_buffer_print(&text, "step: %s\n", result->step);
    byte_buffer_print(&text, "\n");
    byte_buffer_append(&text, result->message, strlen(result->message));
    byte_buffer_print(&text, "\n\n");
    if (folder->traceback != NULL)
        byte_buffer_append(&text, folder->traceback, strlen(folder->traceback));
    byte_buffer_print(&text, "\n");
    write_file(path, "script.txt", &text, error);
    byte_buffer_free(&text);
}

/* As a shell takes it for one word. */
static void print_word(ByteBuffer *text, const char *word) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_-./=:,+@";
    bool quoted = word[0] == '\0' || word[strspn(word, plain)] != '\0';
    byte_buffer_print(text, "%s", quoted ? "'" : "");
    for (; *word != '\0'; word++)
        byte_buffer_print(text, *word == '\'' ? "'\\''" : "%c", *word);
    byte_buffer_print(text, "%s ", quoted ? "'" : "");
}

static bool is_whole_script(const FailureFolder *folder) {
    return !folder->script->tests->has_tests && folder->script->tests->outer == NULL;
}

/* The options decide what the script sees, so all but those of reporting are there again. */
static void write_command(const FailureFolder *folder, const char *path, Error *error) {
    const TestOptions *options = folder->script->options;
    char current[PATH_BYTES];
    ByteBuffer text = {.data = NULL};
    if (getcwd(current, sizeof(current)) != NULL) {
        byte_buffer_print(&text, "cd ");
        print_word(&text, current);
        byte_buffer_print(&text, "\n");
    }
    print_word(&text, options->program);
    byte_buffer_print(&text, "test ");
    for (int i = 0; i < options->variable_count; i++) {
        const TestVariable *variable = &options->variables[i];
        char word[PATH_BYTES];
        snprintf(word, sizeof(word), "%s=%s", variable->name, variable->value);
        byte_buffer_print(&text, "--var ");
        print_word(&text, word);
    }
    if (folder->script->perturbation.wanted) {
        char seed[PERTURBATION_TEXT_BYTES];
        perturbation_print(&folder->script->perturbation, seed);
        byte_buffer_print(&text, "--perturb %s ", seed);
    }
    for (int i = 0; i < options->machine_word_count; i++)
        print_word(&text, options->machine_words[i]);
    if (!is_whole_script(folder)) {
        char *filter = test_filter_exactly(folder->result, folder->repetition);
        byte_buffer_print(&text, "--filter ");
        print_word(&text, filter);
        free(filter);
    }
    print_word(&text, folder->result->file);
    byte_buffer_print(&text, "\n");
    write_file(path, "command.txt", &text, error);
    byte_buffer_free(&text);
}

static void write_events(const FailureFolder *folder, const char *path, Error *error) {
    ByteBuffer text = {.data = NULL};
    event_log_print(folder->events, &text);
    write_file(path, "events.log", &text, error);
    byte_buffer_free(&text);
}

/* --- a machine --- */

static void write_screen(const ScriptMachine *machine, const char *path, Error *error) {
    char file[PATH_BYTES + 64];
    ByteBuffer text = {.data = NULL};
    const DisplaySurface *screen, *difference;
    if (machine->screen == NULL) /* it failed while it was made */
        return;
    screen = screen_watch_look(machine->screen);
    difference = &machine->screen->difference;
    snprintf(file, sizeof(file), "%s/screen.png", path);
    if (screen->pixels != NULL)
        png_write(screen, file, error);
    snprintf(file, sizeof(file), "%s/difference.png", path);
    if (difference->pixels != NULL)
        png_write(difference, file, error);
    if (!screen_watch_text(machine->screen, true, &text))
        byte_buffer_print(&text, "(the screen shows no text)\n");
    write_file(path, "screen.txt", &text, error);
    byte_buffer_free(&text);
}

static void run_monitor(Monitor *monitor, const char *command) {
    monitor_run_line(monitor, command);
}

static void write_registers(Machine *machine, const char *path, Error *error) {
    MonitorHost host = {.machine = machine};
    Monitor monitor;
    monitor_init(&monitor, &host, NULL);
    run_monitor(&monitor, "info registers");
    write_file(path, "registers.txt", &monitor.output, error);
    monitor_destroy(&monitor);
}

static void write_devices(Machine *machine, const char *path, Error *error) {
    ByteBuffer text = {.data = NULL};
    const DeviceList *devices = &machine->devices;
    for (int i = 0; i < devices->count; i++) {
        const DeviceEntry *entry = &devices->entries[i];
        byte_buffer_print(&text, "%s (%s)\n", entry->id, entry->device_class->name);
        field_table_print(entry->device_class->fields, entry->state, &text);
        byte_buffer_print(&text, "\n");
    }
    write_file(path, "devices.txt", &text, error);
    byte_buffer_free(&text);
}

/* Symbols are those of the first --symbols, or of the kernel where that is an ELF file. */
static void write_back_trace(const ScriptMachine *machine, const char *path, Error *error) {
    GuestSymbols symbols = {.symbols = NULL};
    ByteBuffer text = {.data = NULL};
    Error no_symbols = {.set = false};
    const char *given = machine->script->options->coverage.symbols[0];
    const char *kernel = machine->machine->config.kernel;
    if (given != NULL)
        guest_symbols_read(&symbols, given, error);
    else if (kernel != NULL)
        guest_symbols_read(&symbols, kernel, &no_symbols);
    back_trace_print(machine->machine, &symbols, &text);
    write_file(path, "backtrace.txt", &text, error);
    byte_buffer_free(&text);
    guest_symbols_free(&symbols);
}

static void write_log(const ByteBuffer *log, const char *path, const char *name, Error *error) {
    if (log->size > 0)
        write_file(path, name, log, error);
}

static void write_logs(const ScriptMachine *machine, const char *path, Error *error) {
    char name[32];
    for (int i = 0; i < MACHINE_SERIAL_PORTS; i++) {
        snprintf(name, sizeof(name), "serial%d.log", i);
        if (i == 0 && machine->machine->config.has_serial[0])
            write_file(path, name, &machine->output.serial[0], error); /* also where it is empty */
        else
            write_log(&machine->output.serial[i], path, name, error);
    }
    for (int i = 0; i < MACHINE_PARALLEL_PORTS; i++) {
        snprintf(name, sizeof(name), "parallel%d.log", i);
        write_log(&machine->output.parallel[i], path, name, error);
    }
    write_log(&machine->output.debug_console, path, "debugcon.log", error);
    write_log(&machine->output.firmware_log, path, "firmware.log", error);
}

/* Also how to replay it, in a file that can be run. */
static void write_recording(const ScriptMachine *machine, const char *path, Error *error) {
    char file[PATH_BYTES + 64];
    ByteBuffer text = {.data = NULL};
    if (machine->recording == NULL)
        return;
    snprintf(file, sizeof(file), "%s/run.recording", path);
    if (!script_recording_write(machine->recording, file, error))
        return;
    print_word(&text, machine->script->options->program);
    byte_buffer_print(&text, "replay ");
    print_word(&text, file);
    text.data[text.size - 1] = '\n'; /* in place of a space */
    write_file(path, "replay.txt", &text, error);
    byte_buffer_free(&text);
}

/* Where another seed came to hold, for those who look for the event that made the difference. */
static void write_parting(const ScriptMachine *machine, const char *path, Error *error) {
    ByteBuffer text = {.data = NULL};
    const char *timer = machine->machine->clock.parted_by;
    if (timer == NULL)
        return;
    byte_buffer_print(&text, "%llu %s\n", (unsigned long long)machine->machine->parted_count,
                      timer);
    write_file(path, "parted.txt", &text, error);
    byte_buffer_free(&text);
}

static void write_machine(const ScriptMachine *machine, const char *path, Error *error) {
    write_recording(machine, path, error);
    write_parting(machine, path, error);
    write_screen(machine, path, error);
    write_registers(machine->machine, path, error);
    write_back_trace(machine, path, error);
    write_devices(machine->machine, path, error);
    write_logs(machine, path, error);
}

/* One machine's files lie in the folder itself; several have folders of their own. */
static void write_machines(const FailureFolder *folder, const char *path, Error *error) {
    unsigned count = 0;
    for (ScriptMachine *at = folder->script->machines; at != NULL; at = at->next)
        count += at->machine != NULL;
    for (ScriptMachine *at = folder->script->machines; at != NULL; at = at->next) {
        char own[PATH_BYTES], name[NAME_CHARACTERS + 8];
        if (at->machine == NULL)
            continue;
        make_file_name(at->name, name);
        if (count == 1)
            write_machine(at, path, error);
        else if (make_fresh_folder(path, name, own, error))
            write_machine(at, own, error);
    }
}

char *failure_folder_write(const FailureFolder *folder, Error *error) {
    const TestOptions *options = folder->script->options;
    char name[NAME_CHARACTERS + 8], path[PATH_BYTES];
    make_file_name(folder->result->name, name);
    if (!make_fresh_folder(options->out != NULL ? options->out : STANDARD_FOLDER, name, path,
                           error))
        return NULL;
    write_script(folder, path, error);
    write_command(folder, path, error);
    write_events(folder, path, error);
    write_machines(folder, path, error);
    return strdup(path);
}

bool failure_folder_find(const char *folder, const char *name, unsigned depth, bool last,
                         char *path, size_t size) {
    char below[PATH_BYTES], other[PATH_BYTES];
    bool found = false;
    if (depth == 0)
        return snprintf(path, size, "%s/%s", folder, name) < (int)size && access(path, R_OK) == 0;
    DIR *stream = opendir(folder);
    for (struct dirent *entry; stream != NULL && (entry = readdir(stream)) != NULL;) {
        if (entry->d_name[0] == '.' ||
            snprintf(below, sizeof(below), "%s/%s", folder, entry->d_name) >= PATH_BYTES ||
            !failure_folder_find(below, name, depth - 1, last, other, sizeof(other)))
            continue;
        if (!found || (strcmp(other, path) > 0) == last)
            snprintf(path, size, "%s", other);
        found = true;
    }
    if (stream != NULL)
        closedir(stream);
    return found;
}

void failure_folder_remove(const char *folder) {
    struct stat info;
    char below[PATH_BYTES];
    DIR *stream = lstat(folder, &info) == 0 && S_ISDIR(info.st_mode) ? opendir(folder) : NULL;
    for (struct dirent *entry; stream != NULL && (entry = readdir(stream)) != NULL;)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
            snprintf(below, sizeof(below), "%s/%s", folder, entry->d_name) < PATH_BYTES)
            failure_folder_remove(below);
    if (stream != NULL)
        closedir(stream);
    if (rmdir(folder) != 0)
        unlink(folder);
}
