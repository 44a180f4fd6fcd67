#include "image_progress.h"
#include "host_file.h"
#include <stdio.h>

#define BAR_CHARACTERS 40
#define WHOLE 10000u
/* A line is printed anew for each half percent. */
#define STEP 50u

static void print_line(const ImageProgress *progress) {
    unsigned filled = progress->shown * BAR_CHARACTERS / WHOLE;
    char bar[BAR_CHARACTERS + 1];
    for (unsigned i = 0; i < BAR_CHARACTERS; i++)
        bar[i] = i < filled ? '=' : i == filled ? '>' : ' ';
    bar[BAR_CHARACTERS] = '\0';
    if (progress->terminal)
        printf("  [%s]", bar);
    printf("    (%u.%02u/100%%)\r", progress->shown / 100, progress->shown % 100);
    fflush(stdout);
}

void image_progress_begin(ImageProgress *progress, bool wanted, uint64_t total) {
    *progress =
        (ImageProgress){.wanted = wanted, .terminal = isatty(STDOUT_FILENO) == 1, .total = total};
    if (wanted)
        print_line(progress);
}

void image_progress_show(ImageProgress *progress, uint64_t done) {
    double part = progress->total > 0 ? (double)done / (double)progress->total : 1;
    uint32_t now = (uint32_t)(part * WHOLE);
    if (!progress->wanted || (now < progress->shown + STEP && now < WHOLE) ||
        now == progress->shown)
        return;
    progress->shown = now;
    print_line(progress);
}

void image_progress_end(ImageProgress *progress) {
    if (progress->wanted)
        printf("\n");
}
