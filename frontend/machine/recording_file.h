/* A recording as a file: which machine it is of, the state in which the run began, the log.
 *
 * All numbers are little-endian. "REPRREC1", a version (4 bytes), then chunks: kind (4), bytes
 * stored (4), bytes unpacked (4), CRC-32 of what is stored (4), and the bytes, deflated. The first
 * chunk describes the machine, the next ones hold the state and then the log. The file grows by
 * whole chunks at its end, so a writer that is killed leaves a recording of all but its last
 * moment. */
#ifndef REPRISE_RECORDING_FILE_H
#define REPRISE_RECORDING_FILE_H

#include "byte_buffer.h"
#include "error.h"
#include <stdbool.h>
#include <stdint.h>

#define RECORDING_WORDS 512
#define RECORDING_FILES 64

/* A file that the machine reads; 'fingerprint' is of its size and of pieces of its contents. */
typedef struct RecordedFile {
    const char *path;
    uint64_t bytes, fingerprint;
} RecordedFile;

typedef struct RecordingDescription {
    const char *word[RECORDING_WORDS]; /* the command line, without the program's name */
    unsigned word_count;
    RecordedFile file[RECORDING_FILES];
    unsigned file_count;
} RecordingDescription;

/* Fills in size and fingerprint. */
bool recorded_file_look(RecordedFile *file, Error *error);

/* ---- Writing ---- */

typedef struct RecordingWriter RecordingWriter;

/* Replaces a recording that is there, and no file of another kind. */
RecordingWriter *recording_create(const char *path, const RecordingDescription *description,
                                  const ByteBuffer *state, Error *error);
/* Appends to the log. False: the disk is full or fails; nothing more is written. */
bool recording_append(RecordingWriter *writer, const void *log, size_t size);
void recording_close(RecordingWriter *writer); /* NULL is allowed */

/* ---- Reading ---- */

typedef struct Recording {
    RecordingDescription description; /* its strings lie in 'text' */
    ByteBuffer text, state, log;
    bool is_damaged; /* what follows the log's last good chunk is not one */
} Recording;

bool recording_read(Recording *recording, const char *path, Error *error);
void recording_free(Recording *recording);

#endif
