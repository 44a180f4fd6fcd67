/* See hash_log.h. A line is "FILE MACHINE INSTRUCTIONS HASH". Scripts run one at a time while there
 * is a log (test_run_jobs), so the lines of two equal runs come in the same order. */
#include "hash_log.h"
#include "allocate.h"
#include "machine_parts.h"
#include "machine_snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HASH_STRIDE 1000000
#define LINE_BYTES 4096

static FILE *open_file(const char *path, const char *mode, const char *what, Error *error) {
    FILE *file = path != NULL ? fopen(path, mode) : NULL;
    if (path != NULL && file == NULL)
        error_set(error, "cannot %s '%s': %s", what, path, strerror(errno));
    return file;
}

HashLog *hash_log_open(const char *output_path, const char *expected_path, Error *error) {
    HashLog *log = allocate_zeroed(sizeof(*log));
    /* Reading first: the same name for both would else be emptied. */
    log->expected = open_file(expected_path, "r", "read", error);
    if (!error->set)
        log->output = open_file(output_path, "w", "write", error);
    if (expected_path != NULL)
        log->expected_path = strdup(expected_path);
    if (!error->set)
        return log;
    hash_log_close(log);
    return NULL;
}

void hash_log_close(HashLog *log) {
    if (log == NULL)
        return;
    if (log->output != NULL)
        fclose(log->output);
    if (log->expected != NULL)
        fclose(log->expected);
    free(log->expected_path);
    free(log->difference);
    free(log);
}

/* The next line without its end. After the last one the first comes again: --repeat. */
static bool read_expected(HashLog *log, char *line) {
    if (fgets(line, LINE_BYTES, log->expected) == NULL) {
        rewind(log->expected);
        if (fgets(line, LINE_BYTES, log->expected) == NULL)
            return false;
    }
    line[strcspn(line, "\n")] = '\0';
    return true;
}

static void compare(HashLog *log, const char *line) {
    char expected[LINE_BYTES];
    bool found = read_expected(log, expected);
    if ((found && strcmp(line, expected) == 0) || log->difference != NULL)
        return;
    ByteBuffer text = {.data = NULL};
    byte_buffer_print(&text, "the run differs from that of %s: \"%s\" where that has \"%s\"",
                      log->expected_path, line, found ? expected : "nothing");
    log->difference = strdup((const char *)text.data);
    byte_buffer_free(&text);
}

static void stride_done(void *opaque) {
    const ScriptMachine *machine = opaque;
    HashLog *log = machine->script->options->hashes;
    char line[LINE_BYTES];
    snprintf(line, sizeof(line), "%s %s %llu %016llx", machine->script->file, machine->name,
             (unsigned long long)machine_count_instructions(machine->machine),
             (unsigned long long)machine_state_hash(machine->machine));
    if (log->output != NULL)
        fprintf(log->output, "%s\n", line);
    if (log->expected != NULL)
        compare(log, line);
}

void hash_log_watch(HashLog *log, MachineWatch *watch) {
    if (log == NULL)
        return;
    watch->stride = HASH_STRIDE;
    watch->stride_done = stride_done;
}
