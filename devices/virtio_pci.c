#include "virtio_pci.h"
#include "allocate.h"
#include "little_endian.h"
#include "virtio_pci_internal.h"
#include <stdlib.h>
#include <string.h>

#define VENDOR_ID 0x1AF4
#define PCI_CAPABILITIES 0x34
#define CAPABILITY_VENDOR 0x09
/* In the configuration space. */
enum {
    AT_COMMON = 0x40,
    AT_ISR = 0x50,
    AT_DEVICE = 0x60,
    AT_NOTIFY = 0x70,
    AT_WINDOW = 0x84,
    AT_MESSAGES = 0x98
};
/* Within a capability. */
enum { IN_BAR = 4, IN_OFFSET = 8, IN_LENGTH = 12, IN_EXTRA = 16 };

static const Field field_rows[] = {
    FIELD_STRUCTS(VirtioPciState, queues, &virtio_queue_fields),
    FIELD(VirtioPciState, U64, due_ns),
    FIELD(VirtioPciState, U64, driver_features),
    FIELD(VirtioPciState, U32, device_feature_select),
    FIELD(VirtioPciState, U32, driver_feature_select),
    FIELD(VirtioPciState, U16, queue_select),
    FIELD(VirtioPciState, U16, config_vector),
    FIELD(VirtioPciState, U8, status),
    FIELD(VirtioPciState, U8, isr),
    FIELD(VirtioPciState, U8, noticed),
    FIELD_PADDING(VirtioPciState, padding),
    FIELD_END,
};

static const FieldTable fields = {"virtio-pci", 1, sizeof(VirtioPciState), field_rows};

#define CAPABILITY(at, next, length, kind)                                                         \
    {(at), 4, CAPABILITY_VENDOR | (next) << 8 | (length) << 16 | (uint32_t)(kind) << 24, 0, 0},    \
        {(at) + IN_BAR, 1, BAR_MODERN, 0, 0},
#define AREA(at, part)                                                                             \
    {(at) + IN_OFFSET, 4, (part)*PART_BYTES, 0, 0}, {(at) + IN_LENGTH, 4, PART_BYTES, 0, 0},

/* Specification 4.1.4: where which registers are. The last one is a window through which they can
 * be reached from the configuration space. */
// clang-format off
static const PciRegister registers[] = {
    {PCI_STATUS, 2, 0x0010, 0, 0xF900}, /* has capabilities */
    {PCI_CAPABILITIES, 1, AT_COMMON, 0, 0},
    CAPABILITY(AT_COMMON, AT_ISR, 16, 1) AREA(AT_COMMON, PART_COMMON)
    CAPABILITY(AT_ISR, AT_DEVICE, 16, 3) AREA(AT_ISR, PART_ISR)
    CAPABILITY(AT_DEVICE, AT_NOTIFY, 16, 4) AREA(AT_DEVICE, PART_DEVICE)
    CAPABILITY(AT_NOTIFY, AT_WINDOW, 20, 2) AREA(AT_NOTIFY, PART_NOTIFY)
    {AT_NOTIFY + IN_EXTRA, 4, NOTIFY_STRIDE, 0, 0},
    {AT_WINDOW, 4, CAPABILITY_VENDOR | 20 << 16 | 5u << 24, 0, 0},
    {AT_WINDOW + IN_BAR, 1, 0, 0xFF, 0},
    {AT_WINDOW + IN_OFFSET, 4, 0, UINT32_MAX, 0},
    {AT_WINDOW + IN_LENGTH, 4, 0, UINT32_MAX, 0},
    {AT_WINDOW + IN_EXTRA, 4, 0, UINT32_MAX, 0},
    {0, 0, 0, 0, 0},
};
// clang-format on

uint64_t virtio_pci_features(const VirtioPci *device) {
    return device->options.features | FEATURES_OF_TRANSPORT | FEATURE_VERSION_1;
}

static uint64_t agreed_features(const VirtioPci *device) {
    return device->state.driver_features & virtio_pci_features(device);
}

bool virtio_pci_has_feature(const VirtioPci *device, unsigned bit) {
    return (agreed_features(device) >> bit & 1) != 0;
}

VirtioQueueState *virtio_pci_selected_queue(VirtioPci *device) {
    return device->state.queue_select < device->options.queue_count
               ? &device->state.queues[device->state.queue_select]
               : NULL;
}

static void update_pin(VirtioPci *device) {
    pci_device_set_pin(device->pci, 0, device->state.isr != 0);
}

/* Either by the pin or by a message (4.1.4.5, 4.1.5.1). */
static void interrupt(VirtioPci *device, uint8_t isr, uint16_t vector) {
    device->state.isr |= isr;
    update_pin(device);
    if (vector != VIRTIO_NO_VECTOR)
        pci_device_send_message(device->pci, vector);
}

uint16_t virtio_pci_vector(const VirtioPci *device, uint32_t value) {
    return value < pci_device_message_vectors(device->pci) ? (uint16_t)value : VIRTIO_NO_VECTOR;
}

uint8_t virtio_pci_read_isr(VirtioPci *device) {
    uint8_t isr = device->state.isr;
    device->state.isr = 0;
    update_pin(device);
    return isr;
}

static void reset(void *opaque) {
    VirtioPci *device = opaque;
    timer_cancel(&device->timer);
    device->state =
        (VirtioPciState){.due_ns = TIMER_NEVER, .config_vector = VIRTIO_NO_VECTOR, .status = 0};
    for (unsigned i = 0; i < VIRTIO_PCI_QUEUES_MAX; i++)
        virtio_queue_reset(&device->state.queues[i]);
    update_pin(device);
    device->options.reset(device->options.opaque);
}

void virtio_pci_break(VirtioPci *device) {
    TRACE(device->context.trace, TRACE_GUEST_ERRORS, "%s: the driver gave it what cannot be\n",
          device->options.name);
    device->state.status |= STATUS_NEEDS_RESET;
    device->state.noticed = 0;
    interrupt(device, ISR_CONFIG, device->state.config_vector);
}

static bool is_running(const VirtioPci *device) {
    return (device->state.status & (STATUS_DRIVER_OK | STATUS_NEEDS_RESET)) == STATUS_DRIVER_OK &&
           pci_device_is_master(device->pci);
}

/* Work waits for a bus master. */
static void arm(VirtioPci *device, int64_t ns) {
    if (device->state.noticed != 0 && is_running(device) && !timer_is_armed(&device->timer))
        timer_arm(&device->timer, clock_now_ns(device->context.clock) + ns);
}

void virtio_pci_notify(VirtioPci *device, unsigned queue) {
    if (queue >= device->options.queue_count || !device->state.queues[queue].enabled)
        return;
    device->state.noticed |= (uint8_t)(1 << queue);
    arm(device, DMA_ACCESS_NS);
}

/* Drivers of old add buffers before they say that they are ready, and notify no more. */
void virtio_pci_write_status(VirtioPci *device, uint8_t status) {
    if (status == 0) {
        reset(device);
        return;
    }
    uint64_t refused = device->state.driver_features & ~virtio_pci_features(device);
    uint8_t before = device->state.status;
    if ((status & ~before & STATUS_FEATURES_OK) && refused != 0)
        status &= (uint8_t)~STATUS_FEATURES_OK;
    device->state.status = status | (before & STATUS_NEEDS_RESET);
    if (status & ~before & STATUS_DRIVER_OK)
        for (unsigned i = 0; i < device->options.queue_count; i++)
            virtio_pci_notify(device, i);
}

bool virtio_pci_take(VirtioPci *device, unsigned queue, VirtioChain *chain) {
    VirtioQueueState *state = &device->state.queues[queue];
    switch (virtio_queue_take(state, device->context.memory, agreed_features(device), chain)) {
    case VIRTIO_QUEUE_TAKEN:
        return true;
    case VIRTIO_QUEUE_BROKEN:
        virtio_pci_break(device);
        return false;
    case VIRTIO_QUEUE_EMPTY:
        break;
    }
    virtio_queue_ask_for_notice(state, device->context.memory, agreed_features(device));
    device->state.noticed &= (uint8_t) ~(1 << queue);
    return false;
}

void virtio_pci_give_back(VirtioPci *device, unsigned queue, const VirtioChain *chain,
                          uint32_t written) {
    virtio_queue_give_back(&device->state.queues[queue], device->context.memory, chain->head,
                           written);
}

void virtio_pci_rest(VirtioPci *device, unsigned queue) {
    device->state.noticed &= (uint8_t) ~(1 << queue);
}

bool virtio_pci_is_ready(const VirtioPci *device, unsigned queue) {
    return is_running(device) && device->state.queues[queue].enabled;
}

bool virtio_pci_has_chain(VirtioPci *device, unsigned queue) {
    VirtioQueueState *state = &device->state.queues[queue];
    if (virtio_queue_has_chain(state, device->context.memory))
        return true;
    virtio_queue_ask_for_notice(state, device->context.memory, agreed_features(device));
    return false;
}

void virtio_pci_put_back(VirtioPci *device, unsigned queue, unsigned count) {
    VirtioQueueState *state = &device->state.queues[queue];
    state->next_available = (uint16_t)(state->next_available - count);
}

static void tell_driver(VirtioPci *device, unsigned queue) {
    if (!virtio_queue_wants_interrupt(&device->state.queues[queue], device->context.memory,
                                      agreed_features(device)))
        return;
    interrupt(device, ISR_QUEUE, device->state.queues[queue].vector);
}

void virtio_pci_begin(VirtioPci *device) {
    device->working = true;
}

void virtio_pci_end(VirtioPci *device, unsigned queue) {
    tell_driver(device, queue);
    device->working = false;
}

void virtio_pci_config_changed(VirtioPci *device) {
    if (!(device->state.status & STATUS_DRIVER_OK))
        return;
    interrupt(device, ISR_CONFIG, device->state.config_vector);
}

static int64_t work_on_queue(VirtioPci *device, unsigned queue) {
    VirtioQueueState *state = &device->state.queues[queue];
    if (!state->enabled) {
        device->state.noticed &= (uint8_t) ~(1 << queue);
        return 0;
    }
    uint16_t before = state->next_available;
    int64_t ns = device->options.work(device->options.opaque, queue);
    if ((device->options.stream_queues >> queue & 1) && state->next_available != before) {
        device->state.noticed |= (uint8_t)(1 << queue);
        if (ns < device->options.stream_ns)
            ns = device->options.stream_ns;
    }
    tell_driver(device, queue);
    return ns;
}

static void timer_fired(void *opaque) {
    VirtioPci *device = opaque;
    int64_t ns = DMA_ACCESS_NS; /* at least: two events never fall on one instant */
    if (!is_running(device))
        return;
    device->working = true;
    for (unsigned i = 0; i < device->options.queue_count; i++)
        if (device->state.noticed >> i & 1)
            ns += work_on_queue(device, i);
    device->working = false;
    arm(device, ns);
}

uint32_t virtio_pci_read_config(VirtioPci *device, uint32_t offset, unsigned size) {
    uint8_t config[VIRTIO_CONFIG_BYTES_MAX] = {0};
    if (offset >= device->options.config_size || size > device->options.config_size - offset)
        return 0;
    device->options.config_read(device->options.opaque, config);
    return (uint32_t)load_le(config + offset, size);
}

void virtio_pci_write_config(VirtioPci *device, uint32_t offset, unsigned size, uint32_t value) {
    uint8_t data[4];
    if (offset >= device->options.config_size || size > device->options.config_size - offset)
        return;
    store_le32(data, value);
    device->options.config_write(device->options.opaque, offset, data, size);
}

/* Where the window leads at present; 0 bytes: nowhere. */
static unsigned window_size(const VirtioPci *device, uint32_t *offset) {
    uint32_t size = pci_device_get(device->pci, AT_WINDOW + IN_LENGTH, 4);
    *offset = pci_device_get(device->pci, AT_WINDOW + IN_OFFSET, 4);
    bool good = pci_device_get(device->pci, AT_WINDOW + IN_BAR, 1) == BAR_MODERN &&
                (size == 1 || size == 2 || size == 4) && *offset < MODERN_BYTES &&
                *offset % size == 0;
    return good ? size : 0;
}

static uint8_t config_space_read(void *opaque, unsigned offset, uint8_t stored) {
    VirtioPci *device = opaque;
    uint32_t at, byte = offset - (AT_WINDOW + IN_EXTRA);
    if (offset < AT_WINDOW + IN_EXTRA || byte >= 4)
        return stored;
    unsigned size = window_size(device, &at);
    if (byte >= size)
        return stored;
    if (byte == 0) /* one access for all of its bytes */
        pci_device_put(device->pci, AT_WINDOW + IN_EXTRA, size,
                       virtio_pci_modern_read(device, at, size));
    return pci_device_config(device->pci)[offset];
}

static uint32_t message_read(void *opaque, uint32_t offset, unsigned size) {
    const VirtioPci *device = opaque;
    uint32_t value = 0;
    if (!device->working)
        pci_device_message_read(device->pci, BAR_MESSAGES, offset, size, &value);
    return value;
}

static void message_write(void *opaque, uint32_t offset, unsigned size, uint32_t value) {
    VirtioPci *device = opaque;
    if (!device->working)
        pci_device_message_write(device->pci, BAR_MESSAGES, offset, size, value);
}

static void config_space_written(void *opaque, unsigned offset, unsigned size) {
    VirtioPci *device = opaque;
    uint32_t at;
    if (offset == 0 && size == PCI_CONFIG_SIZE)
        return;
    arm(device, DMA_ACCESS_NS);
    if (offset > AT_WINDOW + IN_EXTRA || offset + size <= AT_WINDOW + IN_EXTRA)
        return;
    unsigned window = window_size(device, &at);
    if (window != 0)
        virtio_pci_modern_write(device, at, window,
                                pci_device_get(device->pci, AT_WINDOW + IN_EXTRA, window));
}

static void restored(void *opaque) {
    VirtioPci *device = opaque;
    for (unsigned i = 0; i < VIRTIO_PCI_QUEUES_MAX; i++)
        virtio_queue_restored(&device->state.queues[i]);
    device->state.noticed &= (uint8_t)((1u << device->options.queue_count) - 1);
}

static const DeviceClass device_class = {"virtio-pci", &fields, reset, restored};

VirtioPci *virtio_pci_create(const DeviceContext *context, PciBus *bus,
                             const VirtioPciOptions *options, Error *error) {
    VirtioPci *device = allocate_zeroed(sizeof(*device));
    device->options = *options;
    device->context = *context;
    const PciDeviceInfo info = {
        .name = options->name,
        .vendor_id = VENDOR_ID,
        .device_id = options->pci_device,
        .class_code = options->class_code,
        .subsystem_vendor_id = VENDOR_ID,
        .subsystem_id = options->kind,
        .interrupt_pin = 1,
        .bars =
            {[BAR_LEGACY] = {.type = PCI_BAR_IO,
                             LEGACY_BYTES,
                             virtio_pci_legacy_read,
                             virtio_pci_legacy_write},
             [BAR_MESSAGES] = {.type = PCI_BAR_MEMORY, MESSAGE_BYTES, message_read, message_write},
             [BAR_MODERN] = {.type = PCI_BAR_MEMORY,
                             MODERN_BYTES,
                             virtio_pci_modern_read,
                             virtio_pci_modern_write}},
        .rom = options->rom,
        .rom_size = options->rom_size,
        .registers = registers,
        .messages = {.msix_at = AT_MESSAGES,
                     .vectors = (uint8_t)(options->queue_count + 1),
                     .bar = BAR_MESSAGES,
                     .table = 0,
                     .pending = MESSAGES_PENDING},
        .opaque = device,
        .config_read = config_space_read,
        .config_written = config_space_written,
    };
    device->pci = pci_device_add(bus, options->slot, 0, &info, error);
    if (device->pci == NULL) {
        free(device);
        return NULL;
    }
    timer_init(&device->timer, context->clock, options->name, &device->state.due_ns, timer_fired,
               device);
    device_list_add(context->devices, &device_class, options->id, device, &device->state);
    reset(device);
    return device;
}

void virtio_pci_destroy(VirtioPci *device) {
    free(device);
}
