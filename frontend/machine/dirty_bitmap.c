#include "dirty_bitmap.h"
#include "allocate.h"

#include <stdlib.h>
#include <string.h>

#define WORD_BITS 64

struct DirtyBitmap {
    BlockNode *node;
    char *name;
    BlockGuard guard;
    uint32_t granularity;
    bool recording;
    size_t words;
    uint64_t *marks;
    uint64_t *taken; /* NULL: nobody copies */
};

struct DirtyBitmapState {
    bool recording;
    size_t words;
    uint64_t *marks;
};

static size_t count_words(uint64_t length, uint32_t granularity) {
    uint64_t bits = (length + granularity - 1) / granularity;
    return (size_t)((bits + WORD_BITS - 1) / WORD_BITS) + 1;
}

static bool has_mark(const uint64_t *marks, uint64_t bit) {
    return (marks[bit / WORD_BITS] >> bit % WORD_BITS & 1) != 0;
}

/* The node may have grown. */
static void fit(DirtyBitmap *bitmap, uint64_t end) {
    size_t words = count_words(end, bitmap->granularity);
    if (words <= bitmap->words)
        return;
    uint64_t *marks = allocate_zeroed(words * sizeof(*marks));
    memcpy(marks, bitmap->marks, bitmap->words * sizeof(*marks));
    free(bitmap->marks);
    bitmap->marks = marks;
    if (bitmap->taken != NULL) {
        uint64_t *taken = allocate_zeroed(words * sizeof(*taken));
        memcpy(taken, bitmap->taken, bitmap->words * sizeof(*taken));
        free(bitmap->taken);
        bitmap->taken = taken;
    }
    bitmap->words = words;
}

static bool before_write(void *opaque, uint64_t offset, uint64_t size, Error *error) {
    DirtyBitmap *bitmap = opaque;
    (void)error;
    if (!bitmap->recording || size == 0)
        return true;
    uint64_t first = offset / bitmap->granularity, last = (offset + size - 1) / bitmap->granularity;
    fit(bitmap, offset + size);
    for (uint64_t bit = first; bit <= last; bit++)
        bitmap->marks[bit / WORD_BITS] |= 1ull << bit % WORD_BITS;
    return true;
}

static bool before_flush(void *opaque, Error *error) {
    (void)opaque, (void)error;
    return true;
}

static void closing(void *opaque) {
    DirtyBitmap *bitmap = opaque;
    bitmap->node = NULL;
}

DirtyBitmap *dirty_bitmap_create(BlockNode *node, const char *name, uint32_t granularity,
                                 bool recording) {
    DirtyBitmap *bitmap = allocate_zeroed(sizeof(*bitmap));
    bitmap->node = node;
    bitmap->name = strdup(name);
    bitmap->granularity = granularity;
    bitmap->recording = recording;
    bitmap->words = count_words(block_length(node), granularity);
    bitmap->marks = allocate_zeroed(bitmap->words * sizeof(*bitmap->marks));
    bitmap->guard = (BlockGuard){before_write, before_flush, closing, bitmap, NULL};
    block_add_guard(node, &bitmap->guard);
    return bitmap;
}

void dirty_bitmap_free(DirtyBitmap *bitmap) {
    if (bitmap == NULL)
        return;
    if (bitmap->node != NULL)
        block_remove_guard(bitmap->node, &bitmap->guard);
    free(bitmap->name);
    free(bitmap->marks);
    free(bitmap->taken);
    free(bitmap);
}

BlockNode *dirty_bitmap_node(const DirtyBitmap *bitmap) {
    return bitmap->node;
}

const char *dirty_bitmap_name(const DirtyBitmap *bitmap) {
    return bitmap->name;
}

uint32_t dirty_bitmap_granularity(const DirtyBitmap *bitmap) {
    return bitmap->granularity;
}

/* Of a copy's, too, as long as it may come back. */
uint64_t dirty_bitmap_bytes(const DirtyBitmap *bitmap) {
    uint64_t count = 0, length = bitmap->node != NULL ? block_length(bitmap->node) : UINT64_MAX;
    for (size_t i = 0; i < bitmap->words; i++) {
        uint64_t word = bitmap->marks[i] | (bitmap->taken != NULL ? bitmap->taken[i] : 0);
        count += (uint64_t)__builtin_popcountll(word);
    }
    uint64_t bytes = count * bitmap->granularity;
    return bytes < length ? bytes : length;
}

bool dirty_bitmap_is_recording(const DirtyBitmap *bitmap) {
    return bitmap->recording;
}

void dirty_bitmap_record(DirtyBitmap *bitmap, bool recording) {
    bitmap->recording = recording;
}

void dirty_bitmap_clear(DirtyBitmap *bitmap) {
    memset(bitmap->marks, 0, bitmap->words * sizeof(*bitmap->marks));
}

void dirty_bitmap_merge(DirtyBitmap *bitmap, const DirtyBitmap *other) {
    for (size_t word = 0; word < other->words; word++) {
        for (uint64_t bits = other->marks[word]; bits != 0; bits &= bits - 1) {
            uint64_t bit = word * WORD_BITS + (unsigned)__builtin_ctzll(bits);
            bool recording = bitmap->recording;
            bitmap->recording = true;
            before_write(bitmap, bit * other->granularity, other->granularity, NULL);
            bitmap->recording = recording;
        }
    }
}

void dirty_bitmap_take(DirtyBitmap *bitmap) {
    bitmap->taken = bitmap->marks;
    bitmap->marks = allocate_zeroed(bitmap->words * sizeof(*bitmap->marks));
}

void dirty_bitmap_give_back(DirtyBitmap *bitmap, bool marked_again) {
    for (size_t i = 0; marked_again && i < bitmap->words; i++)
        bitmap->marks[i] |= bitmap->taken[i];
    free(bitmap->taken);
    bitmap->taken = NULL;
}

bool dirty_bitmap_is_busy(const DirtyBitmap *bitmap) {
    return bitmap->taken != NULL;
}

bool dirty_bitmap_had(const DirtyBitmap *bitmap, uint64_t offset, uint64_t size) {
    uint64_t end = (uint64_t)bitmap->words * WORD_BITS;
    for (uint64_t bit = offset / bitmap->granularity;
         bit < end && bit * bitmap->granularity < offset + size; bit++)
        if (has_mark(bitmap->taken, bit))
            return true;
    return false;
}

DirtyBitmapState *dirty_bitmap_save(const DirtyBitmap *bitmap) {
    DirtyBitmapState *state = allocate_zeroed(sizeof(*state));
    state->recording = bitmap->recording;
    state->words = bitmap->words;
    state->marks = allocate_zeroed(bitmap->words * sizeof(*state->marks));
    memcpy(state->marks, bitmap->marks, bitmap->words * sizeof(*state->marks));
    return state;
}

void dirty_bitmap_restore(DirtyBitmap *bitmap, const DirtyBitmapState *state) {
    bitmap->recording = state->recording;
    dirty_bitmap_clear(bitmap);
    memcpy(bitmap->marks, state->marks, state->words * sizeof(*state->marks));
}

void dirty_bitmap_state_free(DirtyBitmapState *state) {
    if (state != NULL)
        free(state->marks);
    free(state);
}
