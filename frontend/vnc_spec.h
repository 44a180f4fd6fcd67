/* '-vnc' and '-display vnc=': where a VNC server listens, in QEMU's words. */
#ifndef REPRISE_VNC_SPEC_H
#define REPRISE_VNC_SPEC_H

#include "error.h"
#include "key_values.h"
#include <stdbool.h>

#define VNC_PORT 5900           /* of display 0 */
#define VNC_WEBSOCKET_PORT 5700 /* for browsers */

typedef struct VncSpec {
    bool wanted;
    bool has_password; /* clients are refused until one is set */
    const char *path;  /* of a Unix socket; else */
    char host[64];     /* "" for every address of this host with a password, else this host's own */
    int port, last_port; /* the first that is free */
    int websocket_port;  /* 0: none */
    char websocket_host[64];
} VncSpec;

/* "none", ":1", "127.0.0.1:0,password=on,websocket=on,to=99", "unix:PATH". Strings belong to
 * 'values'. Without a password only this host itself can be listened on. */
bool vnc_spec_parse(VncSpec *spec, KeyValues *values, Error *error);

#endif
