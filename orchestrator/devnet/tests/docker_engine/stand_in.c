/* Stands in for the node in tests of the Docker engine: tells what its
 * container is like, answers on the ports a node has, ends on SIGTERM.
 *
 *   minichain run      the stand-in node
 *   minichain mtu N    sets the MTU of eth0, as fault injection would change
 *                      the network namespace
 *   minichain talk IP  holds a session with another node: sends a byte every
 *                      20 ms and tells how many came back
 *   minichain foreign  makes an nf_tables table `theirs`
 *   minichain tables   lists the IPv4 tables of nf_tables
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
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

static void echo(int client) {
    char bytes[256];
    ssize_t length;
    while ((length = read(client, bytes, sizeof bytes)) > 0)
        if (write(client, bytes, length) != length) break;
    _exit(0);
}

static void run(void) {
    char host[256] = "";
    const char *config = getenv("MINICHAIN_CONFIG");
    gethostname(host, sizeof host - 1);
    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGTERM, end);
    signal(SIGCHLD, SIG_IGN);
    printf("stand-in %s on %s\n", MARK, host);
    printf("user %d:%d\n", (int)getuid(), (int)getgid());
    printf("config %s\n", config ? config : "missing");
    try_write("/data/proof");
    try_write("/tmp/proof");
    try_write("/proof");
    tell_capabilities();
    fprintf(stderr, "this is standard error\n");
    struct pollfd servers[3] = {
        {serve(9001), POLLIN, 0}, {serve(9002), POLLIN, 0}, {serve(9003), POLLIN, 0}};
    for (;;) {
        poll(servers, 3, -1);
        for (int i = 0; i < 3; i++) {
            if (!(servers[i].revents & POLLIN)) continue;
            int client = accept(servers[i].fd, NULL, NULL);
            if (client < 0) continue;
            if (i == 2) {
                if (!fork()) echo(client);
                close(client);
                continue;
            }
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

static int talk(const char *ip) {
    struct sockaddr_in other = {.sin_family = AF_INET, .sin_port = htons(9003)};
    char bytes[256];
    long back = 0;
    int session = socket(AF_INET, SOCK_STREAM, 0);
    setvbuf(stdout, NULL, _IOLBF, 0);
    inet_pton(AF_INET, ip, &other.sin_addr);
    if (connect(session, (struct sockaddr *)&other, sizeof other)) {
        perror("connect");
        return 1;
    }
    for (;;) {
        struct pollfd answer = {session, POLLIN, 0};
        if (send(session, "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 && errno != EAGAIN) break;
        if (poll(&answer, 1, 20) == 1) {
            ssize_t length = read(session, bytes, sizeof bytes);
            if (length <= 0) break;
            back += length;
            usleep(20000);
        }
        printf("%ld\n", back);
    }
    puts("broken");
    return 1;
}

/* Asks nf_tables; with a name the message carries a table's name. */
static int ask_tables(int word, int flags, const char *name) {
    char batch[512] = {0}, *at = batch;
    int socket_ = socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER);
    int types[3] = {NFNL_MSG_BATCH_BEGIN, (NFNL_SUBSYS_NFTABLES << 8) | word, NFNL_MSG_BATCH_END};
    for (int i = name ? 0 : 1; i < (name ? 3 : 2); i++) {
        struct nlmsghdr *head = (struct nlmsghdr *)at;
        struct nfgenmsg *body = NLMSG_DATA(head);
        head->nlmsg_len = NLMSG_LENGTH(sizeof *body);
        head->nlmsg_type = types[i];
        head->nlmsg_flags = NLM_F_REQUEST | (i == 1 ? flags : 0);
        head->nlmsg_seq = i;
        body->nfgen_family = i == 1 ? NFPROTO_IPV4 : 0;
        body->res_id = i == 1 ? 0 : htons(NFNL_SUBSYS_NFTABLES);
        if (i == 1 && name) {
            struct nlattr *attribute = (struct nlattr *)(at + head->nlmsg_len);
            attribute->nla_type = NFTA_TABLE_NAME;
            attribute->nla_len = NLA_HDRLEN + strlen(name) + 1;
            strcpy((char *)attribute + NLA_HDRLEN, name);
            head->nlmsg_len += NLA_ALIGN(attribute->nla_len);
        }
        at += NLMSG_ALIGN(head->nlmsg_len);
    }
    if (send(socket_, batch, at - batch, 0) < 0) perror("send");
    return socket_;
}

static int make_foreign(void) {
    char answer[4096];
    int asked = ask_tables(NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_ACK, "theirs");
    ssize_t length = recv(asked, answer, sizeof answer, 0);
    struct nlmsgerr *verdict = NLMSG_DATA((struct nlmsghdr *)answer);
    puts(length > 0 && verdict->error == 0 ? "made" : "refused");
    return 0;
}

static int list_tables(void) {
    static char answer[65536];
    int asked = ask_tables(NFT_MSG_GETTABLE, NLM_F_DUMP, NULL);
    for (;;) {
        int length = recv(asked, answer, sizeof answer, 0);
        struct nlmsghdr *head = (struct nlmsghdr *)answer;
        if (length <= 0) return 1;
        for (; NLMSG_OK(head, length); head = NLMSG_NEXT(head, length)) {
            if (head->nlmsg_type == NLMSG_DONE || head->nlmsg_type == NLMSG_ERROR) return 0;
            /* The name is the first attribute. */
            puts((char *)NLMSG_DATA(head) + NLMSG_ALIGN(sizeof(struct nfgenmsg)) + NLA_HDRLEN);
        }
    }
}

int main(int count, char **words) {
    if (count == 3 && !strcmp(words[1], "mtu")) return set_mtu(atoi(words[2]));
    if (count == 2 && !strcmp(words[1], "run")) run();
    if (count == 3 && !strcmp(words[1], "talk")) return talk(words[2]);
    if (count == 2 && !strcmp(words[1], "foreign")) return make_foreign();
    if (count == 2 && !strcmp(words[1], "tables")) return list_tables();
    fprintf(stderr, "usage: minichain run | mtu N | talk IP | foreign | tables\n");
    return 2;
}
