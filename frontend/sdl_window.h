/* The SDL window's parts, shared by its files. */
#ifndef REPRISE_SDL_WINDOW_H
#define REPRISE_SDL_WINDOW_H

#include "display.h"
#include "dropped_files.h"
#include "keyboard_keys.h"
#include "monitor.h"
#include "sdl_library.h"
#include "sdl_x11.h"
#include "text_overlay.h"
#include "video_recording.h"
#include "window_menu.h"
#include <SDL.h>

/* A text screen over the picture, and the texture that shows it. */
typedef struct SdlOverlay {
    TextOverlay text;
    SDL_Texture *texture;
    SDL_Rect place; /* in the window, in pixels of the renderer */
} SdlOverlay;

/* The line at the lower edge: lamps of drives, what the machine does. */
typedef struct SdlStatusLine {
    SdlOverlay overlay;
    MachineActivity activity;
    uint64_t lit_until_ms[MACHINE_DRIVES];
    uint64_t network_lit_until_ms[MACHINE_NETWORK_CARDS];
    char text[128];
    unsigned columns_seen; /* when it was drawn */
} SdlStatusLine;

struct Display {
    Machine *machine;
    const char *name;
    SdlLibrary sdl;
    SDL_Window *window;
    SDL_Renderer *renderer;
    SDL_Texture *texture;
    uint32_t texture_width, texture_height;
    uint32_t aspect_width, aspect_height;
    uint64_t frame_number;
    uint64_t picture_due_ms;
    int scale; /* what sizes are multiplied by where the screen has many dots to an inch */
    bool grabbed;
    /* What holds now, what held when it was last looked at, what the user's file is to say. */
    WindowSettings settings, settings_before, kept_settings;
    bool keeps_settings;
    uint64_t sized_ms; /* when we gave the window a size */
    const AudioOutputs *audio;
    bool closed;
    SDL_JoystickID joystick[2];    /* -1: none */
    bool down[KEYBOARD_KEY_COUNT]; /* what the guest believes to be pressed */
    uint32_t buttons;
    /* For the title. */
    uint64_t title_ms, title_count;
    double mips;
    char notice[80]; /* what just happened, shown for some seconds */
    uint64_t notice_until_ms;
    char *clipboard;        /* the text that both sides have; NULL: not known */
    bool clipboard_is_read; /* since it last changed */
    SdlDragWatch drag_watch;
    bool dragging; /* something is dragged over the window */
    DroppedFiles dropped;
    char dropped_name[80]; /* of the file that was dropped last, while others may follow */
    bool has_overlay;      /* there is a font */
    SdlOverlay menu_overlay;
    WindowMenu menu;
    bool pointer_is_known; /* where it was over the menu: */
    int pointer_x, pointer_y;
    WindowMenuHost menu_host;
    const MonitorHost *monitor_host;
    Monitor monitor; /* that the menu gives its lines to */
    SdlStatusLine status;
};

/* sdl_window.c */
/* Window and renderer; an error where there can be none. */
bool sdl_window_create(Display *display, Error *error);
void sdl_window_destroy(Display *display);
void sdl_window_update_title(Display *display);
void sdl_window_set_full_screen(Display *display, bool full_screen);
void sdl_window_draw(Display *display);
/* Gives the window the size that fits the guest's mode, unless the user has set one. */
void sdl_window_fit(Display *display);
void sdl_window_notice(Display *display, const char *text);
/* The film that is being recorded; NULL: none is. */
VideoRecording *sdl_window_video(const Display *display);
/* "reprise-DATE-TIME." and the extension. */
void sdl_window_print_name(char *name, size_t size, const char *extension);
/* Where the picture goes, in the renderer's pixels. */
SDL_Rect sdl_window_place(const Display *display);

/* sdl_input.c */
void sdl_input_handle(Display *display, const SDL_Event *event);
void sdl_input_set_grab(Display *display, bool grab);
void sdl_input_save_screenshot(Display *display);

/* sdl_clipboard.c */
/* The host's clipboard may have another text now. */
void sdl_clipboard_note_change(Display *display);
/* Texts go to and fro. */
void sdl_clipboard_update(Display *display);
void sdl_clipboard_free(Display *display);

/* sdl_settings.c */
/* From the user's file, and from what the command line says over it. */
void sdl_settings_init(Display *display, const DisplayOptions *options);
/* What was changed since the last call goes to the user's file. */
void sdl_settings_keep(Display *display);
void sdl_settings_set_volume(Display *display, int percent, bool muted);
/* Gives the window a size; tells that it has one, which is the user's choice where it is not ours.
 */
void sdl_settings_set_size(Display *display, int width, int height);
void sdl_settings_note_size(Display *display, int width, int height);

/* sdl_joystick.c */
void sdl_joystick_open(Display *display);
void sdl_joystick_handle(Display *display, const SDL_Event *event);

/* sdl_overlay.c */
bool sdl_overlay_init(Display *display, SdlOverlay *overlay, unsigned columns, unsigned rows,
                      const char *firmware_folder);
void sdl_overlay_free(Display *display, SdlOverlay *overlay);
/* Brings the cells into the texture. */
void sdl_overlay_update(Display *display, SdlOverlay *overlay);
void sdl_overlay_draw(Display *display, SdlOverlay *overlay);
/* Places it in the middle of the window, as large as fits above so many pixels, in whole multiples
 * where there is room for them. */
void sdl_overlay_fit(Display *display, SdlOverlay *overlay, int reserved);
/* The cell at a place of the window, as mouse events have it. */
void sdl_overlay_find_cell(Display *display, const SdlOverlay *overlay, int x, int y, int *column,
                           int *row);

/* sdl_menu.c */
void sdl_menu_init(Display *display, const char *firmware_folder);
void sdl_menu_free(Display *display);
void sdl_menu_toggle(Display *display);
/* What an entry of the menu or its key does. */
void sdl_menu_act(Display *display, WindowAction action);
/* Keys and mouse for the menu; true: the event was one of these. */
bool sdl_menu_navigate(Display *display, const SDL_Event *event);
/* True: the event was the menu's. */
bool sdl_menu_handle(Display *display, const SDL_Event *event);
void sdl_menu_draw(Display *display);
/* A line for the monitor, whose answer is shown. */
void sdl_menu_run_line(Display *display, const char *line);
/* Draws the menu, or what takes its place, anew. */
void sdl_menu_update(Display *display);

/* sdl_drop.c */
/* Says what may be dropped while something is dragged over the window. */
void sdl_drop_watch(Display *display, const SDL_Event *event);
void sdl_drop_handle(Display *display, const SDL_DropEvent *event);

/* sdl_status.c */
void sdl_status_init(Display *display, const char *firmware_folder);
void sdl_status_free(Display *display);
/* Its height in the renderer's pixels; 0 while it is hidden. */
int sdl_status_height(const Display *display);
/* Looks at the machine; draws the window anew if something changed. */
void sdl_status_update(Display *display);
void sdl_status_draw(Display *display);

/* sdl_renderer.c: what draws in the window; NULL if nothing can. */
SDL_Renderer *sdl_renderer_create(const SdlLibrary *sdl, SDL_Window *window);

#endif
