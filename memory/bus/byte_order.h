/* Between the order of bytes in this host's numbers and the two orders in files and guests. */
#ifndef REPRISE_BYTE_ORDER_H
#define REPRISE_BYTE_ORDER_H

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define ORDER_LITTLE_16(value) (value)
#define ORDER_LITTLE_32(value) (value)
#define ORDER_LITTLE_64(value) (value)
#define ORDER_BIG_16(value) __builtin_bswap16(value)
#define ORDER_BIG_32(value) __builtin_bswap32(value)
#define ORDER_BIG_64(value) __builtin_bswap64(value)
#else
#define ORDER_LITTLE_16(value) __builtin_bswap16(value)
#define ORDER_LITTLE_32(value) __builtin_bswap32(value)
#define ORDER_LITTLE_64(value) __builtin_bswap64(value)
#define ORDER_BIG_16(value) (value)
#define ORDER_BIG_32(value) (value)
#define ORDER_BIG_64(value) (value)
#endif

#endif
