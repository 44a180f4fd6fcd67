#include "usb_tablet.h"
#include "allocate.h"
#include "little_endian.h"
#include "usb_control.h"
#include <stdlib.h>
#include <string.h>

enum { REPORT_BYTES = 6, REPORTS = 16, WHEEL_MOST = 127, BUTTONS = 7 };
enum { ENDPOINT = 1 };

/* Requests of the class, and its descriptors (HID 7.1, 7.2). */
enum {
    TYPE_CLASS_IN = 0xA1,
    TYPE_CLASS_OUT = 0x21,
    TYPE_INTERFACE_IN = 0x81,
    GET_DESCRIPTOR = 6,
    GET_REPORT = 1,
    GET_IDLE = 2,
    SET_IDLE = 10,
    DESCRIPTOR_HID = 0x21,
    DESCRIPTOR_REPORT = 0x22,
};
#define IDLE_UNIT_NS 4000000LL

typedef struct TabletReport {
    uint16_t x, y;
    uint8_t buttons;
    int8_t wheel;
} TabletReport;

static const Field report_fields[] = {
    FIELD(TabletReport, U16, x),
    FIELD(TabletReport, U16, y),
    FIELD(TabletReport, U8, buttons),
    FIELD(TabletReport, U8, wheel),
    FIELD_END,
};
static const FieldTable report_table = {"tablet report", 1, sizeof(TabletReport), report_fields};

/* Buttons make new reports, so that a quick click is not lost; the rest joins the last one. */
typedef struct UsbTabletState {
    int64_t told_ns; /* when the last report was */
    UsbControlState control;
    TabletReport now;
    TabletReport reports[REPORTS];
    uint8_t first, count;
    uint8_t idle; /* a report comes after so many units anyway; 0: never */
    uint8_t padding[7];
} UsbTabletState;

static const Field state_fields[] = {
    FIELD(UsbTabletState, U64, told_ns),
    FIELD_ONE_STRUCT(UsbTabletState, control, &usb_control_fields),
    FIELD_ONE_STRUCT(UsbTabletState, now, &report_table),
    FIELD_STRUCTS(UsbTabletState, reports, &report_table),
    FIELD(UsbTabletState, U8, first),
    FIELD(UsbTabletState, U8, count),
    FIELD(UsbTabletState, U8, idle),
    FIELD_PADDING(UsbTabletState, padding),
    FIELD_END,
};
static const FieldTable usb_tablet_fields = {"USB tablet", 1, sizeof(UsbTabletState), state_fields};

struct UsbTablet {
    UsbTabletState state;
    const VirtualClock *clock;
    UsbDevice device;
    bool used; /* atomic: a copy of what the configuration says */
};

/* --- descriptors -------------------------------------------------------------------------------
 */

// clang-format off
static const uint8_t report_descriptor[] = {
    0x05, 0x01,       /* usage page: generic desktop */
    0x09, 0x02,       /* usage: mouse */
    0xA1, 0x01,       /* collection: application */
    0x09, 0x01,       /*   usage: pointer */
    0xA1, 0x00,       /*   collection: physical */
    0x05, 0x09,       /*     usage page: buttons */
    0x19, 0x01,       /*     usages 1 */
    0x29, 0x03,       /*     to 3 */
    0x15, 0x00,       /*     logical minimum 0 */
    0x25, 0x01,       /*     maximum 1 */
    0x75, 0x01,       /*     size 1 */
    0x95, 0x03,       /*     count 3 */
    0x81, 0x02,       /*     input: data, variable, absolute */
    0x75, 0x05,       /*     size 5 */
    0x95, 0x01,       /*     count 1 */
    0x81, 0x03,       /*     input: constant */
    0x05, 0x01,       /*     usage page: generic desktop */
    0x09, 0x30,       /*     usage: X */
    0x09, 0x31,       /*     usage: Y */
    0x26, 0xFF, 0x7F, /*     maximum 32767 */
    0x75, 0x10,       /*     size 16 */
    0x95, 0x02,       /*     count 2 */
    0x81, 0x02,       /*     input: data, variable, absolute */
    0x09, 0x38,       /*     usage: wheel */
    0x15, 0x81,       /*     minimum -127 */
    0x25, 0x7F,       /*     maximum 127 */
    0x75, 0x08,       /*     size 8 */
    0x95, 0x01,       /*     count 1 */
    0x81, 0x06,       /*     input: data, variable, relative */
    0xC0,             /*   end */
    0xC0,             /* end */
};

static const uint8_t device_descriptor[] = {
    18, 1,
    0x10, 0x01,       /* USB 1.1 */
    0, 0, 0,          /* its class is the interface's */
    USB_CONTROL_PACKET_BYTES,
    0x27, 0x06,       /* vendor and product: as the usual virtual tablet has them, */
    0x01, 0x00,       /* for systems that know it by these */
    0x00, 0x01,       /* release 1.0 */
    1, 2, 3,          /* strings: manufacturer, product, serial number */
    1,                /* configuration */
};

static const uint8_t configuration_descriptor[] = {
    9, 2, 34, 0,      /* all of this */
    1,                /* interface */
    1, 0,             /* number and name */
    0xA0,             /* powered by the bus, can wake it */
    50,               /* 100 mA */
    9, 4, 0, 0,       /* interface 0 */
    1,                /* endpoint */
    3, 0, 0, 0,       /* HID, no boot device */
    9, DESCRIPTOR_HID,
    0x11, 0x01,       /* HID 1.11 */
    0, 1,
    DESCRIPTOR_REPORT, sizeof(report_descriptor), 0,
    7, 5, 0x80 | ENDPOINT,
    3,                /* interrupt */
    8, 0,             /* bytes */
    4,                /* ms */
};
// clang-format on

static const char *const strings[] = {"Reprise", "USB Tablet", "1", NULL};

/* --- reports -----------------------------------------------------------------------------------
 */

static void note_use(UsbTablet *tablet) {
    __atomic_store_n(&tablet->used, tablet->state.control.configuration != 0, __ATOMIC_RELAXED);
}

bool usb_tablet_is_used(const UsbTablet *tablet) {
    return __atomic_load_n(&tablet->used, __ATOMIC_RELAXED);
}

/* A report that is to tell the present, with these buttons; if all are taken the last one is. */
static TabletReport *last_report(UsbTabletState *state, uint8_t buttons) {
    unsigned last = ((unsigned)state->first + state->count + REPORTS - 1) % REPORTS;
    if (state->count == 0 || (state->count < REPORTS && state->reports[last].buttons != buttons)) {
        last = ((unsigned)state->first + state->count) % REPORTS;
        state->reports[last] = (TabletReport){.wheel = 0};
        state->count++;
    }
    return &state->reports[last];
}

/* While no driver listens only the place and the buttons are kept. */
static void tell(UsbTablet *tablet, int32_t wheel) {
    UsbTabletState *state = &tablet->state;
    if (state->control.configuration == 0)
        return;
    TabletReport *report = last_report(state, state->now.buttons);
    int64_t sum = (int64_t)report->wheel + wheel;
    report->x = state->now.x;
    report->y = state->now.y;
    report->buttons = state->now.buttons;
    report->wheel = (int8_t)(sum > WHEEL_MOST ? WHEEL_MOST : sum < -WHEEL_MOST ? -WHEEL_MOST : sum);
    if (state->control.may_wake)
        wire_pulse(&tablet->device.wake);
}

void usb_tablet_move(UsbTablet *tablet, uint32_t x, uint32_t y) {
    TabletReport *now = &tablet->state.now;
    x = x < USB_TABLET_MOST ? x : USB_TABLET_MOST;
    y = y < USB_TABLET_MOST ? y : USB_TABLET_MOST;
    if (x == now->x && y == now->y)
        return;
    now->x = (uint16_t)x;
    now->y = (uint16_t)y;
    tell(tablet, 0);
}

/* The wheel of a HID device counts the other way than a PS/2 mouse's. */
void usb_tablet_turn(UsbTablet *tablet, int32_t dz) {
    if (dz != 0)
        tell(tablet, dz > WHEEL_MOST ? -WHEEL_MOST : dz < -WHEEL_MOST ? WHEEL_MOST : -dz);
}

void usb_tablet_set_buttons(UsbTablet *tablet, uint32_t buttons) {
    if (tablet->state.now.buttons == (buttons & BUTTONS))
        return;
    tablet->state.now.buttons = buttons & BUTTONS;
    tell(tablet, 0);
}

static int put_report(const TabletReport *report, uint8_t *bytes) {
    bytes[0] = report->buttons;
    store_le16(bytes + 1, report->x);
    store_le16(bytes + 3, report->y);
    bytes[5] = (uint8_t)report->wheel;
    return REPORT_BYTES;
}

static bool is_due(const UsbTablet *tablet) {
    const UsbTabletState *state = &tablet->state;
    return state->idle != 0 &&
           clock_now_ns(tablet->clock) - state->told_ns >= state->idle * IDLE_UNIT_NS;
}

static UsbAnswer send_report(UsbTablet *tablet, UsbTransaction *transaction) {
    UsbTabletState *state = &tablet->state;
    if (state->control.configuration == 0 || transaction->token != USB_IN)
        return USB_SILENT;
    if (state->control.is_halted)
        return USB_STALL;
    if (state->count == 0 && !is_due(tablet))
        return USB_NAK;
    const TabletReport *report = &state->now;
    if (state->count > 0) {
        report = &state->reports[state->first];
        state->first = (uint8_t)((state->first + 1) % REPORTS);
        state->count--;
    }
    transaction->size = (uint32_t)put_report(report, transaction->bytes);
    state->told_ns = clock_now_ns(tablet->clock);
    return USB_ACK;
}

/* --- on the cable ------------------------------------------------------------------------------
 */

static int put_class_descriptor(const UsbRequest *request, uint8_t *data) {
    enum { HID_DESCRIPTOR_AT = 18, HID_DESCRIPTOR_BYTES = 9 };
    if (request->value >> 8 == DESCRIPTOR_HID) {
        memcpy(data, configuration_descriptor + HID_DESCRIPTOR_AT, HID_DESCRIPTOR_BYTES);
        return HID_DESCRIPTOR_BYTES;
    }
    if (request->value >> 8 != DESCRIPTOR_REPORT)
        return -1;
    memcpy(data, report_descriptor, sizeof(report_descriptor));
    return sizeof(report_descriptor);
}

static int class_request(void *opaque, const UsbRequest *request, uint8_t *data) {
    UsbTablet *tablet = opaque;
    switch (request->type << 8 | request->request) {
    case TYPE_INTERFACE_IN << 8 | GET_DESCRIPTOR:
        return put_class_descriptor(request, data);
    case TYPE_CLASS_IN << 8 | GET_REPORT:
        return put_report(&tablet->state.now, data);
    case TYPE_CLASS_IN << 8 | GET_IDLE:
        data[0] = tablet->state.idle;
        return 1;
    case TYPE_CLASS_OUT << 8 | SET_IDLE:
        tablet->state.idle = (uint8_t)(request->value >> 8);
        return 0;
    default:
        return -1;
    }
}

static const UsbControlModel control_model = {device_descriptor, configuration_descriptor, strings,
                                              class_request};

static void bus_reset(void *opaque) {
    UsbTablet *tablet = opaque;
    usb_control_reset(&tablet->state.control);
    tablet->state.first = tablet->state.count = tablet->state.idle = 0;
    note_use(tablet);
}

static UsbAnswer transact(void *opaque, UsbTransaction *transaction) {
    UsbTablet *tablet = opaque;
    if (transaction->address != tablet->state.control.address)
        return USB_SILENT;
    if (transaction->endpoint == ENDPOINT)
        return send_report(tablet, transaction);
    if (transaction->endpoint != 0)
        return USB_SILENT;
    UsbAnswer answer =
        usb_control_transact(&tablet->state.control, &control_model, tablet, transaction);
    note_use(tablet);
    return answer;
}

static uint8_t get_address(void *opaque) {
    const UsbTablet *tablet = opaque;
    return tablet->state.control.address;
}

static void reset(void *opaque) {
    UsbTablet *tablet = opaque;
    bus_reset(tablet);
    tablet->state.told_ns = 0;
}

static void restored(void *opaque) {
    UsbTablet *tablet = opaque;
    UsbTabletState *state = &tablet->state;
    usb_control_restored(&state->control);
    state->first %= REPORTS;
    if (state->count > REPORTS)
        state->count = REPORTS;
    note_use(tablet);
}

static const DeviceClass device_class = {"USB tablet", &usb_tablet_fields, reset, restored};

UsbTablet *usb_tablet_create(const DeviceContext *context, const char *id) {
    UsbTablet *tablet = allocate_zeroed(sizeof(*tablet));
    tablet->clock = context->clock;
    tablet->device = (UsbDevice){.name = "USB Tablet",
                                 .opaque = tablet,
                                 .reset = bus_reset,
                                 .transact = transact,
                                 .address = get_address};
    device_list_add(context->devices, &device_class, id, tablet, &tablet->state);
    reset(tablet);
    return tablet;
}

void usb_tablet_destroy(UsbTablet *tablet) {
    free(tablet);
}

UsbDevice *usb_tablet_device(UsbTablet *tablet) {
    return &tablet->device;
}
