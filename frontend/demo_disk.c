#include "demo_disk.h"
#include "options.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PATH_BYTES 4096

/* The folder that the running program's file is in. */
static bool find_own_folder(const char *program, char *folder) {
    ssize_t length = readlink("/proc/self/exe", folder, PATH_BYTES - 1);
    if (length <= 0)
        length = snprintf(folder, PATH_BYTES, "%s", program);
    if (length >= PATH_BYTES)
        return false;
    folder[length] = '\0';
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
