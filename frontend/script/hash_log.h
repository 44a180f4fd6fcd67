/* The hashes of all machines' states after each million instructions: written to a file by
 * --hash-log, compared with such a file by --hash-check. Two runs that have the same ones were the
 * same, instruction for instruction. */
#ifndef REPRISE_HASH_LOG_H
#define REPRISE_HASH_LOG_H

#include "machine_wait.h"
#include "script.h"

typedef struct HashLog {
    FILE *output;   /* NULL: nothing is written */
    FILE *expected; /* NULL: nothing is compared */
    char *expected_path;
    char *difference; /* once a line was not as expected: what was, in words */
} HashLog;

/* Either path may be NULL; NULL, with one line in 'error', where a file cannot be opened. */
HashLog *hash_log_open(const char *output_path, const char *expected_path, Error *error);
void hash_log_close(HashLog *log); /* NULL is allowed */

/* Adds to how a machine of a script is watched; nothing if 'log' is NULL. 'watch->opaque' is the
 * ScriptMachine. */
void hash_log_watch(HashLog *log, MachineWatch *watch);

#endif
