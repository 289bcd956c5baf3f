/* A service that answers every request after a set delay, in compiled code: it takes little of the machine, and its
   delay is right to a fraction of a millisecond. Linux only (epoll, timerfd).

   delayed_server MICROSECONDS: prints its port, serves until its standard input ends. PUT is answered 200 {}; POST, the
   sign-in, with a token; GET with the counts of both. One request at a time on a connection, as HTTP/1.1 clients do. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS 1024
#define REQUEST_BYTES 65536

static struct { char bytes[REQUEST_BYTES]; size_t length; int is_waiting; } requests[CONNECTIONS];
static struct { int connection; int64_t due; } queue[CONNECTIONS];  /* a ring: with one delay for all, first come is first due */
static unsigned head, tail;
static long updates, sign_ins;
static int timer;

static int64_t now(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec * 1000000000LL + at.tv_nsec;
}

static void set_timer(void) {
    struct itimerspec when = {0};
    if (head != tail) {
        int64_t due = queue[head % CONNECTIONS].due;
        when.it_value.tv_sec = due / 1000000000LL;
        when.it_value.tv_nsec = due % 1000000000LL;
    }
    timerfd_settime(timer, TFD_TIMER_ABSTIME, &when, NULL);
}

static void forget(int connection) {
    requests[connection].length = 0;
    requests[connection].is_waiting = 0;
}

static void answer(int connection) {
    char body[200], reply[400];
    if (!requests[connection].is_waiting) return;  /* hung up meanwhile */
    switch (requests[connection].bytes[0]) {
    case 'P':
        if (requests[connection].bytes[1] == 'U') {
            updates++;
            strcpy(body, "{}");
        } else {
            sign_ins++;
            strcpy(body, "{\"access_token\":\"token-of-the-benchmark\",\"token_type\":\"Bearer\",\"expires_in\":86400}");
        }
        break;
    default:
        snprintf(body, sizeof body, "{\"updates\":%ld,\"sign_ins\":%ld}", updates, sign_ins);
    }
    int length = snprintf(reply, sizeof reply,
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s", strlen(body), body);
    forget(connection);
    if (write(connection, reply, (size_t)length) != length) close(connection);
}

static size_t wanted_bytes(const char *bytes, size_t length) {
    const char *end = memmem(bytes, length, "\r\n\r\n", 4);
    if (!end) return SIZE_MAX;
    size_t body = 0;
    for (const char *line = bytes; line && line < end; line = memmem(line, (size_t)(end - line), "\r\n", 2)) {
        if (*line == '\r') line += 2;
        if (!strncasecmp(line, "content-length:", 15)) body = strtoul(line + 15, NULL, 10);
    }
    return (size_t)(end - bytes) + 4 + body;
}

static void take(int connection, int64_t delay) {
    char *bytes = requests[connection].bytes;
    size_t *length = &requests[connection].length;
    ssize_t got = read(connection, bytes + *length, REQUEST_BYTES - 1 - *length);
    if (got <= 0) {
        forget(connection);
        close(connection);
        return;
    }
    *length += (size_t)got;
    bytes[*length] = 0;
    if (*length < wanted_bytes(bytes, *length)) return;
    requests[connection].is_waiting = 1;
    if (!delay) {
        answer(connection);
        return;
    }
    queue[tail % CONNECTIONS].connection = connection;
    queue[tail++ % CONNECTIONS].due = now() + delay;
    if (tail - head == 1) set_timer();
}

static void answer_due(void) {
    uint64_t times;
    if (read(timer, &times, sizeof times) < 0) return;
    for (int64_t at = now(); head != tail && queue[head % CONNECTIONS].due <= at; head++)
        answer(queue[head % CONNECTIONS].connection);
    set_timer();
}

static void watch(int loop, int file) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = file};
    epoll_ctl(loop, EPOLL_CTL_ADD, file, &event);
}

static int listen_locally(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&address, size) || listen(listener, 512)) exit(1);
    getsockname(listener, (struct sockaddr *)&address, &size);
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return listener;
}

int main(int count, char **arguments) {
    int64_t delay = count > 1 ? atoll(arguments[1]) * 1000 : 0;
    int listener = listen_locally(), loop = epoll_create1(0), one = 1;
    timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    watch(loop, listener);
    watch(loop, timer);
    watch(loop, STDIN_FILENO);
    for (;;) {
        struct epoll_event ready[64];
        int found = epoll_wait(loop, ready, 64, -1);
        for (int each = 0; each < found; each++) {
            int file = ready[each].data.fd;
            if (file == STDIN_FILENO) return 0;
            if (file == timer) {
                answer_due();
            } else if (file != listener) {
                take(file, delay);
            } else {
                int connection = accept(listener, NULL, NULL);
                if (connection < 0 || connection >= CONNECTIONS) return 1;
                setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                forget(connection);
                watch(loop, connection);
            }
        }
    }
}
