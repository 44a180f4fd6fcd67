/* The progress of long work, on standard output. */
#ifndef REPRISE_IMAGE_PROGRESS_H
#define REPRISE_IMAGE_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct ImageProgress {
    bool wanted, terminal;
    uint64_t total;
    uint32_t shown; /* hundredths of a percent */
} ImageProgress;

void image_progress_begin(ImageProgress *progress, bool wanted, uint64_t total);
void image_progress_show(ImageProgress *progress, uint64_t done);
/* The line stays, with what was reached. */
void image_progress_end(ImageProgress *progress);

#endif
