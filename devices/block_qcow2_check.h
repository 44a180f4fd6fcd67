/* Checking a qcow2 image, and mending it: what block_qcow2_check.c counts and block_qcow2_repair.c
 * sets right. */
#ifndef REPRISE_BLOCK_QCOW2_CHECK_H
#define REPRISE_BLOCK_QCOW2_CHECK_H

#include "block_image.h"
#include "block_qcow2.h"

typedef struct Qcow2Checker {
    Qcow2 *image;
    BlockCheck *check;
    uint32_t *counts; /* of each cluster of the file */
    uint64_t clusters;
    uint64_t contiguous; /* where the next cluster would go on; 0: none came before */
    /* Refcount blocks that are none, are used for something else, too, or are missing for clusters
     * in use: single counts cannot be set right. */
    bool blocks_unsound;
} Qcow2Checker;

/* Counts all that is used and compares; with the lock held. What was counted stays for
 * qcow2_checker_free(). */
bool qcow2_checker_count(Qcow2Checker *checker, BlockNode *node, BlockCheck *check, Error *error);
void qcow2_checker_free(Qcow2Checker *checker);

/* Sets right what can be: counts that are too high, or (with 'all') everything, after which the
 * image is no longer called dirty or corrupt. With the lock held. */
bool qcow2_repair(Qcow2Checker *checker, bool all, Error *error);

/* Refcounts of 2 to the power 'order' bits in new blocks, with what was counted. */
bool qcow2_repair_rebuild(Qcow2Checker *checker, unsigned order, Error *error);

/* The flag of each entry of the active tables that says whether a cluster is used once, by the
 * refcounts there are. */
bool qcow2_repair_flags(Qcow2 *image, Error *error);

/* Looks, repairs what 'check' asks for, and looks again; with the lock held. */
bool qcow2_check_and_repair(BlockNode *node, BlockCheck *check, Error *error);

#endif
