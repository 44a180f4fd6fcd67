/* What can be at the other end of a network card's cable, as the command line tells it. Strings
 * belong to the caller and must outlive the machine. */
#ifndef REPRISE_NETWORK_BACK_END_H
#define REPRISE_NETWORK_BACK_END_H

#include <stdbool.h>

enum { NETWORK_FORWARDS = 32, NETWORK_SEARCH_DOMAINS = 16 };

/* A private network with address translation, by libslirp. NULL: the usual value. */
typedef struct NetworkUserOptions {
    bool is_default; /* nobody asked for it: nothing is loaded before the guest sends */
    bool restricted; /* the guest reaches nothing but what is forwarded */
    bool ipv4, ipv6;
    bool ipv6_given;     /* otherwise runs that repeat have none: announcements come at random */
    const char *network; /* "10.0.2.0/24" */
    const char *host, *dhcp_start, *dns;
    const char *network6, *prefix6_length, *host6, *dns6;
    const char *host_name, *domain_name;
    const char *dns_search[NETWORK_SEARCH_DOMAINS];
    const char *tftp, *tftp_server_name, *boot_file;
    const char *http; /* the folder that the HTTP server shows; NULL: there is none */
    const char *forwards[NETWORK_FORWARDS];       /* "tcp::2222-:22" */
    const char *guest_forwards[NETWORK_FORWARDS]; /* "tcp:10.0.2.100:80-cmd:..." */
} NetworkUserOptions;

/* Frames over a socket, as QEMU's '-netdev socket' sends them. One of the first four is given. */
typedef struct NetworkSocketOptions {
    const char *file; /* the number of an open one */
    const char *listen, *connect, *multicast, *udp;
    const char *local_address;
} NetworkSocketOptions;

/* A network interface of the host. */
typedef struct NetworkTapOptions {
    const char *file;                 /* the number of an open one; NULL: made by name */
    const char *interface;            /* NULL: the host chooses */
    const char *script, *down_script; /* NULL or "no": none */
} NetworkTapOptions;

typedef enum NetworkBackEndKind {
    NETWORK_BACK_END_NONE,
    NETWORK_BACK_END_USER,
    NETWORK_BACK_END_SOCKET,
    NETWORK_BACK_END_TAP
} NetworkBackEndKind;

typedef struct NetworkBackEndOptions {
    const char *id;
    NetworkBackEndKind kind;
    NetworkUserOptions user;
    NetworkSocketOptions socket;
    NetworkTapOptions tap;
} NetworkBackEndOptions;

/* A file to which the frames of a back end's cable are written (pcap). */
typedef struct NetworkDumpOptions {
    const char *id, *back_end, *file;
    unsigned frame_bytes; /* at most so many of each are kept */
} NetworkDumpOptions;

#endif
