/* Addresses and forwarding rules of the back end 'user', as text. */
#ifndef REPRISE_NETWORK_USER_RULE_H
#define REPRISE_NETWORK_USER_RULE_H

#include "error.h"
#include "host_address.h"
#include "network_back_end.h"
#include <stdbool.h>

/* Where everything is in the network. */
typedef struct NetworkUserPlan {
    struct in_addr network, mask, host, dhcp_start, dns;
    struct in6_addr prefix6, host6, dns6;
    unsigned prefix6_length;
} NetworkUserPlan;

/* From the options, with the usual values where they say nothing. */
bool network_user_plan(const NetworkUserOptions *options, NetworkUserPlan *plan, Error *error);

typedef struct NetworkForward {
    bool is_udp;
    struct in_addr host, guest;
    int host_port, guest_port;
} NetworkForward;

/* "[tcp|udp]:[address]:port-[address]:port"; the part from '-' on is not there where a rule is to
 * be removed. */
bool network_forward_parse(const char *rule, bool has_guest, NetworkForward *forward, Error *error);

/* "[tcp]:address:port-target": where connections of the guest to that address go. */
typedef struct NetworkGuestForward {
    struct in_addr address;
    int port;
    const char *command, *socket; /* one of them: "cmd:..." or "unix:..."; within the rule */
} NetworkGuestForward;
bool network_guest_forward_parse(const char *rule, NetworkGuestForward *forward, Error *error);

#endif
