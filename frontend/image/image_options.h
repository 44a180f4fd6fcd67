/* What the command line of 'reprise image' says: verb, options, files. */
#ifndef REPRISE_IMAGE_OPTIONS_H
#define REPRISE_IMAGE_OPTIONS_H

#include "block_image.h"
#include "error.h"
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

typedef enum ImageVerb {
    IMAGE_CREATE = 1 << 0,
    IMAGE_INFO = 1 << 1,
    IMAGE_CONVERT = 1 << 2,
    IMAGE_COMPARE = 1 << 3,
    IMAGE_CHECK = 1 << 4,
    IMAGE_RESIZE = 1 << 5,
    IMAGE_MAP = 1 << 6,
    IMAGE_SNAPSHOT = 1 << 7,
    IMAGE_COMMIT = 1 << 8,
    IMAGE_REBASE = 1 << 9,
    IMAGE_AMEND = 1 << 10,
    IMAGE_MEASURE = 1 << 11,
    IMAGE_DD = 1 << 12,
} ImageVerb;

typedef struct ImageArguments {
    ImageVerb verb;
    const char **files; /* words without a dash, in order */
    int file_count;
    const char *format;        /* -f */
    const char *second_format; /* -F: of the second image, or of the backing image */
    const char *output_format; /* -O */
    const char *backing;       /* -b, -B */
    BlockCreateValue *values;  /* -o */
    size_t value_count;
    uint64_t sparse_bytes; /* -S */
    uint64_t start_offset, maximum_length;
    const char *snapshot;        /* convert -l */
    const char *snapshot_create; /* snapshot -c */
    const char *snapshot_apply;  /* snapshot -a */
    const char *snapshot_delete; /* snapshot -d */
    uint64_t measured_length;    /* --size */
    bool has_measured_length;
    bool keep_overlay;          /* commit -d */
    bool list_snapshots;        /* snapshot -l */
    bool json;                  /* --output=json */
    bool quiet;                 /* -q */
    bool progress;              /* -p */
    bool compress;              /* -c */
    bool strict;                /* -s */
    bool shrink;                /* --shrink */
    bool salvage;               /* --salvage */
    bool keep_target;           /* -n */
    bool unchecked_backing;     /* -u */
    bool force_share;           /* -U */
    bool backing_chain;         /* --backing-chain */
    bool target_is_zero;        /* --target-is-zero */
    bool repair_leaks;          /* -r leaks */
    bool repair_all;            /* -r all */
    bool list_options;          /* -o help */
    bool show_help;             /* -h, --help */
    const char *resize_options; /* --preallocation */
    char **strings;             /* that parsing made */
    size_t string_count;
} ImageArguments;

/* Sorts argv[0..], the words after 'image', the first of which is the verb. False: 'error' says in
 * one line what is wrong. */
bool image_options_parse(ImageArguments *arguments, int argc, char **argv, Error *error);
void image_options_free(ImageArguments *arguments);

/* What there is: of one verb, or (0) all verbs. */
void image_options_print_help(ImageVerb verb, FILE *output);

/* "64M": a size, with K, M, G or T. */
bool image_options_parse_size(const char *text, uint64_t *bytes, Error *error);

#endif
