/* Hot paths: sequences of basic blocks that the guest runs again and again, found by samples and
 * translated as one block.
 *
 * Where the budget of translated code ends is a sample: the block that would have been next. A
 * block that was met so often is where a path is recorded, by running what follows by the portable
 * backend, until it comes back to where it was (a loop) or there is no more room. From then on a
 * translation for its head is made of the whole path, a loop's several times over; conditional
 * jumps along it become exits to the side. So jumps between its parts vanish, one poll serves all,
 * and checks of memory operands (x86_64_shared.c) are shared by all iterations.
 *
 * A path is a guess about time alone: whatever it says, its translation does what the guest's code
 * does. It lies on one page, and its head is its lowest address, so that its bytes are a range. */
#ifndef REPRISE_HOT_PATH_H
#define REPRISE_HOT_PATH_H

#include "block_cache.h"
#include "error.h"

typedef struct Translator Translator;
typedef struct HotPaths HotPaths;

HotPaths *hot_paths_create(Error *error);
void hot_paths_destroy(HotPaths *paths);

/* All paths: contexts have new numbers, or everything is forgotten anyway. */
void hot_paths_clear(HotPaths *paths);
/* These bytes changed: paths over them are recorded anew, if ever. */
void hot_paths_forget(HotPaths *paths, uint32_t physical, uint32_t size);

/* How many of 'left' instructions the guest may run up to the next sample: 'left' if there is none
 * before. */
uint64_t hot_paths_limit(const Translator *translator, uint64_t left);

/* The run loop is about to enter the block of this key, with 'left' instructions up to its own end.
 * True: a path was recorded, the guest went on by it, and the run loop looks again. */
bool hot_paths_sample(Translator *translator, const BlockKey *key, uint64_t left);

/* Lifts the path that begins at the key's place into translator->lifted; false if there is none. */
bool hot_path_lift(Translator *translator, const BlockKey *key);

#endif
