/* The window: opening it, showing pictures in their right shape, its title. Input is in
 * sdl_input.c. */
#include "sdl_window.h"
#include "version.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TITLE_EVERY_MS 500
#define NOTICE_MS 4000
/* So often a picture is asked for: more often than usual modes change theirs. */
#define PICTURE_EVERY_MS 12
/* What sizes in pixels are meant for. */
#define USUAL_DOTS_PER_INCH 96
#define MOST_DOTS_PER_INCH (4 * USUAL_DOTS_PER_INCH)

/* Where windows are measured in the screen's own pixels, and these are small, sizes are multiples.
 */
static int find_scale(const Display *display) {
    int width, height, pixels_width, pixels_height;
    display->sdl.GetWindowSize(display->window, &width, &height);
    display->sdl.GetRendererOutputSize(display->renderer, &pixels_width, &pixels_height);
    if (pixels_width > width)
        return 1;
    /* What the desktop says comes before what the screen says of itself. */
    float dots = sdl_x11_dots_per_inch(&display->sdl, display->window);
    int number = display->sdl.GetWindowDisplayIndex(display->window);
    if (!(dots > 0) && display->sdl.GetDisplayDPI(number, &dots, NULL, NULL) != 0)
        return 1;
    if (!(dots < MOST_DOTS_PER_INCH))
        dots = MOST_DOTS_PER_INCH;
    int scale = (int)(dots / USUAL_DOTS_PER_INCH + 0.25F); /* 2 from 168 on */
    SDL_Rect usable;
    if (display->sdl.GetDisplayUsableBounds(number, &usable) == 0)
        while (scale > 1 && (width * scale > usable.w || height * scale > usable.h))
            scale--;
    return scale > 1 ? scale : 1;
}

bool sdl_window_create(Display *display, Error *error) {
    enum { WIDTH = 800, HEIGHT = 600 };
    if (!sdl_library_load(&display->sdl, error))
        return error_prefix(error, "no window, '-display none' runs without one: ");
    display->sdl.SetHint(SDL_HINT_VIDEO_X11_NET_WM_BYPASS_COMPOSITOR, "0");
    display->sdl.SetHint(SDL_HINT_GRAB_KEYBOARD, "1");
    display->sdl.SetHint(SDL_HINT_NO_SIGNAL_HANDLERS, "1");
    display->sdl.SetHint(SDL_HINT_RENDER_SCALE_QUALITY, "linear");
    if (display->sdl.Init(SDL_INIT_VIDEO) != 0)
        return error_set(error, "no display (%s); '-display none' runs without one",
                         display->sdl.GetError());
    display->window =
        display->sdl.CreateWindow("Reprise", SDL_WINDOWPOS_UNDEFINED, SDL_WINDOWPOS_UNDEFINED,
                                  WIDTH, HEIGHT, SDL_WINDOW_RESIZABLE | SDL_WINDOW_ALLOW_HIGHDPI);
    if (display->window != NULL)
        display->renderer = sdl_renderer_create(&display->sdl, display->window);
    if (display->renderer == NULL)
        return error_set(error, "no window (%s); '-display none' runs without one",
                         display->sdl.GetError());
    display->scale = find_scale(display);
    display->sdl.SetWindowMinimumSize(display->window, 320, 240);
    if (display->scale > 1) {
        display->sdl.SetWindowSize(display->window, WIDTH * display->scale,
                                   HEIGHT * display->scale);
        display->sdl.SetWindowPosition(display->window, SDL_WINDOWPOS_CENTERED,
                                       SDL_WINDOWPOS_CENTERED);
    }
    sdl_x11_watch_drags(&display->sdl, display->window, &display->drag_watch);
    return true;
}

Display *display_open(Machine *machine, const DisplayOptions *options, Error *error) {
    Display *display = calloc(1, sizeof(*display));
    display->machine = machine;
    display->name = options->name;
    display->monitor_host = options->monitor_host;
    sdl_settings_init(display, options);
    if (!sdl_window_create(display, error)) {
        display_close(display);
        return NULL;
    }
    sdl_menu_init(display, options->firmware_folder);
    sdl_status_init(display, options->firmware_folder);
    sdl_joystick_open(display);
    if (display->settings.width != 0 && display->settings.height != 0)
        sdl_settings_set_size(display, display->settings.width, display->settings.height);
    sdl_window_set_full_screen(display, display->settings.full_screen);
    sdl_window_update_title(display);
    return display;
}

void sdl_window_destroy(Display *display) {
    if (display->texture != NULL)
        display->sdl.DestroyTexture(display->texture);
    if (display->renderer != NULL)
        display->sdl.DestroyRenderer(display->renderer);
    if (display->window != NULL)
        display->sdl.DestroyWindow(display->window);
    if (display->sdl.Quit != NULL)
        display->sdl.Quit();
}

void display_close(Display *display) {
    if (display == NULL)
        return;
    if (display->window != NULL)
        sdl_settings_keep(display);
    dropped_files_free(&display->dropped);
    sdl_clipboard_free(display);
    sdl_status_free(display);
    sdl_menu_free(display);
    sdl_window_destroy(display);
    free(display);
}

void sdl_window_notice(Display *display, const char *text) {
    snprintf(display->notice, sizeof(display->notice), "%s", text);
    display->notice_until_ms = display->sdl.GetTicks64() + NOTICE_MS;
    sdl_window_update_title(display);
}

VideoRecording *sdl_window_video(const Display *display) {
    const MonitorHost *host = display->monitor_host;
    return host->video != NULL ? host->video(host->quit_opaque) : NULL;
}

void sdl_window_print_name(char *name, size_t size, const char *extension) {
    time_t now = time(NULL);
    struct tm local;
    char when[32];
    localtime_r(&now, &local);
    strftime(when, sizeof(when), "%Y%m%d-%H%M%S", &local);
    snprintf(name, size, "reprise-%s.%s", when, extension);
}

void sdl_window_update_title(Display *display) {
    char title[256];
    char speed[32] = "";
    const char *hint = display->grabbed ? " - Ctrl-Alt-G releases the mouse"
                                        : " - click to use the mouse, Ctrl-Alt-M: menu";
    RunState state = machine_run_state(display->machine);
    if (display->sdl.GetTicks64() < display->notice_until_ms)
        hint = display->notice;
    uint64_t held = machine_speed(display->machine);
    if (state == RUN_STATE_RUNNING && held != 0)
        snprintf(speed, sizeof(speed), " - held at %g MIPS", (double)held / 1e6);
    else if (state == RUN_STATE_RUNNING && display->mips < 0.5)
        snprintf(speed, sizeof(speed), " - idle");
    else if (state == RUN_STATE_RUNNING)
        snprintf(speed, sizeof(speed), " - %.0f MIPS", display->mips);
    else
        snprintf(speed, sizeof(speed), " - %s", run_state_name(state));
    snprintf(title, sizeof(title), "%s%sReprise%s%s", display->name ? display->name : "",
             display->name ? " - " : "", speed, hint);
    display->sdl.SetWindowTitle(display->window, title);
}

void sdl_window_set_full_screen(Display *display, bool full_screen) {
    display->settings.full_screen = full_screen;
    display->sdl.SetWindowFullscreen(display->window,
                                     full_screen ? SDL_WINDOW_FULLSCREEN_DESKTOP : 0);
    sdl_window_draw(display);
}

/* What the guest's pixels are multiplied by, so that both are whole and the shape is nearest to the
 * right one; false where the picture does not fit even once. */
static bool fit_whole(const Display *display, SDL_Rect *place, int64_t shape_width,
                      int64_t shape_height) {
    int width = (int)display->texture_width, height = (int)display->texture_height;
    if (width == 0 || height == 0 || place->w < width || place->h < height)
        return false;
    int across = place->w / width, down = place->h / height;
    for (; down > 1; down--) { /* as high as still leaves room for the width that belongs to it */
        int64_t wanted = (down * height * shape_width / shape_height + width / 2) / width;
        if (wanted <= across) {
            across = wanted > 1 ? (int)wanted : 1;
            break;
        }
    }
    if (down == 1)
        across = 1;
    place->x += (place->w - across * width) / 2;
    place->y += (place->h - down * height) / 2;
    place->w = across * width;
    place->h = down * height;
    return true;
}

/* The largest rectangle of the picture's shape in the middle of the window, above the status line.
 */
SDL_Rect sdl_window_place(const Display *display) {
    int width, height;
    display->sdl.GetRendererOutputSize(display->renderer, &width, &height);
    height -= sdl_status_height(display);
    int64_t shape_width = display->aspect_width ? display->aspect_width : 4;
    int64_t shape_height = display->aspect_height ? display->aspect_height : 3;
    SDL_Rect place = {0, 0, width, height};
    if (display->settings.scaling == DISPLAY_SHARP &&
        fit_whole(display, &place, shape_width, shape_height))
        return place;
    if (width * shape_height > height * shape_width)
        place.w = (int)(height * shape_width / shape_height);
    else
        place.h = (int)(width * shape_height / shape_width);
    place.x = (width - place.w) / 2;
    place.y = (height - place.h) / 2;
    return place;
}

/* The dark gaps between the lines of a tube, where there are pixels enough to show them. */
static void draw_tube_lines(Display *display, const SDL_Rect *place) {
    int lines = (int)display->texture_height;
    if (lines == 0 || place->h < 2 * lines)
        return;
    display->sdl.SetRenderDrawBlendMode(display->renderer, SDL_BLENDMODE_BLEND);
    display->sdl.SetRenderDrawColor(display->renderer, 0, 0, 0, 110);
    for (int line = 0; line < lines; line++) {
        int top = place->y + (int)((int64_t)(2 * line + 1) * place->h / (2 * lines));
        int bottom = place->y + (int)((int64_t)(line + 1) * place->h / lines);
        SDL_Rect gap = {place->x, top, place->w, bottom - top};
        display->sdl.RenderFillRect(display->renderer, &gap);
    }
    display->sdl.SetRenderDrawBlendMode(display->renderer, SDL_BLENDMODE_NONE);
}

void sdl_window_draw(Display *display) {
    display->sdl.SetRenderDrawColor(display->renderer, 0, 0, 0, 255);
    display->sdl.RenderClear(display->renderer);
    if (display->texture != NULL) {
        SDL_Rect place = sdl_window_place(display);
        display->sdl.RenderCopy(display->renderer, display->texture, NULL, &place);
        if (display->settings.scaling == DISPLAY_CRT)
            draw_tube_lines(display, &place);
    }
    sdl_status_draw(display);
    sdl_menu_draw(display);
    display->sdl.RenderPresent(display->renderer);
}

/* A new mode: a window that shows it about as large as a monitor of that time did. */
void sdl_window_fit(Display *display) {
    uint32_t across = display->aspect_width, down = display->aspect_height;
    uint32_t height =
        display->texture_height < 400 ? display->texture_height * 2 : display->texture_height;
    uint32_t width = height * across / (down ? down : 1);
    if (width < display->texture_width) {
        width = display->texture_width;
        height = width * down / (across ? across : 1);
    }
    width *= (uint32_t)display->scale;
    height = height * (uint32_t)display->scale + (uint32_t)sdl_status_height(display);
    SDL_Rect usable;
    bool fits = display->sdl.GetDisplayUsableBounds(
                    display->sdl.GetWindowDisplayIndex(display->window), &usable) != 0 ||
                ((int)width <= usable.w && (int)height <= usable.h);
    bool free_size = (display->sdl.GetWindowFlags(display->window) & SDL_WINDOW_MAXIMIZED) == 0;
    if (!display->settings.full_screen && display->settings.width == 0 && free_size && fits)
        sdl_settings_set_size(display, (int)width, (int)height);
}

/* False: it is a new one, or there is none. */
static bool prepare_texture(Display *display, const DisplaySurface *frame) {
    display->aspect_width = frame->aspect_width;
    display->aspect_height = frame->aspect_height;
    if (frame->width == display->texture_width && frame->height == display->texture_height)
        return display->texture != NULL;
    if (display->texture != NULL)
        display->sdl.DestroyTexture(display->texture);
    display->texture = display->sdl.CreateTexture(display->renderer, SDL_PIXELFORMAT_RGB888,
                                                  SDL_TEXTUREACCESS_STREAMING, (int)frame->width,
                                                  (int)frame->height);
    display->sdl.SetTextureScaleMode(display->texture, display->settings.scaling == DISPLAY_SHARP
                                                           ? SDL_ScaleModeNearest
                                                           : SDL_ScaleModeLinear);
    display->texture_width = frame->width;
    display->texture_height = frame->height;
    sdl_window_fit(display);
    return false;
}

/* Only the lines that changed, where no frame was left out. */
static void update_texture(Display *display, const DisplaySurface *frame, uint64_t number) {
    bool all = !prepare_texture(display, frame) || number != display->frame_number + 1;
    SDL_Rect lines = {0, 0, (int)frame->width, (int)frame->height};
    if (!all) {
        lines.y = (int)frame->first_changed_line;
        lines.h = (int)frame->changed_lines;
    }
    if (display->texture != NULL && lines.h != 0)
        display->sdl.UpdateTexture(display->texture, &lines,
                                   display_surface_line(frame, (uint32_t)lines.y),
                                   (int)frame->stride * 4);
}

static void show_frame(Display *display) {
    uint64_t number;
    const DisplaySurface *frame = machine_lock_frame(display->machine, &number);
    bool fresh = number != display->frame_number && frame->pixels != NULL;
    if (fresh) {
        update_texture(display, frame, number);
        display->frame_number = number;
    }
    machine_unlock_frame(display->machine);
    if (fresh)
        sdl_window_draw(display);
}

static void measure_speed(Display *display) {
    uint64_t now = display->sdl.GetTicks64();
    if (now - display->title_ms < TITLE_EVERY_MS)
        return;
    uint64_t count = machine_instruction_count(display->machine);
    display->mips =
        (double)(count - display->title_count) / 1000.0 / (double)(now - display->title_ms);
    display->title_ms = now;
    display->title_count = count;
    sdl_window_update_title(display);
    sdl_settings_keep(display);
}

int display_wait_ms(const Display *display) {
    uint64_t now = display->sdl.GetTicks64();
    return now < display->picture_due_ms ? (int)(display->picture_due_ms - now) : 0;
}

bool display_update(Display *display) {
    SDL_Event event;
    while (display->sdl.PollEvent(&event))
        sdl_input_handle(display, &event);
    uint64_t now = display->sdl.GetTicks64();
    if (now < display->picture_due_ms)
        return !display->closed;
    /* What drawing takes is not waited for besides. */
    display->picture_due_ms += PICTURE_EVERY_MS;
    if (display->picture_due_ms <= now)
        display->picture_due_ms = now + 1;
    machine_request_frame(display->machine);
    show_frame(display);
    measure_speed(display);
    sdl_status_update(display);
    sdl_clipboard_update(display);
    return !display->closed;
}
