/* Takes the VNC server's place in a build without libvncserver. */
#include "vnc_server.h"

VncServer *vnc_server_open(EventLoop *loop, Machine *machine, const VncSpec *spec, const char *name,
                           Error *error) {
    (void)loop;
    (void)machine;
    (void)spec;
    (void)name;
    error_set(error, "this build has no VNC server (it needs libvncserver)");
    return NULL;
}

void vnc_server_close(VncServer *server) {
    (void)server;
}

void vnc_server_update(VncServer *server) {
    (void)server;
}

int vnc_server_wait_ms(const VncServer *server) {
    (void)server;
    return -1;
}

bool vnc_server_set_password(VncServer *server, const char *password, Error *error) {
    (void)server;
    (void)password;
    return error_set(error, "there is no VNC server");
}

bool vnc_server_expire_password(VncServer *server, int64_t when, Error *error) {
    (void)server;
    (void)when;
    return error_set(error, "there is no VNC server");
}

int vnc_server_port(const VncServer *server) {
    (void)server;
    return 0;
}

unsigned vnc_server_client_count(const VncServer *server) {
    (void)server;
    return 0;
}

bool vnc_server_add_client(VncServer *server, int fd, Error *error) {
    (void)server;
    (void)fd;
    return error_set(error, "there is no VNC server");
}
