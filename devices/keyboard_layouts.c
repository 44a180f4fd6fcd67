/* Where layouts of one country differ between systems, this is what Windows has (Microsoft,
 * 'Windows Keyboard Layouts'), which DOS's KEYB and Linux's keymaps are close to; Italy's ` and ~,
 * which it lacks there, are where X11 has them. */
#include "keyboard_layouts.h"
#include "character_codes.h"

#include <string.h>

enum { ROWS = 4, LEVELS = 4, LONGEST_ROW = 13 };

/* The keys of each row; that between left Shift and Z is the first of the last row, and Brazil's
 * beside the right Shift its last one. */
#define K(name) KEYBOARD_KEY_##name
// clang-format off
static const KeyboardKey row_keys[ROWS][LONGEST_ROW] = {
    {K(GRAVE_ACCENT), K(1), K(2), K(3), K(4), K(5), K(6), K(7), K(8), K(9), K(0), K(MINUS), K(EQUAL)},
    {K(Q), K(W), K(E), K(R), K(T), K(Y), K(U), K(I), K(O), K(P), K(BRACKET_LEFT), K(BRACKET_RIGHT)},
    {K(A), K(S), K(D), K(F), K(G), K(H), K(J), K(K), K(L), K(SEMICOLON), K(APOSTROPHE), K(BACKSLASH)},
    {K(LESS), K(Z), K(X), K(C), K(V), K(B), K(N), K(M), K(COMMA), K(DOT), K(SLASH), K(RO)},
};
// clang-format on
#undef K

/* 'rows': for each combination of modifiers (a sum of KEYBOARD_SHIFT and KEYBOARD_ALT_GR), what the
 * keys of each row type, in UTF-8; a space where a key types nothing. Accents are dead keys: 'dead'
 * names those without AltGr, 'dead_alt_gr' those with. */
struct KeyboardLayout {
    const char *name, *region;
    const char *rows[LEVELS][ROWS];
    const char *dead, *dead_alt_gr;
};

// clang-format off
static const KeyboardLayout layouts[] = {
    {"en-us", "USA",
     {{"`1234567890-=", "qwertyuiop[]", "asdfghjkl;'\\", " zxcvbnm,./"},
      {"~!@#$%^&*()_+", "QWERTYUIOP{}", "ASDFGHJKL:\"|", " ZXCVBNM<>?"}},
     "", ""},
    {"en-gb", "United Kingdom",
     {{"`1234567890-=", "qwertyuiop[]", "asdfghjkl;'#", "\\zxcvbnm,./"},
      {"¬!\"£$%^&*()_+", "QWERTYUIOP{}", "ASDFGHJKL:@~", "|ZXCVBNM<>?"},
      {"¦   €", "  é   úíó", "á"},
      {"", "  É   ÚÍÓ", "Á"}},
     "", ""},
    {"de", "Germany, Austria",
     {{"^1234567890ß´", "qwertzuiopü+", "asdfghjklöä#", "<yxcvbnm,.-"},
      {"°!\"§$%&/()=?`", "QWERTZUIOPÜ*", "ASDFGHJKLÖÄ'", ">YXCVBNM;:_"},
      {"  ²³   {[]}\\", "@ €        ~", "", "|      µ"}},
     "^´`", ""},
    {"de-ch", "Switzerland, German",
     {{"§1234567890'^", "qwertzuiopü¨", "asdfghjklöä$", "<yxcvbnm,.-"},
      {"°+\"*ç%&/()=?`", "QWERTZUIOPè!", "ASDFGHJKLéà£", ">YXCVBNM;:_"},
      {" ¦@#  ¬|¢  ´~", "  €       []", "          {}", "\\"}},
     "^`¨", "´~"},
    {"fr-ch", "Switzerland, French",
     {{"§1234567890'^", "qwertzuiopè¨", "asdfghjkléà$", "<yxcvbnm,.-"},
      {"°+\"*ç%&/()=?`", "QWERTZUIOPü!", "ASDFGHJKLöä£", ">YXCVBNM;:_"},
      {" ¦@#  ¬|¢  ´~", "  €       []", "          {}", "\\"}},
     "^`¨", "´~"},
    {"fr", "France",
     {{"²&é\"'(-è_çà)=", "azertyuiop^$", "qsdfghjklmù*", "<wxcvbn,;:!"},
      {" 1234567890°+", "AZERTYUIOP¨£", "QSDFGHJKLM%µ", ">WXCVBN?./§"},
      {"  ~#{[|`\\^@]}", "  €        ¤"}},
     "^¨", "~`"},
    {"es", "Spain",
     {{"º1234567890'¡", "qwertyuiop`+", "asdfghjklñ´ç", "<zxcvbnm,.-"},
      {"ª!\"·$%&/()=?¿", "QWERTYUIOP^*", "ASDFGHJKLÑ¨Ç", ">ZXCVBNM;:_"},
      {"\\|@#~€¬", "  €       []", "          {}"}},
     "`^´¨", "~"},
    {"it", "Italy",
     {{"\\1234567890'ì", "qwertyuiopè+", "asdfghjklòàù", "<zxcvbnm,.-"},
      {"|!\"£$%&/()=?^", "QWERTYUIOPé*", "ASDFGHJKLç°§", ">ZXCVBNM;:_"},
      {"     €     `~", "  €       []", "         @#"},
      {"", "          {}"}},
     "", ""},
    {"pt", "Portugal",
     {{"\\1234567890'«", "qwertyuiop+´", "asdfghjklçº~", "<zxcvbnm,.-"},
      {"|!\"#$%&/()=?»", "QWERTYUIOP*`", "ASDFGHJKLÇª^", ">ZXCVBNM;:_"},
      {"  @£§€ {[]}", "  €       ¨"}},
     "´`~^", "¨"},
    {"pt-br", "Brazil (ABNT2)",
     {{"'1234567890-=", "qwertyuiop´[", "asdfghjklç~]", "\\zxcvbnm,.;/"},
      {"\"!@#$%¨&*()_+", "QWERTYUIOP`{", "ASDFGHJKLÇ^}", "|ZXCVBNM<>:?"},
      {" ¹²³£¢¬     §", "/?°        ª", "           º"}},
     "´`~^¨", ""},
    {"sv", "Sweden",
     {{"§1234567890+´", "qwertyuiopå¨", "asdfghjklöä'", "<zxcvbnm,.-"},
      {"½!\"#¤%&/()=?`", "QWERTYUIOPÅ^", "ASDFGHJKLÖÄ*", ">ZXCVBNM;:_"},
      {"  @£$€ {[]}\\", "  €        ~", "", "|      µ"}},
     "´`¨^", "~"},
    {"fi", "Finland",
     {{"§1234567890+´", "qwertyuiopå¨", "asdfghjklöä'", "<zxcvbnm,.-"},
      {"½!\"#¤%&/()=?`", "QWERTYUIOPÅ^", "ASDFGHJKLÖÄ*", ">ZXCVBNM;:_"},
      {"  @£$€ {[]}\\", "  €        ~", "", "|      µ"}},
     "´`¨^", "~"},
    {"no", "Norway",
     {{"|1234567890+\\", "qwertyuiopå¨", "asdfghjkløæ'", "<zxcvbnm,.-"},
      {"§!\"#¤%&/()=?`", "QWERTYUIOPÅ^", "ASDFGHJKLØÆ*", ">ZXCVBNM;:_"},
      {"  @£$€ {[]} ´", "  €        ~", "", "       µ"}},
     "`¨^", "´~"},
    {"da", "Denmark",
     {{"½1234567890+´", "qwertyuiopå¨", "asdfghjklæø'", "<zxcvbnm,.-"},
      {"§!\"#¤%&/()=?`", "QWERTYUIOPÅ^", "ASDFGHJKLÆØ*", ">ZXCVBNM;:_"},
      {"  @£$€ {[]} |", "  €        ~", "", "\\      µ"}},
     "´`¨^", "~"},
};

/* What dead keys make of letters: each letter, then the letter with its accent. With a space each
 * gives the accent itself. */
static const struct {
    const char *accent, *pairs;
} combinations[] = {
    {"´", "aáeéiíoóuúyýAÁEÉIÍOÓUÚYÝ"},
    {"`", "aàeèiìoòuùAÀEÈIÌOÒUÙ"},
    {"^", "aâeêiîoôuûAÂEÊIÎOÔUÛ"},
    {"¨", "aäeëiïoöuüyÿAÄEËIÏOÖUÜ"},
    {"~", "aãnñoõAÃNÑOÕ"},
};

static const struct {
    char character;
    KeyboardKey key;
} control_keys[] = {
    {' ', KEYBOARD_KEY_SPC}, {'\n', KEYBOARD_KEY_RET},       {'\r', KEYBOARD_KEY_RET},
    {'\t', KEYBOARD_KEY_TAB}, {'\b', KEYBOARD_KEY_BACKSPACE}, {'\033', KEYBOARD_KEY_ESC},
};
// clang-format on

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

const KeyboardLayout *keyboard_layout_get(size_t number) {
    return number < COUNT(layouts) ? &layouts[number] : NULL;
}

const KeyboardLayout *keyboard_layout_find(const char *name) {
    for (size_t i = 0; i < COUNT(layouts); i++)
        if (strcmp(layouts[i].name, name) == 0)
            return &layouts[i];
    return NULL;
}

const char *keyboard_layout_name(const KeyboardLayout *layout) {
    return layout->name;
}

const char *keyboard_layout_region(const KeyboardLayout *layout) {
    return layout->region;
}

/* The next character of a string of ours; 0 at its end. */
static uint32_t next_character(const char **text) {
    size_t used;
    if (**text == '\0')
        return 0;
    uint32_t character = utf8_decode((const uint8_t *)*text, strlen(*text), &used);
    *text += used;
    return character;
}

/* Where a character is in a text; -1 where it is not. */
static int find_character(const char *text, uint32_t wanted) {
    int place = 0;
    if (text == NULL)
        return -1;
    for (uint32_t character; (character = next_character(&text)) != 0; place++)
        if (character == wanted)
            return place;
    return -1;
}

/* Adds the key that has the character, as a dead key or as one that types at once. */
static bool add_stroke(const KeyboardLayout *layout, uint32_t character, bool dead,
                       KeyboardTyping *typing) {
    for (unsigned level = 0; level < LEVELS; level++) {
        const char *accents = level & KEYBOARD_ALT_GR ? layout->dead_alt_gr : layout->dead;
        if ((find_character(accents, character) >= 0) != dead)
            continue;
        for (unsigned row = 0; row < ROWS; row++) {
            int place = find_character(layout->rows[level][row], character);
            if (place < 0)
                continue;
            typing->strokes[typing->count].key = row_keys[row][place];
            typing->strokes[typing->count++].modifiers = level;
            return true;
        }
    }
    return false;
}

static bool add_control(uint32_t character, KeyboardTyping *typing) {
    for (size_t i = 0; i < COUNT(control_keys); i++) {
        if ((uint8_t)control_keys[i].character != character)
            continue;
        typing->strokes[typing->count].key = control_keys[i].key;
        typing->strokes[typing->count++].modifiers = 0;
        return true;
    }
    return false;
}

/* The letter that an accent makes this character of; 0 if there is none. */
static uint32_t find_base(uint32_t accent, const char *pairs, uint32_t character) {
    uint32_t base, combined;
    if (accent == character)
        return ' ';
    while ((base = next_character(&pairs)) != 0 && (combined = next_character(&pairs)) != 0)
        if (combined == character)
            return base;
    return 0;
}

static bool add_combination(const KeyboardLayout *layout, uint32_t character,
                            KeyboardTyping *typing) {
    for (size_t i = 0; i < COUNT(combinations); i++) {
        const char *text = combinations[i].accent;
        uint32_t accent = next_character(&text);
        uint32_t base = find_base(accent, combinations[i].pairs, character);
        typing->count = 0;
        if (base != 0 && add_stroke(layout, accent, true, typing) &&
            (add_control(base, typing) || add_stroke(layout, base, false, typing)))
            return true;
    }
    return false;
}

bool keyboard_layout_type(const KeyboardLayout *layout, uint32_t character,
                          KeyboardTyping *typing) {
    if (layout == NULL)
        layout = &layouts[0];
    typing->count = 0;
    return character != 0 &&
           (add_control(character, typing) || add_stroke(layout, character, false, typing) ||
            add_combination(layout, character, typing));
}

int keyboard_layout_find_key(const KeyboardLayout *layout, uint32_t character) {
    KeyboardTyping typing = {.count = 0};
    if (layout == NULL)
        layout = &layouts[0];
    bool found = character != 0 && (add_control(character, &typing) ||
                                    add_stroke(layout, character, false, &typing) ||
                                    add_stroke(layout, character, true, &typing));
    return found ? (int)typing.strokes[0].key : -1;
}
