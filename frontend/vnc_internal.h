/* What the VNC server's files share. */
#ifndef REPRISE_VNC_INTERNAL_H
#define REPRISE_VNC_INTERNAL_H

#include "keyboard_keys.h"
#include "vnc_library.h"
#include "vnc_server.h"

enum { VNC_LISTENERS = 2 }; /* VNC's own and that for browsers, though either takes both */

struct VncServer {
    VncLibrary vnc;
    EventLoop *loop;
    Machine *machine;
    rfbScreenInfo *screen;
    int listener[VNC_LISTENERS]; /* -1: none */
    int port;
    const char *path; /* of the Unix socket, to be removed */
    char *name;
    unsigned clients;
    bool needs_password;
    char password[9];
    char *passwords[2]; /* as the library wants them */
    int64_t expires;    /* seconds since 1970 */
    /* The screen as clients know it, in their byte order; see vnc_screen.c. */
    uint32_t *pixels;
    uint32_t width, height;
    uint64_t frame_number;
    uint32_t *line; /* room for one */
    unsigned updates_held;
    /* Input. */
    bool down[KEYBOARD_KEY_COUNT];
    bool has_pointer; /* it was seen, at: */
    int pointer_x, pointer_y;
    uint32_t buttons;
};

/* vnc_screen.c */
bool vnc_screen_init(VncServer *server);
void vnc_screen_free(VncServer *server);
/* What the screen shows now, for the first client. */
void vnc_screen_refresh(VncServer *server);
void vnc_screen_update(VncServer *server);

/* vnc_input.c */
void vnc_input_init(VncServer *server);
/* Nobody is there to let keys go. */
void vnc_input_release_all(VncServer *server);
void vnc_input_key(VncServer *server, int key, bool down);
void vnc_input_symbol(VncServer *server, uint32_t symbol, bool down);

/* vnc_keys.c: the key of a PC keyboard for a symbol of the X window system; -1 if there is none. */
int vnc_keys_find(const KeyboardLayout *layout, uint32_t symbol);
/* The character of such a symbol; 0 if it is none. */
uint32_t vnc_keys_character(uint32_t symbol);

/* vnc_extended_key.c: keys by their place (QEMU's extension of the protocol). */
void vnc_extended_key_register(VncServer *server);
void vnc_extended_key_unregister(VncServer *server);

#endif
