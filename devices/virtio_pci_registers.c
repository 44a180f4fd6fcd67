/* The registers of a virtio device: those before 1.0 (specification 4.1.4.8) and those of 1.0
 * (4.1.4.3). */
#include "little_endian.h"
#include "virtio_pci_internal.h"

enum {
    LEGACY_DEVICE_FEATURES = 0,
    LEGACY_DRIVER_FEATURES = 4,
    LEGACY_QUEUE_ADDRESS = 8,
    LEGACY_QUEUE_SIZE = 12,
    LEGACY_QUEUE_SELECT = 14,
    LEGACY_QUEUE_NOTIFY = 16,
    LEGACY_STATUS = 18,
    LEGACY_ISR = 19,
    LEGACY_DEVICE = 20,
    /* These lie between where MSI-X is on (4.1.4.8). */
    LEGACY_CONFIG_VECTOR = 20,
    LEGACY_QUEUE_VECTOR = 22,
    LEGACY_VECTOR_BYTES = 4,
};

enum {
    COMMON_DEVICE_FEATURE_SELECT = 0,
    COMMON_DEVICE_FEATURE = 4,
    COMMON_DRIVER_FEATURE_SELECT = 8,
    COMMON_DRIVER_FEATURE = 12,
    COMMON_CONFIG_VECTOR = 16,
    COMMON_QUEUE_COUNT = 18,
    COMMON_STATUS = 20,
    COMMON_QUEUE_SELECT = 22,
    COMMON_QUEUE_SIZE = 24,
    COMMON_QUEUE_VECTOR = 26,
    COMMON_QUEUE_ENABLE = 28,
    COMMON_QUEUE_NOTIFY = 30,
    COMMON_QUEUE_DESCRIPTORS = 32,
    COMMON_QUEUE_AVAILABLE = 40,
    COMMON_QUEUE_USED = 48,
    COMMON_BYTES = 56,
};

#define LEGACY_PAGE_BITS 12

/* Where the device's own registers begin. */
static uint32_t legacy_device(const VirtioPci *device) {
    return LEGACY_DEVICE + (pci_device_has_messages_on(device->pci) ? LEGACY_VECTOR_BYTES : 0);
}

uint32_t virtio_pci_legacy_read(void *opaque, uint32_t offset, unsigned size) {
    VirtioPci *device = opaque;
    const VirtioQueueState *queue = virtio_pci_selected_queue(device);
    if (offset >= legacy_device(device))
        return virtio_pci_read_config(device, offset - legacy_device(device), size);
    switch (offset) {
    case LEGACY_DEVICE_FEATURES:
        return (uint32_t)virtio_pci_features(device);
    case LEGACY_DRIVER_FEATURES:
        return (uint32_t)device->state.driver_features;
    case LEGACY_QUEUE_ADDRESS:
        return queue != NULL && queue->enabled ? (uint32_t)(queue->descriptors >> LEGACY_PAGE_BITS)
                                               : 0;
    case LEGACY_QUEUE_SIZE:
        return queue != NULL ? queue->size : 0;
    case LEGACY_QUEUE_SELECT:
        return device->state.queue_select;
    case LEGACY_STATUS:
        return device->state.status;
    case LEGACY_ISR:
        return virtio_pci_read_isr(device);
    case LEGACY_CONFIG_VECTOR:
        return device->state.config_vector;
    case LEGACY_QUEUE_VECTOR:
        return queue != NULL ? queue->vector : VIRTIO_NO_VECTOR;
    }
    return 0;
}

/* Page 0 takes the queue away: for old drivers that is how to reset the device. */
static void set_legacy_queue(VirtioPci *device, uint32_t page) {
    VirtioQueueState *queue = virtio_pci_selected_queue(device);
    if (page == 0) {
        virtio_pci_write_status(device, 0);
    } else if (queue != NULL) {
        virtio_queue_set_legacy_address(queue, (uint64_t)page << LEGACY_PAGE_BITS);
        queue->enabled = virtio_queue_is_possible(queue);
    }
}

void virtio_pci_legacy_write(void *opaque, uint32_t offset, unsigned size, uint32_t value) {
    VirtioPci *device = opaque;
    VirtioQueueState *queue = virtio_pci_selected_queue(device);
    if (offset >= legacy_device(device)) {
        virtio_pci_write_config(device, offset - legacy_device(device), size, value);
        return;
    }
    switch (offset) {
    case LEGACY_DRIVER_FEATURES: /* what is not offered is not taken */
        device->state.driver_features = value & virtio_pci_features(device);
        break;
    case LEGACY_QUEUE_ADDRESS:
        set_legacy_queue(device, value);
        break;
    case LEGACY_QUEUE_SELECT:
        device->state.queue_select = (uint16_t)value;
        break;
    case LEGACY_QUEUE_NOTIFY:
        virtio_pci_notify(device, (uint16_t)value);
        break;
    case LEGACY_STATUS:
        virtio_pci_write_status(device, (uint8_t)value);
        break;
    case LEGACY_CONFIG_VECTOR:
        device->state.config_vector = virtio_pci_vector(device, value);
        break;
    case LEGACY_QUEUE_VECTOR:
        if (queue != NULL)
            queue->vector = virtio_pci_vector(device, value);
        break;
    }
}

static uint32_t feature_word(uint64_t features, uint32_t select) {
    return select < 2 ? (uint32_t)(features >> 32 * select) : 0;
}

static void fill_queue(const VirtioPci *device, const VirtioQueueState *queue, uint8_t *image) {
    store_le16(image + COMMON_QUEUE_SIZE, queue->size);
    store_le16(image + COMMON_QUEUE_VECTOR, queue->vector);
    store_le16(image + COMMON_QUEUE_ENABLE, queue->enabled);
    store_le16(image + COMMON_QUEUE_NOTIFY, device->state.queue_select);
    store_le64(image + COMMON_QUEUE_DESCRIPTORS, queue->descriptors);
    store_le64(image + COMMON_QUEUE_AVAILABLE, queue->available);
    store_le64(image + COMMON_QUEUE_USED, queue->used);
}

static uint32_t read_common(VirtioPci *device, uint32_t offset, unsigned size) {
    const VirtioPciState *state = &device->state;
    const VirtioQueueState *queue = virtio_pci_selected_queue(device);
    uint8_t image[COMMON_BYTES] = {0};
    if (offset > COMMON_BYTES - size)
        return 0;
    store_le32(image + COMMON_DEVICE_FEATURE_SELECT, state->device_feature_select);
    store_le32(image + COMMON_DEVICE_FEATURE,
               feature_word(virtio_pci_features(device), state->device_feature_select));
    store_le32(image + COMMON_DRIVER_FEATURE_SELECT, state->driver_feature_select);
    store_le32(image + COMMON_DRIVER_FEATURE,
               feature_word(state->driver_features, state->driver_feature_select));
    store_le16(image + COMMON_CONFIG_VECTOR, state->config_vector);
    store_le16(image + COMMON_QUEUE_COUNT, (uint16_t)device->options.queue_count);
    image[COMMON_STATUS] = state->status;
    store_le16(image + COMMON_QUEUE_SELECT, state->queue_select);
    if (queue != NULL)
        fill_queue(device, queue, image);
    return (uint32_t)load_le(image + offset, size);
}

static void write_driver_features(VirtioPciState *state, uint32_t value) {
    unsigned shift = 32 * state->driver_feature_select;
    if (state->driver_feature_select < 2 && !(state->status & STATUS_FEATURES_OK))
        state->driver_features =
            (state->driver_features & ~(UINT64_C(0xFFFFFFFF) << shift)) | (uint64_t)value << shift;
}

static void write_half(uint64_t *address, uint32_t offset, uint32_t value) {
    unsigned shift = offset % 8 * 8;
    *address = (*address & ~(UINT64_C(0xFFFFFFFF) << shift)) | (uint64_t)value << shift;
}

/* A queue is set up before it is enabled, and stays as it is then. */
static void write_queue(VirtioQueueState *queue, uint32_t offset, unsigned size, uint32_t value) {
    if (queue->enabled)
        return;
    if (offset == COMMON_QUEUE_SIZE && size == 2) {
        bool possible = value != 0 && value <= VIRTIO_QUEUE_SIZE_MAX && (value & (value - 1)) == 0;
        if (possible)
            queue->size = (uint16_t)value;
    } else if (offset == COMMON_QUEUE_ENABLE && size == 2) {
        queue->enabled = value == 1 && virtio_queue_is_possible(queue);
    } else if (offset >= COMMON_QUEUE_DESCRIPTORS && offset < COMMON_BYTES && size == 4) {
        uint64_t *addresses[] = {&queue->descriptors, &queue->available, &queue->used};
        write_half(addresses[(offset - COMMON_QUEUE_DESCRIPTORS) / 8], offset, value);
    }
}

static void write_common(VirtioPci *device, uint32_t offset, unsigned size, uint32_t value) {
    VirtioPciState *state = &device->state;
    VirtioQueueState *queue = virtio_pci_selected_queue(device);
    if (offset == COMMON_DEVICE_FEATURE_SELECT && size == 4)
        state->device_feature_select = value;
    else if (offset == COMMON_DRIVER_FEATURE_SELECT && size == 4)
        state->driver_feature_select = value;
    else if (offset == COMMON_DRIVER_FEATURE && size == 4)
        write_driver_features(state, value);
    else if (offset == COMMON_CONFIG_VECTOR && size == 2)
        state->config_vector = virtio_pci_vector(device, value);
    else if (offset == COMMON_QUEUE_VECTOR && size == 2 && queue != NULL)
        queue->vector = virtio_pci_vector(device, value);
    else if (offset == COMMON_STATUS)
        virtio_pci_write_status(device, (uint8_t)value);
    else if (offset == COMMON_QUEUE_SELECT && size == 2)
        state->queue_select = (uint16_t)value;
    else if (queue != NULL)
        write_queue(queue, offset, size, value);
}

uint32_t virtio_pci_modern_read(void *opaque, uint32_t offset, unsigned size) {
    VirtioPci *device = opaque;
    uint32_t within = offset % PART_BYTES;
    if (device->working)
        return UINT32_MAX >> (32 - 8 * size);
    switch (offset / PART_BYTES) {
    case PART_COMMON:
        return read_common(device, within, size);
    case PART_ISR:
        return within == 0 ? virtio_pci_read_isr(device) : 0;
    case PART_DEVICE:
        return virtio_pci_read_config(device, within, size);
    }
    return 0;
}

void virtio_pci_modern_write(void *opaque, uint32_t offset, unsigned size, uint32_t value) {
    VirtioPci *device = opaque;
    uint32_t within = offset % PART_BYTES;
    if (device->working)
        return;
    switch (offset / PART_BYTES) {
    case PART_COMMON:
        write_common(device, within, size, value);
        break;
    case PART_DEVICE:
        virtio_pci_write_config(device, within, size, value);
        break;
    case PART_NOTIFY:
        virtio_pci_notify(device, within / NOTIFY_STRIDE);
        break;
    }
}
