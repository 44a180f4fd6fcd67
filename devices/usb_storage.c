#include "usb_storage.h"
#include "allocate.h"
#include "little_endian.h"
#include "usb_control.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ENDPOINT_IN = 1, ENDPOINT_OUT = 2, PACKET_BYTES = 64 };
/* Their bits in UsbControlState.halted, by the order of their descriptors. */
enum { HALT_IN = 1, HALT_OUT = 2 };

/* Requests of the class (3.1, 3.2). */
enum { TYPE_CLASS_IN = 0xA1, TYPE_CLASS_OUT = 0x21, GET_MAX_LUN = 0xFE, BULK_ONLY_RESET = 0xFF };

/* Command and status wrappers (5.1, 5.2). */
enum {
    COMMAND_BYTES = 31,
    COMMAND_SIGNATURE = 0x43425355,
    COMMAND_IN = 0x80,
    STATUS_BYTES = 13,
    STATUS_SIGNATURE = 0x53425355,
    STATUS_PASSED = 0,
    STATUS_FAILED = 1,
    STATUS_PHASE_ERROR = 2,
};

typedef enum StoragePhase {
    PHASE_COMMAND,
    PHASE_TO_HOST,
    PHASE_FROM_HOST,
    PHASE_STATUS,
    PHASE_LOST, /* nonsense came: until the bridge is reset (6.6.1) */
    PHASES,
} StoragePhase;

typedef struct UsbStorageState {
    UsbControlState control;
    uint32_t tag;
    uint32_t left;    /* bytes that the host still expects to move */
    uint8_t phase;    /* StoragePhase */
    uint8_t is_wrong; /* the host and the target do not agree about the data */
    uint8_t socket;
    uint8_t padding[5];
} UsbStorageState;

static const Field state_fields[] = {
    FIELD_ONE_STRUCT(UsbStorageState, control, &usb_control_fields),
    FIELD(UsbStorageState, U32, tag),
    FIELD(UsbStorageState, U32, left),
    FIELD(UsbStorageState, U8, phase),
    FIELD(UsbStorageState, U8, is_wrong),
    FIELD(UsbStorageState, U8, socket),
    FIELD_PADDING(UsbStorageState, padding),
    FIELD_END,
};
static const FieldTable usb_storage_fields = {"USB storage", 1, sizeof(UsbStorageState),
                                              state_fields};

struct UsbStorage {
    UsbStorageState state;
    UsbDevice device;
    ScsiTarget *target;
    char id[32];
};

// clang-format off
static const uint8_t device_descriptor[] = {
    18, 1,
    0x10, 0x01,       /* USB 1.1 */
    0, 0, 0,          /* its class is the interface's */
    USB_CONTROL_PACKET_BYTES,
    0xF4, 0x46,       /* vendor and product: as the usual virtual disk has them */
    0x01, 0x00,
    0x00, 0x01,       /* release 1.0 */
    1, 2, 3,          /* strings: manufacturer, product, serial number */
    1,                /* configuration */
};

static const uint8_t configuration_descriptor[] = {
    9, 2, 32, 0,      /* all of this */
    1,                /* interface */
    1, 0,             /* number and name */
    0x80,             /* powered by the bus */
    50,               /* 100 mA */
    9, 4, 0, 0,       /* interface 0 */
    2,                /* endpoints */
    8, 6, 0x50, 0,    /* mass storage, SCSI commands, bulk-only */
    7, 5, 0x80 | ENDPOINT_IN,
    2,                /* bulk */
    PACKET_BYTES, 0,
    0,
    7, 5, ENDPOINT_OUT,
    2,                /* bulk */
    PACKET_BYTES, 0,
    0,
};
// clang-format on

/* The number has twelve digits at least (4.1.1). */
static const char *const strings[] = {"Reprise", "USB Storage", "000000000001", NULL};

/* --- the transport -----------------------------------------------------------------------------
 */

static void enter_lost(UsbStorageState *state) {
    state->phase = PHASE_LOST;
    state->control.halted |= HALT_IN | HALT_OUT;
}

/* What there is to move in each direction host and target say for themselves; where they differ the
 * status tells (6.7). */
static void begin_command(UsbStorage *storage, const uint8_t *wrapper, uint32_t size) {
    UsbStorageState *state = &storage->state;
    uint8_t command[SCSI_COMMAND_BYTES] = {0};
    unsigned length = size == COMMAND_BYTES ? wrapper[14] & 0x1F : 0;
    if (length < 1 || length > sizeof(command) || load_le32(wrapper) != COMMAND_SIGNATURE) {
        enter_lost(state);
        return;
    }
    memcpy(command, wrapper + 15, length);
    state->tag = load_le32(wrapper + 4);
    state->left = load_le32(wrapper + 8);
    state->is_wrong = false;
    state->phase = state->left == 0           ? PHASE_STATUS
                   : wrapper[12] & COMMAND_IN ? PHASE_TO_HOST
                                              : PHASE_FROM_HOST;
    scsi_target_cancel(storage->target);
    scsi_target_begin(storage->target, wrapper[13] & 0x0F, command);
}

/* The target wants to move data that the host does not, or the other way: its command is over. */
static void give_up(UsbStorage *storage) {
    scsi_target_cancel(storage->target);
    storage->state.is_wrong = true;
}

static UsbAnswer send_data(UsbStorage *storage, UsbTransaction *transaction) {
    UsbStorageState *state = &storage->state;
    ScsiTargetPhase phase = scsi_target_phase(storage->target);
    uint32_t most = state->left < PACKET_BYTES ? state->left : PACKET_BYTES;
    transaction->size = 0;
    if (phase == SCSI_BUSY)
        return USB_NAK;
    if (phase == SCSI_FROM_HOST)
        give_up(storage);
    while (transaction->size < most && scsi_target_phase(storage->target) == SCSI_TO_HOST)
        transaction->size += (uint32_t)scsi_target_move(
            storage->target, transaction->bytes + transaction->size, most - transaction->size);
    if (transaction->size < most && scsi_target_phase(storage->target) == SCSI_BUSY &&
        transaction->size == 0)
        return USB_NAK;
    state->left -= transaction->size;
    if (transaction->size == PACKET_BYTES && state->left > 0)
        return USB_ACK;
    if (transaction->size > 0 && scsi_target_phase(storage->target) == SCSI_BUSY &&
        state->left > 0) /* a packet that is no full one would end the transfer */
        return USB_ACK;
    state->phase = PHASE_STATUS;
    if (transaction->size > 0)
        return USB_ACK;
    state->control.halted |= HALT_IN; /* there is no more: 6.7.2 */
    return USB_STALL;
}

static UsbAnswer take_data(UsbStorage *storage, const UsbTransaction *transaction) {
    UsbStorageState *state = &storage->state;
    ScsiTargetPhase phase = scsi_target_phase(storage->target);
    uint32_t size = transaction->size < state->left ? transaction->size : state->left, done = 0;
    if (phase == SCSI_BUSY)
        return USB_NAK;
    if (phase == SCSI_TO_HOST)
        give_up(storage);
    while (done < size && scsi_target_phase(storage->target) == SCSI_FROM_HOST)
        done += (uint32_t)scsi_target_move(storage->target, (uint8_t *)transaction->bytes + done,
                                           size - done);
    state->left -= size;
    if (state->left == 0)
        state->phase = PHASE_STATUS;
    return USB_ACK;
}

static UsbAnswer send_status(UsbStorage *storage, UsbTransaction *transaction) {
    UsbStorageState *state = &storage->state;
    ScsiTargetPhase phase = scsi_target_phase(storage->target);
    if (phase == SCSI_BUSY)
        return USB_NAK;
    if (phase == SCSI_TO_HOST || phase == SCSI_FROM_HOST)
        give_up(storage);
    uint8_t status = STATUS_PHASE_ERROR;
    if (!state->is_wrong && phase == SCSI_DONE)
        status =
            scsi_target_take_status(storage->target) == SCSI_GOOD ? STATUS_PASSED : STATUS_FAILED;
    store_le32(transaction->bytes, STATUS_SIGNATURE);
    store_le32(transaction->bytes + 4, state->tag);
    store_le32(transaction->bytes + 8, state->left);
    transaction->bytes[12] = status;
    transaction->size = STATUS_BYTES;
    state->phase = PHASE_COMMAND;
    return USB_ACK;
}

static UsbAnswer serve_in(UsbStorage *storage, UsbTransaction *transaction) {
    UsbStorageState *state = &storage->state;
    transaction->size = 0;
    if (state->control.halted & HALT_IN)
        return USB_STALL;
    if (state->phase == PHASE_TO_HOST)
        return send_data(storage, transaction);
    if (state->phase == PHASE_STATUS)
        return send_status(storage, transaction);
    if (state->phase != PHASE_FROM_HOST)
        return USB_NAK;
    state->phase = PHASE_STATUS; /* it does not mean to send the rest */
    return send_status(storage, transaction);
}

static UsbAnswer serve_out(UsbStorage *storage, UsbTransaction *transaction) {
    UsbStorageState *state = &storage->state;
    if (state->control.halted & HALT_OUT)
        return USB_STALL;
    if (transaction->size > PACKET_BYTES)
        return USB_SILENT;
    if (state->phase == PHASE_FROM_HOST)
        return take_data(storage, transaction);
    if (state->phase == PHASE_COMMAND)
        begin_command(storage, transaction->bytes, transaction->size);
    else
        enter_lost(state);
    return state->phase == PHASE_LOST ? USB_STALL : USB_ACK;
}

/* --- on the cable ------------------------------------------------------------------------------
 */

static void reset_transport(UsbStorage *storage) {
    storage->state.phase = PHASE_COMMAND;
    storage->state.left = 0;
    scsi_target_cancel(storage->target);
}

static int class_request(void *opaque, const UsbRequest *request, uint8_t *data) {
    UsbStorage *storage = opaque;
    switch (request->type << 8 | request->request) {
    case TYPE_CLASS_IN << 8 | GET_MAX_LUN:
        data[0] = 0;
        return 1;
    case TYPE_CLASS_OUT << 8 | BULK_ONLY_RESET:
        reset_transport(storage);
        return 0;
    default:
        return -1;
    }
}

static void bus_reset(void *opaque) {
    UsbStorage *storage = opaque;
    usb_control_reset(&storage->state.control);
    reset_transport(storage);
}

static UsbAnswer transact(void *opaque, UsbTransaction *transaction) {
    static const UsbControlModel model = {device_descriptor, configuration_descriptor, strings,
                                          class_request};
    UsbStorage *storage = opaque;
    UsbControlState *control = &storage->state.control;
    if (transaction->address != control->address)
        return USB_SILENT;
    if (transaction->endpoint == 0)
        return usb_control_transact(control, &model, storage, transaction);
    if (control->configuration == 0)
        return USB_SILENT;
    if (transaction->endpoint == ENDPOINT_IN && transaction->token == USB_IN)
        return serve_in(storage, transaction);
    if (transaction->endpoint == ENDPOINT_OUT && transaction->token == USB_OUT)
        return serve_out(storage, transaction);
    return USB_SILENT;
}

static uint8_t get_address(void *opaque) {
    const UsbStorage *storage = opaque;
    return storage->state.control.address;
}

static void reset(void *opaque) {
    UsbStorage *storage = opaque;
    bus_reset(storage);
    storage->state.tag = 0;
    storage->state.is_wrong = false;
}

/* Bounds what a damaged save may hold. */
static void restored(void *opaque) {
    UsbStorage *storage = opaque;
    usb_control_restored(&storage->state.control);
    if (storage->state.phase >= PHASES)
        storage->state.phase = PHASE_COMMAND;
}

static const DeviceClass device_class = {"USB storage", &usb_storage_fields, reset, restored};

/* The transport asks by itself: it is polled. */
static void target_is_ready(void *host) {
    (void)host;
}

UsbStorage *usb_storage_create(const DeviceContext *context, UsbBus *bus, const char *id,
                               ScsiTarget *target) {
    UsbStorage *storage = allocate_zeroed(sizeof(*storage));
    storage->target = target;
    target->ready = target_is_ready;
    target->host = storage;
    storage->device = (UsbDevice){.name = "USB Storage",
                                  .opaque = storage,
                                  .reset = bus_reset,
                                  .transact = transact,
                                  .address = get_address,
                                  .socket = &storage->state.socket};
    usb_bus_add_device(bus, &storage->device);
    snprintf(storage->id, sizeof(storage->id), "%s", id);
    device_list_add(context->devices, &device_class, storage->id, storage, &storage->state);
    reset(storage);
    return storage;
}

void usb_storage_destroy(UsbStorage *storage) {
    free(storage);
}

UsbDevice *usb_storage_device(UsbStorage *storage) {
    return &storage->device;
}
