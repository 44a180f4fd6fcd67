/* What goes over the wire when a machine moves, between two processes of this program.
 *
 * The stream begins with a header and goes on with records. All numbers are little-endian.
 *
 *     header     "RPRMIGRA", version (4 bytes), MIGRATION_FLAG_* (4), length of the fingerprint
 * (4), the fingerprint (snapshot_fingerprint.h) record     kind (4), size of what follows (4),
 * contents
 *
 * Pages are numbered through all regions of guest memory, and each is told at least once before
 * MIGRATION_END; the last that was said of a page holds. Who sends while the guest runs sends a
 * page again after it was changed.
 *
 * The hand-over, where the channel goes both ways (MIGRATION_FLAG_ANSWERS):
 *
 *     source                          target
 *     stops the guest
 *     ... the rest, STATE, END  --->
 *                               <---  READY      it has all, and could start
 *     gives its images up
 *     COMMIT                    --->
 *                                     gets the images
 *                               <---  STARTED    from now on it is the machine
 *
 * At any moment one of the two is the machine, and who stopped answering does not matter as long as
 * it is known to be dead. The source goes on until it has READY, and if the connection ends before
 * it has STARTED: the target says STARTED before it starts. The target starts after COMMIT, and if
 * the connection ends between READY and COMMIT: a source that goes on says ABORT before it does.
 * So what is lost with a process is known to have been lost, since a connection ends when its
 * process does, after all that was sent.
 *
 * What ends a connection without ending a process is a failing network. Then neither can know
 * whether its last word was heard (the two generals), and nobody may guess: the source waits
 * stopped after COMMIT, the target after READY. The lock of an image decides where there is one,
 * for the source gives it up before COMMIT, and only then: the target starts once it gets it.
 * Machines without a common image wait for their user, who continues one of them. */
#ifndef REPRISE_MIGRATION_STREAM_H
#define REPRISE_MIGRATION_STREAM_H

#include "byte_buffer.h"

#define MIGRATION_MAGIC "RPRMIGRA"
#define MIGRATION_MAGIC_BYTES 8
#define MIGRATION_VERSION 1
#define MIGRATION_HEADER_BYTES (MIGRATION_MAGIC_BYTES + 12)
#define MIGRATION_FINGERPRINT_MAX 65536u
#define MIGRATION_RECORD_HEADER_BYTES 8u
#define MIGRATION_RECORD_MAX (1u << 20)
#define MIGRATION_ZEROS_MAX 32768u /* pages that one record tells of */
#define MIGRATION_STATE_MAX (256u << 20)
#define MIGRATION_DISK_HEADER_BYTES 20u
#define MIGRATION_DISK_UNIT_BYTES 65536u /* a record tells of one, but at the end */

enum { MIGRATION_FLAG_ANSWERS = 1, MIGRATION_FLAG_DISKS = 2 };

typedef enum MigrationRecord {
    /* From the source. */
    MIGRATION_PAGES = 1, /* page number (4) and contents, of as many as fit */
    MIGRATION_ZEROS,     /* first page (4) and how many (4) hold zeros, of as many as fit */
    MIGRATION_ROUND,     /* what comes next was changed since it was sent */
    MIGRATION_DISK,  /* drive (4), its length (8), offset (8), contents: none stands for zeros */
    MIGRATION_STATE, /* the next part of processors' and chips' state */
    MIGRATION_END,   /* that was all; 1 byte: it ran */
    MIGRATION_COMMIT,
    MIGRATION_ABORT,
    /* From the target. */
    MIGRATION_READY = 64,
    MIGRATION_STARTED,
    MIGRATION_REFUSED, /* and says why: text */
} MigrationRecord;

void migration_put_record(ByteBuffer *buffer, MigrationRecord kind, const void *data, size_t size);

#endif
