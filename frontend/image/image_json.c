#include "image_json.h"
#include <string.h>

static void print_plain(FILE *output, const char *text, size_t size) {
    fwrite(text, 1, size, output);
}

/* Bytes of a UTF-8 sequence (RFC 3629, 4); 0: this is none. */
static size_t sequence_bytes(const unsigned char *text) {
    if (text[0] < 0x80)
        return 1;
    size_t bytes = text[0] >= 0xF0 && text[0] <= 0xF4   ? 4
                   : text[0] >= 0xE0 && text[0] <= 0xEF ? 3
                   : text[0] >= 0xC2 && text[0] <= 0xDF ? 2
                                                        : 0;
    for (size_t i = 1; i < bytes; i++)
        if ((text[i] & 0xC0) != 0x80)
            return 0;
    bool overlong = (text[0] == 0xE0 && text[1] < 0xA0) || (text[0] == 0xF0 && text[1] < 0x90);
    bool outside = (text[0] == 0xED && text[1] >= 0xA0) || (text[0] == 0xF4 && text[1] >= 0x90);
    return overlong || outside ? 0 : bytes;
}

/* File names are any bytes; what is no UTF-8 becomes the replacement character. */
static void print_string(FILE *output, const char *text) {
    fputc('"', output);
    while (*text != '\0') {
        unsigned char byte = (unsigned char)*text;
        size_t bytes = sequence_bytes((const unsigned char *)text);
        if (byte == '"' || byte == '\\')
            fprintf(output, "\\%c", byte);
        else if (byte < 0x20 || byte == 0x7F)
            fprintf(output, "\\u%04x", byte);
        else if (bytes == 0)
            fprintf(output, "\\ufffd");
        else
            print_plain(output, text, bytes);
        text += bytes > 0 ? bytes : 1;
    }
    fputc('"', output);
}

static void begin_member(ImageJson *json, const char *name) {
    if (json->has_member)
        fputc(',', json->output);
    if (json->depth > 0)
        fprintf(json->output, "\n%*s", (int)json->depth * 4, "");
    if (name != NULL) {
        print_string(json->output, name);
        fprintf(json->output, ": ");
    }
    json->has_member = true;
}

void image_json_begin(ImageJson *json, const char *name, char bracket) {
    begin_member(json, name);
    fputc(bracket, json->output);
    json->depth++;
    json->has_member = false;
}

void image_json_end(ImageJson *json, char bracket) {
    json->depth--;
    fprintf(json->output, "\n%*s%c", (int)json->depth * 4, "", bracket);
    if (json->depth == 0)
        fputc('\n', json->output);
    json->has_member = true;
}

void image_json_string(ImageJson *json, const char *name, const char *text) {
    begin_member(json, name);
    print_string(json->output, text);
}

void image_json_number(ImageJson *json, const char *name, uint64_t number) {
    begin_member(json, name);
    fprintf(json->output, "%llu", (unsigned long long)number);
}

void image_json_bool(ImageJson *json, const char *name, bool value) {
    begin_member(json, name);
    fputs(value ? "true" : "false", json->output);
}
