/* Every key of a 105-key keyboard has its scancode, and no two keys share one. */
#include <stdio.h>

#ifdef REPRISE_HAVE_SDL

#include "sdl_keys.h"
#include "suite_run.h"
#include <check.h>
#include <stdbool.h>

/* The keys of a 105-key keyboard (the ISO layout of the 104-key one), as SDL numbers their places.
 */
// clang-format off
static const SDL_Scancode keyboard_105[] = {
    SDL_SCANCODE_ESCAPE, SDL_SCANCODE_F1, SDL_SCANCODE_F2, SDL_SCANCODE_F3, SDL_SCANCODE_F4, SDL_SCANCODE_F5,
    SDL_SCANCODE_F6, SDL_SCANCODE_F7, SDL_SCANCODE_F8, SDL_SCANCODE_F9, SDL_SCANCODE_F10, SDL_SCANCODE_F11,
    SDL_SCANCODE_F12, SDL_SCANCODE_PRINTSCREEN, SDL_SCANCODE_SCROLLLOCK, SDL_SCANCODE_PAUSE,
    SDL_SCANCODE_GRAVE, SDL_SCANCODE_1, SDL_SCANCODE_2, SDL_SCANCODE_3, SDL_SCANCODE_4, SDL_SCANCODE_5,
    SDL_SCANCODE_6, SDL_SCANCODE_7, SDL_SCANCODE_8, SDL_SCANCODE_9, SDL_SCANCODE_0, SDL_SCANCODE_MINUS,
    SDL_SCANCODE_EQUALS, SDL_SCANCODE_BACKSPACE, SDL_SCANCODE_TAB, SDL_SCANCODE_Q, SDL_SCANCODE_W, SDL_SCANCODE_E,
    SDL_SCANCODE_R, SDL_SCANCODE_T, SDL_SCANCODE_Y, SDL_SCANCODE_U, SDL_SCANCODE_I, SDL_SCANCODE_O, SDL_SCANCODE_P,
    SDL_SCANCODE_LEFTBRACKET, SDL_SCANCODE_RIGHTBRACKET, SDL_SCANCODE_RETURN, SDL_SCANCODE_CAPSLOCK, SDL_SCANCODE_A,
    SDL_SCANCODE_S, SDL_SCANCODE_D, SDL_SCANCODE_F, SDL_SCANCODE_G, SDL_SCANCODE_H, SDL_SCANCODE_J, SDL_SCANCODE_K,
    SDL_SCANCODE_L, SDL_SCANCODE_SEMICOLON, SDL_SCANCODE_APOSTROPHE, SDL_SCANCODE_BACKSLASH, SDL_SCANCODE_LSHIFT,
    SDL_SCANCODE_NONUSBACKSLASH, SDL_SCANCODE_Z, SDL_SCANCODE_X, SDL_SCANCODE_C, SDL_SCANCODE_V, SDL_SCANCODE_B,
    SDL_SCANCODE_N, SDL_SCANCODE_M, SDL_SCANCODE_COMMA, SDL_SCANCODE_PERIOD, SDL_SCANCODE_SLASH,
    SDL_SCANCODE_RSHIFT, SDL_SCANCODE_LCTRL, SDL_SCANCODE_LGUI, SDL_SCANCODE_LALT, SDL_SCANCODE_SPACE,
    SDL_SCANCODE_RALT, SDL_SCANCODE_RGUI, SDL_SCANCODE_APPLICATION, SDL_SCANCODE_RCTRL,
    SDL_SCANCODE_INSERT, SDL_SCANCODE_HOME, SDL_SCANCODE_PAGEUP, SDL_SCANCODE_DELETE, SDL_SCANCODE_END,
    SDL_SCANCODE_PAGEDOWN, SDL_SCANCODE_UP, SDL_SCANCODE_LEFT, SDL_SCANCODE_DOWN, SDL_SCANCODE_RIGHT,
    SDL_SCANCODE_NUMLOCKCLEAR, SDL_SCANCODE_KP_DIVIDE, SDL_SCANCODE_KP_MULTIPLY, SDL_SCANCODE_KP_MINUS,
    SDL_SCANCODE_KP_7, SDL_SCANCODE_KP_8, SDL_SCANCODE_KP_9, SDL_SCANCODE_KP_PLUS, SDL_SCANCODE_KP_4,
    SDL_SCANCODE_KP_5, SDL_SCANCODE_KP_6, SDL_SCANCODE_KP_1, SDL_SCANCODE_KP_2, SDL_SCANCODE_KP_3,
    SDL_SCANCODE_KP_ENTER, SDL_SCANCODE_KP_0, SDL_SCANCODE_KP_PERIOD,
};
// clang-format on
#define KEYS (sizeof(keyboard_105) / sizeof(keyboard_105[0]))

START_TEST(all_105_keys_are_there_once) {
    bool seen[KEYBOARD_KEY_COUNT] = {false};
    ck_assert_uint_eq(KEYS, 105);
    for (size_t i = 0; i < KEYS; i++) {
        int key = sdl_keys_translate(keyboard_105[i]);
        ck_assert_msg(key >= 0, "scancode %d", (int)keyboard_105[i]);
        ck_assert_msg(!seen[key], "%s", keyboard_key_info(key)->name);
        seen[key] = true;
    }
}
END_TEST

START_TEST(keys_stand_where_they_are_printed) {
    ck_assert_int_eq(sdl_keys_translate(SDL_SCANCODE_A), KEYBOARD_KEY_A);
    ck_assert_int_eq(sdl_keys_translate(SDL_SCANCODE_RETURN), KEYBOARD_KEY_RET);
    ck_assert_int_eq(sdl_keys_translate(SDL_SCANCODE_KP_ENTER), KEYBOARD_KEY_KP_ENTER);
    ck_assert_int_eq(sdl_keys_translate(SDL_SCANCODE_RALT), KEYBOARD_KEY_ALT_R);
    ck_assert_int_eq(sdl_keys_translate(SDL_SCANCODE_ESCAPE), KEYBOARD_KEY_ESC);
}
END_TEST

START_TEST(what_no_pc_keyboard_has_is_nothing) {
    ck_assert_int_eq(sdl_keys_translate(SDL_SCANCODE_UNKNOWN), -1);
    ck_assert_int_eq(sdl_keys_translate(SDL_SCANCODE_F24), -1);
    ck_assert_int_eq(sdl_keys_translate((SDL_Scancode)-1), -1);
    ck_assert_int_eq(sdl_keys_translate((SDL_Scancode)100000), -1);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("sdl_keys");
    TCase *tests = tcase_create("sdl_keys");
    tcase_add_test(tests, all_105_keys_are_there_once);
    tcase_add_test(tests, keys_stand_where_they_are_printed);
    tcase_add_test(tests, what_no_pc_keyboard_has_is_nothing);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

#else

int main(void) {
    printf("skipped: a build without SDL\n");
    return 77;
}

#endif
