#include "wechat/wechat_peer.h"

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/attr.h"

struct range {
	uint32_t first;
	int bits;
};

static bool
is_public_v4(uint32_t address)
{
	static const struct range ranges[] = {
		{ 0x00000000, 8 },	/* this network */
		{ 0x0a000000, 8 },	/* private */
		{ 0x64400000, 10 },	/* of a provider's own */
		{ 0x7f000000, 8 },	/* this machine */
		{ 0xa9fe0000, 16 },	/* this link; clouds' metadata */
		{ 0xac100000, 12 },	/* private */
		{ 0xc0000000, 24 },	/* protocols */
		{ 0xc0a80000, 16 },	/* private */
		{ 0xc6120000, 15 },	/* benchmarks */
		{ 0xe0000000, 3 },	/* multicast and reserved */
	};

	for (size_t i = 0; i < COUNT_OF(ranges); i++)
		if ((address ^ ranges[i].first) >> (32 - ranges[i].bits) == 0)
			return false;
	return true;
}

static uint32_t
v4_at(const uint8_t bytes[static 4])
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16
	    | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* Global unicast is 2000::/3.  What else there is wraps IPv4, or is local. */
static bool
is_public_v6(const uint8_t bytes[static 16])
{
	static const uint8_t mapped[12] = {
		[10] = 0xff, [11] = 0xff
	};
	static const uint8_t nat64[12] = { 0x00, 0x64, 0xff, 0x9b };

	if (memcmp(bytes, mapped, sizeof(mapped)) == 0
	    || memcmp(bytes, nat64, sizeof(nat64)) == 0)
		return is_public_v4(v4_at(bytes + 12));
	if (bytes[0] == 0x20 && bytes[1] == 0x02)	/* 6to4 */
		return is_public_v4(v4_at(bytes + 2));
	return (bytes[0] & 0xe0) == 0x20;
}

bool
wechat_peer_is_public(const struct sockaddr *address, socklen_t len)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	if (address->sa_family == AF_INET && len >= sizeof(v4)) {
		memcpy(&v4, address, sizeof(v4));
		return is_public_v4(ntohl(v4.sin_addr.s_addr));
	}
	if (address->sa_family == AF_INET6 && len >= sizeof(v6)) {
		memcpy(&v6, address, sizeof(v6));
		return is_public_v6(v6.sin6_addr.s6_addr);
	}
	return false;
}
