/* The frames of a cable, written to a file as tcpdump and Wireshark read it (pcap, the classic
 * format: draft-ietf-opsawg-pcap). Times are those of the virtual clock. */
#ifndef REPRISE_NETWORK_DUMP_H
#define REPRISE_NETWORK_DUMP_H

#include "network_back_end.h"
#include "network_link.h"

typedef struct NetworkDump NetworkDump;

NetworkDump *network_dump_create(const NetworkDumpOptions *options, NetworkLink *link,
                                 Error *error);
void network_dump_destroy(NetworkDump *dump);

#endif
