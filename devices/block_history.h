/* Earlier contents of a node. A point remembers what the node holds when it is taken, at no cost:
 * from then on the first write into each unit keeps what was there. Points make a tree, since
 * after a return to one another future is written; they may be freed in any order.
 *
 *     point A <- point B <- present        each arrow: the units in which the older one differs
 *                  ^ point C               from its neighbour towards the present
 *
 * Returning to a point turns the arrows on the way round, so that the present is always the node
 * itself and a write has one place to keep old units in. */
#ifndef REPRISE_BLOCK_HISTORY_H
#define REPRISE_BLOCK_HISTORY_H

#include "block.h"

typedef struct BlockPoint BlockPoint;

/* The point holds the node open. */
BlockPoint *block_point_take(BlockNode *node);

/* The node holds what it held then, its length too. All or nothing: on an error its contents are as
 * before, so far as the file takes writes at all. */
bool block_point_return(BlockPoint *point, Error *error);

/* NULL is allowed. */
void block_point_free(BlockPoint *point);

BlockNode *block_point_node(const BlockPoint *point);

#endif
