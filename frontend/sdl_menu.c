/* The menu in the window: who opens it, what its entries do, images that are dropped. */
#include "allocate.h"
#include "machine_typing.h"
#include "sdl_window.h"
#include "video_recording.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 72, ROWS = 24 };

/* ---- What entries do ---- */

/* The monitor answers what went wrong; what went well says nothing, or a line of no interest. */
static void run_line(void *opaque, const char *line) {
    Display *display = opaque;
    char notice[sizeof(display->notice)];
    byte_buffer_free(&display->monitor.output);
    display->monitor.output = (ByteBuffer){.data = NULL};
    monitor_run_line(&display->monitor, line);
    const char *answer = (const char *)display->monitor.output.data;
    int length = answer != NULL ? (int)strcspn(answer, "\r\n") : 0;
    if (length != 0) {
        snprintf(notice, sizeof(notice), " - %.*s", length, answer);
        sdl_window_notice(display, notice);
    }
}

static void set_scaling(Display *display, DisplayScaling scaling) {
    display->settings.scaling = scaling;
    if (display->texture != NULL)
        display->sdl.SetTextureScaleMode(display->texture, scaling == DISPLAY_SHARP
                                                               ? SDL_ScaleModeNearest
                                                               : SDL_ScaleModeLinear);
}

static void paste_clipboard(Display *display) {
    char *text = display->sdl.GetClipboardText(), notice[sizeof(display->notice)];
    Error error = {.set = false};
    size_t size = text != NULL ? strlen(text) : 0;
    if (size == 0)
        error_set(&error, "there is no text to paste");
    else
        machine_type_text(display->machine, text, size, &error);
    display->sdl.free(text);
    snprintf(notice, sizeof(notice), " - %.70s",
             error.set ? error.message : "typing what you pasted");
    sdl_window_notice(display, notice);
}

/* Begins a film, or ends the one that is made. */
static void record_video(Display *display) {
    char name[64], line[128], notice[sizeof(display->notice)];
    VideoRecordingState *state = allocate_zeroed(sizeof(*state));
    VideoRecording *video = sdl_window_video(display);
    if (video != NULL) {
        video_recording_get_state(video, state);
        const char *slash = strrchr(state->path, '/');
        snprintf(notice, sizeof(notice), " - saved %.60s", slash != NULL ? slash + 1 : state->path);
        snprintf(line, sizeof(line), "stop_video");
    } else {
        sdl_window_print_name(name, sizeof(name), "avi");
        snprintf(notice, sizeof(notice), " - recording %.60s", name);
        snprintf(line, sizeof(line), "record_video %s", name);
    }
    free(state);
    sdl_window_notice(display, notice);
    run_line(display, line);
}

static void act(void *opaque, WindowAction action) {
    Display *display = opaque;
    switch (action) {
    case WINDOW_QUIT:
        display->closed = true;
        break;
    case WINDOW_FULL_SCREEN:
        sdl_window_set_full_screen(display, !display->settings.full_screen);
        break;
    case WINDOW_GRAB:
        sdl_input_set_grab(display, !display->grabbed);
        break;
    case WINDOW_SCREENSHOT:
        sdl_input_save_screenshot(display);
        break;
    case WINDOW_PASTE:
        paste_clipboard(display);
        break;
    case WINDOW_STATUS_LINE:
        display->settings.status_line = !display->settings.status_line;
        break;
    case WINDOW_SCALE_SMOOTH:
        set_scaling(display, DISPLAY_SMOOTH);
        break;
    case WINDOW_SCALE_SHARP:
        set_scaling(display, DISPLAY_SHARP);
        break;
    case WINDOW_SCALE_CRT:
        set_scaling(display, DISPLAY_CRT);
        break;
    case WINDOW_SIZE_FREE:
        display->settings.width = display->settings.height = 0;
        sdl_window_fit(display);
        break;
    case WINDOW_LOUDER:
    case WINDOW_QUIETER:
        sdl_settings_set_volume(
            display, (int)display->settings.volume + (action == WINDOW_LOUDER ? 10 : -10), false);
        break;
    case WINDOW_MUTE:
        sdl_settings_set_volume(display, (int)display->settings.volume, !display->settings.muted);
        break;
    case WINDOW_RECORD:
        record_video(display);
        break;
    case WINDOW_ACTIONS:
        break;
    }
}

static bool is_set(void *opaque, WindowAction action) {
    const Display *display = opaque;
    return (action == WINDOW_FULL_SCREEN && display->settings.full_screen) ||
           (action == WINDOW_GRAB && display->grabbed) ||
           (action == WINDOW_STATUS_LINE && display->settings.status_line) ||
           (action == WINDOW_SIZE_FREE && display->settings.width == 0) ||
           (action == WINDOW_RECORD && sdl_window_video(display) != NULL) ||
           (action == WINDOW_MUTE && display->settings.muted) ||
           (action == WINDOW_SCALE_SMOOTH && display->settings.scaling == DISPLAY_SMOOTH) ||
           (action == WINDOW_SCALE_SHARP && display->settings.scaling == DISPLAY_SHARP) ||
           (action == WINDOW_SCALE_CRT && display->settings.scaling == DISPLAY_CRT);
}

static unsigned volume(void *opaque) {
    const Display *display = opaque;
    return display->settings.volume;
}

void sdl_menu_init(Display *display, const char *firmware_folder) {
    display->has_overlay =
        sdl_overlay_init(display, &display->menu_overlay, COLUMNS, ROWS, firmware_folder);
    monitor_init(&display->monitor, display->monitor_host, NULL);
    display->menu_host = (WindowMenuHost){.machine = display->machine,
                                          .run_line = run_line,
                                          .act = act,
                                          .is_set = is_set,
                                          .volume = volume,
                                          .opaque = display};
    window_menu_init(&display->menu, &display->menu_host);
}

void sdl_menu_free(Display *display) {
    window_menu_free(&display->menu);
    monitor_destroy(&display->monitor);
    sdl_overlay_free(display, &display->menu_overlay);
}

/* ---- Drawing ---- */

static void draw_drop_hint(TextOverlay *text) {
    static const char *const lines[] = {
        "Drop it here",
        "",
        "An image of a floppy or a CD goes into its drive.",
        "Other files and folders come to the guest on a floppy.",
    };
    enum { LINES = sizeof(lines) / sizeof(lines[0]), WIDTH = 60, HEIGHT = LINES + 4 };
    unsigned left = (COLUMNS - WIDTH) / 2, top = (ROWS - HEIGHT) / 2;
    text_overlay_fill(text, left, top, WIDTH, HEIGHT, TEXT_NORMAL);
    text_overlay_frame(text, left, top, WIDTH, HEIGHT, TEXT_TITLE);
    for (unsigned i = 0; i < LINES; i++) {
        unsigned width = text_overlay_width(lines[i]);
        text_overlay_print(text, left + (WIDTH - width) / 2, top + 2 + i, width,
                           i == 0 ? TEXT_TITLE : TEXT_NORMAL, lines[i]);
    }
}

void sdl_menu_update(Display *display) {
    TextOverlay *text = &display->menu_overlay.text;
    text_overlay_clear(text);
    if (display->dragging)
        draw_drop_hint(text);
    else
        window_menu_draw(&display->menu, text);
    sdl_overlay_update(display, &display->menu_overlay);
    sdl_window_draw(display);
}

void sdl_menu_draw(Display *display) {
    if (!window_menu_is_open(&display->menu) && !display->dragging)
        return;
    sdl_overlay_fit(display, &display->menu_overlay, sdl_status_height(display));
    sdl_overlay_draw(display, &display->menu_overlay);
}

void sdl_menu_run_line(Display *display, const char *line) {
    run_line(display, line);
}

void sdl_menu_act(Display *display, WindowAction action) {
    act(display, action);
}

void sdl_menu_toggle(Display *display) {
    if (!display->has_overlay) {
        sdl_window_notice(display, " - no menu: the VGA BIOS, whose font it needs, was not found");
        return;
    }
    sdl_input_set_grab(display, false);
    if (window_menu_is_open(&display->menu))
        window_menu_close(&display->menu);
    else
        window_menu_open(&display->menu);
    sdl_menu_update(display);
}

/* ---- Events ---- */

static void handle_key(Display *display, SDL_Scancode scancode) {
    static const struct {
        SDL_Scancode scancode;
        MenuKey key;
    } keys[] = {
        {SDL_SCANCODE_UP, MENU_KEY_UP},          {SDL_SCANCODE_DOWN, MENU_KEY_DOWN},
        {SDL_SCANCODE_PAGEUP, MENU_KEY_PAGE_UP}, {SDL_SCANCODE_PAGEDOWN, MENU_KEY_PAGE_DOWN},
        {SDL_SCANCODE_RETURN, MENU_KEY_CHOOSE},  {SDL_SCANCODE_KP_ENTER, MENU_KEY_CHOOSE},
        {SDL_SCANCODE_RIGHT, MENU_KEY_CHOOSE},   {SDL_SCANCODE_SPACE, MENU_KEY_CHOOSE},
        {SDL_SCANCODE_LEFT, MENU_KEY_BACK},      {SDL_SCANCODE_ESCAPE, MENU_KEY_BACK},
        {SDL_SCANCODE_BACKSPACE, MENU_KEY_BACK},
    };
    if (window_menu_takes_text(&display->menu)) {
        if (scancode == SDL_SCANCODE_BACKSPACE)
            window_menu_press(&display->menu, MENU_KEY_ERASE);
        if (scancode == SDL_SCANCODE_BACKSPACE || scancode == SDL_SCANCODE_SPACE)
            return;
    }
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        if (keys[i].scancode == scancode)
            window_menu_press(&display->menu, keys[i].key);
}

/* Events also tell where the pointer has been all the time: at first, and when the window gets the
 * keyboard. */
static bool has_moved(Display *display, int x, int y) {
    bool moved = display->pointer_is_known && (x != display->pointer_x || y != display->pointer_y);
    display->pointer_is_known = true;
    display->pointer_x = x;
    display->pointer_y = y;
    return moved;
}

bool sdl_menu_navigate(Display *display, const SDL_Event *event) {
    int column, row;
    switch (event->type) {
    case SDL_KEYDOWN:
        handle_key(display, event->key.keysym.scancode);
        break;
    case SDL_TEXTINPUT:
        window_menu_type(&display->menu, event->text.text);
        break;
    case SDL_MOUSEMOTION:
        sdl_overlay_find_cell(display, &display->menu_overlay, event->motion.x, event->motion.y,
                              &column, &row);
        if (has_moved(display, event->motion.x, event->motion.y))
            window_menu_point(&display->menu, column, row);
        break;
    case SDL_MOUSEBUTTONDOWN:
        sdl_overlay_find_cell(display, &display->menu_overlay, event->button.x, event->button.y,
                              &column, &row);
        if (event->button.button == SDL_BUTTON_RIGHT)
            window_menu_press(&display->menu, MENU_KEY_BACK);
        else
            window_menu_click(&display->menu, column, row);
        break;
    case SDL_MOUSEWHEEL:
        window_menu_press(&display->menu, event->wheel.y > 0 ? MENU_KEY_UP : MENU_KEY_DOWN);
        break;
    case SDL_MOUSEBUTTONUP:
        break;
    default: /* SDL_KEYUP of a key that opened it, too: the guest is to hear of that */
        return false;
    }
    return true;
}

bool sdl_menu_handle(Display *display, const SDL_Event *event) {
    if (!window_menu_is_open(&display->menu) || !sdl_menu_navigate(display, event))
        return false;
    sdl_menu_update(display);
    return true;
}
