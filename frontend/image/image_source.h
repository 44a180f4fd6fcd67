/* What 'reprise image convert' reads: one image, or several one after the other as one medium. */
#ifndef REPRISE_IMAGE_SOURCE_H
#define REPRISE_IMAGE_SOURCE_H

#include "image_options.h"

typedef struct ImageSource {
    BlockNode **nodes;
    uint64_t *starts; /* where each begins; one more: the end of all */
    int count;
    bool salvage, quiet;
    uint64_t unreadable_bytes; /* that became zeros */
    uint64_t bad_start, bad_end;
    const char *bad_path; /* of a range that was not reported yet; NULL: none */
} ImageSource;

/* Opens the first 'count' files of the arguments. */
bool image_source_open(ImageSource *source, const ImageArguments *arguments, int count,
                       Error *error);
void image_source_close(ImageSource *source);
uint64_t image_source_length(const ImageSource *source);
/* An error if the file at 'path' is one of them, by whatever name. */
bool image_source_check_other(const ImageSource *source, const char *path, Error *error);

/* How many bytes from 'offset' on are of one kind, which '*zero' tells. */
bool image_source_map(ImageSource *source, uint64_t offset, uint64_t length, uint64_t *run,
                      bool *zero, Error *error);

/* Reads. With salvage, zeros stand for what cannot be read, and standard error has a line for
 * each such range, unless all shall be quiet. */
bool image_source_read(ImageSource *source, uint64_t offset, uint8_t *data, size_t size,
                       Error *error);
/* Reports the last of these ranges. */
void image_source_finish(ImageSource *source);

#endif
