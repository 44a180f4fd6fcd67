#include "network_user_rule.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool parse_address(const char *text, struct in_addr *address, Error *error) {
    return inet_pton(AF_INET, text, address) == 1 ||
           error_set(error, "'%s' is no IPv4 address", text);
}

static bool parse_address6(const char *text, struct in6_addr *address, Error *error) {
    return inet_pton(AF_INET6, text, address) == 1 ||
           error_set(error, "'%s' is no IPv6 address", text);
}

static bool parse_length(const char *text, unsigned most, unsigned *length) {
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    *length = (unsigned)value;
    return end != text && *end == '\0' && value <= most && *text >= '0' && *text <= '9';
}

/* As classes of addresses have it. */
static uint32_t usual_mask(uint32_t network) {
    if (!(network & 0x80000000))
        return 0xFF000000;
    return (network & 0xC0000000) == 0x80000000 ? 0xFFFF0000 : 0xFFFFFF00;
}

/* "10.0.2.0", "10.0.2.0/24", "10.0.2.0/255.255.255.0" */
static bool parse_network(const char *text, NetworkUserPlan *plan, Error *error) {
    char address[64];
    unsigned bits;
    const char *slash = strchr(text, '/');
    size_t length = slash != NULL ? (size_t)(slash - text) : strlen(text);
    if (length >= sizeof(address))
        return error_set(error, "'%.60s...' is no network", text);
    memcpy(address, text, length);
    address[length] = '\0';
    if (!parse_address(address, &plan->network, error))
        return false;
    if (slash == NULL)
        plan->mask.s_addr = htonl(usual_mask(ntohl(plan->network.s_addr)));
    else if (parse_length(slash + 1, 32, &bits))
        plan->mask.s_addr = htonl(bits == 0 ? 0 : UINT32_MAX << (32 - bits));
    else if (!parse_address(slash + 1, &plan->mask, error))
        return false;
    uint32_t rest = ~ntohl(plan->mask.s_addr);
    if ((rest & (rest + 1)) != 0)
        return error_set(error, "'%s' is no mask of a network", slash + 1);
    plan->network.s_addr &= plan->mask.s_addr;
    return true;
}

/* An address of the network, by its last bits where it is not given. */
static bool place(const NetworkUserPlan *plan, const char *text, uint32_t usual, const char *what,
                  struct in_addr *address, Error *error) {
    if (text != NULL && !parse_address(text, address, error))
        return error_prefix(error, "%s=: ", what);
    if (text == NULL)
        address->s_addr = plan->network.s_addr | (htonl(usual) & ~plan->mask.s_addr);
    return (address->s_addr & plan->mask.s_addr) == plan->network.s_addr ||
           error_set(error, "%s=%s is not in the network", what, text);
}

static bool plan6(const NetworkUserOptions *options, NetworkUserPlan *plan, Error *error) {
    char prefix[64];
    const char *length = options->prefix6_length;
    snprintf(prefix, sizeof(prefix), "%s",
             options->network6 != NULL ? options->network6 : "fec0::");
    char *slash = strchr(prefix, '/');
    if (slash != NULL) {
        *slash = '\0';
        length = strchr(options->network6, '/') + 1;
    }
    plan->prefix6_length = 64;
    if (length != NULL && (!parse_length(length, 126, &plan->prefix6_length)))
        return error_set(error, "'%s' is no length of an IPv6 prefix", length);
    if (!parse_address6(prefix, &plan->prefix6, error))
        return false;
    plan->host6 = plan->dns6 = plan->prefix6;
    plan->host6.s6_addr[15] |= 2;
    plan->dns6.s6_addr[15] |= 3;
    return (options->host6 == NULL || parse_address6(options->host6, &plan->host6, error)) &&
           (options->dns6 == NULL || parse_address6(options->dns6, &plan->dns6, error));
}

bool network_user_plan(const NetworkUserOptions *options, NetworkUserPlan *plan, Error *error) {
    *plan = (NetworkUserPlan){.prefix6_length = 0};
    const char *network = options->network != NULL ? options->network : "10.0.2.0/24";
    if (!parse_network(network, plan, error) ||
        !place(plan, options->host, 0x0202, "host", &plan->host, error) ||
        !place(plan, options->dhcp_start, 0x020F, "dhcpstart", &plan->dhcp_start, error) ||
        !place(plan, options->dns, 0x0203, "dns", &plan->dns, error))
        return false;
    return plan6(options, plan, error);
}

/* Copies up to 'end' (or the end of the text) and goes on behind it; false: it is not there, or
 * the part is too long. */
static bool take_part(const char **text, char end, char *part, size_t size) {
    const char *at = strchr(*text, end);
    if (at == NULL || (size_t)(at - *text) >= size)
        return false;
    memcpy(part, *text, (size_t)(at - *text));
    part[at - *text] = '\0';
    *text = end == '\0' ? at : at + 1;
    return true;
}

static bool parse_port(const char *text, int least, int *port) {
    unsigned value;
    if (!parse_length(text, 65535, &value) || (int)value < least)
        return false;
    *port = (int)value;
    return true;
}

static bool bad_rule(const char *rule, Error *error) {
    return error_set(error, "'%s' is no rule; it looks like tcp::2222-:22", rule);
}

bool network_forward_parse(const char *rule, bool has_guest, NetworkForward *forward,
                           Error *error) {
    const char *text = rule;
    char part[64];
    *forward = (NetworkForward){.is_udp = false};
    if (!take_part(&text, ':', part, sizeof(part)))
        return bad_rule(rule, error);
    forward->is_udp = strcmp(part, "udp") == 0;
    if (!forward->is_udp && strcmp(part, "tcp") != 0 && *part != '\0')
        return error_set(error, "'%s' in '%s' is neither tcp nor udp", part, rule);
    if (!take_part(&text, ':', part, sizeof(part)))
        return bad_rule(rule, error);
    if (*part != '\0' && !parse_address(part, &forward->host, error))
        return false;
    if (!take_part(&text, has_guest ? '-' : '\0', part, sizeof(part)) ||
        !parse_port(part, has_guest ? 0 : 1, &forward->host_port))
        return bad_rule(rule, error);
    if (!has_guest)
        return true;
    if (!take_part(&text, ':', part, sizeof(part)))
        return bad_rule(rule, error);
    if (*part != '\0' && !parse_address(part, &forward->guest, error))
        return false;
    return (take_part(&text, '\0', part, sizeof(part)) &&
            parse_port(part, 1, &forward->guest_port)) ||
           bad_rule(rule, error);
}

bool network_guest_forward_parse(const char *rule, NetworkGuestForward *forward, Error *error) {
    const char *text = rule;
    char part[64];
    *forward = (NetworkGuestForward){.port = 0};
    if (!take_part(&text, ':', part, sizeof(part)) || (*part != '\0' && strcmp(part, "tcp") != 0))
        return error_set(error, "'%s' does not begin with tcp:", rule);
    if (!take_part(&text, ':', part, sizeof(part)) ||
        !parse_address(part, &forward->address, error))
        return error_set(error, "'%s' has no address", rule);
    if (!take_part(&text, '-', part, sizeof(part)) || !parse_port(part, 1, &forward->port))
        return error_set(error, "'%s' has no port", rule);
    if (strncmp(text, "cmd:", 4) == 0)
        forward->command = text + 4;
    else if (strncmp(text, "unix:", 5) == 0)
        forward->socket = text + 5;
    else
        return error_set(error, "'%s' leads to '%s'; known are cmd:COMMAND and unix:PATH", rule,
                         text);
    return true;
}
