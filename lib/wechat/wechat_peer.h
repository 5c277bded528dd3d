/*
 * wechat_peer: where WeChat cannot be.
 *
 * Knows which addresses are nobody's on the Internet: a name that leads there
 * has been tampered with, or is somebody's way into the house (threats.md O6).
 * Hides how they are written.  Owns nothing.
 */
#ifndef WECHAT_WECHAT_PEER_H
#define WECHAT_WECHAT_PEER_H

#include <stdbool.h>
#include <sys/socket.h>

/* True for an address of IPv4 or IPv6 that may stand on the Internet; false
 * for private, local, multicast and reserved ones, and for what is neither. */
bool wechat_peer_is_public(const struct sockaddr *address, socklen_t len);

#endif
