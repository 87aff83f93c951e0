/* zephyr/net/socket.h stands in for the real header (see README.md): Zephyr's own names for BSD sockets. */
#pragma once
/* Zephyr's addresses and option numbers are its own; the host's stand in for them. */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/types.h>
struct zsock_pollfd { int fd; short events; short revents; };
#define ZSOCK_POLLIN 1
#define ZSOCK_POLLOUT 4
struct zsock_addrinfo {
    struct zsock_addrinfo *ai_next;
    int ai_flags;
    int ai_family;
    int ai_socktype;
    int ai_protocol;
    socklen_t ai_addrlen;
    struct sockaddr *ai_addr;
    char *ai_canonname;
};
int zsock_socket(int family, int type, int proto);
int zsock_connect(int sock, const struct sockaddr *addr, socklen_t addrlen);
ssize_t zsock_send(int sock, const void *buf, size_t len, int flags);
ssize_t zsock_recv(int sock, void *buf, size_t max_len, int flags);
int zsock_close(int sock);
int zsock_poll(struct zsock_pollfd *fds, int nfds, int timeout);
int zsock_fcntl(int sock, int cmd, int flags);
int zsock_setsockopt(int sock, int level, int optname, const void *optval, socklen_t optlen);
int zsock_getsockopt(int sock, int level, int optname, void *optval, socklen_t *optlen);
int zsock_getaddrinfo(const char *host, const char *service, const struct zsock_addrinfo *hints,
                      struct zsock_addrinfo **res);
void zsock_freeaddrinfo(struct zsock_addrinfo *ai);
