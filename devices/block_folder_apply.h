/* Brings what the guest has made of a volume back to the folder. */
#ifndef REPRISE_BLOCK_FOLDER_APPLY_H
#define REPRISE_BLOCK_FOLDER_APPLY_H

#include "block_folder_guest.h"

/* What is known of the volume before the guest has written anything. */
void folder_know_start(Folder *folder);

/* Finds which file or folder of the host each entry of the tree is; those that none is, the guest
 * has deleted. 'claimed' has a byte for each of folder->entries. */
void folder_match(const Folder *folder, GuestTree *tree, uint8_t *claimed);

/* Creates, changes, renames and deletes below the folder. 'volume' lies over the folder's disk and
 * gets what is still read from files that change. What fails is warned of, and tried again next
 * time. */
void folder_apply(Folder *folder, BlockNode *volume, GuestTree *tree, uint8_t *claimed);

#endif
