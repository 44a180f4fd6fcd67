/* How the user names the export of an NBD server: QEMU's two spellings, and the NBD URI ("The NBD
 * Uniform Resource Indicator (URI) format", doc/uri.md of the reference implementation). */
#include "block_driver.h"
#include "block_nbd.h"
#include <stdlib.h>
#include <string.h>

#define EXPORT_WORD ":exportname="
#define RECONNECT_WORD ":reconnect-delay="
#define RECONNECT_SECONDS_MAXIMUM 86400

static bool starts_with(const char *text, const char *prefix) {
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool block_names_nbd(const char *path) {
    return starts_with(path, "nbd:") || starts_with(path, "nbd+unix:");
}

/* "HOST:PORT", where a host that holds colons stands in brackets. */
static bool parse_host(char *text, NbdSpec *spec) {
    char *host = text;
    char *end = strrchr(text, ':');
    if (*text == '[') {
        host = text + 1;
        end = strchr(host, ']');
        if (end == NULL || end[1] != ':')
            return false;
        *end++ = '\0';
    }
    if (end == NULL || end[1] == '\0')
        return false;
    *end = '\0';
    if (*host == '\0' || (host == text && strchr(host, ':') != NULL))
        return false;
    spec->host = strdup(host);
    spec->port = strdup(end + 1);
    return true;
}

static bool cut_reconnect(char *words, NbdSpec *spec) {
    char *word = strstr(words, RECONNECT_WORD), *end = NULL;
    if (word == NULL)
        return true;
    const char *number = word + strlen(RECONNECT_WORD);
    unsigned long seconds = strtoul(number, &end, 10);
    *word = '\0';
    spec->reconnect_seconds = (unsigned)seconds;
    return *number >= '0' && *number <= '9' && *end == '\0' && seconds <= RECONNECT_SECONDS_MAXIMUM;
}

bool nbd_spec_parse(const char *text, NbdSpec *spec, Error *error) {
    *spec = (NbdSpec){.uri = NULL};
    if (starts_with(text, "nbd://") || starts_with(text, "nbd+unix://")) {
        spec->uri = strdup(text);
        return true;
    }
    bool good = starts_with(text, "nbd:");
    char *words = strdup(good ? text + strlen("nbd:") : "");
    char *export_word = strstr(words, EXPORT_WORD);
    if (export_word != NULL) {
        spec->export_name = strdup(export_word + strlen(EXPORT_WORD));
        *export_word = '\0';
    }
    good = good && cut_reconnect(words, spec);
    if (good && starts_with(words, "unix:")) {
        spec->socket = strdup(words + strlen("unix:"));
        good = spec->socket[0] != '\0';
    } else if (good) {
        good = parse_host(words, spec);
    }
    free(words);
    return good || error_set(error, "names no export of an NBD server: "
                                    "nbd:HOST:PORT[:exportname=NAME], nbd:unix:PATH"
                                    "[:exportname=NAME], nbd://HOST[:PORT]/NAME or "
                                    "nbd+unix:///NAME?socket=PATH");
}

void nbd_spec_free(NbdSpec *spec) {
    free(spec->uri);
    free(spec->socket);
    free(spec->host);
    free(spec->port);
    free(spec->export_name);
}
