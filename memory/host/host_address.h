/* Internet addresses and their texts: struct in_addr, struct in6_addr, inet_pton(), htonl(), as the
 * system has them. */
#ifndef REPRISE_HOST_ADDRESS_H
#define REPRISE_HOST_ADDRESS_H

#ifdef _WIN32
#ifndef WIN32_LEAN_AND_MEAN
#define WIN32_LEAN_AND_MEAN
#endif
#include <winsock2.h>
#include <ws2tcpip.h>
#else
#include <arpa/inet.h>
#include <netinet/in.h>
#endif

#endif
