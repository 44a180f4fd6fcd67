#include "virtio_blk.h"
#include "allocate.h"
#include "little_endian.h"
#include "virtio_pci.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KIND_DISK = 2, PCI_DEVICE_DISK = 0x1001, CLASS_SCSI = 0x010000 };
#define SECTOR_BYTES 512

/* Feature bits of disks. */
enum {
    FEATURE_SEGMENTS = 2,
    FEATURE_GEOMETRY = 4,
    FEATURE_READ_ONLY = 5,
    FEATURE_BLOCK_SIZE = 6,
    FEATURE_FLUSH = 9,
    FEATURE_TOPOLOGY = 10,
    FEATURE_WRITE_CACHE = 11, /* can be turned on and off */
    FEATURE_DISCARD = 13,
    FEATURE_WRITE_ZEROES = 14,
};

/* The device's own registers. */
enum {
    CONFIG_CAPACITY = 0,
    CONFIG_SEGMENTS_MAX = 12,
    CONFIG_CYLINDERS = 16,
    CONFIG_HEADS = 18,
    CONFIG_SECTORS = 19,
    CONFIG_BLOCK_BYTES = 20,
    CONFIG_MINIMUM_IO = 26,
    CONFIG_WRITE_CACHE = 32,
    CONFIG_QUEUES = 34,
    CONFIG_DISCARD_SECTORS = 36,
    CONFIG_DISCARD_RANGES = 40,
    CONFIG_DISCARD_ALIGNMENT = 44,
    CONFIG_ZERO_SECTORS = 48,
    CONFIG_ZERO_RANGES = 52,
    CONFIG_ZERO_MAY_UNMAP = 56,
    CONFIG_BYTES = 60,
};

enum {
    REQUEST_READ = 0,
    REQUEST_WRITE = 1,
    REQUEST_FLUSH = 4,
    REQUEST_GET_ID = 8,
    REQUEST_DISCARD = 11,
    REQUEST_WRITE_ZEROES = 13,
};
#define HEADER_BYTES 16
#define RANGE_BYTES 16
#define RANGE_UNMAP 1
#define ID_BYTES 20

enum { RESULT_OK = 0, RESULT_IO_ERROR = 1, RESULT_UNSUPPORTED = 2 };

/* A chain has a header and a status beside its data. */
#define SEGMENTS_MAX (VIRTIO_QUEUE_SIZE_MAX - 2)
#define RANGES_MAX 1
#define ZERO_SECTORS_MAX (DMA_BYTES_MAX / SECTOR_BYTES)
#define DISCARD_SECTORS_MAX (1u << 20)

typedef struct VirtioBlkState {
    uint8_t write_cache; /* what was written is safe only after a flush */
    uint8_t padding[7];
} VirtioBlkState;

struct VirtioBlk {
    VirtioBlkState state;
    VirtioPci *transport;
    BlockNode *medium;
    uint64_t sectors;
    IdeGeometry geometry;
    Trace *trace;
    PhysicalMap *memory;
    char serial[ID_BYTES + 1];
    char id[32], transport_id[40];
    VirtioChain chain; /* that is worked on, nothing between two */
};

static const Field field_rows[] = {
    FIELD(VirtioBlkState, U8, write_cache),
    FIELD_PADDING(VirtioBlkState, padding),
    FIELD_END,
};

static const FieldTable fields = {"virtio-blk", 1, sizeof(VirtioBlkState), field_rows};

static void read_config(void *opaque, uint8_t *config) {
    const VirtioBlk *disk = opaque;
    uint32_t cylinders = disk->geometry.cylinders;
    store_le64(config + CONFIG_CAPACITY, disk->sectors);
    store_le32(config + CONFIG_SEGMENTS_MAX, SEGMENTS_MAX);
    store_le16(config + CONFIG_CYLINDERS, (uint16_t)(cylinders > 65535 ? 65535 : cylinders));
    config[CONFIG_HEADS] = (uint8_t)disk->geometry.heads;
    config[CONFIG_SECTORS] = (uint8_t)disk->geometry.sectors;
    store_le32(config + CONFIG_BLOCK_BYTES, SECTOR_BYTES);
    store_le16(config + CONFIG_MINIMUM_IO, 1);
    config[CONFIG_WRITE_CACHE] = disk->state.write_cache;
    store_le16(config + CONFIG_QUEUES, 1);
    store_le32(config + CONFIG_DISCARD_SECTORS, DISCARD_SECTORS_MAX);
    store_le32(config + CONFIG_DISCARD_RANGES, RANGES_MAX);
    store_le32(config + CONFIG_DISCARD_ALIGNMENT, 1);
    store_le32(config + CONFIG_ZERO_SECTORS, ZERO_SECTORS_MAX);
    store_le32(config + CONFIG_ZERO_RANGES, RANGES_MAX);
    config[CONFIG_ZERO_MAY_UNMAP] = 1;
}

static void write_config(void *opaque, unsigned offset, const uint8_t *data, unsigned size) {
    VirtioBlk *disk = opaque;
    if (offset <= CONFIG_WRITE_CACHE && offset + size > CONFIG_WRITE_CACHE &&
        virtio_pci_has_feature(disk->transport, FEATURE_WRITE_CACHE))
        disk->state.write_cache = data[CONFIG_WRITE_CACHE - offset] & 1;
}

/* A driver that knows of no flush has to find everything safe that was written (5.2.6.2). */
static bool writes_through(const VirtioBlk *disk) {
    if (virtio_pci_has_feature(disk->transport, FEATURE_WRITE_CACHE))
        return !disk->state.write_cache;
    return !virtio_pci_has_feature(disk->transport, FEATURE_FLUSH);
}

static bool is_on_disk(const VirtioBlk *disk, uint64_t sector, uint64_t bytes) {
    return bytes % SECTOR_BYTES == 0 && sector <= disk->sectors &&
           bytes / SECTOR_BYTES <= disk->sectors - sector;
}

static bool read_data(VirtioBlk *disk, uint64_t sector, uint64_t bytes, Error *error) {
    return dma_list_read_disk(&disk->chain.writable, disk->memory, disk->medium,
                              sector * SECTOR_BYTES, bytes, error);
}

static bool write_data(VirtioBlk *disk, uint64_t sector, uint64_t bytes, Error *error) {
    return dma_list_write_disk(&disk->chain.readable, disk->memory, disk->medium,
                               sector * SECTOR_BYTES, bytes, error) &&
           (!writes_through(disk) || block_flush(disk->medium, error));
}

/* One range that is no longer needed, or to be zeros. */
static uint8_t clear_range(VirtioBlk *disk, bool zeros, uint64_t *bytes, Error *error) {
    uint8_t range[RANGE_BYTES];
    if (disk->chain.readable.left != RANGE_BYTES)
        return RESULT_UNSUPPORTED;
    dma_list_read(&disk->chain.readable, disk->memory, range, sizeof(range));
    uint64_t sector = load_le64(range);
    uint32_t count = load_le32(range + 8), flags = load_le32(range + 12);
    if ((flags & ~(zeros ? RANGE_UNMAP : 0u)) != 0)
        return RESULT_UNSUPPORTED;
    if (count > (zeros ? ZERO_SECTORS_MAX : DISCARD_SECTORS_MAX) ||
        !is_on_disk(disk, sector, (uint64_t)count * SECTOR_BYTES) ||
        block_is_read_only(disk->medium))
        return RESULT_IO_ERROR;
    uint64_t offset = sector * SECTOR_BYTES, size = (uint64_t)count * SECTOR_BYTES;
    *bytes = zeros ? size : 0;
    bool good = dma_clear_disk(disk->medium, offset, size, !zeros, error);
    good = good && (!writes_through(disk) || block_flush(disk->medium, error));
    return good ? RESULT_OK : RESULT_IO_ERROR;
}

/* Does what the chain's header says; 'room' bytes can be written before the status. Tells how many
 * of them were, and how many bytes moved in all. */
static uint8_t execute(VirtioBlk *disk, const uint8_t *header, uint64_t room, uint64_t *moved,
                       Error *error) {
    uint64_t sector = load_le64(header + 8), bytes;
    switch (load_le32(header)) {
    case REQUEST_READ:
        if (!is_on_disk(disk, sector, room))
            return RESULT_IO_ERROR;
        *moved = room;
        return read_data(disk, sector, room, error) ? RESULT_OK : RESULT_IO_ERROR;
    case REQUEST_WRITE:
        bytes = disk->chain.readable.left;
        if (!is_on_disk(disk, sector, bytes) || block_is_read_only(disk->medium))
            return RESULT_IO_ERROR;
        *moved = bytes;
        return write_data(disk, sector, bytes, error) ? RESULT_OK : RESULT_IO_ERROR;
    case REQUEST_FLUSH:
        return block_flush(disk->medium, error) ? RESULT_OK : RESULT_IO_ERROR;
    case REQUEST_GET_ID:
        bytes = room < ID_BYTES ? room : ID_BYTES;
        dma_list_write(&disk->chain.writable, disk->memory, disk->serial, (size_t)bytes);
        return RESULT_OK;
    case REQUEST_DISCARD:
    case REQUEST_WRITE_ZEROES:
        return clear_range(disk, load_le32(header) == REQUEST_WRITE_ZEROES, moved, error);
    }
    TRACE(disk->trace, TRACE_UNIMP, "virtio-blk: request %u\n", load_le32(header));
    return RESULT_UNSUPPORTED;
}

/* False if the driver broke the rules: a request has a header to read and a status to write. */
static bool run_chain(VirtioBlk *disk, unsigned queue, uint64_t *moved) {
    VirtioChain *chain = &disk->chain;
    uint8_t header[HEADER_BYTES];
    Error error = {.set = false};
    if (chain->readable.left < HEADER_BYTES || chain->writable.left < 1)
        return false;
    uint64_t room = chain->writable.left - 1;
    dma_list_read(&chain->readable, disk->memory, header, sizeof(header));
    uint8_t result = execute(disk, header, room, moved, &error);
    if (error.set)
        TRACE(disk->trace, TRACE_GUEST_ERRORS, "virtio-blk: %s\n", error.message);
    bool filled = result == RESULT_OK && load_le32(header) != REQUEST_WRITE;
    dma_list_skip(&chain->writable, chain->writable.left - 1);
    dma_list_write(&chain->writable, disk->memory, &result, 1);
    virtio_pci_give_back(disk->transport, queue, chain, filled ? (uint32_t)room + 1 : 1);
    return true;
}

static int64_t work(void *opaque, unsigned queue) {
    VirtioBlk *disk = opaque;
    uint64_t bytes = 0;
    for (unsigned i = 0; i < DMA_BURST_REQUESTS && bytes < DMA_BURST_BYTES; i++) {
        uint64_t moved = 0;
        if (!virtio_pci_take(disk->transport, queue, &disk->chain))
            break;
        if (!run_chain(disk, queue, &moved)) {
            virtio_pci_break(disk->transport);
            break;
        }
        bytes += moved;
    }
    return DMA_ACCESS_NS + dma_transfer_ns(bytes);
}

static void driver_reset(void *opaque) {
    VirtioBlk *disk = opaque;
    disk->state.write_cache = 1;
}

static void board_reset(void *opaque) {
    driver_reset(opaque);
}

static const DeviceClass device_class = {"virtio-blk", &fields, board_reset, NULL};

void virtio_blk_restore_medium(VirtioBlk *disk, BlockNode *medium) {
    disk->medium = medium;
    disk->sectors = medium == NULL ? 0 : (block_length(medium) + SECTOR_BYTES - 1) / SECTOR_BYTES;
}

IdeGeometry virtio_blk_geometry(const VirtioBlk *disk) {
    return disk->geometry;
}

void virtio_blk_restore_geometry(VirtioBlk *disk, IdeGeometry geometry) {
    disk->geometry = geometry;
}

VirtioBlk *virtio_blk_create(const DeviceContext *context, PciBus *bus,
                             const VirtioBlkOptions *options, Error *error) {
    VirtioBlk *disk = allocate_zeroed(sizeof(*disk));
    uint64_t features = 1u << FEATURE_SEGMENTS | 1u << FEATURE_GEOMETRY | 1u << FEATURE_BLOCK_SIZE |
                        1u << FEATURE_FLUSH | 1u << FEATURE_TOPOLOGY | 1u << FEATURE_WRITE_CACHE |
                        1u << FEATURE_DISCARD | 1u << FEATURE_WRITE_ZEROES;
    if (block_is_read_only(options->medium))
        features |= 1u << FEATURE_READ_ONLY;
    snprintf(disk->id, sizeof(disk->id), "%s", options->id);
    snprintf(disk->transport_id, sizeof(disk->transport_id), "%s-pci", disk->id);
    const VirtioPciOptions transport = {
        .name = "virtio-blk-pci",
        .id = disk->transport_id,
        .slot = options->slot,
        .kind = KIND_DISK,
        .pci_device = PCI_DEVICE_DISK,
        .class_code = CLASS_SCSI,
        .features = features,
        .queue_count = 1,
        .config_size = CONFIG_BYTES,
        .opaque = disk,
        .config_read = read_config,
        .config_write = write_config,
        .work = work,
        .reset = driver_reset,
    };
    disk->trace = context->trace;
    disk->memory = context->memory;
    disk->geometry =
        options->geometry.cylinders != 0 ? options->geometry : ide_geometry_guess(options->medium);
    snprintf(disk->serial, sizeof(disk->serial), "%s",
             options->serial != NULL ? options->serial : "");
    virtio_blk_restore_medium(disk, options->medium);
    disk->transport = virtio_pci_create(context, bus, &transport, error);
    if (disk->transport == NULL) {
        free(disk);
        return NULL;
    }
    device_list_add(context->devices, &device_class, disk->id, disk, &disk->state);
    return disk;
}

void virtio_blk_destroy(VirtioBlk *disk) {
    if (disk == NULL)
        return;
    virtio_pci_destroy(disk->transport);
    free(disk);
}
