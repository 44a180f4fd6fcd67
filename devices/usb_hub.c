#include "usb_hub.h"
#include "allocate.h"
#include "little_endian.h"
#include "usb_control.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ENDPOINT = 1 };

/* Requests of the class (11.16.2), by bmRequestType and bRequest. */
enum {
    CLEAR_HUB_FEATURE = 0x2001,
    SET_HUB_FEATURE = 0x2003,
    CLEAR_PORT_FEATURE = 0x2301,
    SET_PORT_FEATURE = 0x2303,
    GET_HUB_STATUS = 0xA000,
    GET_HUB_DESCRIPTOR = 0xA006,
    GET_PORT_STATUS = 0xA300,
    DESCRIPTOR_HUB = 0x29,
};

/* Features of a port (table 11-12): those below 16 are bits of its status, those from there on bits
 * of what changed. */
enum {
    FEATURE_ENABLE = 1,
    FEATURE_SUSPEND = 2,
    FEATURE_RESET = 4,
    FEATURE_POWER = 8,
    FEATURE_CHANGES = 16,
    FEATURES_END = 21,
};

/* Status of a port, and what of it changed (11.16.2.6). */
enum {
    PORT_CONNECTED = 0x0001,
    PORT_ENABLED = 0x0002,
    PORT_SUSPENDED = 0x0004,
    PORT_RESET = 0x0010,
    PORT_POWERED = 0x0100,
    PORT_LOW_SPEED = 0x0200,
};

typedef struct UsbHubState {
    UsbControlState control;
    uint16_t status[USB_HUB_PORTS], change[USB_HUB_PORTS];
    uint8_t socket;
    uint8_t padding[3];
} UsbHubState;

static const Field state_fields[] = {
    FIELD_ONE_STRUCT(UsbHubState, control, &usb_control_fields),
    FIELD_ARRAY(UsbHubState, U16, status),
    FIELD_ARRAY(UsbHubState, U16, change),
    FIELD(UsbHubState, U8, socket),
    FIELD_PADDING(UsbHubState, padding),
    FIELD_END,
};
static const FieldTable usb_hub_fields = {"USB hub", 1, sizeof(UsbHubState), state_fields};

struct UsbHub {
    UsbHubState state;
    UsbDevice device;
    UsbBus *bus;
    unsigned first_socket;
    bool is_busy; /* asks what is plugged in: a damaged save may have a hub below itself */
    char id[16];
};

// clang-format off
static const uint8_t device_descriptor[] = {
    18, 1,
    0x10, 0x01,       /* USB 1.1 */
    9, 0, 0,          /* hub */
    USB_CONTROL_PACKET_BYTES,
    0x09, 0x04,       /* vendor and product: as the usual virtual hub has them */
    0xAA, 0x55,
    0x01, 0x01,       /* release 1.1 */
    1, 2, 3,          /* strings: manufacturer, product, serial number */
    1,                /* configuration */
};

static const uint8_t configuration_descriptor[] = {
    9, 2, 25, 0,      /* all of this */
    1,                /* interface */
    1, 0,             /* number and name */
    0xE0,             /* powered by itself, can wake the bus */
    0,                /* 0 mA */
    9, 4, 0, 0,       /* interface 0 */
    1,                /* endpoint */
    9, 0, 0, 0,       /* hub */
    7, 5, 0x80 | ENDPOINT,
    3,                /* interrupt */
    2, 0,             /* bytes: a bit for the hub and each port */
    32,               /* ms */
};

static const uint8_t hub_descriptor[] = {
    11, DESCRIPTOR_HUB,
    USB_HUB_PORTS,
    0x09, 0x00,       /* power is switched, and too much of it told, for each port */
    1,                /* that is good after so many units of 2 ms */
    0,                /* 0 mA */
    0, 0,             /* all that is plugged in may be pulled out */
    0xFF, 0xFF,       /* (for drivers of USB 1.0) */
};
// clang-format on

static const char *const strings[] = {"Reprise", "USB Hub", "1", NULL};

/* --- ports -------------------------------------------------------------------------------------
 */

static UsbDevice *device_in(const UsbHub *hub, unsigned port) {
    return usb_bus_device(hub->bus, hub->first_socket + port);
}

bool usb_hub_is_used(const UsbHub *hub) {
    for (unsigned port = 0; port < USB_HUB_PORTS; port++)
        if (device_in(hub, port) != NULL)
            return true;
    return false;
}

static void reset_device(UsbHub *hub, unsigned port) {
    UsbDevice *device = device_in(hub, port);
    if (device == NULL || hub->is_busy)
        return;
    hub->is_busy = true;
    device->reset(device->opaque);
    hub->is_busy = false;
}

/* What is in a port that just got its power, or where something was just plugged in or pulled out;
 * without power nobody can tell. */
static void look_at_port(UsbHub *hub, unsigned port) {
    UsbHubState *state = &hub->state;
    const UsbDevice *device = device_in(hub, port);
    uint16_t before = state->status[port], status = before & PORT_POWERED;
    if (status != 0 && device != NULL)
        status |= PORT_CONNECTED | (device->low_speed ? PORT_LOW_SPEED : 0);
    state->status[port] = status;
    if ((before | status) & PORT_CONNECTED)
        state->change[port] |= PORT_CONNECTED;
}

static void set_feature(UsbHub *hub, unsigned port, unsigned feature) {
    uint16_t *status = &hub->state.status[port], *change = &hub->state.change[port];
    if (feature == FEATURE_POWER && !(*status & PORT_POWERED)) {
        *status = PORT_POWERED;
        look_at_port(hub, port);
    } else if (feature == FEATURE_RESET && (*status & PORT_CONNECTED)) {
        /* It is over before anybody can look. */
        reset_device(hub, port);
        *status = (uint16_t)((*status & ~PORT_SUSPENDED) | PORT_ENABLED);
        *change |= PORT_RESET;
    } else if (feature == FEATURE_SUSPEND && (*status & PORT_ENABLED)) {
        *status |= PORT_SUSPENDED;
    }
}

static void clear_feature(UsbHub *hub, unsigned port, unsigned feature) {
    uint16_t *status = &hub->state.status[port], *change = &hub->state.change[port];
    if (feature >= FEATURE_CHANGES) {
        *change &= (uint16_t) ~(1u << (feature - FEATURE_CHANGES));
    } else if (feature == FEATURE_ENABLE) {
        *status &= (uint16_t) ~(PORT_ENABLED | PORT_SUSPENDED);
    } else if (feature == FEATURE_SUSPEND && (*status & PORT_SUSPENDED)) {
        *status &= (uint16_t)~PORT_SUSPENDED;
        *change |= PORT_SUSPENDED;
    } else if (feature == FEATURE_POWER) {
        *status = 0;
        reset_device(hub, port);
    }
}

static void port_changed(void *opaque, unsigned port) {
    UsbHub *hub = opaque;
    look_at_port(hub, port);
    if (hub->state.control.may_wake && hub->state.change[port] != 0)
        usb_bus_wake(hub->bus, &hub->device);
}

/* A port that sleeps alone wakes alone; else the hub hands it on (11.9). */
static void wake(void *opaque, unsigned port) {
    UsbHub *hub = opaque;
    UsbHubState *state = &hub->state;
    if (!(state->status[port] & PORT_ENABLED) || hub->is_busy)
        return;
    if (state->status[port] & PORT_SUSPENDED)
        clear_feature(hub, port, FEATURE_SUSPEND);
    hub->is_busy = true;
    usb_bus_wake(hub->bus, &hub->device);
    hub->is_busy = false;
}

/* --- on the cable ------------------------------------------------------------------------------
 */

static int port_request(UsbHub *hub, unsigned kind, const UsbRequest *request, uint8_t *data) {
    unsigned port = (request->index & 0xFF) - 1u;
    if (port >= USB_HUB_PORTS)
        return -1;
    if (kind == GET_PORT_STATUS) {
        store_le16(data, hub->state.status[port]);
        store_le16(data + 2, hub->state.change[port]);
        return 4;
    }
    if (request->value >= FEATURES_END)
        return -1;
    if (kind == SET_PORT_FEATURE)
        set_feature(hub, port, request->value);
    else
        clear_feature(hub, port, request->value);
    return 0;
}

static int class_request(void *opaque, const UsbRequest *request, uint8_t *data) {
    UsbHub *hub = opaque;
    unsigned kind = (unsigned)request->type << 8 | request->request;
    switch (kind) {
    case GET_HUB_DESCRIPTOR:
        memcpy(data, hub_descriptor, sizeof(hub_descriptor));
        return sizeof(hub_descriptor);
    case GET_HUB_STATUS: /* its power supply is good, always */
        memset(data, 0, 4);
        return 4;
    case SET_HUB_FEATURE:
    case CLEAR_HUB_FEATURE:
        return request->value < 2 ? 0 : -1;
    case GET_PORT_STATUS:
    case SET_PORT_FEATURE:
    case CLEAR_PORT_FEATURE:
        return port_request(hub, kind, request, data);
    default:
        return -1;
    }
}

/* Which ports changed: bit 1 for the first (11.13.4). */
static UsbAnswer send_changes(UsbHub *hub, UsbTransaction *transaction) {
    const UsbHubState *state = &hub->state;
    unsigned changed = 0;
    if (state->control.configuration == 0 || transaction->token != USB_IN)
        return USB_SILENT;
    if (state->control.halted)
        return USB_STALL;
    for (unsigned port = 0; port < USB_HUB_PORTS; port++)
        if (state->change[port] != 0)
            changed |= 2u << port;
    if (changed == 0)
        return USB_NAK;
    store_le16(transaction->bytes, (uint16_t)changed);
    transaction->size = 2;
    return USB_ACK;
}

/* What is plugged in hears everything that is not for the hub. */
static UsbAnswer hand_on(UsbHub *hub, UsbTransaction *transaction) {
    UsbAnswer answer = USB_SILENT;
    if (hub->is_busy)
        return USB_SILENT;
    hub->is_busy = true;
    for (unsigned port = 0; port < USB_HUB_PORTS && answer == USB_SILENT; port++) {
        uint16_t status = hub->state.status[port];
        UsbDevice *device =
            (status & PORT_ENABLED) && !(status & PORT_SUSPENDED) ? device_in(hub, port) : NULL;
        if (device != NULL)
            answer = device->transact(device->opaque, transaction);
    }
    hub->is_busy = false;
    return answer;
}

static UsbAnswer transact(void *opaque, UsbTransaction *transaction) {
    static const UsbControlModel model = {device_descriptor, configuration_descriptor, strings,
                                          class_request};
    UsbHub *hub = opaque;
    if (transaction->address != hub->state.control.address)
        return hand_on(hub, transaction);
    if (transaction->endpoint == ENDPOINT)
        return send_changes(hub, transaction);
    return transaction->endpoint == 0
               ? usb_control_transact(&hub->state.control, &model, hub, transaction)
               : USB_SILENT;
}

/* Its ports lose their power (11.10). */
static void bus_reset(void *opaque) {
    UsbHub *hub = opaque;
    usb_control_reset(&hub->state.control);
    for (unsigned port = 0; port < USB_HUB_PORTS; port++) {
        hub->state.status[port] = hub->state.change[port] = 0;
        reset_device(hub, port);
    }
}

static uint8_t get_address(void *opaque) {
    const UsbHub *hub = opaque;
    return hub->state.control.address;
}

/* --- the device --------------------------------------------------------------------------------
 */

static void restored(void *opaque) {
    UsbHub *hub = opaque;
    usb_control_restored(&hub->state.control);
}

static const DeviceClass device_class = {"USB hub", &usb_hub_fields, bus_reset, restored};

UsbHub *usb_hub_create(const DeviceContext *context, UsbBus *bus, const char *id) {
    UsbHub *hub = allocate_zeroed(sizeof(*hub));
    hub->bus = bus;
    hub->device = (UsbDevice){.name = "USB Hub",
                              .opaque = hub,
                              .reset = bus_reset,
                              .transact = transact,
                              .address = get_address,
                              .socket = &hub->state.socket};
    usb_bus_add_device(bus, &hub->device);
    hub->first_socket = usb_bus_add_sockets(
        bus, &(UsbSocketOwner){"USB hub", &hub->device, hub, port_changed, wake}, USB_HUB_PORTS);
    snprintf(hub->id, sizeof(hub->id), "%s", id);
    device_list_add(context->devices, &device_class, hub->id, hub, &hub->state);
    bus_reset(hub);
    return hub;
}

void usb_hub_destroy(UsbHub *hub) {
    free(hub);
}

UsbDevice *usb_hub_device(UsbHub *hub) {
    return &hub->device;
}

unsigned usb_hub_socket(const UsbHub *hub) {
    return hub->first_socket;
}
