#include "user_file.h"
#include "host_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool make_folder(char *folder) {
    for (char *slash = folder + 1; (slash = strchr(slash, '/')) != NULL; *slash++ = '/') {
        *slash = '\0';
        mkdir(folder, 0700);
    }
    return mkdir(folder, 0700) == 0 || errno == EEXIST;
}

bool user_file_find(const char *variable, const char *otherwise, const char *name, bool make,
                    char path[USER_FILE_PATH_BYTES]) {
    const char *base = getenv(variable), *home = getenv("HOME");
    char folder[USER_FILE_PATH_BYTES];
    int length;
    if (base != NULL && base[0] == '/')
        length = snprintf(folder, sizeof(folder), "%s/reprise", base);
    else if (home != NULL && home[0] == '/')
        length = snprintf(folder, sizeof(folder), "%s/%s/reprise", home, otherwise);
    else
        return false;
    if (length >= (int)sizeof(folder) || (make && !make_folder(folder)))
        return false;
    return snprintf(path, USER_FILE_PATH_BYTES, "%s/%s", folder, name) < USER_FILE_PATH_BYTES;
}

bool user_file_begin(UserFile *user_file, const char *path) {
    snprintf(user_file->path, sizeof(user_file->path), "%s", path);
    snprintf(user_file->temporary, sizeof(user_file->temporary), "%s.XXXXXX", user_file->path);
    int fd = mkstemp(user_file->temporary);
    user_file->file = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (user_file->file == NULL && fd >= 0) {
        close(fd);
        unlink(user_file->temporary);
    }
    return user_file->file != NULL;
}

bool user_file_end(UserFile *user_file) {
    bool good = !ferror(user_file->file);
    good = fclose(user_file->file) == 0 && good;
    good = good && rename(user_file->temporary, user_file->path) == 0;
    if (!good)
        unlink(user_file->temporary);
    user_file->file = NULL;
    return good;
}
