/* Sockets and clients of the VNC server. Sockets are ours: the library is handed those of clients,
 * and everything runs in the main loop. */
#include "host_file.h"
#include "host_socket.h"
#include "vnc_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    UPDATE_MS = 33,       /* between pictures */
    CLIENT_WAIT_MS = 500, /* for the rest of a message that has begun; nobody else is served */
};

static void serve_client(void *opaque, int fd) {
    VncServer *server = opaque;
    (void)fd;
    server->vnc.rfbProcessEvents(server->screen, 0);
}

/* The library forgets to (0.9.14): 45 KB for each browser that came and went. */
static void free_browser(rfbClientPtr client) {
    free(client->wsctx);
    client->wsctx = NULL;
}

static void client_gone(rfbClientPtr client) {
    VncServer *server = client->screen->screenData;
    free_browser(client);
    event_loop_remove(server->loop, (int)(intptr_t)client->clientData);
    if (--server->clients == 0)
        vnc_input_release_all(server);
}

static enum rfbNewClientAction client_came(rfbClientPtr client) {
    VncServer *server = client->screen->screenData;
    if (!event_loop_add(server->loop, client->sock, serve_client, server))
        return RFB_CLIENT_REFUSE;
    client->clientData = (void *)(intptr_t)client->sock; /* gone when it is told that it is */
    client->clientGoneHook = client_gone;
    server->clients++;
    return RFB_CLIENT_ACCEPT;
}

static void accept_client(void *opaque, int listener) {
    VncServer *server = opaque;
    int fd = host_socket_accept(listener);
    if (fd < 0)
        return;
    vnc_screen_refresh(server);
    server->vnc.rfbNewClient(server->screen, fd);
}

static bool listen_at(VncServer *server, unsigned index, int fd) {
    server->listener[index] = fd;
    return fd >= 0 && event_loop_add(server->loop, fd, accept_client, server);
}

/* Without a password an empty host means this one, with one every address. */
static const char *choose_host(const VncSpec *spec, const char *host) {
    return host[0] != '\0' ? host : spec->has_password ? "0.0.0.0" : "127.0.0.1";
}

static int listen_tcp(const char *host, int port, Error *error) {
    char text[16];
    snprintf(text, sizeof(text), "%d", port);
    return host_socket_listen_tcp(host, text, error);
}

static bool open_listeners(VncServer *server, const VncSpec *spec, Error *error) {
    int fd = -1;
    if (spec->path != NULL) {
        fd = host_socket_listen_unix(spec->path, error);
        server->path = fd >= 0 ? spec->path : NULL;
    }
    for (int port = spec->port; spec->path == NULL && fd < 0 && port <= spec->last_port; port++) {
        *error = (Error){.set = false};
        fd = listen_tcp(choose_host(spec, spec->host), port, error);
        server->port = port;
    }
    if (!listen_at(server, 0, fd))
        return false;
    if (spec->websocket_port == 0)
        return true;
    return listen_at(
        server, 1,
        listen_tcp(choose_host(spec, spec->websocket_host), spec->websocket_port, error));
}

static rfbBool check_password(rfbClientPtr client, const char *response, int length) {
    VncServer *server = client->screen->screenData;
    return (int64_t)time(NULL) < server->expires &&
           server->vnc.rfbCheckPasswordByList(client, response, length);
}

static bool start_library(VncServer *server, Error *error) {
    if (!vnc_library_load(&server->vnc, error))
        return false;
    server->vnc.rfbLogEnable(0);
    if (!vnc_screen_init(server))
        return error_set(error, "cannot make a screen for VNC");
    rfbScreenInfo *screen = server->screen;
    screen->screenData = server;
    screen->desktopName = server->name;
    screen->port = screen->ipv6port = screen->httpPort = 0; /* it does not listen */
    screen->autoPort = FALSE;
    screen->alwaysShared = TRUE;
    screen->maxClientWait = CLIENT_WAIT_MS;
    screen->cursor = NULL; /* the guest's is in the picture */
    screen->newClientHook = client_came;
    if (server->needs_password) {
        screen->authPasswdData = server->passwords;
        screen->passwordCheck = check_password;
    }
    vnc_input_init(server);
    vnc_extended_key_register(server);
    server->vnc.initServer(screen);
    return true;
}

VncServer *vnc_server_open(EventLoop *loop, Machine *machine, const VncSpec *spec, const char *name,
                           Error *error) {
    VncServer *server = calloc(1, sizeof(*server));
    server->loop = loop;
    server->machine = machine;
    server->listener[0] = server->listener[1] = -1;
    server->needs_password = spec->has_password;
    server->expires = INT64_MAX;
    server->name = strdup(name != NULL ? name : "Reprise");
    if (start_library(server, error) && open_listeners(server, spec, error))
        return server;
    if (!error->set)
        error_set(error, "too many sockets for a VNC server");
    vnc_server_close(server);
    return NULL;
}

void vnc_server_close(VncServer *server) {
    if (server == NULL)
        return;
    for (unsigned i = 0; i < VNC_LISTENERS; i++) {
        if (server->listener[i] < 0)
            continue;
        event_loop_remove(server->loop, server->listener[i]);
        close(server->listener[i]);
    }
    if (server->path != NULL)
        unlink(server->path);
    if (server->screen != NULL) {
        server->vnc.rfbShutdownServer(server->screen, TRUE);
        vnc_extended_key_unregister(server);
    }
    vnc_screen_free(server);
    free(server->name);
    free(server);
}

void vnc_server_update(VncServer *server) {
    if (server == NULL || server->clients == 0)
        return;
    vnc_screen_update(server);
    server->vnc.rfbProcessEvents(server->screen, 0);
}

int vnc_server_wait_ms(const VncServer *server) {
    return server != NULL && server->clients != 0 ? UPDATE_MS : -1;
}

static bool check_has_password(const VncServer *server, Error *error) {
    return (server != NULL && server->needs_password) ||
           error_set(error, "VNC has no password here: '-vnc ...,password=on' gives it one");
}

bool vnc_server_expire_password(VncServer *server, int64_t when, Error *error) {
    if (!check_has_password(server, error))
        return false;
    server->expires = when;
    return true;
}

bool vnc_server_set_password(VncServer *server, const char *password, Error *error) {
    if (!check_has_password(server, error))
        return false;
    snprintf(server->password, sizeof(server->password), "%s", password != NULL ? password : "");
    server->passwords[0] = server->password[0] != '\0' ? server->password : NULL;
    return true;
}

int vnc_server_port(const VncServer *server) {
    return server->path != NULL ? 0 : server->port;
}

unsigned vnc_server_client_count(const VncServer *server) {
    return server != NULL ? server->clients : 0;
}

bool vnc_server_add_client(VncServer *server, int fd, Error *error) {
    if (server == NULL)
        return error_set(error, "there is no VNC server");
    return server->vnc.rfbNewClient(server->screen, fd) != NULL ||
           error_set(error, "the VNC server refuses the client");
}
