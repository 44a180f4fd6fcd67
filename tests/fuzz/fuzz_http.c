/* Hostile requests to the HTTP server of private networks: what the parser makes of them, whole and
 * in pieces, and what a server that runs answers.
 *
 * Whatever comes, a path leads nowhere outside, a range stays within its file, a request that was
 * understood is not understood otherwise once more of it has come, and the server ends the
 * connection. */
#define _GNU_SOURCE
#include "fuzz_input.h"
#include "http_request.h"
#include "http_server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { TEXT_BYTES = HTTP_REQUEST_BYTES + 512, WORDS_MAX = 40, PIECES_MAX = 8, SECONDS_MAX = 20 };
#define SECRET "nobody may read this"

static char top[] = "/tmp/fuzz-http-XXXXXX";
static HttpServer *server;

static void die(const char *what) {
    fprintf(stderr, "fuzz_http: %s\n", what);
    abort();
}

static const char *path_of(const char *name) {
    static char path[64];
    snprintf(path, sizeof(path), "%s/%s", top, name);
    return path;
}

static void make_file(const char *name, const char *text) {
    FILE *file = fopen(path_of(name), "wb");
    if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0)
        die("no file");
}

static void set_up(void) {
    if (mkdtemp(top) == NULL || mkdir(path_of("shown"), 0700) != 0 ||
        mkdir(path_of("shown/a b"), 0700) != 0)
        die("no folder");
    make_file("secret", SECRET);
    make_file("shown/ten.txt", "0123456789");
    make_file("shown/a b/%41", "");
    if (symlink("../secret", path_of("shown/link")) != 0 || symlink("..", path_of("shown/up")) != 0)
        die("no link");
    Error error = {.set = false};
    server = http_server_create(path_of("shown"), &error);
    if (server == NULL)
        die(error.message);
}

void fuzz_clean_up(void) {
    static const char *const files[] = {"shown/up", "shown/link", "shown/a b/%41", "shown/ten.txt",
                                        "secret"};
    http_server_destroy(server);
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        unlink(path_of(files[i]));
    rmdir(path_of("shown/a b"));
    rmdir(path_of("shown"));
    rmdir(top);
}

/* Words of the protocol, and bytes of any kind. */
static size_t make_text(FuzzInput *input, char *text) {
    static const char *const words[] = {"GET ",
                                        "HEAD ",
                                        "POST ",
                                        "/",
                                        "ten.txt",
                                        "a%20b/",
                                        "%2541",
                                        "..",
                                        "/../",
                                        "%2e%2e%2f",
                                        "%00",
                                        "%",
                                        "link",
                                        "up/secret",
                                        "http://host",
                                        " HTTP/1.1",
                                        " HTTP/1.",
                                        "\r\n",
                                        "\n",
                                        "\r\n\r\n",
                                        "Range: bytes=",
                                        "range:bytes=",
                                        "0-",
                                        "-",
                                        "-5",
                                        "3-7",
                                        "7-3",
                                        "9223372036854775807",
                                        "99999999999999999999",
                                        ",",
                                        "GET /ten.txt HTTP/1.1\r\n",
                                        "?query#part",
                                        "Host: x\r\n"};
    size_t size = 0;
    if (fuzz_number(input, 1) & 1)
        size = (size_t)snprintf(text, TEXT_BYTES, "GET /");
    for (unsigned i = 0; i < WORDS_MAX && input->position < input->size; i++) {
        unsigned kind = (unsigned)fuzz_number(input, 1);
        const char *word = words[kind % (sizeof(words) / sizeof(words[0]))];
        size_t length = strlen(word), times = 1;
        char byte = (char)fuzz_number(input, 1);
        if (kind >= 224) {
            word = &byte;
            length = 1;
        }
        if (kind % 32 == 31) /* as long as fits, and longer */
            times = (size_t)fuzz_number(input, 2) % 4096;
        for (; times > 0 && size + length < TEXT_BYTES; times--, size += length)
            memcpy(text + size, word, length);
    }
    return size;
}

static bool is_within(const char *path) {
    for (const char *part = path; part != NULL; part = strchr(part + 1, '/'))
        if (strcmp(part, "/..") == 0 || strncmp(part, "/../", 4) == 0)
            return false;
    return path[0] == '/';
}

static void check_range(const HttpRequest *request, uint64_t size) {
    uint64_t first, count;
    HttpStatus status = http_request_find_range(request, size, &first, &count);
    if (status != HTTP_RANGE_NOT_SATISFIABLE && (first > size || count > size - first))
        die("a range leaves its file");
    if (status == HTTP_PARTIAL && count == 0)
        die("a range is empty");
}

/* As the server calls it: after each piece, until there is an answer. */
static HttpStatus parse(const char *text, size_t size, size_t step) {
    HttpRequest request;
    HttpStatus status = HTTP_INCOMPLETE;
    for (size_t have = 0; status == HTTP_INCOMPLETE && have < size;) {
        have = size - have < step ? size : have + step;
        char *copy = malloc(have); /* nothing behind it may be read */
        memcpy(copy, text, have);
        status = http_request_parse(copy, have, &request);
        free(copy);
    }
    if (status == HTTP_OK) {
        if (memchr(request.path, '\0', sizeof(request.path)) == NULL || !is_within(request.path))
            die("a path leads outside");
        check_range(&request, 0);
        check_range(&request, 10);
        check_range(&request, INT64_MAX);
    }
    return status;
}

static int connect_to_server(void) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const struct timeval patience = {.tv_sec = SECONDS_MAX};
    int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", http_server_socket(server));
    if (client < 0 || connect(client, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) != 0)
        die("no connection");
    return client;
}

static void check_answer(int client, HttpStatus status) {
    char answer[16384], line[32];
    size_t size = 0;
    ssize_t got;
    while (size < sizeof(answer) - 1 &&
           (got = recv(client, answer + size, sizeof(answer) - 1 - size, 0)) > 0)
        size += (size_t)got;
    if (size < sizeof(answer) - 1 && got < 0 && size == 0 && status == HTTP_OK)
        die("a good request has no answer");
    answer[size] = '\0';
    snprintf(line, sizeof(line), "HTTP/1.1 %d ", status);
    if (status == HTTP_INCOMPLETE ? size != 0 : strncmp(answer, "HTTP/1.1 ", 9) != 0)
        die("the answer is none");
    if (status != HTTP_INCOMPLETE && status != HTTP_OK && strncmp(answer, line, 13) != 0)
        die("another status is told");
    if (memmem(answer, size, SECRET, strlen(SECRET)) != NULL)
        die("the answer tells what is outside");
}

/* The client may end before it has said everything, and speak on after the answer. */
static void ask(FuzzInput *input, const char *text, size_t size, HttpStatus status) {
    int client = connect_to_server();
    for (unsigned i = 0; i <= PIECES_MAX && size > 0; i++) {
        size_t piece = i < PIECES_MAX ? (size_t)fuzz_number(input, 1) * 8 + 1 : size;
        piece = piece < size ? piece : size;
        ssize_t sent = send(client, text, piece, MSG_NOSIGNAL);
        if (sent <= 0)
            break; /* it has had enough */
        text += sent;
        size -= (size_t)sent;
    }
    shutdown(client, SHUT_WR);
    check_answer(client, status);
    close(client);
}

int fuzz_one(const uint8_t *data, size_t size) {
    FuzzInput input = {data, size, 0};
    static char text[TEXT_BYTES];
    if (server == NULL)
        set_up();
    unsigned how = (unsigned)fuzz_number(&input, 1);
    size_t step = (size_t)fuzz_number(&input, 1) + 1;
    size_t length = make_text(&input, text);
    if (how & 1)
        length += (size_t)snprintf(text + length, TEXT_BYTES - length, "\r\n\r\n");
    length = length < TEXT_BYTES ? length : TEXT_BYTES - 1;
    size_t looked_at = length < HTTP_REQUEST_BYTES ? length : HTTP_REQUEST_BYTES;
    HttpStatus whole = parse(text, looked_at, HTTP_REQUEST_BYTES);
    HttpStatus pieces = parse(text, looked_at, step);
    if (whole != pieces)
        die("pieces are understood otherwise");
    if (how % 4 < 2)
        ask(&input, text, length, pieces);
    return 0;
}
