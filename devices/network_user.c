#include "network_user.h"
#include "allocate.h"
#include "host_address.h"
#include "host_library.h"
#include "http_server.h"
#include "network_user_rule.h"
#include "slirp_library.h"

#include <stdlib.h>
#include <string.h>

enum {
    NS_PER_MS = 1000000,
    HTTP_HOST = 4, /* in the network: the gateway's own ports lead to the host */
    HTTP_PORT = 80,
    TIMERS = 2,             /* the library has one, for announcements of routers */
    WAITING_BYTES = 4 << 20 /* for the cable; what does not fit is lost, and sent again by TCP */
};

typedef struct LibraryTimer {
    Timer timer;
    int64_t due_ns; /* no state of the guest: nothing of it is ever restored */
    SlirpTimerCb fire;
    void *opaque;
    bool used;
} LibraryTimer;

enum { NEIGHBOURS = 8, NEIGHBOUR_BYTES = 10, HARDWARE_BYTES = 6 };
/* An ARP frame (RFC 826) for IPv4 on Ethernet. */
enum { ARP_SENDER = 22, ARP_BYTES = 42 };
static const uint8_t arp_head[] = {0x08, 0x06, 0, 1, 8, 0, 6, 4, 0};

struct NetworkUser {
    SlirpLibrary library;
    Slirp *slirp;
    SlirpCb callbacks;
    const NetworkUserOptions *options;
    NetworkUserPlan plan;
    NetworkLink *link;
    NetworkHost *host;
    VirtualClock *clock;
    Trace *trace;
    LibraryTimer timers[TIMERS];
    Timer tick; /* when the library's connections want to be looked at */
    int64_t tick_ns;
    /* Frames that the cable did not take: a size of 4 bytes, the bytes. */
    ByteBuffer waiting;
    size_t waiting_first;
    /* Who is at the cable, from their ARP frames: hardware and network address of each. The
     * library's saved state has none of them. */
    uint8_t neighbours[NEIGHBOURS][NEIGHBOUR_BYTES];
    unsigned neighbour_count;
    HttpServer *http; /* NULL: none */
    bool failed;      /* no library: the network is dead */
};

/* ---- To the guest ---- */

static void drop_taken(NetworkUser *user) {
    ByteBuffer *waiting = &user->waiting;
    memmove(waiting->data, waiting->data + user->waiting_first,
            waiting->size - user->waiting_first);
    waiting->size -= user->waiting_first;
    user->waiting_first = 0;
}

static void room(void *opaque) {
    NetworkUser *user = opaque;
    ByteBuffer *waiting = &user->waiting;
    while (waiting->size > user->waiting_first) {
        uint32_t size;
        memcpy(&size, waiting->data + user->waiting_first, sizeof(size));
        if (!network_link_deliver(user->link, waiting->data + user->waiting_first + sizeof(size),
                                  size))
            break;
        user->waiting_first += sizeof(size) + size;
    }
    if (user->waiting_first == waiting->size)
        waiting->size = user->waiting_first = 0;
    network_host_touch(user->host);
}

static ssize_t send_packet(const void *data, size_t size, void *opaque) {
    NetworkUser *user = opaque;
    if (user->waiting.size == 0 && network_link_deliver(user->link, data, size))
        return (ssize_t)size;
    if (user->waiting.size - user->waiting_first + size > WAITING_BYTES)
        return (ssize_t)size;
    if (user->waiting_first > WAITING_BYTES / 4)
        drop_taken(user);
    uint32_t header = (uint32_t)size;
    byte_buffer_append(&user->waiting, &header, sizeof(header));
    byte_buffer_append(&user->waiting, data, size);
    return (ssize_t)size;
}

/* ---- What the library asks of us ---- */

static void guest_error(const char *message, void *opaque) {
    const NetworkUser *user = opaque;
    TRACE(user->trace, TRACE_GUEST_ERRORS, "network: %s\n", message);
}

static int64_t clock_get_ns(void *opaque) {
    const NetworkUser *user = opaque;
    return clock_now_ns(user->clock);
}

static void fire_timer(void *opaque) {
    LibraryTimer *timer = opaque;
    if (timer->used)
        timer->fire(timer->opaque);
}

static void *timer_new(SlirpTimerCb fire, void *fire_opaque, void *opaque) {
    NetworkUser *user = opaque;
    for (unsigned i = 0; i < TIMERS; i++) {
        LibraryTimer *timer = &user->timers[i];
        if (timer->used)
            continue;
        timer->used = true;
        timer->fire = fire;
        timer->opaque = fire_opaque;
        return timer;
    }
    return NULL;
}

static void timer_free(void *timer, void *opaque) {
    LibraryTimer *freed = timer;
    (void)opaque;
    if (freed == NULL)
        return;
    timer_cancel(&freed->timer);
    freed->used = false;
}

static void timer_mod(void *timer, int64_t due_ms, void *opaque) {
    LibraryTimer *armed = timer;
    (void)opaque;
    if (armed != NULL && due_ms >= 0 && due_ms < INT64_MAX / NS_PER_MS)
        timer_arm(&armed->timer, due_ms * NS_PER_MS);
}

static void ignore_file(int file, void *opaque) {
    (void)file;
    (void)opaque;
}

static void notify(void *opaque) {
    NetworkUser *user = opaque;
    network_host_touch(user->host);
}

/* ---- Sockets of the host ---- */

static int add_poll(int file, int events, void *opaque) {
    short wanted = (short)((events & SLIRP_POLL_IN ? HOST_POLL_INPUT : 0) |
                           (events & SLIRP_POLL_OUT ? HOST_POLL_OUTPUT : 0) |
                           (events & SLIRP_POLL_PRI ? HOST_POLL_URGENT : 0));
    return network_poll_set_add(opaque, file, wanted);
}

static void fill(void *opaque, NetworkPollSet *set) {
    NetworkUser *user = opaque;
    uint32_t wait_ms = UINT32_MAX;
    user->library.pollfds_fill(user->slirp, &wait_ms, add_poll, set);
    if (wait_ms != UINT32_MAX && !timer_is_armed(&user->tick))
        timer_arm(&user->tick, clock_now_ns(user->clock) + (int64_t)wait_ms * NS_PER_MS);
}

static int find_events(int place, void *opaque) {
    const NetworkPollSet *set = opaque;
    if (place < 0 || (size_t)place >= set->count)
        return 0;
    short found = set->files[place].revents;
    return (found & HOST_POLL_INPUT ? SLIRP_POLL_IN : 0) |
           (found & HOST_POLL_OUTPUT ? SLIRP_POLL_OUT : 0) |
           (found & HOST_POLL_URGENT ? SLIRP_POLL_PRI : 0) |
           (found & HOST_POLL_ERROR ? SLIRP_POLL_ERR : 0) |
           (found & HOST_POLL_CLOSED ? SLIRP_POLL_HUP : 0);
}

static void serve(void *opaque, const NetworkPollSet *set) {
    NetworkUser *user = opaque;
    user->library.pollfds_poll(user->slirp, 0, find_events, (void *)set);
}

/* Time has passed for the library's connections; what the host has for them is not looked at. */
static void tick(void *opaque) {
    NetworkUser *user = opaque;
    NetworkPollSet set = {.files = NULL};
    fill(user, &set);
    for (size_t i = 0; i < set.count; i++)
        set.files[i].revents = 0;
    serve(user, &set);
    free(set.files);
    network_host_touch(user->host);
}

/* ---- From the guest ---- */

static bool start(NetworkUser *user, bool lenient, Error *error);

static void add_neighbour(NetworkUser *user, const uint8_t *addresses) {
    unsigned place = 0;
    while (place < user->neighbour_count &&
           memcmp(user->neighbours[place] + HARDWARE_BYTES, addresses + HARDWARE_BYTES,
                  NEIGHBOUR_BYTES - HARDWARE_BYTES) != 0)
        place++;
    if (place == NEIGHBOURS)
        return;
    if (place == user->neighbour_count)
        user->neighbour_count++;
    memcpy(user->neighbours[place], addresses, NEIGHBOUR_BYTES);
}

static void note_neighbour(NetworkUser *user, const uint8_t *frame, size_t size) {
    if (size >= ARP_BYTES && memcmp(frame + 2 * HARDWARE_BYTES, arp_head, sizeof(arp_head)) == 0)
        add_neighbour(user, frame + ARP_SENDER);
}

/* Answers that nobody asked for: the library keeps what they say. */
static void introduce_neighbours(NetworkUser *user) {
    enum { REPLY = 2, OPERATION = 21 };
    for (unsigned i = 0; i < user->neighbour_count; i++) {
        uint8_t frame[ARP_BYTES] = {0};
        memset(frame, 0xFF, HARDWARE_BYTES);
        memcpy(frame + HARDWARE_BYTES, user->neighbours[i], HARDWARE_BYTES);
        memcpy(frame + 2 * HARDWARE_BYTES, arp_head, sizeof(arp_head));
        frame[OPERATION] = REPLY;
        memcpy(frame + ARP_SENDER, user->neighbours[i], NEIGHBOUR_BYTES);
        user->library.input(user->slirp, frame, sizeof(frame));
    }
}

static void send_frame(void *opaque, const uint8_t *frame, size_t size) {
    NetworkUser *user = opaque;
    if (user->slirp == NULL) {
        Error error = {.set = false};
        if (!user->failed && !start(user, true, &error)) {
            user->failed = true;
            TRACE(user->trace, TRACE_UNIMP, "network: %s\n", error.message);
        }
        if (user->failed)
            return;
    }
    note_neighbour(user, frame, size);
    user->library.input(user->slirp, frame, (int)size);
    network_host_touch(user->host);
}

/* ---- Making and ending one ---- */

static bool load_library(SlirpLibrary *library, Error *error) {
    static const char *const names[] = {
#define X(name) "slirp_" #name,
        SLIRP_FUNCTIONS(X)
#undef X
    };
    return host_library_load(REPRISE_SLIRP_LIBRARY, names, sizeof(names) / sizeof(names[0]),
                             library, error);
}

static bool start_slirp(NetworkUser *user, bool ipv6, Error *error) {
    const NetworkUserOptions *options = user->options;
    const char *search[NETWORK_SEARCH_DOMAINS + 1] = {NULL};
    memcpy(search, options->dns_search, sizeof(options->dns_search));
    const SlirpConfig config = {
        .version = 1,
        .restricted = options->restricted,
        .in_enabled = options->ipv4,
        .vnetwork = user->plan.network,
        .vnetmask = user->plan.mask,
        .vhost = user->plan.host,
        .in6_enabled = ipv6,
        .vprefix_addr6 = user->plan.prefix6,
        .vprefix_len = (uint8_t)user->plan.prefix6_length,
        .vhost6 = user->plan.host6,
        .vhostname = options->host_name,
        .tftp_server_name = options->tftp_server_name,
        .tftp_path = options->tftp,
        .bootfile = options->boot_file,
        .vdhcp_start = user->plan.dhcp_start,
        .vnameserver = user->plan.dns,
        .vnameserver6 = user->plan.dns6,
        .vdnssearch = search[0] != NULL ? search : NULL,
        .vdomainname = options->domain_name,
    };
    user->callbacks = (SlirpCb){
        .send_packet = send_packet,
        .guest_error = guest_error,
        .clock_get_ns = clock_get_ns,
        .timer_new = timer_new,
        .timer_free = timer_free,
        .timer_mod = timer_mod,
        .register_poll_fd = ignore_file,
        .unregister_poll_fd = ignore_file,
        .notify = notify,
    };
    user->slirp = user->library.new(&config, &user->callbacks, user);
    return user->slirp != NULL || error_set(error, "the private network cannot be set up");
}

static bool add_guest_forward(NetworkUser *user, const char *rule, Error *error) {
    NetworkGuestForward forward;
    if (!network_guest_forward_parse(rule, &forward, error))
        return false;
    int result =
        forward.command != NULL
            ? user->library.add_exec(user->slirp, forward.command, &forward.address, forward.port)
            : user->library.add_unix(user->slirp, forward.socket, &forward.address, forward.port);
    return result >= 0 || error_set(error,
                                    "guestfwd=%s: the address is not in the network, or is "
                                    "taken",
                                    rule);
}

bool network_user_add_forward(NetworkUser *user, const char *rule, Error *error) {
    NetworkForward forward;
    if (!network_forward_parse(rule, true, &forward, error) ||
        (user->slirp == NULL && !start(user, true, error)))
        return false;
    bool good =
        user->library.add_hostfwd(user->slirp, forward.is_udp, forward.host, forward.host_port,
                                  forward.guest, forward.guest_port) >= 0;
    network_host_touch(user->host);
    return good || error_set(error, "could not set up host forwarding rule '%s'", rule);
}

bool network_user_remove_forward(NetworkUser *user, const char *rule, Error *error) {
    NetworkForward forward;
    if (!network_forward_parse(rule, false, &forward, error))
        return false;
    if (user->slirp == NULL)
        return error_set(error, "there is no host forwarding rule '%s'", rule);
    bool good = user->library.remove_hostfwd(user->slirp, forward.is_udp, forward.host,
                                             forward.host_port) >= 0;
    network_host_touch(user->host);
    return good || error_set(error, "there is no host forwarding rule '%s'", rule);
}

static bool add_forwards(NetworkUser *user, bool lenient, Error *error) {
    const NetworkUserOptions *options = user->options;
    for (unsigned i = 0; i < NETWORK_FORWARDS; i++) {
        if (options->forwards[i] != NULL &&
            !network_user_add_forward(user, options->forwards[i], lenient ? NULL : error) &&
            !lenient)
            return false;
        if (options->guest_forwards[i] != NULL &&
            !add_guest_forward(user, options->guest_forwards[i], error))
            return false;
    }
    return true;
}

/* Each connection of the guest becomes one to the server's socket. */
static bool add_http(NetworkUser *user, Error *error) {
    struct in_addr address = {htonl(ntohl(user->plan.network.s_addr) | HTTP_HOST)};
    if (user->options->http == NULL)
        return true;
    user->http = http_server_create(user->options->http, error);
    return user->http != NULL &&
           (user->library.add_unix(user->slirp, http_server_socket(user->http), &address,
                                   HTTP_PORT) >= 0 ||
            error_set(error, "http=: the fourth address of the network is taken"));
}

static bool start(NetworkUser *user, bool lenient, Error *error) {
    const NetworkHostClient client = {fill, serve, user};
    if (!load_library(&user->library, error) || !start_slirp(user, user->options->ipv6, error) ||
        !add_forwards(user, lenient, error) || !add_http(user, error))
        return false;
    network_host_add(user->host, &client);
    return true;
}

NetworkUser *network_user_create(const DeviceContext *context, const NetworkUserOptions *options,
                                 NetworkHost *host, NetworkLink *link, bool lenient, Error *error) {
    NetworkUser *user = allocate_zeroed(sizeof(*user));
    const NetworkBackEndPort port = {send_frame, room, user};
    user->options = options;
    user->link = link;
    user->host = host;
    user->clock = context->clock;
    user->trace = context->trace;
    timer_init(&user->tick, context->clock, "network user", &user->tick_ns, tick, user);
    for (unsigned i = 0; i < TIMERS; i++)
        timer_init(&user->timers[i].timer, context->clock, "network announcement",
                   &user->timers[i].due_ns, fire_timer, &user->timers[i]);
    if (!network_user_plan(options, &user->plan, error) ||
        (!options->is_default && !start(user, lenient, error))) {
        network_user_destroy(user);
        return NULL;
    }
    network_link_attach_back_end(link, &port);
    return user;
}

void network_user_destroy(NetworkUser *user) {
    if (user == NULL)
        return;
    network_host_remove(user->host, user);
    network_link_attach_back_end(user->link, NULL);
    timer_cancel(&user->tick);
    if (user->slirp != NULL)
        user->library.cleanup(user->slirp);
    http_server_destroy(user->http);
    byte_buffer_free(&user->waiting);
    free(user);
}

/* ---- Showing ---- */

void network_user_print_connections(NetworkUser *user, ByteBuffer *text) {
    if (user->slirp == NULL)
        return;
    char *table = user->library.connection_info(user->slirp);
    if (table != NULL)
        byte_buffer_print(text, "%s", table);
    free(table);
}

void network_user_print(const NetworkUser *user, ByteBuffer *text) {
    char network[INET_ADDRSTRLEN], mask[INET_ADDRSTRLEN];
    inet_ntop(AF_INET, &user->plan.network, network, sizeof(network));
    inet_ntop(AF_INET, &user->plan.mask, mask, sizeof(mask));
    byte_buffer_print(text, "net=%s,restrict=%s", network,
                      user->options->restricted ? "on" : "off");
}

/* ---- State ---- */

static ssize_t append_state(const void *data, size_t size, void *opaque) {
    byte_buffer_append(opaque, data, size);
    return (ssize_t)size;
}

static ssize_t take_state(void *data, size_t size, void *opaque) {
    return byte_reader_read(opaque, data, size) ? (ssize_t)size : -1;
}

void network_user_save(NetworkUser *user, ByteBuffer *buffer) {
    ByteBuffer state = {.data = NULL};
    if (user->slirp == NULL)
        return;
    user->library.state_save(user->slirp, append_state, &state);
    byte_buffer_append(&state, user->neighbours, user->neighbour_count * NEIGHBOUR_BYTES);
    byte_buffer_append_le(buffer, (uint64_t)user->library.state_version(), 4);
    byte_buffer_append_le(buffer, state.size, 4);
    byte_buffer_append(buffer, state.data, state.size);
    byte_buffer_free(&state);
}

bool network_user_load(NetworkUser *user, ByteReader *reader, Error *error) {
    int version = (int)byte_reader_read_le(reader, 4);
    size_t size = byte_reader_read_le(reader, 4);
    if (reader->failed || size > reader->size - reader->position)
        return error_set(error, "the saved state is cut in that of the network");
    ByteReader state = {.data = reader->data + reader->position, .size = size};
    reader->position += size;
    user->waiting.size = user->waiting_first = 0;
    if (user->slirp == NULL && !start(user, true, error))
        return false;
    if (user->library.state_load(user->slirp, version, take_state, &state) != 0)
        return error_set(error, "the saved state of the network cannot be used");
    uint8_t neighbour[NEIGHBOUR_BYTES];
    user->neighbour_count = 0;
    while (state.size - state.position >= NEIGHBOUR_BYTES &&
           byte_reader_read(&state, neighbour, NEIGHBOUR_BYTES))
        add_neighbour(user, neighbour);
    introduce_neighbours(user);
    return true;
}
