/* Which keys type a character on the keyboards of several countries. */
#include "character_codes.h"
#include "keyboard_layouts.h"
#include "suite_run.h"

#include <check.h>
#include <string.h>

#define ALT_GR KEYBOARD_ALT_GR
#define SHIFT KEYBOARD_SHIFT

typedef struct Expected {
    const char *layout;
    uint32_t character;
    const char *keys[2]; /* the second NULL: one key */
    unsigned modifiers[2];
} Expected;

/* As printed on keyboards of each country. */
// clang-format off
static const Expected expected[] = {
    {"en-us", '@', {"2"}, {SHIFT}}, {"en-us", '\\', {"backslash"}, {0}}, {"en-us", '~', {"grave_accent"}, {SHIFT}},
    {"en-gb", '@', {"apostrophe"}, {SHIFT}}, {"en-gb", '"', {"2"}, {SHIFT}}, {"en-gb", 0xA3, {"3"}, {SHIFT}},
    {"en-gb", '#', {"backslash"}, {0}}, {"en-gb", '\\', {"less"}, {0}}, {"en-gb", '|', {"less"}, {SHIFT}},
    {"de", 'z', {"y"}, {0}}, {"de", 'Y', {"z"}, {SHIFT}}, {"de", '@', {"q"}, {ALT_GR}},
    {"de", '#', {"backslash"}, {0}}, {"de", '\\', {"minus"}, {ALT_GR}}, {"de", '|', {"less"}, {ALT_GR}},
    {"de", '/', {"7"}, {SHIFT}}, {"de", '{', {"7"}, {ALT_GR}}, {"de", 0xDF, {"minus"}, {0}}, {"de", 0xDC, {"bracket_left"}, {SHIFT}},
    {"de", 0xE9, {"equal", "e"}, {0, 0}}, {"de", 0xC8, {"equal", "e"}, {SHIFT, SHIFT}},
    {"de", '^', {"grave_accent", "spc"}, {0, 0}}, {"de", '`', {"equal", "spc"}, {SHIFT, 0}},
    {"de", 0x20AC, {"e"}, {ALT_GR}},
    {"de-ch", '{', {"apostrophe"}, {ALT_GR}}, {"de-ch", '$', {"backslash"}, {0}}, {"de-ch", 0xE9, {"semicolon"}, {SHIFT}},
    {"de-ch", '\\', {"less"}, {ALT_GR}}, {"de-ch", '@', {"2"}, {ALT_GR}}, {"de-ch", '~', {"equal", "spc"}, {ALT_GR, 0}},
    {"de-ch", 0xC4, {"bracket_right", "a"}, {0, SHIFT}},
    {"fr-ch", 0xE9, {"semicolon"}, {0}}, {"fr-ch", 0xF6, {"semicolon"}, {SHIFT}}, {"fr-ch", 'z', {"y"}, {0}},
    {"fr", '1', {"1"}, {SHIFT}}, {"fr", 'a', {"q"}, {0}}, {"fr", 'M', {"semicolon"}, {SHIFT}}, {"fr", '.', {"comma"}, {SHIFT}},
    {"fr", ';', {"comma"}, {0}}, {"fr", '/', {"dot"}, {SHIFT}}, {"fr", '!', {"slash"}, {0}}, {"fr", '\\', {"8"}, {ALT_GR}},
    {"fr", '@', {"0"}, {ALT_GR}}, {"fr", 0xE9, {"2"}, {0}}, {"fr", 0xEA, {"bracket_left", "e"}, {0, 0}},
    {"fr", 0xEF, {"bracket_left", "i"}, {SHIFT, 0}}, {"fr", '^', {"9"}, {ALT_GR}},
    {"es", 0xF1, {"semicolon"}, {0}}, {"es", '@', {"2"}, {ALT_GR}}, {"es", '\\', {"grave_accent"}, {ALT_GR}},
    {"es", '~', {"4", "spc"}, {ALT_GR, 0}}, {"es", 0xE1, {"apostrophe", "a"}, {0, 0}}, {"es", 0xBF, {"equal"}, {SHIFT}},
    {"es", '{', {"apostrophe"}, {ALT_GR}}, {"es", '}', {"backslash"}, {ALT_GR}},
    {"it", '@', {"semicolon"}, {ALT_GR}}, {"it", '{', {"bracket_left"}, {ALT_GR | SHIFT}}, {"it", 0xE9, {"bracket_left"}, {SHIFT}},
    {"it", '\\', {"grave_accent"}, {0}}, {"it", '^', {"equal"}, {SHIFT}},
    {"pt", 0xE3, {"backslash", "a"}, {0, 0}}, {"pt", 0xE7, {"semicolon"}, {0}}, {"pt", '@', {"2"}, {ALT_GR}},
    {"pt-br", '/', {"ro"}, {0}}, {"pt-br", '?', {"ro"}, {SHIFT}}, {"pt-br", ';', {"slash"}, {0}}, {"pt-br", '}', {"backslash"}, {SHIFT}},
    {"pt-br", 0xF5, {"apostrophe", "o"}, {0, 0}}, {"pt-br", '\'', {"grave_accent"}, {0}},
    {"sv", 0xE5, {"bracket_left"}, {0}}, {"sv", 0xF6, {"semicolon"}, {0}}, {"sv", '\\', {"minus"}, {ALT_GR}}, {"sv", '$', {"4"}, {ALT_GR}},
    {"sv", '~', {"bracket_right", "spc"}, {ALT_GR, 0}},
    {"fi", 0xE4, {"apostrophe"}, {0}}, {"fi", '*', {"backslash"}, {SHIFT}},
    {"no", 0xF8, {"semicolon"}, {0}}, {"no", 0xE6, {"apostrophe"}, {0}}, {"no", '\\', {"equal"}, {0}}, {"no", '|', {"grave_accent"}, {0}},
    {"da", 0xE6, {"semicolon"}, {0}}, {"da", 0xF8, {"apostrophe"}, {0}}, {"da", '\\', {"less"}, {ALT_GR}}, {"da", '|', {"equal"}, {ALT_GR}},
};
// clang-format on

START_TEST(characters_are_where_keyboards_have_them) {
    const Expected *row = &expected[_i];
    KeyboardTyping typing;
    const KeyboardLayout *layout = keyboard_layout_find(row->layout);
    ck_assert_ptr_nonnull(layout);
    ck_assert(keyboard_layout_type(layout, row->character, &typing));
    ck_assert_uint_eq(typing.count, row->keys[1] != NULL ? 2 : 1);
    for (unsigned i = 0; i < typing.count; i++) {
        ck_assert_msg((int)typing.strokes[i].key == keyboard_key_find(row->keys[i]),
                      "%s: %04X has key %s", row->layout, row->character,
                      keyboard_key_info((int)typing.strokes[i].key)->name);
        ck_assert_msg(typing.strokes[i].modifiers == row->modifiers[i], "%s: %04X: modifiers %u",
                      row->layout, row->character, typing.strokes[i].modifiers);
    }
}
END_TEST

static bool same(const KeyboardTyping *a, const KeyboardTyping *b) {
    if (a->count != b->count)
        return false;
    for (unsigned i = 0; i < a->count; i++)
        if (a->strokes[i].key != b->strokes[i].key ||
            a->strokes[i].modifiers != b->strokes[i].modifiers)
            return false;
    return true;
}

/* No two characters by the same keys. */
START_TEST(every_layout_types_all_of_ascii) {
    const KeyboardLayout *layout;
    for (size_t number = 0; (layout = keyboard_layout_get(number)) != NULL; number++) {
        KeyboardTyping typings[256];
        const char *name = keyboard_layout_name(layout);
        ck_assert_ptr_eq(keyboard_layout_find(name), layout);
        for (uint32_t character = ' '; character < 256; character++) {
            bool good = keyboard_layout_type(layout, character, &typings[character]);
            ck_assert_msg(good || character >= 0x7F, "%s types no '%c'", name, (int)character);
            for (uint32_t other = ' '; good && other < character; other++)
                ck_assert_msg(!same(&typings[character], &typings[other]), "%s: %02X is %02X", name,
                              character, other);
        }
    }
    ck_assert_ptr_null(keyboard_layout_find("xx"));
}
END_TEST

START_TEST(what_is_no_character_has_no_keys) {
    KeyboardTyping typing;
    ck_assert(!keyboard_layout_type(NULL, 0, &typing));
    ck_assert(!keyboard_layout_type(NULL, 0xE9, &typing));
    ck_assert(!keyboard_layout_type(NULL, REPLACEMENT_CHARACTER, &typing));
    ck_assert(!keyboard_layout_type(keyboard_layout_find("de"), 0x416, &typing));
    ck_assert(!keyboard_layout_type(keyboard_layout_find("de"), 0xFFFFFFFF, &typing));
    ck_assert(keyboard_layout_type(NULL, '\n', &typing));
    ck_assert_uint_eq(typing.strokes[0].key, KEYBOARD_KEY_RET);
}
END_TEST

START_TEST(symbols_find_dead_keys_too) {
    const KeyboardLayout *german = keyboard_layout_find("de");
    ck_assert_int_eq(keyboard_layout_find_key(german, 0xB4), KEYBOARD_KEY_EQUAL);
    ck_assert_int_eq(keyboard_layout_find_key(german, '^'), KEYBOARD_KEY_GRAVE_ACCENT);
    ck_assert_int_eq(keyboard_layout_find_key(german, '@'), KEYBOARD_KEY_Q);
    ck_assert_int_eq(keyboard_layout_find_key(german, 0xE9), -1);
    ck_assert_int_eq(keyboard_layout_find_key(NULL, '@'), KEYBOARD_KEY_2);
    ck_assert_int_eq(keyboard_layout_find_key(NULL, 0), -1);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("keyboard_layouts");
    TCase *tests = tcase_create("layouts");
    tcase_add_loop_test(tests, characters_are_where_keyboards_have_them, 0,
                        sizeof(expected) / sizeof(expected[0]));
    tcase_add_test(tests, every_layout_types_all_of_ascii);
    tcase_add_test(tests, what_is_no_character_has_no_keys);
    tcase_add_test(tests, symbols_find_dead_keys_too);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
