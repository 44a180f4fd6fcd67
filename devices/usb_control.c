#include "usb_control.h"
#include "little_endian.h"
#include <string.h>

enum { STAGE_IDLE, STAGE_IN, STAGE_OUT, STAGE_STATUS, STAGE_STALL, STAGES };

/* bmRequestType (9.3.1). */
enum {
    TYPE_IN = 0x80,
    TYPE_STANDARD = 0x60, /* these bits are clear */
    TO_DEVICE = 0,
    TO_INTERFACE = 1,
    TO_ENDPOINT = 2,
    RECIPIENT = 0x1F,
};

/* Standard requests, descriptors and features (tables 9-4 to 9-6). */
enum {
    GET_STATUS = 0,
    CLEAR_FEATURE = 1,
    SET_FEATURE = 3,
    SET_ADDRESS = 5,
    GET_DESCRIPTOR = 6,
    GET_CONFIGURATION = 8,
    SET_CONFIGURATION = 9,
    GET_INTERFACE = 10,
    SET_INTERFACE = 11,
    DESCRIPTOR_DEVICE = 1,
    DESCRIPTOR_CONFIGURATION = 2,
    DESCRIPTOR_STRING = 3,
    FEATURE_ENDPOINT_HALT = 0,
    FEATURE_REMOTE_WAKEUP = 1,
    DESCRIPTOR_ENDPOINT = 5,
    LANGUAGE_ENGLISH = 0x0409,
};

static const Field control_fields[] = {
    FIELD(UsbControlState, U8, address),
    FIELD(UsbControlState, U8, next_address),
    FIELD(UsbControlState, U8, configuration),
    FIELD(UsbControlState, U8, stage),
    FIELD(UsbControlState, U8, may_wake),
    FIELD(UsbControlState, U8, halted),
    FIELD(UsbControlState, U8, size),
    FIELD(UsbControlState, U8, at),
    FIELD_BYTES_OF(UsbControlState, setup),
    FIELD_BYTES_OF(UsbControlState, data),
    FIELD_END,
};
const FieldTable usb_control_fields = {"USB control", 1, sizeof(UsbControlState), control_fields};

void usb_control_reset(UsbControlState *state) {
    memset(state, 0, sizeof(*state));
}

void usb_control_restored(UsbControlState *state) {
    if (state->stage >= STAGES)
        state->stage = STAGE_IDLE;
    if (state->size > USB_CONTROL_DATA_BYTES)
        state->size = USB_CONTROL_DATA_BYTES;
    if (state->at > state->size)
        state->at = state->size;
}

static int copy(uint8_t *data, const uint8_t *from, unsigned size) {
    size = size < USB_CONTROL_DATA_BYTES ? size : USB_CONTROL_DATA_BYTES;
    memcpy(data, from, size);
    return (int)size;
}

/* In UTF-16 (9.6.5); number 0 lists languages. */
static int put_string(const UsbControlModel *model, unsigned number, uint8_t *data) {
    unsigned size = 2;
    data[1] = DESCRIPTOR_STRING;
    if (number == 0) {
        store_le16(data + size, LANGUAGE_ENGLISH);
        size += 2;
    } else {
        for (unsigned i = 0; i < number; i++)
            if (model->strings[i] == NULL)
                return -1;
        for (const char *text = model->strings[number - 1];
             *text != '\0' && size + 2 <= USB_CONTROL_DATA_BYTES; text++, size += 2)
            store_le16(data + size, (uint8_t)*text);
    }
    data[0] = (uint8_t)size;
    return (int)size;
}

static int put_descriptor(const UsbControlModel *model, const UsbRequest *request, uint8_t *data) {
    unsigned number = request->value & 0xFF;
    switch (request->value >> 8) {
    case DESCRIPTOR_DEVICE:
        return number == 0 ? copy(data, model->device_descriptor, model->device_descriptor[0]) : -1;
    case DESCRIPTOR_CONFIGURATION:
        return number == 0 ? copy(data, model->configuration_descriptor,
                                  load_le16(model->configuration_descriptor + 2))
                           : -1;
    case DESCRIPTOR_STRING:
        return put_string(model, number, data);
    default:
        return -1;
    }
}

/* The bit of an endpoint in 'halted'; 0: there is none of this address. */
static uint8_t endpoint_bit(const UsbControlModel *model, unsigned address) {
    const uint8_t *all = model->configuration_descriptor;
    unsigned size = load_le16(all + 2), bit = 1;
    for (unsigned at = 0; at + 2 < size; at += all[at]) {
        if (all[at + 1] != DESCRIPTOR_ENDPOINT)
            continue;
        if (all[at + 2] == address)
            return (uint8_t)bit;
        bit <<= 1;
    }
    return 0;
}

static int change_feature(UsbControlState *state, const UsbControlModel *model,
                          const UsbRequest *request, bool set) {
    unsigned recipient = request->type & RECIPIENT;
    uint8_t endpoint = endpoint_bit(model, request->index);
    if (recipient == TO_DEVICE && request->value == FEATURE_REMOTE_WAKEUP)
        state->may_wake = set;
    else if (recipient == TO_ENDPOINT && request->value == FEATURE_ENDPOINT_HALT && endpoint != 0)
        state->halted = (uint8_t)(set ? state->halted | endpoint : state->halted & ~endpoint);
    else
        return -1;
    return 0;
}

static int put_status(const UsbControlState *state, const UsbControlModel *model,
                      const UsbRequest *request, uint8_t *data) {
    unsigned recipient = request->type & RECIPIENT;
    data[0] = data[1] = 0;
    enum { SELF_POWERED = 0x40, ATTRIBUTES_AT = 7 };
    bool is_self_powered = (model->configuration_descriptor[ATTRIBUTES_AT] & SELF_POWERED) != 0;
    if (recipient == TO_DEVICE)
        data[0] = (uint8_t)((state->may_wake ? 2 : 0) | is_self_powered);
    else if (recipient == TO_ENDPOINT)
        data[0] = (state->halted & endpoint_bit(model, request->index)) != 0;
    return 2;
}

/* The one configuration has the number that its descriptor says. */
static int set_configuration(UsbControlState *state, const UsbControlModel *model, unsigned value) {
    if (value != 0 && value != model->configuration_descriptor[5])
        return -1;
    state->configuration = (uint8_t)value;
    state->halted = 0;
    return 0;
}

static int standard_request(UsbControlState *state, const UsbControlModel *model,
                            const UsbRequest *request) {
    switch (request->request) {
    case GET_STATUS:
        return put_status(state, model, request, state->data);
    case CLEAR_FEATURE:
    case SET_FEATURE:
        return change_feature(state, model, request, request->request == SET_FEATURE);
    case SET_ADDRESS:
        state->next_address = request->value & 0x7F;
        return 0;
    case GET_DESCRIPTOR:
        return put_descriptor(model, request, state->data);
    case GET_CONFIGURATION:
        state->data[0] = state->configuration;
        return 1;
    case SET_CONFIGURATION:
        return set_configuration(state, model, request->value);
    case GET_INTERFACE:
        state->data[0] = 0;
        return 1;
    case SET_INTERFACE:
        return request->value == 0 ? 0 : -1;
    default:
        return -1;
    }
}

static bool is_for_all(const UsbRequest *request) {
    enum { DESCRIPTOR_CLASSES = 0x20 };
    return !(request->type & TYPE_STANDARD) &&
           !(request->request == GET_DESCRIPTOR && (request->type & RECIPIENT) == TO_INTERFACE &&
             request->value >> 8 >= DESCRIPTOR_CLASSES);
}

/* Returns the size of the answer; -1: the request is refused. */
static int perform(UsbControlState *state, const UsbControlModel *model, void *opaque) {
    const uint8_t *setup = state->setup;
    const UsbRequest request = {setup[0], setup[1], load_le16(setup + 2), load_le16(setup + 4),
                                load_le16(setup + 6)};
    bool in = (request.type & TYPE_IN) != 0;
    int size = is_for_all(&request) ? standard_request(state, model, &request)
                                    : model->request(opaque, &request, state->data);
    return in || size < 0 ? size : 0;
}

static void begin(UsbControlState *state, const UsbControlModel *model, void *opaque) {
    unsigned length = load_le16(state->setup + 6);
    state->next_address = state->address;
    state->at = state->size = 0;
    if (!(state->setup[0] & TYPE_IN) && length > 0) {
        state->stage = length <= USB_CONTROL_DATA_BYTES ? STAGE_OUT : STAGE_STALL;
        state->size = (uint8_t)(length <= USB_CONTROL_DATA_BYTES ? length : 0);
        return;
    }
    int size = perform(state, model, opaque);
    if (size < 0) {
        state->stage = STAGE_STALL;
    } else if (state->setup[0] & TYPE_IN) {
        state->stage = STAGE_IN;
        state->size = (uint8_t)((unsigned)size < length ? (unsigned)size : length);
    } else {
        state->stage = STAGE_STATUS;
    }
}

static UsbAnswer send(UsbControlState *state, UsbTransaction *transaction) {
    unsigned left = (unsigned)state->size - state->at;
    unsigned part = left < USB_CONTROL_PACKET_BYTES ? left : USB_CONTROL_PACKET_BYTES;
    transaction->size = 0;
    if (state->stage == STAGE_IN) {
        memcpy(transaction->bytes, state->data + state->at, part);
        transaction->size = part;
        state->at = (uint8_t)(state->at + part);
        return USB_ACK;
    }
    if (state->stage != STAGE_STATUS)
        return state->stage == STAGE_OUT ? USB_NAK : USB_STALL;
    state->address = state->next_address;
    state->stage = STAGE_IDLE;
    return USB_ACK;
}

static UsbAnswer take(UsbControlState *state, const UsbControlModel *model, void *opaque,
                      const UsbTransaction *transaction) {
    unsigned left = (unsigned)state->size - state->at;
    if (state->stage == STAGE_IN) {
        state->stage = STAGE_IDLE;
        return USB_ACK;
    }
    if (state->stage != STAGE_OUT || transaction->size > left)
        return USB_STALL;
    memcpy(state->data + state->at, transaction->bytes, transaction->size);
    state->at = (uint8_t)(state->at + transaction->size);
    if (state->at == state->size)
        state->stage = perform(state, model, opaque) < 0 ? STAGE_STALL : STAGE_STATUS;
    return USB_ACK;
}

UsbAnswer usb_control_transact(UsbControlState *state, const UsbControlModel *model, void *opaque,
                               UsbTransaction *transaction) {
    if (transaction->token == USB_IN)
        return send(state, transaction);
    if (transaction->token == USB_OUT)
        return take(state, model, opaque, transaction);
    if (transaction->size != sizeof(state->setup))
        return USB_SILENT;
    memcpy(state->setup, transaction->bytes, sizeof(state->setup));
    begin(state, model, opaque);
    return USB_ACK;
}
