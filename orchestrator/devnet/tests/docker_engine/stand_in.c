/* Stands in for the node in tests of the Docker engine: tells what its
 * container is like, answers on the ports a node has, ends on SIGTERM.
 *
 *   minichain run     the stand-in node
 *   minichain mtu N   sets the MTU of eth0, as fault injection would change
 *                     the network namespace
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef MARK
#define MARK "unmarked"
#endif

static void end(int number) {
    (void)number;
    _exit(0);
}

static void try_write(const char *path) {
    int file = open(path, O_CREAT | O_WRONLY | O_APPEND, 0600);
    printf("write %s: %s\n", path, file < 0 ? strerror(errno) : "ok");
    if (file >= 0) close(file);
}

static void tell_capabilities(void) {
    char line[256];
    FILE *status = fopen("/proc/self/status", "r");
    while (status && fgets(line, sizeof line, status))
        if (!strncmp(line, "CapBnd:", 7) || !strncmp(line, "NoNewPrivs:", 11)) fputs(line, stdout);
    if (status) fclose(status);
}

static int serve(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    int one = 1, server = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(server, (struct sockaddr *)&address, sizeof address) || listen(server, 16)) {
        perror("listen");
        exit(3);
    }
    return server;
}

static int run(void) {
    char host[256] = "";
    const char *config = getenv("MINICHAIN_CONFIG");
    gethostname(host, sizeof host - 1);
    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGTERM, end);
    printf("stand-in %s on %s\n", MARK, host);
    printf("user %d:%d\n", (int)getuid(), (int)getgid());
    printf("config %s\n", config ? config : "missing");
    try_write("/data/proof");
    try_write("/tmp/proof");
    try_write("/proof");
    tell_capabilities();
    fprintf(stderr, "this is standard error\n");
    struct pollfd servers[2] = {{serve(9001), POLLIN, 0}, {serve(9002), POLLIN, 0}};
    for (;;) {
        poll(servers, 2, -1);
        for (int i = 0; i < 2; i++) {
            if (!(servers[i].revents & POLLIN)) continue;
            int client = accept(servers[i].fd, NULL, NULL);
            if (client < 0) continue;
            dprintf(client, "%s %d\n", host, 9001 + i);
            close(client);
        }
    }
}

static int set_mtu(int mtu) {
    struct ifreq request = {0};
    strcpy(request.ifr_name, "eth0");
    request.ifr_mtu = mtu;
    if (ioctl(socket(AF_INET, SOCK_DGRAM, 0), SIOCSIFMTU, &request)) {
        perror("mtu");
        return 1;
    }
    puts("mtu set");
    return 0;
}

int main(int count, char **words) {
    if (count == 3 && !strcmp(words[1], "mtu")) return set_mtu(atoi(words[2]));
    if (count == 2 && !strcmp(words[1], "run")) return run();
    fprintf(stderr, "usage: minichain run | mtu N\n");
    return 2;
}
