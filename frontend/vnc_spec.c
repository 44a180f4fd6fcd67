#include "vnc_spec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LAST_DISPLAY 9999

/* "HOST:NUMBER", "[HOST]:NUMBER" with an address of IPv6, ":NUMBER". */
static bool split_address(const char *text, char host[64], long *number, Error *error) {
    const char *colon = strrchr(text, ':');
    char *end = NULL;
    if (colon != NULL)
        *number = strtol(colon + 1, &end, 10);
    if (colon == NULL || end == colon + 1 || *end != '\0' || *number < 0)
        return error_set(error, "'%s' is no HOST:DISPLAY", text);
    size_t length = (size_t)(colon - text);
    if (length > 1 && text[0] == '[' && colon[-1] == ']') {
        text++;
        length -= 2;
    }
    return snprintf(host, 64, "%.*s", (int)length, text) < 64 ||
           error_set(error, "the host's name is too long");
}

static bool is_this_host(const char *host) {
    return host[0] == '\0' || strcmp(host, "localhost") == 0 || strncmp(host, "127.", 4) == 0 ||
           strcmp(host, "::1") == 0;
}

static bool read_display(VncSpec *spec, const char *text, Error *error) {
    long display;
    if (strncmp(text, "unix:", 5) == 0) {
        spec->path = text + 5;
        return true;
    }
    if (!split_address(text, spec->host, &display, error))
        return false;
    if (display > LAST_DISPLAY)
        return error_set(error, "displays are numbered 0 to %d", LAST_DISPLAY);
    spec->port = spec->last_port = VNC_PORT + (int)display;
    return true;
}

/* "on", a port, or HOST:PORT. */
static bool read_websocket(VncSpec *spec, const char *text, Error *error) {
    long port = spec->port - VNC_PORT + VNC_WEBSOCKET_PORT;
    char *end;
    snprintf(spec->websocket_host, sizeof(spec->websocket_host), "%s", spec->host);
    if (text == NULL || strcmp(text, "off") == 0)
        return true;
    if (strchr(text, ':') != NULL) {
        if (!split_address(text, spec->websocket_host, &port, error))
            return false;
    } else if (strcmp(text, "on") != 0) {
        port = strtol(text, &end, 10);
        if (end == text || *end != '\0')
            return error_set(error, "websocket is on, off or a port, not '%s'", text);
    }
    if (port < 1 || port > 65535)
        return error_set(error, "there is no port %ld", port);
    spec->websocket_port = (int)port;
    return true;
}

/* Clients always share the screen, whoever asks to have it alone. */
static bool check_share(const char *policy, Error *error) {
    static const char *const policies[] = {"allow-exclusive", "force-shared", "ignore"};
    for (size_t i = 0; i < sizeof(policies) / sizeof(policies[0]); i++)
        if (policy == NULL || strcmp(policies[i], policy) == 0)
            return true;
    return error_set(error, "share is allow-exclusive, force-shared or ignore, not '%s'", policy);
}

/* Whoever reaches the port could use the machine. */
static bool check_address(const VncSpec *spec, Error *error) {
    if (spec->has_password || (is_this_host(spec->host) &&
                               (spec->websocket_port == 0 || is_this_host(spec->websocket_host))))
        return true;
    return error_set(error, "without a password only this host may connect: "
                            "password=on, or 127.0.0.1 for the address");
}

bool vnc_spec_parse(VncSpec *spec, KeyValues *values, Error *error) {
    const char *display = key_values_get(values, "vnc");
    const char *to = key_values_get(values, "to");
    bool ignored;
    key_values_get(values, "audiodev"); /* no sound goes to clients */
    key_values_get(values, "id");
    key_values_get(values, "key-delay-ms");
    *spec = (VncSpec){.wanted = display == NULL || strcmp(display, "none") != 0};
    if (!spec->wanted)
        return true;
    if (display == NULL)
        return error_set(error, "HOST:DISPLAY is missing");
    if (!read_display(spec, display, error) ||
        !key_values_get_bool(values, "password", false, &spec->has_password, error) ||
        !read_websocket(spec, key_values_get(values, "websocket"), error) ||
        !check_share(key_values_get(values, "share"), error) ||
        !key_values_get_bool(values, "power-control", false, &ignored, error) ||
        !key_values_get_bool(values, "lossy", false, &ignored, error) ||
        !key_values_get_bool(values, "non-adaptive", false, &ignored, error))
        return false;
    if (to != NULL)
        spec->last_port = VNC_PORT + atoi(to);
    return check_address(spec, error) &&
           key_values_check_used(values,
                                 "vnc password websocket to share audiodev power-control lossy "
                                 "non-adaptive id",
                                 error);
}
