#include "fw_cfg.h"
#include "allocate.h"
#include "little_endian.h"
#include "shared_bytes.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    KEY_WRITE_CHANNEL = 0x4000,
    KEY_ARCHITECTURE = 0x8000,
    ARCHITECTURE_ITEMS = 32,
    GENERIC_ITEMS = FW_CFG_FILE_FIRST + FW_CFG_FILES,
    VERSION_TRADITIONAL = 1,
    VERSION_DMA = 2,
};

/* Bits of the control word of a DMA request. */
enum {
    DMA_ERROR = 1 << 0,
    DMA_READ = 1 << 1,
    DMA_SKIP = 1 << 2,
    DMA_SELECT = 1 << 3,
    DMA_WRITE = 1 << 4,
};

/* What the DMA address register reads as: "QEMU CFG". */
static const uint8_t dma_signature[8] = {'Q', 'E', 'M', 'U', ' ', 'C', 'F', 'G'};

/* One entry of the file directory, as the guest reads it. */
typedef struct DirectoryEntry {
    uint8_t size[4], select[2]; /* big-endian */
    uint8_t reserved[2];
    char name[FW_CFG_FILE_NAME_SIZE];
} DirectoryEntry;

struct FwCfgItems {
    SharedBytes *generic[GENERIC_ITEMS]; /* NULL: there is no such item */
    SharedBytes *architecture[ARCHITECTURE_ITEMS];
    DirectoryEntry directory[FW_CFG_FILES];
    unsigned file_count;
};

typedef struct FwCfgState {
    uint64_t dma_address;
    uint32_t offset; /* within the selected item */
    uint16_t selected;
    uint8_t padding[2];
} FwCfgState;

static const Field fw_cfg_state_fields[] = {
    FIELD(FwCfgState, U64, dma_address),
    FIELD(FwCfgState, U32, offset),
    FIELD(FwCfgState, U16, selected),
    FIELD_PADDING(FwCfgState, padding),
    FIELD_END,
};

static const FieldTable fw_cfg_fields = {"fw_cfg", 1, sizeof(FwCfgState), fw_cfg_state_fields};

struct FwCfg {
    FwCfgState state;
    PhysicalMap *memory;
    FwCfgItems items;
};

static void put_be(uint8_t *to, unsigned size, uint64_t value) {
    for (unsigned i = 0; i < size; i++)
        to[i] = (uint8_t)(value >> (8 * (size - 1 - i)));
}

static uint64_t get_be(const uint8_t *from, unsigned size) {
    uint64_t value = 0;
    for (unsigned i = 0; i < size; i++)
        value = value << 8 | from[i];
    return value;
}

/* --- items -------------------------------------------------------------------------------------
 */

/* Where the item of a key stands, or NULL. */
static SharedBytes **fw_cfg_item(FwCfg *fw_cfg, uint16_t key) {
    unsigned index = key & (uint16_t) ~(KEY_ARCHITECTURE | KEY_WRITE_CHANNEL);
    if (key & KEY_ARCHITECTURE)
        return index < ARCHITECTURE_ITEMS ? &fw_cfg->items.architecture[index] : NULL;
    return index < GENERIC_ITEMS ? &fw_cfg->items.generic[index] : NULL;
}

static void item_set(SharedBytes **item, const void *data, size_t size) {
    shared_bytes_release(*item);
    *item = shared_bytes_create(data, size);
}

void fw_cfg_set_bytes(FwCfg *fw_cfg, uint16_t key, const void *data, size_t size) {
    SharedBytes **item = fw_cfg_item(fw_cfg, key);
    assert(item != NULL);
    item_set(item, data, size);
}

void fw_cfg_set_number(FwCfg *fw_cfg, uint16_t key, uint64_t value, unsigned bytes) {
    uint8_t data[8];
    store_le64(data, value);
    fw_cfg_set_bytes(fw_cfg, key, data, bytes);
}

static void fw_cfg_write_directory(FwCfg *fw_cfg) {
    uint8_t image[4 + sizeof fw_cfg->items.directory];
    put_be(image, 4, fw_cfg->items.file_count);
    memcpy(image + 4, fw_cfg->items.directory, sizeof fw_cfg->items.directory);
    fw_cfg_set_bytes(fw_cfg, FW_CFG_FILE_DIRECTORY, image,
                     4 + fw_cfg->items.file_count * sizeof(DirectoryEntry));
}

bool fw_cfg_add_file(FwCfg *fw_cfg, const char *name, const void *data, size_t size, Error *error) {
    unsigned index = 0;
    while (index < fw_cfg->items.file_count &&
           strcmp(fw_cfg->items.directory[index].name, name) != 0)
        index++;
    if (index == FW_CFG_FILES)
        return error_set(error, "fw_cfg: there are %u files already, no room for %s", FW_CFG_FILES,
                         name);
    if (strlen(name) >= FW_CFG_FILE_NAME_SIZE || size > UINT32_MAX)
        return error_set(error, "fw_cfg: the name or the contents of %s are too long", name);
    DirectoryEntry *entry = &fw_cfg->items.directory[index];
    if (index == fw_cfg->items.file_count)
        fw_cfg->items.file_count++;
    memset(entry, 0, sizeof *entry);
    put_be(entry->size, 4, size);
    put_be(entry->select, 2, FW_CFG_FILE_FIRST + index);
    memcpy(entry->name, name, strlen(name));
    item_set(&fw_cfg->items.generic[FW_CFG_FILE_FIRST + index], data, size);
    fw_cfg_write_directory(fw_cfg);
    return true;
}

void fw_cfg_each_item(const FwCfg *fw_cfg,
                      void (*each)(void *opaque, uint16_t key, const char *name,
                                   const uint8_t *data, size_t size),
                      void *opaque) {
    const FwCfgItems *items = &fw_cfg->items;
    for (unsigned i = 0; i < GENERIC_ITEMS; i++) {
        const SharedBytes *item = items->generic[i];
        bool is_file = i >= FW_CFG_FILE_FIRST && i - FW_CFG_FILE_FIRST < items->file_count;
        const char *name = is_file ? items->directory[i - FW_CFG_FILE_FIRST].name : NULL;
        if (item != NULL)
            each(opaque, (uint16_t)i, name, item->data, item->size);
    }
    for (unsigned i = 0; i < ARCHITECTURE_ITEMS; i++)
        if (items->architecture[i] != NULL)
            each(opaque, (uint16_t)(KEY_ARCHITECTURE | i), NULL, items->architecture[i]->data,
                 items->architecture[i]->size);
}

static void hold_items(FwCfgItems *to, const FwCfgItems *from) {
    *to = *from;
    for (int i = 0; i < GENERIC_ITEMS; i++)
        shared_bytes_hold(to->generic[i]);
    for (int i = 0; i < ARCHITECTURE_ITEMS; i++)
        shared_bytes_hold(to->architecture[i]);
}

static void release_items(const FwCfgItems *items) {
    for (int i = 0; i < GENERIC_ITEMS; i++)
        shared_bytes_release(items->generic[i]);
    for (int i = 0; i < ARCHITECTURE_ITEMS; i++)
        shared_bytes_release(items->architecture[i]);
}

FwCfgItems *fw_cfg_share_items(const FwCfg *fw_cfg) {
    FwCfgItems *items = allocate_zeroed(sizeof *items);
    hold_items(items, &fw_cfg->items);
    return items;
}

void fw_cfg_release_items(FwCfgItems *items) {
    if (items != NULL)
        release_items(items);
    free(items);
}

void fw_cfg_set_items(FwCfg *fw_cfg, const FwCfgItems *items) {
    release_items(&fw_cfg->items);
    hold_items(&fw_cfg->items, items);
}

/* --- ports -------------------------------------------------------------------------------------
 */

static void fw_cfg_select(FwCfg *fw_cfg, uint16_t key) {
    fw_cfg->state.selected = key;
    fw_cfg->state.offset = 0;
}

/* How much of the selected item is left, and where; nothing for an item that is not there. */
static const uint8_t *fw_cfg_rest(FwCfg *fw_cfg, size_t *left) {
    SharedBytes *const *item = fw_cfg_item(fw_cfg, fw_cfg->state.selected);
    *left = 0;
    if (item == NULL || *item == NULL || fw_cfg->state.offset >= (*item)->size)
        return NULL;
    *left = (*item)->size - fw_cfg->state.offset;
    return (*item)->data + fw_cfg->state.offset;
}

static void fw_cfg_advance(FwCfg *fw_cfg, uint32_t count) {
    uint32_t offset = fw_cfg->state.offset;
    fw_cfg->state.offset = count > UINT32_MAX - offset ? UINT32_MAX : offset + count;
}

/* Offset 0 is the selector, 1 the data register, which gives zeros past the end. */
static uint32_t fw_cfg_read(void *opaque, uint32_t offset, unsigned size) {
    FwCfg *fw_cfg = opaque;
    size_t left;
    (void)size;
    if (offset == 0)
        return 0;
    const uint8_t *data = fw_cfg_rest(fw_cfg, &left);
    fw_cfg_advance(fw_cfg, 1);
    return left != 0 ? *data : 0;
}

/* Items cannot be written through the data register any more (since version 2 of the interface). */
static void fw_cfg_write(void *opaque, uint32_t offset, unsigned size, uint32_t value) {
    if (offset == 0 && size == 2)
        fw_cfg_select(opaque, (uint16_t)value);
}

/* --- DMA ---------------------------------------------------------------------------------------
 */

/* Copies to the guest what is left of the item, then zeros. */
static void fw_cfg_dma_read(FwCfg *fw_cfg, uint32_t address, uint32_t length) {
    static const uint8_t zeros[PAGE_SIZE];
    size_t left;
    const uint8_t *data = fw_cfg_rest(fw_cfg, &left);
    uint32_t from_item = left < length ? (uint32_t)left : length;
    fw_cfg_advance(fw_cfg, length);
    physical_write_bytes(fw_cfg->memory, address, data, from_item);
    for (uint32_t done = from_item; done < length;) {
        uint32_t piece = length - done < PAGE_SIZE ? length - done : PAGE_SIZE;
        physical_write_bytes(fw_cfg->memory, address + done, zeros, piece);
        done += piece;
    }
}

/* A request for more than the machine's memory, or beyond the address space, is an error. */
static bool fw_cfg_dma_run(FwCfg *fw_cfg, uint32_t control, uint32_t length, uint64_t address) {
    if (control & DMA_SELECT)
        fw_cfg_select(fw_cfg, (uint16_t)(control >> 16));
    if (control & DMA_READ) {
        if (length > physical_map_ram_bytes(fw_cfg->memory) || address + length > (1ULL << 32) ||
            address >> 32)
            return false;
        fw_cfg_dma_read(fw_cfg, (uint32_t)address, length);
    } else if (control & DMA_WRITE) {
        return false; /* no item can be written */
    } else if (control & DMA_SKIP) {
        fw_cfg_advance(fw_cfg, length);
    }
    return true;
}

/* The request in guest memory: control, length, address, all big-endian; control is set to the
 * result. */
static void fw_cfg_dma_start(FwCfg *fw_cfg) {
    uint64_t where = fw_cfg->state.dma_address;
    uint8_t request[16], result[4];
    fw_cfg->state.dma_address = 0;
    if (where > UINT32_MAX - sizeof request)
        return;
    physical_read_bytes(fw_cfg->memory, (uint32_t)where, request, sizeof request);
    bool done = fw_cfg_dma_run(fw_cfg, (uint32_t)get_be(request, 4),
                               (uint32_t)get_be(request + 4, 4), get_be(request + 8, 8));
    put_be(result, 4, done ? 0 : DMA_ERROR);
    physical_write_bytes(fw_cfg->memory, (uint32_t)where, result, sizeof result);
}

static uint32_t dma_register_read(void *opaque, uint32_t offset, unsigned size) {
    (void)opaque;
    return (uint32_t)load_le(dma_signature + offset, size);
}

/* The address is big-endian, its upper half first; writing the lower half starts. */
static void dma_register_write(void *opaque, uint32_t offset, unsigned size, uint32_t value) {
    FwCfg *fw_cfg = opaque;
    uint64_t *address = &fw_cfg->state.dma_address;
    if (size != 4)
        return;
    uint64_t half = __builtin_bswap32(value);
    if (offset == 0) {
        *address = (*address & 0xFFFFFFFF) | half << 32;
    } else if (offset == 4) {
        *address = (*address & ~0xFFFFFFFFULL) | half;
        fw_cfg_dma_start(fw_cfg);
    }
}

/* --- the device --------------------------------------------------------------------------------
 */

static void fw_cfg_reset(void *opaque) {
    FwCfg *fw_cfg = opaque;
    fw_cfg->state.dma_address = 0;
    fw_cfg_select(fw_cfg, FW_CFG_SIGNATURE);
}

static const DeviceClass fw_cfg_class = {"fw_cfg_io", &fw_cfg_fields, fw_cfg_reset, NULL};

FwCfg *fw_cfg_create(const DeviceContext *context, Error *error) {
    FwCfg *fw_cfg = allocate_zeroed(sizeof *fw_cfg);
    const PortRange ports = {"fw_cfg",    0x510,        2,     PORT_8 | PORT_16,
                             fw_cfg_read, fw_cfg_write, fw_cfg};
    const PortRange dma = {
        "fw_cfg-dma",       0x514,  8, PORT_8 | PORT_16 | PORT_32, dma_register_read,
        dma_register_write, fw_cfg,
    };
    if (!port_map_add(context->ports, &ports, error) ||
        !port_map_add(context->ports, &dma, error)) {
        free(fw_cfg);
        return NULL;
    }
    fw_cfg->memory = context->memory;
    fw_cfg_set_bytes(fw_cfg, FW_CFG_SIGNATURE, dma_signature, 4);
    fw_cfg_set_number(fw_cfg, FW_CFG_ID, VERSION_TRADITIONAL | VERSION_DMA, 4);
    fw_cfg_write_directory(fw_cfg);
    device_list_add(context->devices, &fw_cfg_class, "fw_cfg", fw_cfg, &fw_cfg->state);
    return fw_cfg;
}

void fw_cfg_destroy(FwCfg *fw_cfg) {
    if (fw_cfg == NULL)
        return;
    release_items(&fw_cfg->items);
    free(fw_cfg);
}
