#include "network_tap.h"
#include "allocate.h"
#include "host_file.h"
#include "host_process.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* So many frames at a time; more come at the next look. */
enum { BURST = 64 };

struct NetworkTap {
    int file, place; /* where it stands in the set that is polled */
    char name[32];
    const char *down_script;
    NetworkHost *host;
    NetworkLink *link;
    /* A frame that the cable did not take. */
    uint8_t frame[65536];
    size_t size;
};

/* ---- Frames ---- */

static void send_frame(void *opaque, const uint8_t *frame, size_t size) {
    const NetworkTap *tap = opaque;
    ssize_t written = write(tap->file, frame, size);
    (void)written; /* what the host does not take is lost, as on any wire */
}

static void receive(NetworkTap *tap) {
    for (unsigned i = 0; i < BURST; i++) {
        if (tap->size == 0) {
            ssize_t size = read(tap->file, tap->frame, sizeof(tap->frame));
            if (size <= 0)
                return;
            tap->size = (size_t)size;
        }
        if (!network_link_deliver(tap->link, tap->frame, tap->size))
            return;
        tap->size = 0;
    }
}

static void room(void *opaque) {
    NetworkTap *tap = opaque;
    network_host_touch(tap->host);
}

static void fill(void *opaque, NetworkPollSet *set) {
    NetworkTap *tap = opaque;
    if (tap->size > 0)
        receive(tap);
    tap->place = tap->size == 0 ? network_poll_set_add(set, tap->file, HOST_POLL_INPUT) : -1;
}

static void serve(void *opaque, const NetworkPollSet *set) {
    NetworkTap *tap = opaque;
    if (tap->place >= 0 && set->files[tap->place].revents != 0)
        receive(tap);
}

/* ---- Opening ---- */

static bool is_script(const char *script) {
    return script != NULL && *script != '\0' && strcmp(script, "no") != 0;
}

static bool run_script(const char *script, const char *interface, Error *error) {
    return host_process_run(script, interface) ||
           error_set(error, "the script '%s' failed", script);
}

static bool make_interface(NetworkTap *tap, const char *name, Error *error) {
    if (name != NULL && strlen(name) >= sizeof(tap->name))
        return error_set(error, "the name '%.40s' is too long for an interface", name);
    snprintf(tap->name, sizeof(tap->name), "%s", name != NULL ? name : "");
    tap->file = host_process_open_tap(tap->name, error);
    return tap->file >= 0;
}

static bool take_file(NetworkTap *tap, const char *number, Error *error) {
    char *end;
    long file = strtol(number, &end, 10);
    if (end == number || *end != '\0' || file < 0 || !host_file_keep_private((int)file))
        return error_set(error, "fd=%s is no open file", number);
    tap->file = (int)file;
    snprintf(tap->name, sizeof(tap->name), "fd %ld", file);
    return true;
}

static bool open_tap(NetworkTap *tap, const NetworkTapOptions *options, Error *error) {
    if (options->file != NULL)
        return take_file(tap, options->file, error);
    if (!make_interface(tap, options->interface, error))
        return false;
    tap->down_script = options->down_script;
    return !is_script(options->script) || run_script(options->script, tap->name, error);
}

NetworkTap *network_tap_create(const NetworkTapOptions *options, NetworkHost *host,
                               NetworkLink *link, Error *error) {
    NetworkTap *tap = allocate_zeroed(sizeof(*tap));
    const NetworkBackEndPort port = {send_frame, room, tap};
    const NetworkHostClient client = {fill, serve, tap};
    tap->file = -1;
    tap->host = host;
    tap->link = link;
    if (!open_tap(tap, options, error) ||
        (!host_file_set_nonblocking(tap->file) &&
         !error_set(error, "cannot use it: %s", strerror(errno)))) {
        network_tap_destroy(tap);
        return NULL;
    }
    network_link_attach_back_end(link, &port);
    network_host_add(host, &client);
    return tap;
}

void network_tap_destroy(NetworkTap *tap) {
    if (tap == NULL)
        return;
    network_host_remove(tap->host, tap);
    network_link_attach_back_end(tap->link, NULL);
    if (is_script(tap->down_script))
        run_script(tap->down_script, tap->name, NULL);
    if (tap->file >= 0)
        close(tap->file);
    free(tap);
}

void network_tap_print(const NetworkTap *tap, ByteBuffer *text) {
    byte_buffer_print(text, "ifname=%s", tap->name);
}
