/* Physical region pages (NVM Express 1.4, 4.3): the first page may begin anywhere, the second entry
 * is the other page or a list of all others, whose last entry may lead to another list. */
#include "little_endian.h"
#include "nvme_internal.h"

#define ENTRY_BYTES 8

typedef struct PageWalk {
    uint64_t list; /* where the next entry is read */
    uint32_t page_bytes;
    uint32_t lists_left; /* that may still be entered: more of them are a circle */
} PageWalk;

static bool read_entry(Nvme *nvme, uint64_t address, uint64_t *entry) {
    if (!dma_range_is_addressable(address, ENTRY_BYTES))
        return false;
    *entry = physical_read(nvme->context.memory, (uint32_t)address, ENTRY_BYTES);
    return true;
}

/* The next page of the list, of which 'bytes' are still wanted. */
static uint16_t next_page(Nvme *nvme, PageWalk *walk, uint32_t bytes, uint64_t *page) {
    for (;;) {
        bool is_last_of_list = walk->list % walk->page_bytes == walk->page_bytes - ENTRY_BYTES;
        if (!read_entry(nvme, walk->list, page))
            return NVME_DATA_TRANSFER_ERROR;
        if (*page % walk->page_bytes != 0)
            return NVME_INVALID_PAGE_OFFSET;
        if (!is_last_of_list || bytes <= walk->page_bytes) {
            walk->list += ENTRY_BYTES;
            return NVME_SUCCESS;
        }
        if (walk->lists_left-- == 0)
            return NVME_INVALID_FIELD;
        walk->list = *page;
    }
}

static uint16_t list_others(Nvme *nvme, const NvmeCommand *command, uint32_t bytes) {
    uint32_t page_bytes = nvme_page_bytes(nvme);
    PageWalk walk = {command->page[1], page_bytes, bytes / page_bytes + 1};
    if (bytes <= page_bytes) {
        if (command->page[1] % page_bytes != 0)
            return NVME_INVALID_PAGE_OFFSET;
        return dma_list_add(&nvme->list, command->page[1], bytes) ? NVME_SUCCESS
                                                                  : NVME_DATA_TRANSFER_ERROR;
    }
    if (walk.list % ENTRY_BYTES != 0)
        return NVME_INVALID_PAGE_OFFSET;
    while (bytes > 0) {
        uint64_t page;
        uint32_t part = bytes < page_bytes ? bytes : page_bytes;
        uint16_t status = next_page(nvme, &walk, bytes, &page);
        if (status != NVME_SUCCESS)
            return status;
        if (!dma_list_add(&nvme->list, page, part))
            return NVME_DATA_TRANSFER_ERROR;
        bytes -= part;
    }
    return NVME_SUCCESS;
}

uint16_t nvme_list_pages(Nvme *nvme, const NvmeCommand *command, uint32_t bytes) {
    uint32_t page_bytes = nvme_page_bytes(nvme);
    uint32_t first = page_bytes - (uint32_t)(command->page[0] % page_bytes);
    dma_list_clear(&nvme->list);
    if (command->page[0] % 4 != 0)
        return NVME_INVALID_PAGE_OFFSET;
    if (first > bytes)
        first = bytes;
    if (!dma_list_add(&nvme->list, command->page[0], first))
        return NVME_DATA_TRANSFER_ERROR;
    return bytes == first ? NVME_SUCCESS : list_others(nvme, command, bytes - first);
}

uint16_t nvme_send(Nvme *nvme, const NvmeCommand *command, const void *data, uint32_t bytes) {
    uint16_t status = nvme_list_pages(nvme, command, bytes);
    if (status == NVME_SUCCESS)
        dma_list_write(&nvme->list, nvme->context.memory, data, bytes);
    return status;
}
