#include "http_folder.h"
#include "host_file.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { ENTRIES_MOST = 10000 };

/* Neither waits for whoever writes a FIFO nor makes a terminal ours. */
#define OPEN_FLAGS (O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)

int http_folder_open(int root, const char *path, struct stat *info) {
    int found = openat(root, ".", OPEN_FLAGS);
    bool must_be_folder = false;
    while (found >= 0) {
        char name[NAME_MAX + 1];
        path += strspn(path, "/");
        size_t length = strcspn(path, "/");
        if (length == 0)
            break;
        must_be_folder = path[length] == '/';
        int next = -1;
        if (length <= NAME_MAX && !(length == 2 && memcmp(path, "..", 2) == 0)) {
            memcpy(name, path, length);
            name[length] = '\0';
            next = openat(found, name, OPEN_FLAGS | (must_be_folder ? O_DIRECTORY : 0));
        }
        close(found);
        found = next;
        path += length;
    }
    if (found >= 0 &&
        (fstat(found, info) != 0 || !(S_ISREG(info->st_mode) || S_ISDIR(info->st_mode)))) {
        close(found);
        found = -1;
    }
    return found;
}

void http_folder_append_url(ByteBuffer *buffer, const char *text) {
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/";
    for (; *text != '\0'; text++) {
        if (strchr(plain, *text) != NULL)
            byte_buffer_append(buffer, text, 1);
        else
            byte_buffer_print(buffer, "%%%02X", (unsigned char)*text);
    }
}

static void append_text(ByteBuffer *buffer, const char *text) {
    for (; *text != '\0'; text++) {
        if (*text == '<' || *text == '>' || *text == '&' || *text == '"')
            byte_buffer_print(buffer, "&#%d;", *text);
        else
            byte_buffer_append(buffer, text, 1);
    }
}

static int compare_names(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names of what could be opened, a '/' behind those of folders; to be freed, each of them too. */
static char **read_names(DIR *stream, int folder, size_t *count) {
    char **names = calloc(ENTRIES_MOST, sizeof(*names));
    *count = 0;
    for (struct dirent *entry;
         names != NULL && *count < ENTRIES_MOST && (entry = readdir(stream)) != NULL;) {
        struct stat info;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
            fstatat(folder, entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0 ||
            !(S_ISREG(info.st_mode) || S_ISDIR(info.st_mode)))
            continue;
        size_t length = strlen(entry->d_name);
        char *name = calloc(1, length + 2);
        if (name == NULL)
            break;
        memcpy(name, entry->d_name, length);
        if (S_ISDIR(info.st_mode))
            name[length] = '/';
        names[(*count)++] = name;
    }
    if (names != NULL)
        qsort(names, *count, sizeof(*names), compare_names);
    return names;
}

void http_folder_list(int folder, const char *path, ByteBuffer *page) {
    int copy = openat(folder, ".", OPEN_FLAGS | O_DIRECTORY);
    DIR *stream = copy >= 0 ? fdopendir(copy) : NULL;
    size_t count = 0;
    char **names = stream != NULL ? read_names(stream, folder, &count) : NULL;
    byte_buffer_print(page, "<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"><title>");
    append_text(page, path);
    byte_buffer_print(page, "</title></head>\n<body><h1>");
    append_text(page, path);
    byte_buffer_print(page, "</h1>\n<ul>\n");
    if (strspn(path, "/") != strlen(path))
        byte_buffer_print(page, "<li><a href=\"../\">..</a></li>\n");
    for (size_t i = 0; i < count; i++) {
        byte_buffer_print(page, "<li><a href=\"./");
        http_folder_append_url(page, names[i]);
        byte_buffer_print(page, "\">");
        append_text(page, names[i]);
        byte_buffer_print(page, "</a></li>\n");
        free(names[i]);
    }
    byte_buffer_print(page, "</ul></body></html>\n");
    free(names);
    if (stream != NULL)
        closedir(stream);
    else if (copy >= 0)
        close(copy);
}

const char *http_folder_type(const char *path) {
    static const char *const types[][2] = {{".html", "text/html"}, {".htm", "text/html"},
                                           {".txt", "text/plain"}, {".gif", "image/gif"},
                                           {".jpg", "image/jpeg"}, {".png", "image/png"}};
    size_t length = strlen(path);
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        size_t suffix = strlen(types[i][0]);
        if (length > suffix && strcasecmp(path + length - suffix, types[i][0]) == 0)
            return types[i][1];
    }
    return "application/octet-stream";
}
