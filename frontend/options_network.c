/* Network cards and what is at the other ends of their cables: -netdev, -nic, -net, -device CARD,
 * -object filter-dump. */
#include "options_network.h"
#include "key_values.h"
#include "nearest_name.h"
#include "network_cards.h"
#include "options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Back ends ---- */

#define ISA_MACHINE_CARD "ne2k_isa" /* of a machine without PCI, unless another is named */

#define USER_KEYS                                                                                  \
    "id net host dhcpstart dns dnssearch domainname hostname hostfwd guestfwd restrict tftp http " \
    "tftp-server-name bootfile bootp ipv4 ipv6 ipv6-net ipv6-prefix ipv6-prefixlen ipv6-host "     \
    "ipv6-dns"
#define SOCKET_KEYS "id listen connect mcast udp fd localaddr"
#define TAP_KEYS "id fd ifname script downscript vhost"

static const char *keep(Settings *settings, KeyValues *values, const char *key) {
    return settings_keep_string(settings, key_values_get(values, key));
}

static bool keep_list(Settings *settings, KeyValues *values, const char *key, const char **list,
                      unsigned size, Error *error) {
    const char *value;
    unsigned count = 0;
    while ((value = key_values_get_nth(values, key, count)) != NULL) {
        if (count == size)
            return error_set(error, "more than %u of '%s'", size, key);
        list[count++] = settings_keep_string(settings, value);
    }
    return true;
}

static bool read_user(Settings *settings, KeyValues *values, NetworkBackEndOptions *options,
                      Error *error) {
    NetworkUserOptions *user = &options->user;
    if (key_values_get(values, "smb") != NULL)
        return error_set(error, "smb= is not in this version; tftp= and -drive file=fat:FOLDER "
                                "hand files to a guest");
    user->network = keep(settings, values, "net");
    user->host = keep(settings, values, "host");
    user->dhcp_start = keep(settings, values, "dhcpstart");
    user->dns = keep(settings, values, "dns");
    user->network6 = keep(settings, values, "ipv6-net");
    if (user->network6 == NULL)
        user->network6 = keep(settings, values, "ipv6-prefix");
    user->prefix6_length = keep(settings, values, "ipv6-prefixlen");
    user->host6 = keep(settings, values, "ipv6-host");
    user->dns6 = keep(settings, values, "ipv6-dns");
    user->host_name = keep(settings, values, "hostname");
    user->domain_name = keep(settings, values, "domainname");
    user->tftp = keep(settings, values, "tftp");
    user->http = keep(settings, values, "http");
    user->tftp_server_name = keep(settings, values, "tftp-server-name");
    user->boot_file = keep(settings, values, "bootfile");
    if (user->boot_file == NULL)
        user->boot_file = keep(settings, values, "bootp");
    user->ipv6_given = key_values_get(values, "ipv6") != NULL;
    return key_values_get_bool(values, "restrict", false, &user->restricted, error) &&
           key_values_get_bool(values, "ipv4", true, &user->ipv4, error) &&

           key_values_get_bool(values, "ipv6", user->ipv4, &user->ipv6, error) &&
           keep_list(settings, values, "dnssearch", user->dns_search, NETWORK_SEARCH_DOMAINS,
                     error) &&
           keep_list(settings, values, "hostfwd", user->forwards, NETWORK_FORWARDS, error) &&
           keep_list(settings, values, "guestfwd", user->guest_forwards, NETWORK_FORWARDS, error);
}

static bool read_socket(Settings *settings, KeyValues *values, NetworkBackEndOptions *options,
                        Error *error) {
    NetworkSocketOptions *socket = &options->socket;
    socket->file = keep(settings, values, "fd");
    socket->listen = keep(settings, values, "listen");
    socket->connect = keep(settings, values, "connect");
    socket->multicast = keep(settings, values, "mcast");
    socket->udp = keep(settings, values, "udp");
    socket->local_address = keep(settings, values, "localaddr");
    int given = (socket->file != NULL) + (socket->listen != NULL) + (socket->connect != NULL) +
                (socket->multicast != NULL) + (socket->udp != NULL);
    if (given != 1)
        return error_set(error, "exactly one of listen=, connect=, mcast=, udp= and fd= is needed");
    if (socket->local_address != NULL && socket->multicast == NULL && socket->udp == NULL)
        return error_set(error, "localaddr= goes with mcast= or udp=");
    return socket->udp == NULL || socket->local_address != NULL ||
           error_set(error, "udp= needs localaddr=");
}

static bool read_tap(Settings *settings, KeyValues *values, NetworkBackEndOptions *options,
                     Error *error) {
    NetworkTapOptions *tap = &options->tap;
    bool vhost;
    tap->file = keep(settings, values, "fd");
    tap->interface = keep(settings, values, "ifname");
    tap->script = keep(settings, values, "script");
    tap->down_script = keep(settings, values, "downscript");
    if (!key_values_get_bool(values, "vhost", false, &vhost, error))
        return false;
    if (vhost)
        return error_set(error, "vhost=on is not in this version");
    return tap->file == NULL || tap->interface == NULL ||
           error_set(error, "fd= and ifname= exclude each other");
}

static const struct {
    const char *name, *keys, *help;
    NetworkBackEndKind kind;
    bool (*read)(Settings *settings, KeyValues *values, NetworkBackEndOptions *options,
                 Error *error);
} kinds[] = {
    {"user", USER_KEYS, "a private network with address translation", NETWORK_BACK_END_USER,
     read_user},
    {"socket", SOCKET_KEYS, "frames over a socket, to another emulator", NETWORK_BACK_END_SOCKET,
     read_socket},
    {"tap", TAP_KEYS, "a network interface of the host", NETWORK_BACK_END_TAP, read_tap},
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static bool no_such_kind(const char *name, Error *error) {
    NearestName nearest = {.wanted = name};
    for (size_t i = 0; i < KINDS; i++)
        nearest_name_consider(&nearest, kinds[i].name);
    const char *best = nearest_name_get(&nearest);
    if (best != NULL)
        return error_set(error, "there is no network back end '%s'; did you mean '%s'?", name,
                         best);
    return error_set(error, "there is no network back end '%s'; known are user, socket and tap",
                     name);
}

static NetworkBackEndOptions *new_back_end(Settings *settings, const char *id, Error *error) {
    NetworkBackEndOptions *all = settings->machine.network_back_end;
    unsigned index = 0;
    while (index < MACHINE_NETWORK_BACK_ENDS && all[index].kind != NETWORK_BACK_END_NONE) {
        if (strcmp(all[index].id, id) == 0) {
            error_set(error, "there are two network back ends '%s'", id);
            return NULL;
        }
        index++;
    }
    if (index == MACHINE_NETWORK_BACK_ENDS) {
        error_set(error, "there are no more than %d network back ends", MACHINE_NETWORK_BACK_ENDS);
        return NULL;
    }
    all[index] = (NetworkBackEndOptions){.id = settings_keep_string(settings, id)};
    return &all[index];
}

static const char *other_id(Settings *settings) {
    char id[32];
    snprintf(id, sizeof(id), "#net%u", settings->network_id_count++);
    return settings_keep_string(settings, id);
}

/* 'more' lists further settings, which the caller has looked at. */
static const char *add_back_end(Settings *settings, const char *kind, KeyValues *values,
                                const char *more, Error *error) {
    const char *id = key_values_get(values, "id");
    char known[512];
    size_t row = 0;
    while (row < KINDS && strcmp(kinds[row].name, kind) != 0)
        row++;
    if (row == KINDS) {
        no_such_kind(kind, error);
        return NULL;
    }
    NetworkBackEndOptions *options =
        new_back_end(settings, id != NULL && *more == '\0' ? id : other_id(settings), error);
    if (options == NULL)
        return NULL;
    options->kind = kinds[row].kind;
    snprintf(known, sizeof(known), "%s%s", kinds[row].keys, more);
    bool good = kinds[row].read(settings, values, options, error) &&
                key_values_check_used(values, known, error);
    return good ? options->id : NULL;
}

static bool print_back_ends(void) {
    for (size_t i = 0; i < KINDS; i++)
        printf("%-16s %s (%s)\n", kinds[i].name, kinds[i].help, kinds[i].keys);
    return true;
}

static bool is_help(const char *text) {
    return strcmp(text, "help") == 0 || strcmp(text, "?") == 0;
}

bool option_netdev(Settings *settings, const char *argument, Error *error) {
    KeyValues values = {.items = NULL};
    if (is_help(argument))
        return settings->listed = print_back_ends();
    settings->network_given = true;
    bool good = key_values_parse(&values, argument, "type", error);
    const char *kind = key_values_get(&values, "type");
    if (good && (kind == NULL || key_values_get(&values, "id") == NULL))
        good = error_set(error, "a network back end needs a kind and id=");
    good = good && add_back_end(settings, kind, &values, "", error) != NULL;
    key_values_free(&values);
    return good;
}

/* ---- Cards ---- */

static bool parse_address(const char *text, uint8_t *address) {
    unsigned parts[NETWORK_ADDRESS_BYTES];
    int length = 0;
    if (sscanf(text, "%2x%*1[:-]%2x%*1[:-]%2x%*1[:-]%2x%*1[:-]%2x%*1[:-]%2x%n", &parts[0],
               &parts[1], &parts[2], &parts[3], &parts[4], &parts[5], &length) != 6 ||
        text[length] != '\0')
        return false;
    for (unsigned i = 0; i < NETWORK_ADDRESS_BYTES; i++)
        address[i] = (uint8_t)parts[i];
    return true;
}

static bool read_address(Settings *settings, KeyValues *values, NetworkCardConfig *card,
                         Error *error) {
    static const uint8_t first[NETWORK_ADDRESS_BYTES] = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};
    const char *text = key_values_get(values, "mac");
    if (text == NULL) {
        memcpy(card->address, first, sizeof(first));
        card->address[5] = (uint8_t)(first[5] + settings->network_address_count++);
        return true;
    }
    if (!parse_address(text, card->address))
        return error_set(error, "mac= is six bytes such as 52:54:00:12:34:56, not '%s'", text);
    return (card->address[0] & 1) == 0 ||
           error_set(error, "'%s' is the address of a group, not of a card", text);
}

typedef struct IsaPlace {
    uint16_t port;
    uint8_t irq;
} IsaPlace;

/* As the first NE2000 of an ISA machine is set up, then as the next ones. */
static IsaPlace next_isa_place(const Settings *settings) {
    static const IsaPlace places[] = {{0x300, 9}, {0x320, 10}, {0x340, 11},
                                      {0x360, 3}, {0x280, 4},  {0x380, 5}};
    unsigned before = 0;
    for (unsigned i = 0; i < MACHINE_NETWORK_CARDS; i++)
        before += settings->machine.network_card[i].model != NULL &&
                  network_card_find(settings->machine.network_card[i].model)->is_isa;
    return places[before < sizeof(places) / sizeof(places[0]) ? before : 0];
}

static bool read_isa_place(const Settings *settings, KeyValues *values, NetworkCardConfig *card,
                           Error *error) {
    IsaPlace place = next_isa_place(settings);
    uint64_t port, irq;
    if (!key_values_get_number(values, "iobase", place.port, &port, error) ||
        !key_values_get_number(values, "irq", place.irq, &irq, error))
        return false;
    if (port == 0 || port > 0xFFE0 || port % 0x20 != 0 || irq < 2 || irq > 15)
        return error_set(error, "iobase is a multiple of 20h, and irq 2 to 15");
    card->io_base = (uint16_t)port;
    card->irq = (unsigned)irq;
    return true;
}

/* 'addr=4', '4.0' or '0x4', hexadecimal as ever. */
static bool read_slot(KeyValues *values, NetworkCardConfig *card, Error *error) {
    const char *text = key_values_get(values, "addr"), *bus = key_values_get(values, "bus");
    char *end;
    if (bus != NULL && strcmp(bus, "pci.0") != 0 && strcmp(bus, "pci") != 0)
        return error_set(error, "there is no bus '%s'; the PCI bus is pci.0", bus);
    if (text == NULL)
        return true;
    card->slot = (unsigned)strtoul(text, &end, 16);
    if (end == text || (*end != '\0' && strcmp(end, ".0") != 0) || card->slot == 0 ||
        card->slot > 31)
        return error_set(error, "addr is a slot of the PCI bus, 1 to 1f, not '%s'", text);
    return true;
}

static NetworkCardConfig *new_card(Settings *settings, Error *error) {
    for (unsigned i = 0; i < MACHINE_NETWORK_CARDS; i++)
        if (settings->machine.network_card[i].model == NULL)
            return &settings->machine.network_card[i];
    error_set(error, "there are no more than %d network cards", MACHINE_NETWORK_CARDS);
    return NULL;
}

/* All but what is at the other end. */
static NetworkCardConfig *add_card(Settings *settings, const NetworkCardModel *model,
                                   KeyValues *values, Error *error) {
    NetworkCardConfig *place = new_card(settings, error), card = {.model = model->name};
    uint64_t boot_index, rom_bar;
    if (place == NULL || !read_address(settings, values, &card, error) ||
        !key_values_get_number(values, "bootindex", 1000, &boot_index, error) ||
        !key_values_get_number(values, "rombar", 1, &rom_bar, error))
        return NULL;
    card.boot_index = boot_index < 1000 ? (int)boot_index : -1;
    card.boot_rom = keep(settings, values, "romfile");
    if (rom_bar == 0)
        card.boot_rom = "";
    bool good = model->is_isa ? read_isa_place(settings, values, &card, error)
                              : read_slot(values, &card, error);
    if (!good)
        return NULL;
    settings->network_given = true;
    *place = card;
    return place;
}

bool option_network_card(Settings *settings, const char *name, KeyValues *values, bool *is_card,
                         Error *error) {
    const NetworkCardModel *model = network_card_find(name);
    /* How QEMU shares the work with the host. */
    static const char *const tuning[] = {"vectors",
                                         "mq",
                                         "ioeventfd",
                                         "csum",
                                         "gso",
                                         "tx",
                                         "disable-legacy",
                                         "disable-modern",
                                         "packed",
                                         "rss",
                                         "rx_queue_size",
                                         "tx_queue_size",
                                         "failover",
                                         "multifunction",
                                         "acpi-index"};
    *is_card = model != NULL;
    if (model == NULL)
        return true;
    for (size_t i = 0; i < sizeof(tuning) / sizeof(tuning[0]); i++)
        key_values_get(values, tuning[i]);
    NetworkCardConfig *card = add_card(settings, model, values, error);
    if (card == NULL)
        return false;
    card->id = keep(settings, values, "id");
    card->back_end = keep(settings, values, "netdev");
    return key_values_check_used(values, NETWORK_CARD_KEYS, error);
}

void option_network_card_names(NearestName *nearest) {
    const NetworkCardModel *model;
    for (unsigned i = 0; (model = network_card_model(i)) != NULL; i++)
        nearest_name_consider(nearest, model->name);
}

void option_network_card_list(void) {
    const NetworkCardModel *model;
    for (unsigned i = 0; (model = network_card_model(i)) != NULL; i++)
        printf("%-16s %s (%s)\n", model->name, model->help, NETWORK_CARD_KEYS);
}

/* ---- -nic and -net ---- */

static const NetworkCardModel *find_model(KeyValues *values, Error *error) {
    const char *name = key_values_get(values, "model");
    if (name != NULL && strcmp(name, "virtio") == 0)
        name = "virtio-net-pci";
    const NetworkCardModel *model =
        name != NULL ? network_card_find(name) : option_network_default_card();
    if (model == NULL) {
        NearestName nearest = {.wanted = name != NULL ? name : ""};
        option_network_card_names(&nearest);
        const char *best = nearest_name_get(&nearest);
        error_set(error, "there is no network card '%s'%s%s%s", name != NULL ? name : "",
                  best != NULL ? "; did you mean '" : "", best != NULL ? best : "",
                  best != NULL ? "'?" : "; '-nic model=help' lists them");
    }
    return model;
}

const NetworkCardModel *option_network_default_card(void) {
    const NetworkCardModel *model = network_card_find("e1000");
    return model;
}

/* Which model that is depends on the machine, which need not be known yet. */
static void note_default_card(Settings *settings, const NetworkCardConfig *card,
                              KeyValues *values) {
    settings->network_card_is_default[card - settings->machine.network_card] =
        key_values_get(values, "model") == NULL;
}

static bool add_nic(Settings *settings, KeyValues *values, Error *error) {
    const char *kind = key_values_get(values, "type"), *model_name;
    if (kind == NULL)
        kind = "user";
    model_name = key_values_get(values, "model");
    if (model_name != NULL && is_help(model_name)) {
        option_network_card_list();
        return settings->listed = true;
    }
    const NetworkCardModel *model = find_model(values, error);
    NetworkCardConfig *card = model != NULL ? add_card(settings, model, values, error) : NULL;
    if (card == NULL)
        return false;
    card->comes_first = true;
    note_default_card(settings, card, values);
    key_values_get(values, "id");
    card->back_end = add_back_end(settings, kind, values, " model mac addr bootindex", error);
    return card->back_end != NULL;
}

bool option_nic(Settings *settings, const char *argument, Error *error) {
    KeyValues values = {.items = NULL};
    settings->network_given = true;
    if (strcmp(argument, "none") == 0)
        return true;
    bool good =
        key_values_parse(&values, argument, "type", error) && add_nic(settings, &values, error);
    key_values_free(&values);
    return good;
}

/* The first card of '-net nic' and the first '-net user' belong together, and so on. */
static bool add_net(Settings *settings, KeyValues *values, Error *error) {
    const char *kind = key_values_get(values, "type");
    if (kind == NULL)
        return error_set(error, "say nic, user, socket, tap or none");
    if (strcmp(kind, "nic") != 0) {
        const char *id = add_back_end(settings, kind, values, " name vlan", error);
        if (id == NULL || settings->net_back_end_count == MACHINE_NETWORK_BACK_ENDS)
            return false;
        settings->net_back_end[settings->net_back_end_count++] = id;
        return true;
    }
    const NetworkCardModel *model = find_model(values, error);
    NetworkCardConfig *card = model != NULL ? add_card(settings, model, values, error) : NULL;
    if (card == NULL)
        return false;
    card->comes_first = true;
    note_default_card(settings, card, values);
    if (key_values_get(values, "netdev") == NULL)
        settings->net_card[settings->net_card_count++] = card;
    card->back_end = keep(settings, values, "netdev");
    key_values_get(values, "name");
    key_values_get(values, "vectors");
    return key_values_check_used(values, "model macaddr mac addr name vlan netdev", error);
}

static void take_old_names(KeyValues *values) {
    const char *address = key_values_get(values, "macaddr");
    if (address != NULL)
        key_values_set(values, "mac", address);
}

/* Cards and back ends of one number were on one hub. Here they go together by their order. */
static void take_hub(Settings *settings, KeyValues *values) {
    const char *hub = key_values_get(values, "vlan");
    if (hub != NULL && strcmp(hub, "0") != 0)
        settings_warn(settings, "vlan=%s: cards and networks go together by their order", hub);
}

bool option_net(Settings *settings, const char *argument, Error *error) {
    KeyValues values = {.items = NULL};
    settings->network_given = true;
    if (strcmp(argument, "none") == 0)
        return true;
    bool good = key_values_parse(&values, argument, "type", error);
    take_old_names(&values);
    take_hub(settings, &values);
    good = good && add_net(settings, &values, error);
    key_values_free(&values);
    return good;
}

/* ---- -object ---- */

bool option_network_dump(Settings *settings, KeyValues *values, Error *error) {
    NetworkDumpOptions *dump = settings->machine.network_dump;
    unsigned index = 0;
    uint64_t bytes;
    while (index < MACHINE_NETWORK_DUMPS && dump[index].file != NULL)
        index++;
    if (index == MACHINE_NETWORK_DUMPS)
        return error_set(error, "there are no more than %d of them", MACHINE_NETWORK_DUMPS);
    dump += index;
    if (!key_values_get_number(values, "maxlen", 65536, &bytes, error))
        return false;
    *dump = (NetworkDumpOptions){.id = keep(settings, values, "id"),
                                 .back_end = keep(settings, values, "netdev"),
                                 .file = keep(settings, values, "file"),
                                 .frame_bytes = bytes > 65536 ? 65536 : (unsigned)bytes};
    if (dump->id == NULL || dump->back_end == NULL || dump->file == NULL)
        return error_set(error, "filter-dump needs id=, netdev= and file=");
    return key_values_check_used(values, "id netdev file maxlen", error);
}

/* ---- When all options are read ---- */

static bool has_back_end(const Settings *settings, const char *id) {
    for (unsigned i = 0; i < MACHINE_NETWORK_BACK_ENDS; i++) {
        const NetworkBackEndOptions *options = &settings->machine.network_back_end[i];
        if (options->kind != NETWORK_BACK_END_NONE && strcmp(options->id, id) == 0)
            return true;
    }
    return false;
}

static bool check_cards(const Settings *settings, Error *error) {
    const NetworkCardConfig *cards = settings->machine.network_card;
    for (unsigned i = 0; i < MACHINE_NETWORK_CARDS; i++) {
        const char *id = cards[i].model != NULL ? cards[i].back_end : NULL;
        if (id == NULL)
            continue;
        if (!has_back_end(settings, id))
            return error_set(error, "there is no network back end '%s'; -netdev makes one", id);
        for (unsigned j = 0; j < i; j++)
            if (cards[j].model != NULL && cards[j].back_end != NULL &&
                strcmp(cards[j].back_end, id) == 0)
                return error_set(error, "two network cards use the back end '%s'", id);
    }
    return true;
}

/* Runs that are to be repeatable have no network unless they are given one. */
static bool add_default(Settings *settings, Error *error) {
    if (settings->network_given || settings->no_defaults || settings->machine.icount ||
        option_network_default_card() == NULL)
        return true;
    return option_nic(settings, "user", error) &&
           (settings->machine.network_back_end[0].user.is_default = true);
}

/* An ISA machine has another usual card. */
static void adapt_default_cards(Settings *settings) {
    for (unsigned i = 0; i < MACHINE_NETWORK_CARDS && !settings->machine.has_pci; i++) {
        NetworkCardConfig *card = &settings->machine.network_card[i];
        if (card->model == NULL || !settings->network_card_is_default[i])
            continue;
        IsaPlace place = next_isa_place(settings);
        card->model = ISA_MACHINE_CARD;
        card->io_base = place.port;
        card->irq = place.irq;
    }
}

/* What -redir, -tftp and -bootp ask for, of the first back end that can do it. */
static bool apply_user_network(Settings *settings, Error *error) {
    KeyValues values = {.items = NULL};
    NetworkBackEndOptions more = {.kind = NETWORK_BACK_END_USER}, *first = NULL;
    for (unsigned i = 0; i < MACHINE_NETWORK_BACK_ENDS && first == NULL; i++)
        if (settings->machine.network_back_end[i].kind == NETWORK_BACK_END_USER)
            first = &settings->machine.network_back_end[i];
    if (first == NULL)
        return error_set(error, "-redir, -tftp and -bootp need a network: -nic user");
    bool good = true;
    for (unsigned i = 0; good && i < settings->user_network_count; i++)
        good = key_values_parse(&values, settings->user_network[i], NULL, error);
    good = good && read_user(settings, &values, &more, error);
    unsigned count = 0;
    while (count < NETWORK_FORWARDS && first->user.forwards[count] != NULL)
        count++;
    for (unsigned i = 0; i < NETWORK_FORWARDS && more.user.forwards[i] != NULL; i++) {
        if (good && count == NETWORK_FORWARDS)
            good = error_set(error, "more than %d of 'hostfwd'", NETWORK_FORWARDS);
        if (good)
            first->user.forwards[count++] = more.user.forwards[i];
    }
    if (more.user.tftp != NULL)
        first->user.tftp = more.user.tftp;
    if (more.user.boot_file != NULL)
        first->user.boot_file = more.user.boot_file;
    key_values_free(&values);
    return good;
}

bool settings_finish_network(Settings *settings, Error *error) {
    if (!add_default(settings, error) ||
        (settings->user_network_count > 0 && !apply_user_network(settings, error)))
        return false;
    adapt_default_cards(settings);
    for (unsigned i = 0; i < settings->net_card_count && i < settings->net_back_end_count; i++)
        settings->net_card[i]->back_end = settings->net_back_end[i];
    for (unsigned i = 0; i < MACHINE_NETWORK_BACK_ENDS; i++) {
        NetworkUserOptions *user = &settings->machine.network_back_end[i].user;
        user->ipv6 = user->ipv6 && (user->ipv6_given || !settings->machine.icount);
    }
    for (unsigned i = 0; i < MACHINE_NETWORK_DUMPS; i++) {
        const NetworkDumpOptions *dump = &settings->machine.network_dump[i];
        if (dump->file != NULL && !has_back_end(settings, dump->back_end))
            return error_set(error, "filter-dump: there is no network back end '%s'",
                             dump->back_end);
    }
    return check_cards(settings, error);
}
