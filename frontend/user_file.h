/* Small files of the user's: what is remembered from run to run, where the XDG Base Directory
 * Specification has it. */
#ifndef REPRISE_USER_FILE_H
#define REPRISE_USER_FILE_H

#include <stdbool.h>
#include <stdio.h>

enum { USER_FILE_PATH_BYTES = 4096 };

/* The path of reprise/NAME below the folder that an environment variable names, or below
 * 'otherwise' at home; 'make': the folder is made if need be. False: there is none. */
bool user_file_find(const char *variable, const char *otherwise, const char *name, bool make,
                    char path[USER_FILE_PATH_BYTES]);

/* A file that takes the place of the one at 'path' when it is ended, whole; NULL: there can be
 * none. */
typedef struct UserFile {
    FILE *file;
    char path[USER_FILE_PATH_BYTES], temporary[USER_FILE_PATH_BYTES + 8];
} UserFile;

bool user_file_begin(UserFile *user_file, const char *path);
bool user_file_end(UserFile *user_file);

#endif
