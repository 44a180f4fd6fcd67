#include "fpu_error_port.h"
#include "suite_run.h"
#include <check.h>

static int raised;

static void listen_ignne(void *listener, int line, int level) {
    (void)listener;
    ck_assert_int_eq(line, 3);
    ck_assert_int_eq(level, 1);
    raised++;
}

START_TEST(test_write_asserts_ignne) {
    Error error = {0};
    DeviceContext context = {.ports = port_map_create()};
    const Wire ignne = {listen_ignne, NULL, 3};
    FpuErrorPort *port = fpu_error_port_create(&context, &ignne, &error);
    ck_assert_ptr_nonnull(port);
    port_map_write(context.ports, 0xF0, 1, 0);
    ck_assert_int_eq(raised, 1);
    port_map_write(context.ports, 0xF1, 1, 0); /* coprocessor reset */
    ck_assert_int_eq(raised, 1);
    ck_assert_uint_eq(port_map_read(context.ports, 0xF0, 1), 0xFF);
    ck_assert_ptr_null(fpu_error_port_create(&context, &ignne, &error));
    ck_assert(error.set);
    fpu_error_port_destroy(port);
    port_map_destroy(context.ports);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("fpu_error_port");
    TCase *port = tcase_create("port");
    tcase_add_test(port, test_write_asserts_ignne);
    suite_add_tcase(suite, port);
    return suite_run(suite);
}
