#include "usb_hid.h"
#include "little_endian.h"
#include <string.h>

enum { ENDPOINT = 1 };

/* Requests of the class, and its descriptors (7.1, 7.2). */
enum {
    TYPE_CLASS_IN = 0xA1,
    TYPE_CLASS_OUT = 0x21,
    TYPE_INTERFACE_IN = 0x81,
    GET_DESCRIPTOR = 6,
    GET_REPORT = 1,
    GET_IDLE = 2,
    GET_PROTOCOL = 3,
    SET_REPORT = 9,
    SET_IDLE = 10,
    SET_PROTOCOL = 11,
    DESCRIPTOR_HID = 0x21,
    DESCRIPTOR_REPORT = 0x22,
    HID_DESCRIPTOR_AT = 18,
    HID_DESCRIPTOR_BYTES = 9,
};
#define IDLE_UNIT_NS 4000000LL
#define ASKED_LATELY_NS 500000000LL
#define COUNT_MOST 127

// clang-format off
static const uint8_t device_descriptor[] = {
    18, 1,
    0x10, 0x01,       /* USB 1.1 */
    0, 0, 0,          /* its class is the interface's */
    USB_CONTROL_PACKET_BYTES,
    0x27, 0x06,       /* vendor and product: as the usual virtual devices have them, */
    0x01, 0x00,       /* for systems that know tablets by these */
    0x00, 0x01,       /* release 1.0 */
    1, 2, 3,          /* strings: manufacturer, product, serial number */
    1,                /* configuration */
};

/* What depends on the device is 0. */
static const uint8_t configuration_descriptor[USB_HID_CONFIGURATION_BYTES] = {
    9, 2, USB_HID_CONFIGURATION_BYTES, 0, /* all of this */
    1,                /* interface */
    1, 0,             /* number and name */
    0xA0,             /* powered by the bus, can wake it */
    50,               /* 100 mA */
    9, 4, 0, 0,       /* interface 0 */
    1,                /* endpoint */
    3, 0, 0, 0,       /* HID, boot device, what it is */
    9, 0x21,          /* HID */
    0x11, 0x01,       /* 1.11 */
    0, 1,
    0x22, 0, 0,       /* report, of so many bytes */
    7, 5, 0x81,
    3,                /* interrupt */
    8, 0,             /* bytes */
    0,                /* ms */
};
// clang-format on
enum { BOOT_SUBCLASS_AT = 15, BOOT_PROTOCOL_AT = 16, REPORT_BYTES_AT = 25, INTERVAL_AT = 33 };

static const Field hid_fields[] = {
    FIELD(UsbHidState, U64, told_ns),
    FIELD(UsbHidState, U64, asked_ns),
    FIELD_ONE_STRUCT(UsbHidState, control, &usb_control_fields),
    FIELD_BYTES_OF(UsbHidState, now),
    FIELD_BYTES_OF(UsbHidState, reports),
    FIELD(UsbHidState, U8, first),
    FIELD(UsbHidState, U8, count),
    FIELD(UsbHidState, U8, idle),
    FIELD(UsbHidState, U8, boots),
    FIELD(UsbHidState, U8, lights),
    FIELD(UsbHidState, U8, socket),
    FIELD_PADDING(UsbHidState, padding),
    FIELD_END,
};
const FieldTable usb_hid_fields = {"USB HID", 1, sizeof(UsbHidState), hid_fields};

/* --- reports -----------------------------------------------------------------------------------
 */

static void note_use(UsbHid *hid) {
    bool used = hid->state->control.configuration != 0 && hid->state->socket != 0;
    __atomic_store_n(&hid->used, used, __ATOMIC_RELAXED);
}

bool usb_hid_is_used(const UsbHid *hid) {
    return __atomic_load_n(&hid->used, __ATOMIC_RELAXED);
}

bool usb_hid_is_asked(const UsbHid *hid) {
    return usb_hid_is_used(hid) &&
           clock_now_ns(hid->clock) - hid->state->asked_ns < ASKED_LATELY_NS;
}

bool usb_hid_add(uint8_t *sum, uint8_t count, bool must) {
    int together = (int8_t)*sum + (int8_t)count;
    if (!must && (together > COUNT_MOST || together < -COUNT_MOST))
        return false;
    together = together > COUNT_MOST ? COUNT_MOST : together < -COUNT_MOST ? -COUNT_MOST : together;
    *sum = (uint8_t)together;
    return true;
}

void usb_hid_tell(UsbHid *hid, const uint8_t *report) {
    UsbHidState *state = hid->state;
    if (state->control.configuration == 0)
        return;
    unsigned end = (unsigned)state->first + state->count;
    uint8_t *last = state->reports[(end + USB_HID_REPORTS - 1) % USB_HID_REPORTS];
    bool is_full = state->count == USB_HID_REPORTS;
    if (state->count == 0 || !hid->model->join(last, report, is_full)) {
        memcpy(state->reports[end % USB_HID_REPORTS], report, USB_HID_REPORT_BYTES);
        state->count++;
    }
    if (state->control.may_wake)
        usb_bus_wake(hid->bus, &hid->device);
}

static bool is_due(const UsbHid *hid) {
    const UsbHidState *state = hid->state;
    return state->idle != 0 &&
           clock_now_ns(hid->clock) - state->told_ns >= state->idle * IDLE_UNIT_NS;
}

static unsigned report_bytes(const UsbHid *hid) {
    return hid->state->boots ? hid->model->boot_bytes : hid->model->report_bytes;
}

static UsbAnswer send_report(UsbHid *hid, UsbTransaction *transaction) {
    UsbHidState *state = hid->state;
    if (state->control.configuration == 0 || transaction->token != USB_IN)
        return USB_SILENT;
    state->asked_ns = clock_now_ns(hid->clock);
    if (state->control.halted)
        return USB_STALL;
    if (state->count == 0 && !is_due(hid))
        return USB_NAK;
    const uint8_t *report = state->now;
    if (state->count > 0) {
        report = state->reports[state->first];
        state->first = (uint8_t)((state->first + 1) % USB_HID_REPORTS);
        state->count--;
    }
    transaction->size = report_bytes(hid);
    memcpy(transaction->bytes, report, transaction->size);
    state->told_ns = state->asked_ns;
    return USB_ACK;
}

/* --- on the cable ------------------------------------------------------------------------------
 */

static int put_class_descriptor(const UsbHid *hid, const UsbRequest *request, uint8_t *data) {
    const UsbHidModel *model = hid->model;
    if (request->value >> 8 == DESCRIPTOR_HID) {
        memcpy(data, hid->configuration_descriptor + HID_DESCRIPTOR_AT, HID_DESCRIPTOR_BYTES);
        return HID_DESCRIPTOR_BYTES;
    }
    if (request->value >> 8 != DESCRIPTOR_REPORT)
        return -1;
    memcpy(data, model->report_descriptor, model->report_descriptor_bytes);
    return model->report_descriptor_bytes;
}

static int class_request(void *opaque, const UsbRequest *request, uint8_t *data) {
    UsbHid *hid = opaque;
    UsbHidState *state = hid->state;
    switch (request->type << 8 | request->request) {
    case TYPE_INTERFACE_IN << 8 | GET_DESCRIPTOR:
        return put_class_descriptor(hid, request, data);
    case TYPE_CLASS_IN << 8 | GET_REPORT:
        memcpy(data, state->now, report_bytes(hid));
        return (int)report_bytes(hid);
    case TYPE_CLASS_IN << 8 | GET_IDLE:
        data[0] = state->idle;
        return 1;
    case TYPE_CLASS_IN << 8 | GET_PROTOCOL:
        data[0] = !state->boots;
        return 1;
    case TYPE_CLASS_OUT << 8 | SET_REPORT:
        state->lights = request->length > 0 ? data[0] : 0;
        return 0;
    case TYPE_CLASS_OUT << 8 | SET_IDLE:
        state->idle = (uint8_t)(request->value >> 8);
        return 0;
    case TYPE_CLASS_OUT << 8 | SET_PROTOCOL:
        state->boots = request->value == 0 && hid->model->boot_bytes != 0;
        return 0;
    default:
        return -1;
    }
}

static void bus_reset(void *opaque) {
    UsbHid *hid = opaque;
    UsbHidState *state = hid->state;
    usb_control_reset(&state->control);
    state->first = state->count = state->idle = state->boots = state->lights = 0;
    note_use(hid);
}

static UsbAnswer transact(void *opaque, UsbTransaction *transaction) {
    UsbHid *hid = opaque;
    const UsbControlModel control = {device_descriptor, hid->configuration_descriptor, hid->strings,
                                     class_request};
    if (transaction->address != hid->state->control.address)
        return USB_SILENT;
    if (transaction->endpoint == ENDPOINT)
        return send_report(hid, transaction);
    if (transaction->endpoint != 0)
        return USB_SILENT;
    UsbAnswer answer = usb_control_transact(&hid->state->control, &control, hid, transaction);
    note_use(hid);
    return answer;
}

static uint8_t get_address(void *opaque) {
    const UsbHid *hid = opaque;
    return hid->state->control.address;
}

void usb_hid_reset(UsbHid *hid) {
    bus_reset(hid);
    hid->state->told_ns = hid->state->asked_ns = 0;
}

/* Bounds what a damaged save may hold. */
void usb_hid_restored(UsbHid *hid) {
    UsbHidState *state = hid->state;
    usb_control_restored(&state->control);
    state->first %= USB_HID_REPORTS;
    if (state->count > USB_HID_REPORTS)
        state->count = USB_HID_REPORTS;
    note_use(hid);
}

static void describe(UsbHid *hid) {
    const UsbHidModel *model = hid->model;
    uint8_t *descriptor = hid->configuration_descriptor;
    memcpy(descriptor, configuration_descriptor, sizeof(configuration_descriptor));
    descriptor[BOOT_SUBCLASS_AT] = model->boot_protocol != 0;
    descriptor[BOOT_PROTOCOL_AT] = model->boot_protocol;
    descriptor[REPORT_BYTES_AT] = model->report_descriptor_bytes;
    descriptor[INTERVAL_AT] = model->interval_ms;
    hid->strings[0] = "Reprise";
    hid->strings[1] = model->name;
    hid->strings[2] = "1";
}

void usb_hid_init(UsbHid *hid, const UsbHidModel *model, UsbHidState *state,
                  const DeviceContext *context, UsbBus *bus) {
    *hid = (UsbHid){.state = state, .model = model, .clock = context->clock, .bus = bus};
    hid->device = (UsbDevice){.name = model->name,
                              .low_speed = model->low_speed,
                              .opaque = hid,
                              .reset = bus_reset,
                              .transact = transact,
                              .address = get_address,
                              .socket = &state->socket};
    describe(hid);
    usb_bus_add_device(bus, &hid->device);
}
