/* See pci_messages.h. */
#include "allocate.h"
#include "little_endian.h"
#include "pci_internal.h"
#include <stdio.h>
#include <stdlib.h>

enum { CAPABILITY_MSI = 0x05, CAPABILITY_MSIX = 0x11 };
/* Within the capabilities (specification 6.8.1, 6.8.2). */
enum { CONTROL = 2, MSI_ADDRESS = 4, MSI_DATA = 12, MSIX_TABLE = 4, MSIX_PENDING = 8 };
enum { MSI_ENABLE = 1 << 0, MSI_64_BITS = 1 << 7 };
enum { MSIX_MASK_ALL = 1 << 14, MSIX_ENABLE = 1 << 15 };
/* Within an entry of the table. */
enum { ENTRY_ADDRESS, ENTRY_ADDRESS_HIGH, ENTRY_DATA, ENTRY_CONTROL, ENTRY_WORDS };
enum { ENTRY_MASKED = 1, ENTRY_BYTES = 4 * ENTRY_WORDS };
enum { PENDING_BYTES = 8 };

typedef struct PciMessagesState {
    uint64_t pending; /* a bit for each vector */
    uint32_t table[PCI_MESSAGE_VECTORS_MAX * ENTRY_WORDS];
} PciMessagesState;

static const Field field_rows[] = {
    FIELD(PciMessagesState, U64, pending),
    FIELD_ARRAY(PciMessagesState, U32, table),
    FIELD_END,
};

static const FieldTable fields = {"pci-messages", 1, sizeof(PciMessagesState), field_rows};

struct PciMessages {
    PciMessagesState state;
    PciMessagesInfo info;
    PciDevice *device;
    PhysicalMap *memory;
    char id[24];
};

uint8_t pci_messages_describe(const PciMessagesInfo *info, uint8_t next,
                              PciRegister registers[PCI_MESSAGE_REGISTERS]) {
    unsigned count = 0;
    uint8_t at = info->msi_at != 0 ? info->msi_at : info->msix_at;
    if (info->msi_at != 0) {
        registers[count++] = (PciRegister){at, 2, CAPABILITY_MSI | (uint32_t)next << 8, 0, 0};
        registers[count++] = (PciRegister){at + CONTROL, 2, MSI_64_BITS, MSI_ENABLE, 0};
        registers[count++] = (PciRegister){at + MSI_ADDRESS, 4, 0, ~3u, 0};
        registers[count++] = (PciRegister){at + MSI_ADDRESS + 4, 4, 0, UINT32_MAX, 0};
        registers[count++] = (PciRegister){at + MSI_DATA, 2, 0, 0xFFFF, 0};
    } else if (at != 0) {
        registers[count++] = (PciRegister){at, 2, CAPABILITY_MSIX | (uint32_t)next << 8, 0, 0};
        registers[count++] =
            (PciRegister){at + CONTROL, 2, info->vectors - 1u, MSIX_ENABLE | MSIX_MASK_ALL, 0};
        registers[count++] = (PciRegister){at + MSIX_TABLE, 4, info->table | info->bar, 0, 0};
        registers[count++] = (PciRegister){at + MSIX_PENDING, 4, info->pending | info->bar, 0, 0};
    }
    registers[count] = (PciRegister){.size = 0};
    return at;
}

static uint16_t control(const PciMessages *messages) {
    unsigned at = messages->info.msi_at != 0 ? messages->info.msi_at : messages->info.msix_at;
    return (uint16_t)pci_device_get(messages->device, at + CONTROL, 2);
}

bool pci_messages_are_on(const PciMessages *messages) {
    uint16_t bit = messages->info.msi_at != 0 ? MSI_ENABLE : MSIX_ENABLE;
    return (control(messages) & bit) != 0;
}

/* SDM vol. 3A 10.11: what address and data say. Other addresses are memory to the device, and lead
 * nowhere but to RAM. */
static void send(PciMessages *messages, uint64_t address, uint32_t data) {
    const ApicBus *bus = pci_device_message_bus(messages->device);
    if (!pci_device_is_master(messages->device))
        return;
    if (address >> 20 != 0xFEE) {
        if (address <= physical_map_ram_bytes(messages->memory) - 4)
            physical_write(messages->memory, (uint32_t)address, 4, data);
        return;
    }
    enum { LOGICAL = 1 << 2, LEVEL = 1 << 15 };
    const ApicMessage message = {
        .destination = (uint8_t)(address >> 12),
        .logical = (address & LOGICAL) != 0,
        .delivery_mode = data >> 8 & 7,
        .vector = (uint8_t)data,
        .level = (data & LEVEL) != 0,
    };
    if (bus->send != NULL)
        bus->send(bus->opaque, &message);
}

static void send_entry(PciMessages *messages, unsigned vector) {
    const uint32_t *entry = &messages->state.table[vector * ENTRY_WORDS];
    uint64_t address = (uint64_t)entry[ENTRY_ADDRESS_HIGH] << 32 | entry[ENTRY_ADDRESS];
    messages->state.pending &= ~(UINT64_C(1) << vector);
    send(messages, address, entry[ENTRY_DATA]);
}

static bool is_masked(const PciMessages *messages, unsigned vector) {
    return (control(messages) & MSIX_MASK_ALL) ||
           (messages->state.table[vector * ENTRY_WORDS + ENTRY_CONTROL] & ENTRY_MASKED);
}

/* Those that are masked no more. */
static void send_pending(PciMessages *messages) {
    for (unsigned i = 0; i < messages->info.vectors; i++)
        if ((messages->state.pending >> i & 1) && !is_masked(messages, i))
            send_entry(messages, i);
}

void pci_messages_config_written(PciMessages *messages) {
    if (messages->info.msix_at != 0 && pci_messages_are_on(messages))
        send_pending(messages);
}

void pci_device_send_message(PciDevice *device, unsigned vector) {
    PciMessages *messages = pci_device_messages(device);
    if (!pci_device_has_messages_on(device))
        return;
    unsigned at = messages->info.msi_at;
    if (at != 0)
        send(messages,
             pci_device_get(device, at + MSI_ADDRESS, 4) |
                 (uint64_t)pci_device_get(device, at + MSI_ADDRESS + 4, 4) << 32,
             pci_device_get(device, at + MSI_DATA, 2));
    else if (vector >= messages->info.vectors)
        return;
    else if (is_masked(messages, vector))
        messages->state.pending |= UINT64_C(1) << vector;
    else
        send_entry(messages, vector);
}

bool pci_device_message_read(PciDevice *device, unsigned bar, uint32_t offset, unsigned size,
                             uint32_t *value) {
    const PciMessages *messages = pci_device_messages(device);
    const PciMessagesInfo *info = &messages->info;
    uint8_t bytes[PENDING_BYTES] = {0};
    uint32_t in_table = offset - info->table, in_pending = offset - info->pending;
    if (bar != info->bar || info->msix_at == 0)
        return false;
    if (in_table < info->vectors * (uint32_t)ENTRY_BYTES) {
        store_le32(bytes, messages->state.table[in_table / 4]);
        *value = in_table % 4 + size <= 4 ? (uint32_t)load_le(bytes + in_table % 4, size) : 0;
        return true;
    }
    if (in_pending >= PENDING_BYTES)
        return false;
    store_le64(bytes, messages->state.pending);
    *value = in_pending + size <= PENDING_BYTES ? (uint32_t)load_le(bytes + in_pending, size) : 0;
    return true;
}

/* Anything but whole words is undefined (specification 6.8.2): it changes nothing. */
bool pci_device_message_write(PciDevice *device, unsigned bar, uint32_t offset, unsigned size,
                              uint32_t value) {
    static const uint32_t writable[ENTRY_WORDS] = {~3u, UINT32_MAX, UINT32_MAX, ENTRY_MASKED};
    PciMessages *messages = pci_device_messages(device);
    const PciMessagesInfo *info = &messages->info;
    uint32_t in_table = offset - info->table;
    if (bar != info->bar || info->msix_at == 0)
        return false;
    if (in_table >= info->vectors * (uint32_t)ENTRY_BYTES)
        return offset - info->pending < PENDING_BYTES;
    if (size == 4 && in_table % 4 == 0) {
        messages->state.table[in_table / 4] = value & writable[in_table / 4 % ENTRY_WORDS];
        pci_messages_config_written(messages);
    }
    return true;
}

/* --- the device ------------------------------------------------------------------------------- */

static void reset(void *opaque) {
    PciMessages *messages = opaque;
    messages->state = (PciMessagesState){.pending = 0};
    for (unsigned i = 0; i < PCI_MESSAGE_VECTORS_MAX; i++)
        messages->state.table[i * ENTRY_WORDS + ENTRY_CONTROL] = ENTRY_MASKED;
}

static void restored(void *opaque) {
    PciMessages *messages = opaque;
    messages->state.pending &= (UINT64_C(1) << messages->info.vectors) - 1;
}

static const DeviceClass device_class = {"pci-messages", &fields, reset, restored};

PciMessages *pci_messages_create(PciDevice *device, const PciMessagesInfo *info, const char *place,
                                 const DeviceContext *context) {
    if (info->msi_at == 0 && info->msix_at == 0)
        return NULL;
    PciMessages *messages = allocate_zeroed(sizeof(*messages));
    messages->device = device;
    messages->info = *info;
    messages->memory = context->memory;
    snprintf(messages->id, sizeof(messages->id), "msi-%s", place);
    if (info->msix_at != 0)
        device_list_add(context->devices, &device_class, messages->id, messages, &messages->state);
    reset(messages);
    return messages;
}

void pci_messages_destroy(PciMessages *messages) {
    free(messages);
}
