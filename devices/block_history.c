#include "block_history.h"
#include "allocate.h"
#include "block_driver.h"
#include "block_store.h"
#include "block_unit_map.h"
#include <stdlib.h>

struct BlockPoint {
    BlockHistory *history;
    BlockPoint *next;                        /* one step towards the present; NULL: that is it */
    BlockPoint *children, *sibling, **where; /* the points whose 'next' this is */
    bool freed;                              /* only there because others lead through it */
    uint64_t length;                         /* of the node */
    BlockUnitMap kept;                       /* unit to its number in the store */
};

struct BlockHistory {
    BlockNode *node;
    BlockPoint *newest; /* the one point before the present; NULL: none, nothing need be kept */
    BlockStore store;
};

static void attach(BlockPoint *point, BlockPoint *next) {
    point->next = next;
    point->sibling = NULL;
    point->where = NULL;
    if (next == NULL)
        return;
    point->sibling = next->children;
    if (point->sibling != NULL)
        point->sibling->where = &point->sibling;
    point->where = &next->children;
    next->children = point;
}

static void detach(BlockPoint *point) {
    if (point->where != NULL)
        *point->where = point->sibling;
    if (point->sibling != NULL)
        point->sibling->where = point->where;
    point->sibling = NULL;
    point->where = NULL;
    point->next = NULL;
}

BlockPoint *block_point_take(BlockNode *node) {
    if (node->history == NULL) {
        node->history = allocate_zeroed(sizeof(*node->history));
        node->history->node = node;
        block_store_init(&node->history->store);
    }
    BlockHistory *history = node->history;
    BlockPoint *point = allocate_zeroed(sizeof(*point));
    point->history = history;
    point->length = node->length;
    if (history->newest != NULL)
        attach(history->newest, point);
    history->newest = point;
    block_hold(node);
    return point;
}

BlockNode *block_point_node(const BlockPoint *point) {
    return point->history->node;
}

bool block_history_keep(BlockNode *node, uint64_t offset, size_t size, Error *error) {
    BlockHistory *history = node->history;
    if (history == NULL || history->newest == NULL)
        return true;
    BlockUnitMap *kept = &history->newest->kept;
    uint8_t unit[BLOCK_UNIT_BYTES];
    uint64_t last = (offset + size - 1) / BLOCK_UNIT_BYTES;
    for (uint64_t number = offset / BLOCK_UNIT_BYTES; number <= last; number++) {
        if (block_unit_map_find(kept, number) != NULL)
            continue;
        uint32_t place;
        if (!block_read(node, number * BLOCK_UNIT_BYTES, unit, BLOCK_UNIT_BYTES, error) ||
            !block_store_add(&history->store, unit, &place, error))
            return false;
        block_unit_map_add(kept, number, place);
    }
    return true;
}

/* The node and the store change what they hold of one unit. Beyond the node's end there is nothing
 * to change: that a point has kept such a unit only says that the node was longer meanwhile. */
static bool swap_unit(BlockHistory *history, uint64_t number, uint32_t place, Error *error) {
    uint8_t present[BLOCK_UNIT_BYTES], old[BLOCK_UNIT_BYTES];
    BlockNode *node = history->node;
    uint64_t offset = number * BLOCK_UNIT_BYTES;
    uint64_t inside = offset < node->length ? node->length - offset : 0;
    size_t size = inside < BLOCK_UNIT_BYTES ? (size_t)inside : BLOCK_UNIT_BYTES;
    if (!block_read(node, offset, present, BLOCK_UNIT_BYTES, error) ||
        !block_store_get(&history->store, place, old, error) ||
        (size > 0 && !block_write_present(node, offset, old, size, error)))
        return false;
    if (block_store_replace(&history->store, place, present, error))
        return true;
    (void)block_write_present(node, offset, present, size, NULL);
    return false;
}

/* The present becomes what 'point', its neighbour, holds; the units of the arrow between them are
 * then what the former neighbour needs. */
static bool turn_arrow(BlockPoint *point, Error *error) {
    BlockHistory *history = point->history;
    size_t position = 0, done = 0;
    BlockUnit *unit;
    bool good = true;
    while (good && (unit = block_unit_map_next(&point->kept, &position)) != NULL) {
        good = swap_unit(history, unit->number, unit->place, error);
        done += good;
    }
    for (position = 0; !good && done > 0; done--) {
        unit = block_unit_map_next(&point->kept, &position);
        (void)swap_unit(history, unit->number, unit->place, NULL);
    }
    return good;
}

/* Goes from the present, which the history's newest point equals, to 'point', step by step. Where a
 * step fails, the present stays the point that was reached. */
static bool go_to(BlockPoint *point, Error *error) {
    if (point->next == NULL)
        return true;
    BlockPoint *next = point->next;
    if (!go_to(next, error) || !turn_arrow(point, error))
        return false;
    /* What stood beside the present was empty: it takes the units of the turned arrow. */
    BlockUnitMap empty = next->kept;
    next->kept = point->kept;
    point->kept = empty;
    detach(point);
    attach(next, point);
    point->history->newest = point;
    return true;
}

/* While units of versions of different lengths pass by, the node is as long as the longest. */
static bool reach(BlockPoint *point, Error *error) {
    BlockNode *node = point->history->node;
    uint64_t longest = node->length;
    for (BlockPoint *step = point; step != NULL; step = step->next)
        longest = step->length > longest ? step->length : longest;
    return block_set_length(node, longest, error) && go_to(point, error) &&
           block_set_length(node, point->length, error);
}

bool block_point_return(BlockPoint *point, Error *error) {
    BlockPoint *before = block_point_take(point->history->node);
    bool good = reach(point, error);
    if (!good)
        (void)reach(before, NULL);
    block_point_free(before);
    return good;
}

/* Takes a point that nobody wants any more out of the way: of those that lead through it, the only
 * one gets its units. */
static void give_units(BlockPoint *point, BlockPoint *child) {
    BlockStore *store = &point->history->store;
    size_t position = 0;
    BlockUnit *unit;
    while ((unit = block_unit_map_next(&point->kept, &position)) != NULL) {
        if (block_unit_map_find(&child->kept, unit->number) == NULL)
            block_unit_map_add(&child->kept, unit->number, unit->place);
        else
            block_store_remove(store, unit->place);
    }
    block_unit_map_free(&point->kept);
}

static void drop_units(BlockPoint *point) {
    size_t position = 0;
    BlockUnit *unit;
    while ((unit = block_unit_map_next(&point->kept, &position)) != NULL)
        block_store_remove(&point->history->store, unit->place);
    block_unit_map_free(&point->kept);
}

static void remove_if_unwanted(BlockPoint *point) {
    while (point != NULL && point->freed &&
           (point->children == NULL || point->children->sibling == NULL)) {
        BlockHistory *history = point->history;
        BlockPoint *next = point->next, *child = point->children;
        detach(point);
        if (child != NULL) {
            detach(child);
            give_units(point, child);
            attach(child, next);
        } else {
            drop_units(point);
        }
        if (history->newest == point)
            history->newest = child;
        free(point);
        point = next;
    }
}

void block_point_free(BlockPoint *point) {
    if (point == NULL)
        return;
    BlockNode *node = point->history->node;
    point->freed = true;
    remove_if_unwanted(point);
    block_close(node);
}

void block_history_free(BlockNode *node) {
    if (node->history == NULL)
        return;
    block_store_destroy(&node->history->store);
    free(node->history);
    node->history = NULL;
}
