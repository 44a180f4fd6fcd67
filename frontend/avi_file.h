/* An AVI file with one stream of video and, perhaps, one of sound (Microsoft's "AVI RIFF File
 * Reference"; the picture's shape as in OpenDML's "AVI File Format Extensions" 1.02). What is in it
 * can be played even if its writer was killed. */
#ifndef REPRISE_AVI_FILE_H
#define REPRISE_AVI_FILE_H

#include "error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct AviFormat {
    char codec[5];
    uint32_t width, height, bits; /* of the video */
    uint32_t aspect_width, aspect_height;
    int64_t period_ns;   /* of a frame */
    uint32_t sound_rate; /* frames of two 16-bit samples a second; 0: no sound */
} AviFormat;

typedef struct AviFile AviFile;

/* Replaces what is at 'path'. */
AviFile *avi_file_create(const char *path, const AviFormat *format, Error *error);
/* Writes the index; false: something could not be written, now or before. 'file' is gone. */
bool avi_file_close(AviFile *file, Error *error);

/* What cannot be written is told by avi_file_has_failed(), and at the end. */
void avi_file_add_frame(AviFile *file, const uint8_t *data, size_t size, bool is_key);
/* 'count' frames of left and right; NULL: of silence. */
void avi_file_add_sound(AviFile *file, const int16_t *frames, size_t count);
bool avi_file_has_failed(const AviFile *file);
/* Readers take sizes for signed numbers: before that many bytes a file should be closed. */
#define AVI_FILE_BYTES_MOST 0x78000000u
uint64_t avi_file_size(const AviFile *file);

#endif
