/* lwipopts.h -- lwIP for one TCP connection on a board with 64 KB: no threads, no sockets, IPv4 only. */
#ifndef LWIPOPTS_H
#define LWIPOPTS_H

#define NO_SYS 1
#define SYS_LIGHTWEIGHT_PROT 0 /* called from the main loop only */
#define LWIP_SOCKET 0
#define LWIP_NETCONN 0
#define LWIP_IPV6 0
#define LWIP_UDP 0
#define LWIP_DHCP 0
#define LWIP_RAW 0
#define LWIP_STATS 0
#define IP_REASSEMBLY 0
#define IP_FRAG 0
#define LWIP_NETIF_HOSTNAME 0

#define MEM_ALIGNMENT 4
#define MEM_SIZE 4096
#define MEMP_NUM_TCP_PCB 3 /* the one in use, and two that still say goodbye */
#define MEMP_NUM_TCP_PCB_LISTEN 1
#define MEMP_NUM_TCP_SEG 12
#define PBUF_POOL_SIZE 6
#define PBUF_POOL_BUFSIZE 620

#define TCP_MSS 536
#define TCP_WND (3 * TCP_MSS)
#define TCP_SND_BUF (3 * TCP_MSS)
#define TCP_SND_QUEUELEN 10
#define TCP_QUEUE_OOSEQ 0
#define LWIP_TCP_KEEPALIVE 0

#endif
