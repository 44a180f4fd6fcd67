#include "network_dump.h"
#include "allocate.h"
#include "little_endian.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FILE_HEADER_BYTES = 24,
    FRAME_HEADER_BYTES = 16,
    MAGIC = (int)0xA1B2C3D4, /* times in microseconds */
    VERSION_MAJOR = 2,
    VERSION_MINOR = 4,
    LINK_ETHERNET = 1,
};

struct NetworkDump {
    FILE *file;
    NetworkLink *link;
    unsigned frame_bytes;
};

static void saw_frame(void *opaque, const uint8_t *frame, size_t size, int64_t now_ns) {
    NetworkDump *dump = opaque;
    size_t kept = size < dump->frame_bytes ? size : dump->frame_bytes;
    uint8_t header[FRAME_HEADER_BYTES];
    store_le32(header, (uint32_t)(now_ns / NS_PER_SECOND));
    store_le32(header + 4, (uint32_t)(now_ns % NS_PER_SECOND / 1000));
    store_le32(header + 8, (uint32_t)kept);
    store_le32(header + 12, (uint32_t)size);
    fwrite(header, 1, sizeof(header), dump->file);
    fwrite(frame, 1, kept, dump->file);
}

static void write_file_header(const NetworkDump *dump) {
    uint8_t header[FILE_HEADER_BYTES] = {0};
    store_le32(header, (uint32_t)MAGIC);
    store_le16(header + 4, VERSION_MAJOR);
    store_le16(header + 6, VERSION_MINOR);
    store_le32(header + 16, dump->frame_bytes);
    store_le32(header + 20, LINK_ETHERNET);
    fwrite(header, 1, sizeof(header), dump->file);
    fflush(dump->file);
}

NetworkDump *network_dump_create(const NetworkDumpOptions *options, NetworkLink *link,
                                 Error *error) {
    NetworkDump *dump = allocate_zeroed(sizeof(*dump));
    const NetworkObserver observer = {saw_frame, dump};
    dump->link = link;
    dump->frame_bytes = options->frame_bytes;
    dump->file = fopen(options->file, "wbe");
    if (dump->file == NULL || !network_link_add_observer(link, &observer)) {
        if (dump->file == NULL)
            error_set(error, "cannot write '%s': %s", options->file, strerror(errno));
        else
            error_set(error, "more than %d of them look at one network", NETWORK_OBSERVERS);
        network_dump_destroy(dump);
        return NULL;
    }
    write_file_header(dump);
    return dump;
}

void network_dump_destroy(NetworkDump *dump) {
    if (dump == NULL)
        return;
    network_link_remove_observer(dump->link, dump);
    if (dump->file != NULL)
        fclose(dump->file);
    free(dump);
}
