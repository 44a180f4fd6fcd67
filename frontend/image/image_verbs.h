/* The verbs of 'reprise image', each of which has a file, and what they share. */
#ifndef REPRISE_IMAGE_VERBS_H
#define REPRISE_IMAGE_VERBS_H

#include "block_image.h"
#include "image_options.h"

/* Exit statuses of qemu-img's manual. */
enum {
    IMAGE_DONE = 0,
    IMAGE_FAILED = 1,
    IMAGE_DIFFERENT = 1,
    IMAGE_COMPARE_FAILED = 2,
    IMAGE_CORRUPT = 2,
    IMAGE_LEAKS = 3,
    IMAGE_COMPARE_READ_FAILED = 4,
    IMAGE_CHECK_UNSUPPORTED = 63,
};

/* Each returns the exit status; a line in 'error' is still to be printed. */
int image_create(const ImageArguments *arguments, Error *error);
int image_info(const ImageArguments *arguments, Error *error);
int image_map(const ImageArguments *arguments, Error *error);
int image_check(const ImageArguments *arguments, Error *error);
int image_resize(const ImageArguments *arguments, Error *error);
int image_compare(const ImageArguments *arguments, Error *error);
int image_convert(const ImageArguments *arguments, Error *error);
int image_snapshot(const ImageArguments *arguments, Error *error);
int image_commit(const ImageArguments *arguments, Error *error);
int image_rebase(const ImageArguments *arguments, Error *error);
int image_amend(const ImageArguments *arguments, Error *error);
int image_measure(const ImageArguments *arguments, Error *error);
int image_dd(const ImageArguments *arguments, Error *error);

/* Opens an image to look at (or, with 'writable', to change); 'format' may be NULL. */
BlockNode *image_open(const ImageArguments *arguments, const char *path, const char *format,
                      bool writable, Error *error);
/* The same without the images behind it. */
BlockNode *image_open_alone(const ImageArguments *arguments, const char *path, const char *format,
                            bool writable, Error *error);
/* In whole sectors: what a guest sees. */
uint64_t image_length(const BlockNode *node);
uint64_t image_round_up(uint64_t length);
/* Whether all bytes are zero. */
bool image_is_zero(const uint8_t *data, size_t size);
/* The format of an image to be made, "raw" if NULL; false: there is none such, or it cannot be
 * made. */
bool image_check_format(const char **format, Error *error);
/* Whoever names a backing image says its format, too, and the format of the new image has such. */
bool image_check_backing(const ImageArguments *arguments, const char *format, Error *error);
/* Where the image of that name is that lies behind the one at 'path'; for free(). */
char *image_backing_path(const char *path, const char *backing);
/* Opens the backing image of an image that is at 'path' or is going to be: a relative name is
 * relative to the folder of that one. */
BlockNode *image_open_backing(const ImageArguments *arguments, const char *path,
                              const char *backing, const char *format, Error *error);
/* The table of the snapshots within an image. */
void image_print_snapshots(const BlockInfo *info);
/* For people: "1.5 GiB". 'text' has room for 32 bytes. */
void image_format_size(uint64_t bytes, char *text);
/* Prints what '-o help' asks for. */
void image_print_create_options(const char *format);

#endif
