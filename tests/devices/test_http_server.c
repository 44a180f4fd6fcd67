/* The HTTP server of private networks: what it shows, what it refuses, and clients that mean it no
 * good. */
#define _GNU_SOURCE
#include "http_folder.h"
#include "http_request.h"
#include "http_server.h"
#include "suite_run.h"

#include <check.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { LARGE = 3 << 20, ANSWER_BYTES = LARGE + 4096, FUZZ_ROUNDS = 200000 };

static char top[] = "/tmp/test-http-XXXXXX";
static char folder[64];
static HttpServer *server;
static char answer[ANSWER_BYTES];
static size_t answer_size;
static char large[LARGE];

static void make_file(const char *name, const void *data, size_t size) {
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", top, name);
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(data, 1, size, file), size);
    fclose(file);
}

static void make_link(const char *target, const char *name) {
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", top, name);
    ck_assert_int_eq(symlink(target, path), 0);
}

static void set_up(void) {
    char path[256];
    Error error = {.set = false};
    strcpy(top + strlen(top) - 6, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(top));
    snprintf(folder, sizeof(folder), "%s/shown", top);
    ck_assert_int_eq(mkdir(folder, 0700), 0);
    snprintf(path, sizeof(path), "%s/shown/in side", top);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    snprintf(path, sizeof(path), "%s/shown/pipe", top);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    for (size_t i = 0; i < LARGE; i++)
        large[i] = (char)(i * 2654435761u >> 13);
    make_file("secret", "nobody's", 8);
    make_file("shown/ten.txt", "0123456789", 10);
    make_file("shown/empty", "", 0);
    make_file("shown/in side/<b>&.htm", "x", 1);
    make_file("shown/large", large, LARGE);
    make_link("../secret", "shown/link");
    make_link("..", "shown/up");
    make_link("ten.txt", "shown/inner");
    server = http_server_create(folder, &error);
    ck_assert_msg(server != NULL, "%s", error.message);
}

static void tear_down(void) {
    char command[100], path[200];
    snprintf(path, sizeof(path), "%s", http_server_socket(server));
    http_server_destroy(server);
    ck_assert_int_ne(access(path, F_OK), 0);
    snprintf(command, sizeof(command), "rm -r %s", top);
    ck_assert_int_eq(system(command), 0);
}

static int connect_to_server(void) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int client = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", http_server_socket(server));
    ck_assert_int_eq(connect(client, (struct sockaddr *)&address, sizeof(address)), 0);
    return client;
}

static void send_all(int client, const char *text, size_t size) {
    while (size != 0) {
        ssize_t sent = send(client, text, size, MSG_NOSIGNAL);
        if (sent <= 0)
            return; /* it may have had enough */
        text += sent;
        size -= (size_t)sent;
    }
}

static void read_answer(int client) {
    answer_size = 0;
    for (ssize_t got;
         (got = recv(client, answer + answer_size, sizeof(answer) - 1 - answer_size, 0)) > 0;)
        answer_size += (size_t)got;
    answer[answer_size] = '\0';
    close(client);
}

static const char *body(void) {
    const char *end = strstr(answer, "\r\n\r\n");
    ck_assert_ptr_nonnull(end);
    return end + 4;
}

static size_t body_size(void) {
    return answer_size - (size_t)(body() - answer);
}

/* The status; everything else is in 'answer'. */
static int ask(const char *request) {
    int client = connect_to_server();
    send_all(client, request, strlen(request));
    read_answer(client);
    ck_assert_msg(strncmp(answer, "HTTP/1.1 ", 9) == 0, "%.40s", answer);
    return atoi(answer + 9);
}

static int get(const char *path, const char *headers) {
    char request[2048];
    snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: 10.0.2.4\r\n%s\r\n", path,
             headers);
    return ask(request);
}

START_TEST(files_are_shown) {
    ck_assert_int_eq(get("/ten.txt", ""), 200);
    ck_assert_str_eq(body(), "0123456789");
    ck_assert_ptr_nonnull(strstr(answer, "Content-Length: 10\r\n"));
    ck_assert_ptr_nonnull(strstr(answer, "Content-Type: text/plain\r\n"));
    ck_assert_int_eq(get("/%74en.txt?x=1", ""), 200);
    ck_assert_int_eq(get("http://10.0.2.4/ten.txt", ""), 200);
    ck_assert_str_eq(body(), "0123456789");
    ck_assert_int_eq(ask("GET /ten.txt HTTP/1.0\n\n"), 200);
    ck_assert_int_eq(get("/empty", ""), 200);
    ck_assert_uint_eq(body_size(), 0);
    ck_assert_int_eq(ask("HEAD /ten.txt HTTP/1.1\r\n\r\n"), 200);
    ck_assert_uint_eq(body_size(), 0);
    ck_assert_ptr_nonnull(strstr(answer, "Content-Length: 10\r\n"));
    ck_assert_int_eq(get("/large", ""), 200);
    ck_assert_uint_eq(body_size(), LARGE);
    ck_assert_int_eq(memcmp(body(), large, LARGE), 0);
    ck_assert_int_eq(get("/nothing", ""), 404);
    ck_assert_int_eq(get("/ten.txt/", ""), 404);
}
END_TEST

START_TEST(folders_are_lists_of_links) {
    ck_assert_int_eq(get("/", ""), 200);
    ck_assert_ptr_nonnull(strstr(body(), "<a href=\"./in%20side/\">in side/</a>"));
    ck_assert_ptr_nonnull(strstr(body(), "<a href=\"./ten.txt\">ten.txt</a>"));
    ck_assert_ptr_null(strstr(body(), "link"));
    ck_assert_ptr_null(strstr(body(), "pipe"));
    ck_assert_ptr_null(strstr(body(), "../"));
    ck_assert_int_eq(get("/in%20side", ""), 301);
    ck_assert_ptr_nonnull(strstr(answer, "Location: /in%20side/\r\n"));
    ck_assert_int_eq(get("/in%20side/", ""), 200);
    ck_assert_ptr_nonnull(strstr(body(), "<a href=\"./%3Cb%3E%26.htm\">&#60;b&#62;&#38;.htm</a>"));
    ck_assert_ptr_nonnull(strstr(body(), "<a href=\"../\">"));
    ck_assert_int_eq(get("/in%20side/%3Cb%3E%26.htm", ""), 200);
    ck_assert_ptr_nonnull(strstr(answer, "Content-Type: text/html\r\n"));
}
END_TEST

static const struct {
    const char *header;
    int status;
    const char *content;
} ranges[] = {
    {"bytes=2-4", 206, "234"},
    {"bytes=7-", 206, "789"},
    {"bytes=-3", 206, "789"},
    {"bytes=-30", 206, "0123456789"},
    {"bytes=0-99", 206, "0123456789"},
    {"bytes=9-9", 206, "9"},
    {"bytes=10-", 416, ""},
    {"bytes=-0", 416, ""},
    {"bytes=4-2", 200, "0123456789"},
    {"bytes=1-2,4-5", 200, "0123456789"},
    {"bytes=", 200, "0123456789"},
    {"bytes=-", 200, "0123456789"},
    {"lines=1-2", 200, "0123456789"},
    {"bytes=a-b", 200, "0123456789"},
    {"bytes=0-99999999999999999999", 200, "0123456789"},
};

START_TEST(ranges_of_bytes) {
    char header[100];
    snprintf(header, sizeof(header), "range:  %s\r\n", ranges[_i].header);
    ck_assert_int_eq(get("/ten.txt", header), ranges[_i].status);
    ck_assert_str_eq(body(), ranges[_i].content);
    if (_i == 0)
        ck_assert_ptr_nonnull(strstr(answer, "Content-Range: bytes 2-4/10\r\n"));
    if (ranges[_i].status == 416)
        ck_assert_ptr_nonnull(strstr(answer, "Content-Range: bytes */10\r\n"));
}
END_TEST

START_TEST(nothing_else_is_reached) {
    static const char *const paths[] = {"/../secret",   "/%2e%2e/secret", "/in%20side/../../secret",
                                        "/..%2fsecret", "/./../secret",   "/link",
                                        "/up/secret",   "/up/",           "/inner",
                                        "/pipe",        "/%00",           "/%zz",
                                        "/%2",          "secret",         "*",
                                        "//../secret",  "/in%20side/..",  "/ten.txt/../ten.txt"};
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        int status = get(paths[i], "");
        ck_assert_msg(status == 400 || status == 404, "%s: %d", paths[i], status);
        ck_assert_ptr_null(strstr(answer, "nobody's"));
    }
    ck_assert_int_eq(get("/...", ""), 404);
    ck_assert_int_eq(get("/.//.//ten.txt", ""), 200);
}
END_TEST

START_TEST(what_is_no_request_is_refused) {
    char *request = malloc(2 * HTTP_REQUEST_BYTES);
    ck_assert_int_eq(ask("PUT /ten.txt HTTP/1.1\r\n\r\n"), 405);
    ck_assert_ptr_nonnull(strstr(answer, "Allow: GET, HEAD\r\n"));
    ck_assert_int_eq(ask("DELETE /ten.txt HTTP/1.1\r\n\r\n"), 405);
    ck_assert_int_eq(ask("nonsense\r\n\r\n"), 400);
    ck_assert_int_eq(ask("GET /\r\n\r\n"), 400);
    ck_assert_int_eq(ask("GET / HTTP/2\r\n\r\n"), 400);
    memset(request, 'a', 2 * HTTP_REQUEST_BYTES);
    memcpy(request, "GET / HTTP/1.1\r\nX: ", 19);
    request[HTTP_REQUEST_BYTES] = '\0';
    ck_assert_int_eq(ask(request), 431);
    memset(request, 'a', 2000);
    memcpy(request, "GET /", 5);
    strcpy(request + 2000, " HTTP/1.1\r\n\r\n");
    ck_assert_int_eq(ask(request), 400);
    free(request);
}
END_TEST

/* Byte by byte, ended early, several at once, more than there are places. */
START_TEST(clients_may_be_odd) {
    static const char request[] = "GET /ten.txt HTTP/1.1\r\n\r\n";
    int silent[HTTP_SERVER_CONNECTIONS * 2], client = connect_to_server();
    for (size_t i = 0; i + 1 < sizeof(request); i++)
        send_all(client, request + i, 1);
    shutdown(client, SHUT_WR); /* it says no more, but listens */
    read_answer(client);
    ck_assert_str_eq(body(), "0123456789");
    for (unsigned i = 0; i < sizeof(silent) / sizeof(silent[0]); i++)
        silent[i] = connect_to_server();
    ck_assert_int_eq(get("/ten.txt", ""), 200);
    for (unsigned i = 0; i < sizeof(silent) / sizeof(silent[0]); i++)
        close(silent[i]);
    client = connect_to_server(); /* wants much, and goes */
    send_all(client, "GET /large HTTP/1.1\r\n\r\n", 23);
    close(client);
    int other = connect_to_server();
    client = connect_to_server();
    send_all(other, "GET /large HTTP/1.1\r\n\r\n", 23);
    send_all(client, "GET /ten.txt HTTP/1.1\r\n\r\n", 25);
    read_answer(client);
    ck_assert_str_eq(body(), "0123456789");
    read_answer(other);
    ck_assert_int_eq(memcmp(body(), large, LARGE), 0);
}
END_TEST

static uint64_t next_random(uint64_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    return *state ^= *state << 17;
}

/* Pieces of requests in any order: what is taken keeps to its bounds. */
START_TEST(random_requests) {
    static const char *const pieces[] = {
        "GET ", "HEAD ",         "/", "..", "%2e",         "%", "http://", " HTTP/1.1", "\r\n",
        "\n",   "Range: bytes=", "-", "0",  "99999999999", ",", "a",       "?",         " ",
        "\t"};
    uint64_t seed = 88172645463325252u;
    int root = open(folder, O_RDONLY | O_DIRECTORY);
    for (unsigned round = 0; round < FUZZ_ROUNDS; round++) {
        char text[512];
        size_t size = 0;
        for (unsigned count = next_random(&seed) % 24; count != 0; count--) {
            const char *piece = pieces[next_random(&seed) % (sizeof(pieces) / sizeof(pieces[0]))];
            size_t length = strlen(piece);
            if (size + length + 1 > sizeof(text))
                break;
            memcpy(text + size, piece, length);
            size += length;
            if (next_random(&seed) % 16 == 0)
                text[size++] = (char)next_random(&seed);
        }
        HttpRequest request;
        uint64_t first, count;
        if (http_request_parse(text, size, &request) != HTTP_OK)
            continue;
        struct stat info;
        ck_assert_int_eq(request.path[0], '/');
        int file = http_folder_open(root, request.path, &info);
        if (file >= 0)
            close(file);
        HttpStatus status = http_request_find_range(&request, 10, &first, &count);
        ck_assert(status == HTTP_OK || status == HTTP_PARTIAL ||
                  status == HTTP_RANGE_NOT_SATISFIABLE);
        ck_assert(status == HTTP_RANGE_NOT_SATISFIABLE || (first <= 10 && count <= 10 - first));
    }
    close(root);
}
END_TEST

START_TEST(a_folder_that_is_not_there_is_told) {
    Error error = {.set = false};
    ck_assert_ptr_null(http_server_create("/nowhere", &error));
    ck_assert_ptr_nonnull(strstr(error.message, "http=/nowhere: the folder cannot be read"));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("http_server");
    TCase *cases = tcase_create("http");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, files_are_shown);
    tcase_add_test(cases, folders_are_lists_of_links);
    tcase_add_loop_test(cases, ranges_of_bytes, 0, sizeof(ranges) / sizeof(ranges[0]));
    tcase_add_test(cases, nothing_else_is_reached);
    tcase_add_test(cases, what_is_no_request_is_refused);
    tcase_add_test(cases, clients_may_be_odd);
    tcase_add_test(cases, random_requests);
    tcase_add_test(cases, a_folder_that_is_not_there_is_told);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
