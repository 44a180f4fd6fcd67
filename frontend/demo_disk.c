#define _GNU_SOURCE /* strchrnul() */
#include "demo_disk.h"
#include "host_file.h"
#include "host_string.h"
#include "options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_BYTES 4096

/* The file that the shell started for a name without a folder. */
static bool find_in_search_path(const char *program, char *path) {
    const char *folder = getenv("PATH");
    while (folder != NULL) {
        const char *end = strchrnul(folder, ':');
        int length = snprintf(path, PATH_BYTES, "%.*s/%s", (int)(end - folder), folder, program);
        if (length < PATH_BYTES && access(path, X_OK) == 0)
            return true;
        folder = *end == ':' ? end + 1 : NULL;
    }
    return false;
}

/* The folder that the running program's file is in. Where the host does not tell which file that is
 * (no /proc), it is looked for as the shell did. */
static bool find_own_folder(const char *program, char *folder) {
    if (host_file_find_program(folder, PATH_BYTES)) {
        /* that is it */
    } else if (strchr(program, '/') != NULL) {
        snprintf(folder, PATH_BYTES, "%s", program);
    } else if (!find_in_search_path(program, folder)) {
        return false;
    }
    char *slash = strrchr(folder, '/');
    if (slash == NULL)
        return false;
    *slash = '\0';
    return true;
}

bool demo_disk_plug_in(Settings *settings, const char *program, Error *error) {
    static const char *const places[] = {"roms/demo.img", "../share/reprise/demo.img", "demo.img"};
    char folder[PATH_BYTES];
    char path[PATH_BYTES + 64];
    if (!find_own_folder(program, folder))
        return error_set(error, "the demo disk was not found: the program's own path is unknown");
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, places[i]);
        if (access(path, R_OK) == 0) {
            DriveRequest request = {.read_only = true, .boot_index = -1};
            request.file = settings_keep_string(settings, path);
            return settings_add_floppy_drive(settings, 0, &request, error);
        }
    }
    return error_set(error, "the demo disk was not found beside the program (%s/%s)", folder,
                     places[0]);
}
