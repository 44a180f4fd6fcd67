/* Reading a snapshot: all of its streams into memory, on all processors, before anybody acts on
 * them. */
#define _GNU_SOURCE
#include "allocate.h"
#include "parallel_work.h"
#include "scratch_memory.h"
#include "snapshot_chunk.h"
#include "snapshot_file_internal.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define HASH_BYTES 8
/* A LEB128 number of a map is no longer. */
#define MAP_BYTES_A_PAGE_MAX 6

/* A small file may claim long streams of zeros. */
#define COPY_BYTES_MAX (1ull << 32)

typedef struct ImageStream {
    char name[SNAPSHOT_STREAM_NAME_MAX + 1];
    uint64_t size, pages;
    uint32_t *numbers; /* page numbers of the file, then 1 + the place in 'content' */
} ImageStream;

struct SnapshotImage {
    ImageStream *streams;
    size_t stream_count;
    uint8_t *content; /* every page once */
    size_t content_bytes;
};

/* ---- Chunks and maps ---- */

bool snapshot_file_read_pages(SnapshotFile *file, uint32_t number, uint8_t *content, Error *error) {
    const PageChunkEntry *entry = &file->directory.chunks[number];
    SnapshotChunk chunk;
    uint8_t stored[SNAPSHOT_CHUNK_PAGES * (SNAPSHOT_PAGE_BYTES + HASH_BYTES)];
    uint64_t end = entry->place.offset + entry->place.bytes;
    if (!chunk_read_header(file->file, entry->place.offset, end, CHUNK_PAGES, &chunk, error))
        return false;
    uint32_t hashes = entry->pages * HASH_BYTES, size = entry->pages * SNAPSHOT_PAGE_BYTES;
    if (chunk.pages != entry->pages || chunk.raw_bytes != hashes + size ||
        chunk.stored_bytes < hashes || chunk.stored_bytes > chunk.raw_bytes)
        return error_set(error, "the file is damaged at byte %llu",
                         (unsigned long long)entry->place.offset);
    uint64_t offset = entry->place.offset + CHUNK_HEADER_BYTES;
    if (!chunk_read_bytes(file->file, offset, stored, chunk.stored_bytes, error))
        return false;
    bool good = chunk_checksum(0, stored, chunk.stored_bytes) == chunk.checksum;
    if (good && chunk.codec == CODEC_RAW)
        memcpy(content, stored + hashes, size);
    else
        good = good && chunk_inflate(stored + hashes, chunk.stored_bytes - hashes, content, size);
    return good || error_set(error, "the file is damaged at byte %llu", (unsigned long long)offset);
}

static bool check_numbers(const SnapshotDirectory *directory, const uint32_t *numbers,
                          uint64_t pages, Error *error) {
    for (uint64_t i = 0; i < pages; i++) {
        uint32_t chunk = (numbers[i] - 1) / SNAPSHOT_CHUNK_PAGES;
        uint32_t slot = (numbers[i] - 1) % SNAPSHOT_CHUNK_PAGES;
        if (numbers[i] != 0 &&
            (chunk >= directory->chunk_count || slot >= directory->chunks[chunk].pages))
            return error_set(error, "the file is damaged: a page is missing");
    }
    return true;
}

static bool decode_map(const uint8_t *bytes, size_t size, const SnapshotDirectory *directory,
                       uint32_t *numbers, uint64_t pages, Error *error) {
    ByteReader reader = {.data = bytes, .size = size};
    if (!snapshot_map_decode(numbers, pages, &reader))
        return error_set(error, "the file is damaged: a list of pages makes no sense");
    return check_numbers(directory, numbers, pages, error);
}

uint32_t *snapshot_file_read_map(SnapshotFile *file, const StreamEntry *stream, Error *error) {
    SnapshotChunk chunk;
    uint64_t pages = snapshot_stream_pages(stream->size);
    uint64_t end = stream->map.offset + stream->map.bytes;
    if (!chunk_read_header(file->file, stream->map.offset, end, CHUNK_MAP, &chunk, error))
        return NULL;
    /* Every page costs a byte at least: no small file can ask for much memory. */
    if (chunk.raw_bytes < pages || chunk.raw_bytes > pages * MAP_BYTES_A_PAGE_MAX) {
        error_set(error, "the file is damaged: a list of pages is too long or too short");
        return NULL;
    }
    uint8_t *bytes = malloc((size_t)chunk.raw_bytes + 1);
    uint32_t *numbers = malloc((size_t)(pages + 1) * sizeof(*numbers));
    bool good = bytes != NULL && numbers != NULL;
    if (!good)
        error_set(error, "no memory for a list of %llu pages", (unsigned long long)pages);
    good = good && chunk_read_data(file->file, stream->map.offset, &chunk, bytes, error) &&
           decode_map(bytes, chunk.raw_bytes, &file->directory, numbers, pages, error);
    free(bytes);
    if (good)
        return numbers;
    free(numbers);
    return NULL;
}

/* ---- A whole snapshot ---- */

typedef struct Loader {
    SnapshotFile *file;
    SnapshotImage *image;
    const char *only; /* a stream's name; NULL: all */
    uint16_t *wanted; /* a bit for each page of each chunk */
    uint32_t *first;  /* where a chunk's first wanted page goes in 'content' */
    uint32_t *chunks; /* those with wanted pages */
    uint32_t chunk_count;
    pthread_mutex_t lock;
    Error error;
} Loader;

static bool read_maps(Loader *loader, const SnapshotEntry *entry) {
    SnapshotImage *image = loader->image;
    image->streams = allocate_zeroed((entry->stream_count + 1) * sizeof(ImageStream));
    for (size_t i = 0; i < entry->stream_count; i++) {
        ImageStream *stream = &image->streams[image->stream_count];
        const StreamEntry *source = &entry->streams[i];
        if (loader->only != NULL && strcmp(source->name, loader->only) != 0)
            continue;
        memcpy(stream->name, source->name, sizeof(stream->name));
        stream->size = source->size;
        stream->pages = snapshot_stream_pages(source->size);
        stream->numbers = snapshot_file_read_map(loader->file, source, &loader->error);
        image->stream_count++;
        if (stream->numbers == NULL)
            return false;
    }
    return true;
}

static void mark_wanted(Loader *loader) {
    for (size_t i = 0; i < loader->image->stream_count; i++) {
        const ImageStream *stream = &loader->image->streams[i];
        for (uint64_t page = 0; page < stream->pages; page++) {
            uint32_t number = stream->numbers[page];
            if (number != 0)
                loader->wanted[(number - 1) / SNAPSHOT_CHUNK_PAGES] |=
                    (uint16_t)(1u << (number - 1) % SNAPSHOT_CHUNK_PAGES);
        }
    }
}

/* Gives every wanted page its place in 'content'; returns how many there are. */
static uint32_t place_pages(Loader *loader) {
    uint32_t pages = 0;
    for (uint32_t i = 0; i < loader->file->directory.chunk_count; i++) {
        loader->first[i] = pages;
        if (loader->wanted[i] != 0)
            loader->chunks[loader->chunk_count++] = i;
        pages += (uint32_t)__builtin_popcount(loader->wanted[i]);
    }
    return pages;
}

static void translate_numbers(Loader *loader) {
    for (size_t i = 0; i < loader->image->stream_count; i++) {
        ImageStream *stream = &loader->image->streams[i];
        for (uint64_t page = 0; page < stream->pages; page++) {
            if (stream->numbers[page] == 0)
                continue;
            uint32_t chunk = (stream->numbers[page] - 1) / SNAPSHOT_CHUNK_PAGES;
            uint32_t slot = (stream->numbers[page] - 1) % SNAPSHOT_CHUNK_PAGES;
            uint32_t before = loader->wanted[chunk] & ((1u << slot) - 1);
            stream->numbers[page] = loader->first[chunk] + (uint32_t)__builtin_popcount(before) + 1;
        }
    }
}

static void load_chunk(void *opaque, uint32_t index) {
    Loader *loader = opaque;
    uint32_t chunk = loader->chunks[index];
    uint8_t content[SNAPSHOT_CHUNK_PAGES * SNAPSHOT_PAGE_BYTES];
    Error error = {.set = false};
    if (!snapshot_file_read_pages(loader->file, chunk, content, &error)) {
        pthread_mutex_lock(&loader->lock);
        error_set(&loader->error, "%s", error.message);
        pthread_mutex_unlock(&loader->lock);
        return;
    }
    uint8_t *to = loader->image->content + (size_t)loader->first[chunk] * SNAPSHOT_PAGE_BYTES;
    for (uint32_t slot = 0; slot < SNAPSHOT_CHUNK_PAGES; slot++) {
        if ((loader->wanted[chunk] >> slot & 1) == 0)
            continue;
        memcpy(to, content + slot * SNAPSHOT_PAGE_BYTES, SNAPSHOT_PAGE_BYTES);
        to += SNAPSHOT_PAGE_BYTES;
    }
}

static bool allocate_content(SnapshotImage *image, uint32_t pages, Error *error) {
    image->content_bytes = (size_t)pages * SNAPSHOT_PAGE_BYTES;
    if (pages == 0)
        return true;
    image->content = scratch_memory_map(image->content_bytes, error);
    return image->content != NULL;
}

static bool load_pages(Loader *loader) {
    size_t chunks = loader->file->directory.chunk_count;
    loader->wanted = allocate_zeroed((chunks + 1) * sizeof(*loader->wanted));
    loader->first = allocate_zeroed((chunks + 1) * sizeof(*loader->first));
    loader->chunks = allocate_zeroed((chunks + 1) * sizeof(*loader->chunks));
    mark_wanted(loader);
    if (!allocate_content(loader->image, place_pages(loader), &loader->error))
        return false;
    translate_numbers(loader);
    parallel_work(loader->chunk_count, load_chunk, loader);
    return !loader->error.set;
}

static SnapshotImage *read_image(SnapshotFile *file, uint64_t id, const char *only, Error *error) {
    const SnapshotEntry *entry = snapshot_directory_find(&file->directory, id);
    if (entry == NULL) {
        error_set(error, "there is no snapshot with number %llu", (unsigned long long)id);
        snapshot_file_fail(file, error);
        return NULL;
    }
    Loader loader = {.file = file, .image = allocate_zeroed(sizeof(SnapshotImage)), .only = only};
    pthread_mutex_init(&loader.lock, NULL);
    bool good = read_maps(&loader, entry) && load_pages(&loader);
    pthread_mutex_destroy(&loader.lock);
    free(loader.wanted);
    free(loader.first);
    free(loader.chunks);
    if (good)
        return loader.image;
    snapshot_image_free(loader.image);
    error_set(error, "%s", loader.error.message);
    snapshot_file_fail(file, error);
    return NULL;
}

SnapshotImage *snapshot_file_read(SnapshotFile *file, uint64_t id, Error *error) {
    return read_image(file, id, NULL, error);
}

SnapshotImage *snapshot_file_read_stream(SnapshotFile *file, uint64_t id, const char *stream,
                                         Error *error) {
    return read_image(file, id, stream, error);
}

void snapshot_image_free(SnapshotImage *image) {
    if (image == NULL)
        return;
    for (size_t i = 0; i < image->stream_count; i++)
        free(image->streams[i].numbers);
    free(image->streams);
    if (image->content != NULL)
        scratch_memory_unmap(image->content, image->content_bytes);
    free(image);
}

static const ImageStream *find_stream(const SnapshotImage *image, const char *name) {
    for (size_t i = 0; i < image->stream_count; i++)
        if (strcmp(image->streams[i].name, name) == 0)
            return &image->streams[i];
    return NULL;
}

int snapshot_image_find(const SnapshotImage *image, const char *stream) {
    const ImageStream *found = find_stream(image, stream);
    return found != NULL ? (int)(found - image->streams) : -1;
}

uint64_t snapshot_image_size(const SnapshotImage *image, const char *stream) {
    const ImageStream *found = find_stream(image, stream);
    return found != NULL ? found->size : 0;
}

static const uint8_t *page_of(const SnapshotImage *image, const ImageStream *stream,
                              uint64_t page) {
    if (page >= stream->pages || stream->numbers[page] == 0)
        return NULL;
    return image->content + (size_t)(stream->numbers[page] - 1) * SNAPSHOT_PAGE_BYTES;
}

const uint8_t *snapshot_image_page(const SnapshotImage *image, int stream, uint64_t page) {
    return stream >= 0 ? page_of(image, &image->streams[stream], page) : NULL;
}

uint8_t *snapshot_image_copy(const SnapshotImage *image, const char *name, uint64_t *size) {
    const ImageStream *stream = find_stream(image, name);
    bool fits = stream != NULL && stream->size <= COPY_BYTES_MAX;
    uint8_t *copy = fits ? calloc(1, (size_t)stream->size + 1) : NULL;
    *size = copy != NULL ? stream->size : 0;
    for (uint64_t page = 0; copy != NULL && page < stream->pages; page++) {
        const uint8_t *content = page_of(image, stream, page);
        uint64_t offset = page * SNAPSHOT_PAGE_BYTES, rest = stream->size - offset;
        if (content != NULL)
            memcpy(copy + offset, content,
                   rest < SNAPSHOT_PAGE_BYTES ? (size_t)rest : SNAPSHOT_PAGE_BYTES);
    }
    return copy;
}
