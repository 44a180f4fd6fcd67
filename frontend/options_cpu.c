/* -cpu, for processors of QEMU too that this version does not have. */
#include "byte_buffer.h"
#include "cpu_model.h"
#include "options.h"

#include <stdio.h>
#include <string.h>

/* Processors of 64 bits and the like, by how their names begin: a system of 32 bits runs on any. */
static const char *const later_models[] = {
    "host",      "base",      "core2duo",  "coreduo",     "n270",           "phenom",
    "kvm32",     "Conroe",    "Penryn",    "Nehalem",     "Westmere",       "SandyBridge",
    "IvyBridge", "Haswell",   "Broadwell", "Skylake",     "Cascadelake",    "Cooperlake",
    "Icelake",   "Snowridge", "Denverton", "KnightsMill", "SapphireRapids", "Opteron_G",
    "EPYC",      "Dhyana",    "x86-64-v"};

static bool is_later_model(const char *name, size_t length) {
    for (size_t i = 0; i < sizeof(later_models) / sizeof(later_models[0]); i++) {
        size_t head = strlen(later_models[i]);
        if (length >= head && memcmp(name, later_models[i], head) == 0)
            return true;
    }
    return false;
}

/* "+lm", "lm" and "lm=on" of a feature that no model here has: under TCG QEMU leaves it out, too.
 */
static bool asks_for_absent(const char *item, size_t length, char name[32]) {
    size_t start = length > 0 && *item == '+' ? 1 : 0;
    const char *equals = memchr(item, '=', length);
    size_t end = equals != NULL ? (size_t)(equals - item) : length;
    bool is_on = equals == NULL || (length - end == 3 && memcmp(equals, "=on", 3) == 0);
    if (end <= start || end - start >= 32 || !is_on ||
        !cpu_feature_is_absent(item + start, end - start))
        return false;
    snprintf(name, 32, "%.*s", (int)(end - start), item + start);
    return true;
}

/* The argument without what there is not. */
static void adapt(Settings *settings, const char *argument, ByteBuffer *text) {
    size_t length = strcspn(argument, ",");
    bool is_later = is_later_model(argument, length);
    if (is_later)
        settings_warn(settings, "there is no model '%.*s'; 'max' has every feature that there is",
                      (int)length, argument);
    byte_buffer_print(text, "%.*s", is_later ? 3 : (int)length, is_later ? "max" : argument);
    for (const char *item = argument + length; *item == ','; item += length) {
        char name[32];
        item++;
        length = strcspn(item, ",");
        if (asks_for_absent(item, length, name))
            settings_warn(settings, "the feature '%s' is not in this version", name);
        else
            byte_buffer_print(text, ",%.*s", (int)length, item);
    }
}

bool option_cpu(Settings *settings, const char *argument, Error *error) {
    ByteBuffer text = {.data = NULL};
    CpuModel model;
    if (strcmp(argument, "help") == 0 || strcmp(argument, "?") == 0) {
        cpu_model_print_list(&text);
        fwrite(text.data, 1, text.size, stdout);
        byte_buffer_free(&text);
        return settings->listed = true;
    }
    adapt(settings, argument, &text);
    settings->has_cpu_model = true;
    settings->machine.cpu_model = settings_keep_string(settings, (const char *)text.data);
    byte_buffer_free(&text);
    return cpu_model_parse(settings->machine.cpu_model, &model, error);
}
