#include "monitor.h"
#include "monitor_command.h"
#include "nearest_name.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define PROMPT "(reprise) "

void monitor_init(Monitor *monitor, const MonitorHost *host, CharacterDevice *device) {
    *monitor = (Monitor){.host = host, .machine = host->machine, .device = device};
    monitor->echo = device != NULL && character_device_is_terminal(device);
    monitor->carriage_returns = device != NULL && !character_device_is_stdio(device);
}

void monitor_destroy(Monitor *monitor) {
    byte_buffer_free(&monitor->output);
}

char *monitor_next_word(char **arguments) {
    char *word = *arguments;
    while (isspace((unsigned char)*word))
        word++;
    if (*word == '\0')
        return NULL;
    char end = '\0';
    if (*word == '"' || *word == '\'')
        end = *word++;
    char *after = word;
    while (*after != '\0' && (end != '\0' ? *after != end : !isspace((unsigned char)*after)))
        after++;
    *arguments = *after == '\0' ? after : after + 1;
    *after = '\0';
    return word;
}

static const MonitorCommand *find_command(const MonitorCommand *table, const char *name) {
    for (const MonitorCommand *command = table; command->name != NULL; command++) {
        if (strcmp(command->name, name) == 0 ||
            (command->short_name != NULL && strcmp(command->short_name, name) == 0))
            return command;
    }
    return NULL;
}

typedef struct CommandCall {
    Monitor *monitor;
    const MonitorCommand *command;
    char *arguments;
    Error *error;
    bool good;
} CommandCall;

static void run_call(void *opaque) {
    CommandCall *call = opaque;
    call->good = call->command->run(call->monitor, call->arguments, call->error);
}

static bool fail_unknown(const MonitorCommand *table, const char *prefix, const char *name,
                         Error *error) {
    NearestName nearest = {.wanted = name};
    for (const MonitorCommand *command = table; command->name != NULL; command++)
        nearest_name_consider(&nearest, command->name);
    const char *best = nearest_name_get(&nearest);
    if (best == NULL || strlen(name) < 3)
        return error_set(error, "unknown command: '%s%s'", prefix, name);
    return error_set(error, "unknown command: '%s%s'; did you mean '%s%s'?", prefix, name, prefix,
                     best);
}

bool monitor_run_command(Monitor *monitor, const MonitorCommand *table, const char *prefix,
                         char *line, Error *error) {
    while (isspace((unsigned char)*line))
        line++;
    /* A command's name ends at a space or, since "x/4xw" is written so, at a slash. */
    char name[64];
    size_t length = strcspn(line, " \t/");
    if (length >= sizeof(name))
        return error_set(error, "unknown command: '%.60s...'", line);
    memcpy(name, line, length);
    name[length] = '\0';
    const MonitorCommand *command = find_command(table, name);
    if (command == NULL)
        return fail_unknown(table, prefix, name, error);
    CommandCall call = {monitor, command, line + length, error, false};
    if (command->on_machine)
        machine_call(monitor->machine, run_call, &call);
    else
        run_call(&call);
    return call.good;
}

void monitor_run_line(Monitor *monitor, const char *line) {
    Error error = {.set = false};
    char *copy = strdup(line);
    if (copy[strspn(copy, " \t")] != '\0' &&
        !monitor_run_command(monitor, monitor_commands, "", copy, &error))
        monitor_print(monitor, "%s\n", error.message);
    free(copy);
}

static void send_output(Monitor *monitor) {
    if (monitor->device == NULL)
        return;
    ByteBuffer text = {.data = NULL};
    for (size_t i = 0; i < monitor->output.size; i++) {
        if (monitor->output.data[i] == '\n' && monitor->carriage_returns)
            byte_buffer_append(&text, "\r", 1);
        byte_buffer_append(&text, &monitor->output.data[i], 1);
    }
    if (text.size > 0)
        character_device_write(monitor->device, text.data, text.size);
    byte_buffer_free(&text);
    monitor->output.size = 0;
}

void monitor_greet(Monitor *monitor) {
    monitor->line_length = 0;
    monitor_print(monitor, "Reprise %s monitor - type 'help' for more information\n" PROMPT,
                  monitor->host->version);
    send_output(monitor);
}

static void end_line(Monitor *monitor) {
    monitor->line[monitor->line_length] = '\0';
    monitor->line_length = 0;
    if (monitor->echo)
        monitor_print(monitor, "\n");
    if (monitor->line_too_long)
        monitor_print(monitor, "the line is too long\n");
    else
        monitor_run_line(monitor, monitor->line);
    monitor->line_too_long = false;
    monitor_print(monitor, PROMPT);
    send_output(monitor);
}

static void erase_character(Monitor *monitor) {
    if (monitor->line_length == 0)
        return;
    monitor->line_length--;
    if (monitor->echo)
        monitor_print(monitor, "\b \b");
}

static void add_character(Monitor *monitor, uint8_t byte) {
    if (monitor->line_length + 1 >= sizeof(monitor->line)) {
        monitor->line_too_long = true;
        return;
    }
    monitor->line[monitor->line_length++] = (char)byte;
    if (monitor->echo)
        monitor_print(monitor, "%c", byte);
}

/* Arrow keys and their like send ESC [ ... letter: there is no history for them to move in. */
static bool is_in_escape_sequence(Monitor *monitor, uint8_t byte) {
    if (byte == 0x1B) {
        monitor->escape = 1;
    } else if (monitor->escape == 1) {
        monitor->escape = byte == '[' || byte == 'O' ? 2 : 0;
    } else if (monitor->escape == 2) {
        if (byte >= 0x40)
            monitor->escape = 0;
    } else {
        return false;
    }
    return true;
}

void monitor_receive(Monitor *monitor, const uint8_t *bytes, size_t size) {
    for (size_t i = 0; i < size; i++) {
        uint8_t byte = bytes[i];
        if (monitor->echo && is_in_escape_sequence(monitor, byte))
            continue;
        if (byte == '\n' && i > 0 && bytes[i - 1] == '\r')
            continue; /* the second half of a CR LF */
        if (byte == '\n' || byte == '\r')
            end_line(monitor);
        else if (byte == 0x08 || byte == 0x7F)
            erase_character(monitor);
        else if (byte == 0x04 && monitor->line_length == 0 && monitor->echo)
            monitor->host->quit(monitor->host->quit_opaque); /* Ctrl-D on an empty line */
        else if (byte >= 0x20 || byte == '\t')
            add_character(monitor, byte);
    }
    send_output(monitor);
}
