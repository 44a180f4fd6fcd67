/* The private network where the build has no libslirp. */
#include "network_user.h"

NetworkUser *network_user_create(const DeviceContext *context, const NetworkUserOptions *options,
                                 NetworkHost *host, NetworkLink *link, bool lenient, Error *error) {
    (void)context;
    (void)options;
    (void)host;
    (void)link;
    (void)lenient;
    error_set(error, "this build has no network 'user': it was made without libslirp");
    return NULL;
}

/* There is none of which the following could be asked. */

void network_user_destroy(NetworkUser *user) {
    (void)user;
}

bool network_user_add_forward(NetworkUser *user, const char *rule, Error *error) {
    (void)user;
    (void)rule;
    (void)error;
    return false;
}

bool network_user_remove_forward(NetworkUser *user, const char *rule, Error *error) {
    (void)user;
    (void)rule;
    (void)error;
    return false;
}

void network_user_print_connections(NetworkUser *user, ByteBuffer *text) {
    (void)user;
    (void)text;
}

void network_user_print(const NetworkUser *user, ByteBuffer *text) {
    (void)user;
    (void)text;
}

void network_user_save(NetworkUser *user, ByteBuffer *buffer) {
    (void)user;
    (void)buffer;
}

bool network_user_load(NetworkUser *user, ByteReader *reader, Error *error) {
    (void)user;
    (void)reader;
    (void)error;
    return false;
}
