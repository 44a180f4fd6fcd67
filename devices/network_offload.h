/* Work of TCP/IP that network cards do for drivers: checksums of frames that are sent and received,
 * and cutting what a driver hands over as one into segments. All offsets come from drivers, and
 * none leads out of a frame. */
#ifndef REPRISE_NETWORK_OFFLOAD_H
#define REPRISE_NETWORK_OFFLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NETWORK_ADDRESSES_BYTES = 12, NETWORK_TAG_BYTES = 4, NETWORK_TYPE_IP4 = 0x0800 };

/* Puts the checksum of the frame's bytes from 'start' to 'end' (that is the last one; 0: the
 * frame's end) at 'offset'. 'zero_means_none': as UDP has it, where a sum of 0 is sent as FFFFh. */
void network_put_checksum(uint8_t *frame, size_t size, size_t start, size_t offset, size_t end,
                          bool zero_means_none);

/* Where headers are in what is to be cut. */
typedef struct NetworkLayout {
    uint16_t ip_start, transport_start;
    uint16_t transport_checksum; /* where it stands in the frame; the sum of the pseudo header
                                    without the length is there */
    bool is_ip4, is_tcp;         /* else IPv6, and UDP */
    bool congestion;             /* that the window was reduced is told by the first segment only */
} NetworkLayout;

typedef struct NetworkSegment {
    uint32_t number;   /* from 0 */
    uint32_t position; /* of its first byte in the data */
    bool last;
} NetworkSegment;

/* Makes the header of all, at the beginning of 'frame', that of one segment: lengths, numbers,
 * flags; 'adds_length': to the sum of the pseudo header. Checksums are not computed. */
void network_fit_segment(uint8_t *frame, size_t size, const NetworkLayout *layout,
                         const NetworkSegment *segment, bool adds_length);

typedef enum NetworkCheck { NETWORK_UNCHECKED, NETWORK_GOOD, NETWORK_BAD } NetworkCheck;

typedef struct NetworkChecks {
    NetworkCheck ip, transport; /* of IPv4; unchecked where there is none, or no sum */
} NetworkChecks;

/* Of a frame whose type stands at 'type_offset': behind the addresses, or behind a tag. */
NetworkChecks network_check_frame(const uint8_t *frame, size_t size, size_t type_offset);

#endif
