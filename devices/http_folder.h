/* The folder that an HTTP server shows. Nothing outside of it can be reached: paths are walked name
 * by name, and symbolic links are not followed. */
#ifndef REPRISE_HTTP_FOLDER_H
#define REPRISE_HTTP_FOLDER_H

#include "byte_buffer.h"
#include "host_file.h"

/* A descriptor of the file or folder at "/name/name", and what it is; -1: there is none that can be
 * shown. 'root' is a descriptor of the folder. */
int http_folder_open(int root, const char *path, struct stat *info);

/* A page of links to what is in a folder, by name; 'path' is for its title. */
void http_folder_list(int folder, const char *path, ByteBuffer *page);

/* For headers: "text/html" and so on, by the name's end. */
const char *http_folder_type(const char *path);

/* Appends 'text' with what cannot stand in a URL as %XX. */
void http_folder_append_url(ByteBuffer *buffer, const char *text);

#endif
