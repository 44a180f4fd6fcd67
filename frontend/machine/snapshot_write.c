/* Writing a stream into a snapshot file: looks at its pages on all processors, leaves out zeros and
 * what is stored already, and packs the rest into chunks.
 *
 * Deflating everything costs more time than a snapshot may take. A page in which hardly a word
 * repeats the word before shrinks little, so it is stored as it is; measured on a booted Linux,
 * that is half of the pages, and the others shrink to a fifth. */
#include "allocate.h"
#include "little_endian.h"
#include "page_hash.h"
#include "parallel_work.h"
#include "snapshot_chunk.h"
#include "snapshot_file_internal.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_A_PAGE (SNAPSHOT_PAGE_BYTES / 4)
/* So many words have to repeat for a page to be deflated. */
#define REPEATED_WORDS_MIN 64
#define PAGES_A_PIECE 64
#define HASH_BYTES 8

enum { PAGE_ZERO, PAGE_SPARSE, PAGE_DENSE };

typedef struct PageWork {
    uint64_t hash;
    uint32_t number; /* where it is stored; 0: nowhere yet */
    uint32_t alias;  /* 1 + an earlier page of the stream with the same content */
    uint8_t kind;
} PageWork;

/* A page that seems to be stored already. */
typedef struct Candidate {
    uint32_t number, page;
} Candidate;

/* A chunk to be written. */
typedef struct Plan {
    uint32_t chunk; /* its index in the directory */
    uint32_t count;
    uint8_t kind;
    uint32_t pages[SNAPSHOT_CHUNK_PAGES];
} Plan;

typedef struct Writer {
    SnapshotFile *file;
    const uint8_t *data;
    const uint8_t *present;
    uint64_t size;
    uint32_t pages;
    uint8_t *tail; /* the last page, filled up, where the stream ends within it */
    PageWork *work;
    Candidate *candidates;
    size_t candidate_count, candidate_capacity;
    uint32_t *groups; /* where the candidates of a chunk begin */
    size_t group_count, group_capacity;
    Plan *plans;
    size_t plan_count, plan_capacity;
    pthread_mutex_t lock; /* for 'end' of the file and 'error' */
    Error error;
} Writer;

static const uint8_t *page_data(const Writer *writer, uint32_t page) {
    if (writer->tail != NULL && page == writer->pages - 1)
        return writer->tail;
    return writer->data + (size_t)page * SNAPSHOT_PAGE_BYTES;
}

/* ---- Looking at pages ---- */

static uint8_t classify(const uint8_t *data) {
    uint32_t before, word, repeated = 0;
    if (data[0] == 0 && memcmp(data, data + 1, SNAPSHOT_PAGE_BYTES - 1) == 0)
        return PAGE_ZERO;
    memcpy(&before, data, 4);
    for (uint32_t i = 1; i < WORDS_A_PAGE; i++, before = word) {
        memcpy(&word, data + 4 * i, 4);
        repeated += word == before;
    }
    return repeated >= REPEATED_WORDS_MIN ? PAGE_SPARSE : PAGE_DENSE;
}

static void look_at_pages(void *opaque, uint32_t piece) {
    Writer *writer = opaque;
    uint32_t end = (piece + 1) * PAGES_A_PIECE;
    for (uint32_t page = piece * PAGES_A_PIECE; page < end && page < writer->pages; page++) {
        PageWork *work = &writer->work[page];
        if (writer->present != NULL && writer->present[page] == 0)
            continue;
        work->kind = classify(page_data(writer, page));
        if (work->kind != PAGE_ZERO)
            work->hash = page_hash(page_data(writer, page), 0);
    }
}

/* ---- Pages that are there already ---- */

static bool index_chunk(SnapshotFile *file, uint32_t number) {
    const PageChunkEntry *entry = &file->directory.chunks[number];
    uint8_t hashes[SNAPSHOT_CHUNK_PAGES * HASH_BYTES];
    Error error = {.set = false};
    if (entry->place.bytes < CHUNK_HEADER_BYTES + entry->pages * HASH_BYTES ||
        !chunk_read_bytes(file->file, entry->place.offset + CHUNK_HEADER_BYTES, hashes,
                          entry->pages * HASH_BYTES, &error))
        return false;
    for (uint32_t i = 0; i < entry->pages; i++)
        snapshot_index_add(&file->index, load_le64(hashes + i * HASH_BYTES),
                           number * SNAPSHOT_CHUNK_PAGES + i + 1);
    return true;
}

/* What cannot be read is stored anew: the comparison below would fail as well. */
static void build_index(SnapshotFile *file) {
    if (file->has_index)
        return;
    snapshot_index_free(&file->index);
    for (uint32_t i = 0; i < file->directory.chunk_count; i++)
        if (file->directory.chunks[i].place.bytes != 0)
            index_chunk(file, i);
    file->has_index = true;
}

static void add_candidate(Writer *writer, uint32_t number, uint32_t page) {
    writer->candidates = allocate_grow(writer->candidates, &writer->candidate_capacity,
                                       writer->candidate_count + 1, sizeof(Candidate));
    writer->candidates[writer->candidate_count++] = (Candidate){number, page};
}

/* Equal hashes say that two pages may be equal; pages of the stream itself are compared here. */
static void find_known_pages(Writer *writer) {
    SnapshotIndex fresh = {.slots = NULL};
    for (uint32_t page = 0; page < writer->pages; page++) {
        PageWork *work = &writer->work[page];
        if (work->kind == PAGE_ZERO)
            continue;
        uint32_t stored = snapshot_index_find(&writer->file->index, work->hash);
        uint32_t earlier = snapshot_index_find(&fresh, work->hash);
        if (earlier != 0 && memcmp(page_data(writer, earlier - 1), page_data(writer, page),
                                   SNAPSHOT_PAGE_BYTES) == 0)
            work->alias = earlier;
        else if (stored != 0)
            add_candidate(writer, stored, page);
        snapshot_index_add(&fresh, work->hash, page + 1);
    }
    snapshot_index_free(&fresh);
}

static int compare_candidates(const void *a, const void *b) {
    const Candidate *one = a, *other = b;
    return (one->number > other->number) - (one->number < other->number);
}

static uint32_t chunk_of(uint32_t number) {
    return (number - 1) / SNAPSHOT_CHUNK_PAGES;
}

static void group_candidates(Writer *writer) {
    if (writer->candidate_count > 0)
        qsort(writer->candidates, writer->candidate_count, sizeof(Candidate), compare_candidates);
    for (size_t i = 0; i < writer->candidate_count; i++) {
        if (i > 0 &&
            chunk_of(writer->candidates[i].number) == chunk_of(writer->candidates[i - 1].number))
            continue;
        writer->groups = allocate_grow(writer->groups, &writer->group_capacity,
                                       writer->group_count + 1, sizeof(uint32_t));
        writer->groups[writer->group_count++] = (uint32_t)i;
    }
}

/* All candidates of one chunk: those that are really there have their number. */
static void compare_group(void *opaque, uint32_t group) {
    Writer *writer = opaque;
    size_t first = writer->groups[group];
    size_t end =
        group + 1 < writer->group_count ? writer->groups[group + 1] : writer->candidate_count;
    uint8_t content[SNAPSHOT_CHUNK_PAGES * SNAPSHOT_PAGE_BYTES];
    Error ignored = {.set = false};
    if (!snapshot_file_read_pages(writer->file, chunk_of(writer->candidates[first].number), content,
                                  &ignored))
        return;
    for (size_t i = first; i < end; i++) {
        Candidate candidate = writer->candidates[i];
        uint32_t slot = (candidate.number - 1) % SNAPSHOT_CHUNK_PAGES;
        if (memcmp(content + slot * SNAPSHOT_PAGE_BYTES, page_data(writer, candidate.page),
                   SNAPSHOT_PAGE_BYTES) == 0)
            writer->work[candidate.page].number = candidate.number;
    }
}

/* ---- New pages ---- */

/* An index that is free, or a new one. */
static uint32_t take_chunk_number(SnapshotDirectory *directory, uint32_t *from) {
    while (*from < directory->chunk_count && directory->chunks[*from].pages != 0)
        (*from)++;
    if (*from == directory->chunk_count) {
        directory->chunks = allocate_grow(directory->chunks, &directory->chunk_capacity,
                                          directory->chunk_count + 1, sizeof(PageChunkEntry));
        directory->chunks[directory->chunk_count++] = (PageChunkEntry){.pages = 0};
    }
    return (*from)++;
}

static bool plan_chunks(Writer *writer) {
    SnapshotDirectory *directory = &writer->file->directory;
    uint32_t from = 0;
    size_t open[] = {SIZE_MAX, SIZE_MAX, SIZE_MAX}; /* by PAGE_*: the plan that has room */
    for (uint32_t page = 0; page < writer->pages; page++) {
        PageWork *work = &writer->work[page];
        if (work->kind == PAGE_ZERO || work->number != 0 || work->alias != 0)
            continue;
        size_t *plan = &open[work->kind];
        if (*plan == SIZE_MAX || writer->plans[*plan].count == SNAPSHOT_CHUNK_PAGES) {
            writer->plans = allocate_grow(writer->plans, &writer->plan_capacity,
                                          writer->plan_count + 1, sizeof(Plan));
            *plan = writer->plan_count++;
            uint32_t number = take_chunk_number(directory, &from);
            if (number >= DIRECTORY_CHUNKS_MAX)
                return error_set(&writer->error, "the file has no room for more pages");
            writer->plans[*plan] = (Plan){.chunk = number, .kind = work->kind};
        }
        Plan *chosen = &writer->plans[*plan];
        work->number = chosen->chunk * SNAPSHOT_CHUNK_PAGES + chosen->count + 1;
        chosen->pages[chosen->count++] = page;
        directory->chunks[chosen->chunk].pages = chosen->count;
    }
    return true;
}

static uint64_t reserve(Writer *writer, size_t bytes) {
    pthread_mutex_lock(&writer->lock);
    uint64_t offset = writer->file->end;
    writer->file->end = snapshot_align(offset + bytes);
    pthread_mutex_unlock(&writer->lock);
    return offset;
}

static void write_plan(void *opaque, uint32_t number) {
    enum { RAW_MAX = SNAPSHOT_CHUNK_PAGES * (SNAPSHOT_PAGE_BYTES + HASH_BYTES) };
    Writer *writer = opaque;
    const Plan *plan = &writer->plans[number];
    uint8_t bytes[CHUNK_HEADER_BYTES + RAW_MAX];
    uint8_t packed[SNAPSHOT_CHUNK_PAGES * SNAPSHOT_PAGE_BYTES];
    uint8_t *hashes = bytes + CHUNK_HEADER_BYTES, *content = hashes + plan->count * HASH_BYTES;
    size_t size = plan->count * SNAPSHOT_PAGE_BYTES, stored = 0;
    for (uint32_t i = 0; i < plan->count; i++) {
        store_le64(hashes + i * HASH_BYTES, writer->work[plan->pages[i]].hash);
        memcpy(content + i * SNAPSHOT_PAGE_BYTES, page_data(writer, plan->pages[i]),
               SNAPSHOT_PAGE_BYTES);
    }
    if (plan->kind == PAGE_SPARSE)
        stored = chunk_deflate(content, size, packed, size);
    if (stored != 0)
        memcpy(content, packed, stored);
    SnapshotChunk chunk = {
        .kind = CHUNK_PAGES,
        .codec = stored != 0 ? CODEC_DEFLATE : CODEC_RAW,
        .pages = (uint16_t)plan->count,
        .stored_bytes = (uint32_t)(plan->count * HASH_BYTES + (stored != 0 ? stored : size)),
        .raw_bytes = (uint32_t)(plan->count * HASH_BYTES + size),
        .tag = plan->chunk,
    };
    chunk.checksum = chunk_checksum(0, hashes, chunk.stored_bytes);
    chunk_encode_header(&chunk, bytes);
    uint32_t total = CHUNK_HEADER_BYTES + chunk.stored_bytes;
    uint64_t offset = reserve(writer, total);
    Error error = {.set = false};
    if (!chunk_write_bytes(writer->file->file, offset, bytes, total, &error)) {
        pthread_mutex_lock(&writer->lock);
        error_set(&writer->error, "%s", error.message);
        pthread_mutex_unlock(&writer->lock);
    }
    writer->file->directory.chunks[plan->chunk].place = (FilePlace){offset, total};
}

static void index_new_pages(Writer *writer) {
    for (size_t i = 0; i < writer->plan_count; i++) {
        const Plan *plan = &writer->plans[i];
        for (uint32_t slot = 0; slot < plan->count; slot++)
            snapshot_index_add(&writer->file->index, writer->work[plan->pages[slot]].hash,
                               plan->chunk * SNAPSHOT_CHUNK_PAGES + slot + 1);
    }
}

/* ---- The stream ---- */

static bool write_map(Writer *writer, StreamEntry *stream) {
    ByteBuffer map = {.data = NULL};
    uint32_t *numbers = allocate_zeroed(((size_t)writer->pages + 1) * sizeof(*numbers));
    stream->pages = 0;
    for (uint32_t page = 0; page < writer->pages; page++) {
        const PageWork *work = &writer->work[page];
        numbers[page] = work->alias != 0 ? numbers[work->alias - 1] : work->number;
        stream->pages += numbers[page] != 0;
    }
    snapshot_map_encode(numbers, writer->pages, &map);
    SnapshotChunk chunk = {.kind = CHUNK_MAP};
    bool good = snapshot_file_append_chunk(writer->file, &chunk, map.data, map.size, true,
                                           &stream->map, &writer->error);
    byte_buffer_free(&map);
    free(numbers);
    return good;
}

static bool write_pages(Writer *writer) {
    build_index(writer->file);
    parallel_work((writer->pages + PAGES_A_PIECE - 1) / PAGES_A_PIECE, look_at_pages, writer);
    find_known_pages(writer);
    group_candidates(writer);
    parallel_work((uint32_t)writer->group_count, compare_group, writer);
    if (!plan_chunks(writer))
        return false;
    parallel_work((uint32_t)writer->plan_count, write_plan, writer);
    index_new_pages(writer);
    return !writer->error.set;
}

static void begin(Writer *writer) {
    size_t rest = writer->size % SNAPSHOT_PAGE_BYTES;
    pthread_mutex_init(&writer->lock, NULL);
    writer->pages = (uint32_t)snapshot_stream_pages(writer->size);
    writer->work = allocate_zeroed(((size_t)writer->pages + 1) * sizeof(PageWork));
    if (rest == 0)
        return;
    writer->tail = allocate_zeroed(SNAPSHOT_PAGE_BYTES);
    memcpy(writer->tail, writer->data + (writer->size - rest), rest);
}

static void end(Writer *writer) {
    pthread_mutex_destroy(&writer->lock);
    free(writer->tail);
    free(writer->work);
    free(writer->candidates);
    free(writer->groups);
    free(writer->plans);
}

bool snapshot_file_put_stream(SnapshotFile *file, uint64_t id, const char *name, const void *data,
                              uint64_t size, const uint8_t *present, Error *error) {
    SnapshotEntry *entry = snapshot_directory_find(&file->directory, id);
    if (entry == NULL || size > SNAPSHOT_STREAM_BYTES_MAX || file->mode == SNAPSHOT_READ) {
        error_set(error, "cannot put %s into snapshot %llu", name, (unsigned long long)id);
        return snapshot_file_fail(file, error);
    }
    file->changed = true;
    StreamEntry *stream = snapshot_entry_make_stream(entry, name);
    file->removed |= stream->map.bytes != 0;
    entry->info.bytes -= (uint64_t)stream->pages * SNAPSHOT_PAGE_BYTES;
    stream->size = size;
    Writer writer = {.file = file, .data = data, .present = present, .size = size};
    begin(&writer);
    bool good = write_pages(&writer) && write_map(&writer, stream);
    end(&writer);
    entry->info.bytes += (uint64_t)stream->pages * SNAPSHOT_PAGE_BYTES;
    return good || error_set(error, "%s", writer.error.message) || snapshot_file_fail(file, error);
}
