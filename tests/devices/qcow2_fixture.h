/* qcow2 images beside a model of their contents in memory, and QEMU's tools as judges. */
#ifndef REPRISE_QCOW2_FIXTURE_H
#define REPRISE_QCOW2_FIXTURE_H

#include "block.h"
#include <check.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Runs the suite that 'add' fills, in a temporary folder that is removed with all that is in it;
 * 77, with a message, where QEMU's tools are missing. What main() returns. */
int qcow2_fixture_run_suite(const char *name, void (*add)(TCase *tests));

/* A file of the folder; one of the last eight that were asked for. */
const char *qcow2_path(const char *name);
/* A shell command in the folder; it must succeed. */
void qcow2_run(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Its exit code, whatever it is. */
int qcow2_try(const char *format, ...) __attribute__((format(printf, 1, 2)));

uint64_t qcow2_random(uint64_t *seed);
/* Stretches of noise, of text and of nothing. */
void qcow2_fill(uint8_t *model, size_t size, uint64_t seed);
void qcow2_save(const char *name, const uint8_t *data, size_t size);

BlockNode *qcow2_open_node(const char *name, const char *format);
/* What the node, read in pieces of any size, holds is the model. */
void qcow2_expect_contents(BlockNode *node, const uint8_t *model, size_t size);
/* One write of any size anywhere, in both. */
bool qcow2_write_both(BlockNode *node, uint8_t *model, size_t size, uint64_t *seed);
/* QEMU finds no error in the image, and the model in it; and no lost cluster if that is wanted. */
void qcow2_expect_sound(const char *name, bool allow_leaks);
void qcow2_expect_converted(const char *name, const char *options, const uint8_t *model,
                            size_t size);

#endif
