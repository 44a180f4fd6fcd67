/* Text screens of our own as textures over the guest's picture. */
#include "sdl_window.h"

bool sdl_overlay_init(Display *display, SdlOverlay *overlay, unsigned columns, unsigned rows,
                      const char *firmware_folder) {
    if (!text_overlay_init(&overlay->text, columns, rows, firmware_folder))
        return false;
    overlay->texture = display->sdl.CreateTexture(
        display->renderer, SDL_PIXELFORMAT_ARGB8888, SDL_TEXTUREACCESS_STREAMING,
        (int)columns * TEXT_OVERLAY_CELL_WIDTH, (int)rows * TEXT_OVERLAY_CELL_HEIGHT);
    if (overlay->texture == NULL) {
        text_overlay_free(&overlay->text);
        return false;
    }
    display->sdl.SetTextureBlendMode(overlay->texture, SDL_BLENDMODE_BLEND);
    display->sdl.SetTextureScaleMode(overlay->texture, SDL_ScaleModeNearest);
    return true;
}

void sdl_overlay_free(Display *display, SdlOverlay *overlay) {
    if (overlay->texture != NULL)
        display->sdl.DestroyTexture(overlay->texture);
    overlay->texture = NULL;
    text_overlay_free(&overlay->text);
}

void sdl_overlay_update(Display *display, SdlOverlay *overlay) {
    text_overlay_draw(&overlay->text);
    display->sdl.UpdateTexture(overlay->texture, NULL, overlay->text.pixels,
                               (int)overlay->text.columns * TEXT_OVERLAY_CELL_WIDTH * 4);
}

void sdl_overlay_draw(Display *display, SdlOverlay *overlay) {
    display->sdl.RenderCopy(display->renderer, overlay->texture, NULL, &overlay->place);
}

void sdl_overlay_fit(Display *display, SdlOverlay *overlay, int reserved) {
    SDL_Rect *place = &overlay->place;
    int width = (int)overlay->text.columns * TEXT_OVERLAY_CELL_WIDTH;
    int height = (int)overlay->text.rows * TEXT_OVERLAY_CELL_HEIGHT;
    int room_width, room_height;
    display->sdl.GetRendererOutputSize(display->renderer, &room_width, &room_height);
    room_height -= reserved;
    int times =
        room_width / width < room_height / height ? room_width / width : room_height / height;
    if (times > 0) {
        place->w = width * times;
        place->h = height * times;
    } else {
        bool narrow = room_width * height < room_height * width;
        place->w = narrow ? room_width : room_height * width / height;
        place->h = narrow ? room_width * height / width : room_height;
    }
    /* Letters with lines left out cannot be read. */
    display->sdl.SetTextureScaleMode(overlay->texture,
                                     times > 0 ? SDL_ScaleModeNearest : SDL_ScaleModeLinear);
    place->x = (room_width - place->w) / 2;
    place->y = (room_height - place->h) / 2;
}

void sdl_overlay_find_cell(Display *display, const SdlOverlay *overlay, int x, int y, int *column,
                           int *row) {
    int window_width, window_height, width, height;
    display->sdl.GetWindowSize(display->window, &window_width, &window_height);
    display->sdl.GetRendererOutputSize(display->renderer, &width, &height);
    *column = *row = -1;
    if (window_width <= 0 || window_height <= 0 || overlay->place.w == 0 || overlay->place.h == 0)
        return;
    int64_t left = (int64_t)x * width / window_width - overlay->place.x;
    int64_t top = (int64_t)y * height / window_height - overlay->place.y;
    if (left >= 0 && left < overlay->place.w)
        *column = (int)(left * overlay->text.columns / overlay->place.w);
    if (top >= 0 && top < overlay->place.h)
        *row = (int)(top * overlay->text.rows / overlay->place.h);
}
