/* Commands of the NVM command set (NVM Express 1.4, chapter 6). */
#include "little_endian.h"
#include "nvme_internal.h"

enum { FLUSH = 0x00, WRITE = 0x01, READ = 0x02, WRITE_ZEROES = 0x08, MANAGE_DATA = 0x09 };
#define EVERY_NAMESPACE 0xFFFFFFFFu
#define FORCE_UNIT_ACCESS (1u << 30)
#define RANGE_BYTES 16
#define DEALLOCATE 4u
#define RANGES_MAX 256

/* The sectors that a command names. */
typedef struct Extent {
    uint64_t first, count;
} Extent;

static Extent extent_of(const NvmeCommand *command) {
    return (Extent){(uint64_t)command->words[1] << 32 | command->words[0],
                    (command->words[2] & 0xFFFF) + 1};
}

static bool is_on_disk(const Nvme *nvme, Extent extent) {
    return extent.first <= nvme->sectors && extent.count <= nvme->sectors - extent.first;
}

static uint16_t tell(const Nvme *nvme, const Error *error, uint16_t status) {
    TRACE(nvme->context.trace, TRACE_GUEST_ERRORS, "nvme: %s\n", error->message);
    return status;
}

static uint16_t flush(Nvme *nvme) {
    Error error = {.set = false};
    return block_flush(nvme->medium, &error) ? NVME_SUCCESS
                                             : tell(nvme, &error, NVME_INTERNAL_ERROR);
}

/* After a write: without a cache, or where the command says so, it has to be safe. */
static uint16_t finish_write(Nvme *nvme, const NvmeCommand *command) {
    bool is_cached = nvme->state.features[NVME_FEATURE_WRITE_CACHE] & 1;
    return !is_cached || (command->words[2] & FORCE_UNIT_ACCESS) ? flush(nvme) : NVME_SUCCESS;
}

/* Checks a transfer between memory and disk, and lists its pages. */
static uint16_t prepare_transfer(Nvme *nvme, const NvmeCommand *command, bool writes,
                                 uint32_t *size) {
    Extent extent = extent_of(command);
    if (extent.count * NVME_SECTOR_BYTES > NVME_TRANSFER_MAX)
        return NVME_INVALID_FIELD;
    if (!is_on_disk(nvme, extent))
        return NVME_OUT_OF_RANGE;
    if (writes && block_is_read_only(nvme->medium))
        return NVME_WRITE_PROTECTED;
    *size = (uint32_t)extent.count * NVME_SECTOR_BYTES;
    return nvme_list_pages(nvme, command, *size);
}

static uint16_t read_sectors(Nvme *nvme, const NvmeCommand *command, uint64_t *bytes) {
    Extent extent = extent_of(command);
    Error error = {.set = false};
    uint32_t size;
    uint16_t status = prepare_transfer(nvme, command, false, &size);
    if (status != NVME_SUCCESS)
        return status;
    if (!dma_list_read_disk(&nvme->list, nvme->context.memory, nvme->medium,
                            extent.first * NVME_SECTOR_BYTES, size, &error))
        return tell(nvme, &error, NVME_READ_ERROR);
    nvme->state.reads++;
    nvme->state.sectors_read += extent.count;
    *bytes += size;
    return NVME_SUCCESS;
}

static uint16_t write_sectors(Nvme *nvme, const NvmeCommand *command, uint64_t *bytes) {
    Extent extent = extent_of(command);
    Error error = {.set = false};
    uint32_t size;
    uint16_t status = prepare_transfer(nvme, command, true, &size);
    if (status != NVME_SUCCESS)
        return status;
    if (!dma_list_write_disk(&nvme->list, nvme->context.memory, nvme->medium,
                             extent.first * NVME_SECTOR_BYTES, size, &error))
        return tell(nvme, &error, NVME_WRITE_FAULT);
    nvme->state.writes++;
    nvme->state.sectors_written += extent.count;
    *bytes += size;
    return finish_write(nvme, command);
}

static uint16_t write_zeroes(Nvme *nvme, const NvmeCommand *command, uint64_t *bytes) {
    Extent extent = extent_of(command);
    Error error = {.set = false};
    if (!is_on_disk(nvme, extent))
        return NVME_OUT_OF_RANGE;
    if (block_is_read_only(nvme->medium))
        return NVME_WRITE_PROTECTED;
    if (!dma_clear_disk(nvme->medium, extent.first * NVME_SECTOR_BYTES,
                        extent.count * NVME_SECTOR_BYTES, false, &error))
        return tell(nvme, &error, NVME_WRITE_FAULT);
    *bytes += extent.count * NVME_SECTOR_BYTES;
    return finish_write(nvme, command);
}

/* Hints: which ranges are no longer needed. Others change nothing. */
static uint16_t manage_data(Nvme *nvme, const NvmeCommand *command) {
    uint8_t ranges[RANGES_MAX * RANGE_BYTES];
    uint32_t count = (command->words[0] & 0xFF) + 1;
    uint16_t status = nvme_list_pages(nvme, command, count * RANGE_BYTES);
    if (status != NVME_SUCCESS)
        return status;
    dma_list_read(&nvme->list, nvme->context.memory, ranges, count * RANGE_BYTES);
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *range = ranges + i * RANGE_BYTES;
        if (!is_on_disk(nvme, (Extent){load_le64(range + 8), load_le32(range + 4)}))
            return NVME_OUT_OF_RANGE;
    }
    if (!(command->words[1] & DEALLOCATE))
        return NVME_SUCCESS;
    if (block_is_read_only(nvme->medium))
        return NVME_WRITE_PROTECTED;
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *range = ranges + i * RANGE_BYTES;
        Error error = {.set = false};
        if (!dma_clear_disk(nvme->medium, load_le64(range + 8) * NVME_SECTOR_BYTES,
                            (uint64_t)load_le32(range + 4) * NVME_SECTOR_BYTES, true, &error))
            return tell(nvme, &error, NVME_WRITE_FAULT);
    }
    return NVME_SUCCESS;
}

uint16_t nvme_execute_io(Nvme *nvme, const NvmeCommand *command, uint64_t *bytes) {
    bool for_all = command->opcode == FLUSH && command->name_space == EVERY_NAMESPACE;
    if (command->name_space != 1 && !for_all)
        return NVME_INVALID_NAMESPACE;
    switch (command->opcode) {
    case FLUSH:
        return flush(nvme);
    case WRITE:
        return write_sectors(nvme, command, bytes);
    case READ:
        return read_sectors(nvme, command, bytes);
    case WRITE_ZEROES:
        return write_zeroes(nvme, command, bytes);
    case MANAGE_DATA:
        return manage_data(nvme, command);
    }
    TRACE(nvme->context.trace, TRACE_UNIMP, "nvme: command %02X\n", command->opcode);
    return NVME_INVALID_OPCODE;
}
