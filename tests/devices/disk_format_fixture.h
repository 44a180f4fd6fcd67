/* What the tests of disk image formats share: images made and judged by qemu-img, writes compared
 * with a model, and writers killed in the middle of their work. */
#ifndef REPRISE_DISK_FORMAT_FIXTURE_H
#define REPRISE_DISK_FORMAT_FIXTURE_H

#include "block.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A temporary folder of this process, made by the first call; and a file in it. A result is good
 * for 32 calls. */
const char *disk_format_path(const char *name);
void disk_format_remove_folder(void);

/* Runs a command of the shell made as by printf(); its status. What it prints is shown if it fails
 * although that is not 'may_fail'. */
int disk_format_run(bool may_fail, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* False, with a line that says so, where qemu-img is missing. */
bool disk_format_has_qemu(void);

uint32_t disk_format_random(uint64_t *state);

/* A raw file of random contents with runs of zeros. */
void disk_format_make_raw(const char *path, uint64_t size, uint64_t seed);

BlockNode *disk_format_open(const char *path, const char *format, bool read_only);
/* Must fail, with one line that has 'words' in it. */
void disk_format_refused(const char *path, const char *format, bool read_only, const char *words);

/* The whole disk, read in pieces of odd sizes, is what the raw file holds; zeros after its end. */
void disk_format_check_equal(BlockNode *node, const char *raw_path);

/* Writes 'count' ranges at random, also into the file 'raw_path', byte for byte; and reads. */
void disk_format_write_random(BlockNode *node, const char *raw_path, unsigned count,
                              uint32_t size_maximum, uint64_t seed);

/* A fork writes numbered stamps into sectors of the image, again and again, and is killed. After
 * each of the kills the image opens, and each sector is some stamp that was written to it at or
 * after the last that was known to be done. 'check' says what else must be so. */
void disk_format_kill_writers(void (*make)(const char *path), const char *name, const char *format,
                              void (*check)(const char *path));

#endif
