/* Writes JSON, indented as qemu-img's. */
#ifndef REPRISE_IMAGE_JSON_H
#define REPRISE_IMAGE_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

typedef struct ImageJson {
    FILE *output;
    unsigned depth;
    bool has_member; /* something stands before on this level */
} ImageJson;

/* In all of these 'name' is NULL for what has none: an array's elements and the outermost value. */
void image_json_begin(ImageJson *json, const char *name, char bracket);
/* '}' or ']'; after the outermost, the end of the line. */
void image_json_end(ImageJson *json, char bracket);
void image_json_string(ImageJson *json, const char *name, const char *text);
void image_json_number(ImageJson *json, const char *name, uint64_t number);
void image_json_bool(ImageJson *json, const char *name, bool value);

#endif
