/* The export of an NBD server as a disk ("The NBD Protocol", doc/proto.md of the reference
 * implementation), by libnbd. */
#ifndef REPRISE_BLOCK_NBD_H
#define REPRISE_BLOCK_NBD_H

#include "error.h"
#include <stdbool.h>

/* Where an export is. Either 'uri' is set, for libnbd to read, or one of the others. */
typedef struct NbdSpec {
    char *uri;
    char *socket; /* the path of a Unix socket */
    char *host;
    char *port;
    char *export_name;
    unsigned reconnect_seconds; /* in which a lost connection is tried again; 0: it stays lost */
} NbdSpec;

/* Reads "nbd:HOST:PORT[:exportname=NAME]", "nbd:unix:PATH[:exportname=NAME]", either with
 * ":reconnect-delay=SECONDS" before the name, "nbd://..." and "nbd+unix://...". The strings are
 * freed by nbd_spec_free(), after an error too. */
bool nbd_spec_parse(const char *text, NbdSpec *spec, Error *error);
void nbd_spec_free(NbdSpec *spec);

#endif
