/* The line at the lower edge of the window: a place to click for the menu, lamps of the drives,
 * what the machine does, and what just happened. */
#include "sdl_window.h"

#include <stdio.h>
#include <string.h>

enum {
    COLUMNS = 100,
    LIT_MS = 120, /* a lamp shows a single transfer for so long */
};

void sdl_status_init(Display *display, const char *firmware_folder) {
    if (display->has_overlay)
        sdl_overlay_init(display, &display->status.overlay, COLUMNS, 1, firmware_folder);
}

void sdl_status_free(Display *display) {
    sdl_overlay_free(display, &display->status.overlay);
}

/* Cells in multiples of their size, as large as the line has room for; what a screen of many dots
 * needs to be read it gets even where the line's end is cut. */
static int cell_times(const Display *display) {
    int width, height;
    display->sdl.GetRendererOutputSize(display->renderer, &width, &height);
    int times = width / (COLUMNS * TEXT_OVERLAY_CELL_WIDTH);
    return times > display->scale ? times : display->scale;
}

/* That the window has room for. */
static unsigned columns_seen(const Display *display) {
    int width, height;
    display->sdl.GetRendererOutputSize(display->renderer, &width, &height);
    int columns = width / (cell_times(display) * TEXT_OVERLAY_CELL_WIDTH);
    return columns < COLUMNS ? (unsigned)columns : COLUMNS;
}

int sdl_status_height(const Display *display) {
    return display->settings.status_line && display->status.overlay.texture != NULL &&
                   !display->settings.full_screen
               ? cell_times(display) * TEXT_OVERLAY_CELL_HEIGHT
               : 0;
}

/* As people name drives: floppies A and B, disks and CDs by their number. */
static void name_drive(unsigned drive, char name[8]) {
    if (drive < MACHINE_FLOPPIES)
        snprintf(name, 8, "%c:", 'A' + drive);
    else
        snprintf(name, 8, "D%u", (drive - MACHINE_FLOPPIES) % 100);
}

/* True: the lamp was lit, or went out. */
static bool update_lamp(uint64_t *lit_until_ms, bool works, uint64_t now_ms) {
    bool was_lit = *lit_until_ms != 0;
    if (works)
        *lit_until_ms = now_ms + LIT_MS;
    else if (now_ms >= *lit_until_ms)
        *lit_until_ms = 0;
    return was_lit != (*lit_until_ms != 0);
}

static bool update_lamps(SdlStatusLine *status, Machine *machine, uint64_t now_ms) {
    MachineActivity activity;
    bool changed = false;
    machine_get_activity(machine, &activity);
    for (unsigned i = 0; i < MACHINE_DRIVES; i++) {
        bool works = activity.transfers[i] != status->activity.transfers[i];
        changed = update_lamp(&status->lit_until_ms[i], works, now_ms) || changed ||
                  activity.present[i] != status->activity.present[i];
    }
    for (unsigned i = 0; i < MACHINE_NETWORK_CARDS; i++) {
        bool works = activity.frames[i] != status->activity.frames[i];
        changed = update_lamp(&status->network_lit_until_ms[i], works, now_ms) || changed ||
                  activity.has_cable[i] != status->activity.has_cable[i];
    }
    status->activity = activity;
    return changed;
}

/* Returns the column behind it. */
static unsigned print_lamp(TextOverlay *text, unsigned column, const char *name, bool lit) {
    unsigned width = (unsigned)strlen(name);
    text_overlay_print(text, column, 0, width, TEXT_DIM, name);
    text_overlay_print(text, column + width, 0, 1, lit ? TEXT_LIGHT : TEXT_DIM, "\u25a0");
    return column + width + 2;
}

static void print_line(Display *display) {
    SdlStatusLine *status = &display->status;
    TextOverlay *text = &status->overlay.text;
    unsigned column = 9;
    text_overlay_fill(text, 0, 0, COLUMNS, 1, TEXT_NORMAL);
    text_overlay_print(text, 1, 0, 6, TEXT_TITLE, "\u2261 Menu");
    for (unsigned i = 0; i < MACHINE_DRIVES; i++) {
        char name[8];
        if (!status->activity.present[i])
            continue;
        name_drive(i, name);
        column = print_lamp(text, column, name, status->lit_until_ms[i] != 0);
    }
    for (unsigned i = 0; i < MACHINE_NETWORK_CARDS; i++)
        if (status->activity.has_cable[i])
            column = print_lamp(text, column, "Net", status->network_lit_until_ms[i] != 0);
    unsigned seen = columns_seen(display); /* what is cut ends in dots */
    if (seen > column + 1)
        text_overlay_print(text, column + 1, 0, seen - column - 1, TEXT_NORMAL, status->text);
    sdl_overlay_update(display, &status->overlay);
}

void sdl_status_update(Display *display) {
    SdlStatusLine *status = &display->status;
    char text[sizeof(status->text)];
    if (sdl_status_height(display) == 0)
        return;
    uint64_t now = display->sdl.GetTicks64();
    bool changed = update_lamps(status, display->machine, now);
    const char *hint =
        display->grabbed ? "Ctrl-Alt-G releases the mouse" : "click: mouse   right click: menu";
    if (now < display->notice_until_ms)
        hint = display->notice + strspn(display->notice, " -");
    RunState state = machine_run_state(display->machine);
    bool runs = state == RUN_STATE_RUNNING;
    snprintf(text, sizeof(text), "%s%s%s%s",
             sdl_window_video(display) != NULL ? "recording   " : "",
             runs ? "" : run_state_name(state), runs ? "" : "   ", hint);
    unsigned seen = columns_seen(display);
    if (!changed && strcmp(text, status->text) == 0 && seen == status->columns_seen)
        return;
    status->columns_seen = seen;
    memcpy(status->text, text, sizeof(text));
    print_line(display);
    sdl_window_draw(display);
}

void sdl_status_draw(Display *display) {
    int width, height, line = sdl_status_height(display);
    if (line == 0)
        return;
    display->sdl.GetRendererOutputSize(display->renderer, &width, &height);
    int times = cell_times(display);
    SDL_Rect bar = {0, height - line, width, line};
    display->status.overlay.place =
        (SDL_Rect){0, height - line, COLUMNS * TEXT_OVERLAY_CELL_WIDTH * times, line};
    display->sdl.SetRenderDrawColor(display->renderer, 16, 32, 48, 255);
    display->sdl.RenderFillRect(display->renderer, &bar);
    sdl_overlay_draw(display, &display->status.overlay);
}
