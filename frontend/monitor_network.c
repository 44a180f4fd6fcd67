/* Network cards and what is at the other ends of their cables. */
#include "machine_parts.h"
#include "monitor_command.h"
#include "network_cards.h"
#include "network_socket.h"
#include "network_tap.h"
#include "network_user.h"

#include <string.h>

static void print_back_end(Monitor *monitor, const BoardNetworkCard *card) {
    static const char *const kinds[] = {[NETWORK_BACK_END_USER] = "user",
                                        [NETWORK_BACK_END_SOCKET] = "socket",
                                        [NETWORK_BACK_END_TAP] = "tap"};
    monitor_print(monitor, " \\ %s: index=0,type=%s,", card->back_end->id,
                  kinds[card->back_end->kind]);
    if (card->user != NULL)
        network_user_print(card->user, &monitor->output);
    if (card->socket != NULL)
        network_socket_print(card->socket, &monitor->output);
    if (card->tap != NULL)
        network_tap_print(card->tap, &monitor->output);
    monitor_print(monitor, "\n");
}

bool monitor_info_network(Monitor *monitor, char *arguments, Error *error) {
    const Machine *machine = monitor->machine;
    (void)arguments;
    (void)error;
    for (unsigned i = 0; i < MACHINE_NETWORK_CARDS; i++) {
        const BoardNetworkCard *card = &machine->board.network_card[i];
        const uint8_t *address = machine->config.network_card[i].address;
        if (card->card == NULL)
            continue;
        monitor_print(monitor,
                      "%s: index=0,type=nic,model=%s,macaddr=%02x:%02x:%02x:%02x:%02x:%02x%s\n",
                      card->id, card->model->name, address[0], address[1], address[2], address[3],
                      address[4], address[5], network_link_is_up(card->link) ? "" : ",link=down");
        if (card->back_end != NULL)
            print_back_end(monitor, card);
    }
    return true;
}

bool monitor_info_usernet(Monitor *monitor, char *arguments, Error *error) {
    (void)arguments;
    (void)error;
    for (unsigned i = 0; i < MACHINE_NETWORK_CARDS; i++) {
        const BoardNetworkCard *card = &monitor->machine->board.network_card[i];
        if (card->user == NULL)
            continue;
        monitor_print(monitor, "%s:\n", card->back_end->id);
        network_user_print_connections(card->user, &monitor->output);
    }
    return true;
}

/* By its name, or that of its back end; NULL: any with a private network. */
static BoardNetworkCard *find_card(Monitor *monitor, const char *name) {
    for (unsigned i = 0; i < MACHINE_NETWORK_CARDS; i++) {
        BoardNetworkCard *card = &monitor->machine->board.network_card[i];
        if (card->card == NULL)
            continue;
        bool is_named =
            name != NULL && (strcmp(card->id, name) == 0 ||
                             (card->back_end != NULL && strcmp(card->back_end->id, name) == 0));
        if (is_named || (name == NULL && card->user != NULL))
            return card;
    }
    return NULL;
}

bool monitor_set_link(Monitor *monitor, char *arguments, Error *error) {
    char *name = monitor_next_word(&arguments), *state = monitor_next_word(&arguments);
    if (name == NULL || state == NULL || (strcmp(state, "on") != 0 && strcmp(state, "off") != 0))
        return error_set(error, "set_link: name and on or off expected");
    BoardNetworkCard *card = find_card(monitor, name);
    if (card == NULL)
        return error_set(error, "Error: Device '%s' not found", name);
    network_link_set_up(card->link, strcmp(state, "on") == 0);
    return true;
}

/* "[back end] rule" */
static bool change_forward(Monitor *monitor, char *arguments,
                           bool (*change)(NetworkUser *user, const char *rule, Error *error),
                           Error *error) {
    char *first = monitor_next_word(&arguments), *second = monitor_next_word(&arguments);
    const char *name = second != NULL ? first : NULL, *rule = second != NULL ? second : first;
    if (rule == NULL)
        return error_set(error, "a rule such as tcp::2222-:22 is expected");
    BoardNetworkCard *card = find_card(monitor, name);
    if (card == NULL || card->user == NULL)
        return error_set(error, "Error: there is no network 'user'%s%s", name != NULL ? " " : "",
                         name != NULL ? name : "");
    return change(card->user, rule, error);
}

bool monitor_add_forward(Monitor *monitor, char *arguments, Error *error) {
    return change_forward(monitor, arguments, network_user_add_forward, error);
}

bool monitor_remove_forward(Monitor *monitor, char *arguments, Error *error) {
    return change_forward(monitor, arguments, network_user_remove_forward, error);
}
