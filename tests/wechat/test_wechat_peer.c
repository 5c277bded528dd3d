/*
 * wechat_peer: the addresses at which WeChat cannot be, to the first and the
 * last of each range (threats.md O6).
 */
#include "wechat/wechat_peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "../unit.h"

static bool
judge(const char *text)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };

	if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
		return wechat_peer_is_public((struct sockaddr *)&v4,
		    sizeof(v4));
	assert_int_equal(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
	return wechat_peer_is_public((struct sockaddr *)&v6, sizeof(v6));
}

static void
test_addresses(void **state)
{
	static const char *const public[] = {
		"1.0.0.0", "9.255.255.255", "11.0.0.0", "100.63.255.255",
		"100.128.0.0", "126.255.255.255", "128.0.0.0",
		"169.253.255.255", "169.255.0.0", "172.15.255.255",
		"172.32.0.0", "192.0.1.0", "192.167.255.255", "192.169.0.0",
		"198.17.255.255", "198.20.0.0", "223.255.255.255",
		"101.226.103.0", "2000::", "2402:4e00::1",
		"3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		"::ffff:101.226.103.1", "64:ff9b::101.226.103.1",
		"2002:65e2:6701::1",
	};
	static const char *const private[] = {
		"0.0.0.0", "0.255.255.255", "10.0.0.0", "10.255.255.255",
		"100.64.0.0", "100.127.255.255", "127.0.0.1",
		"127.255.255.255", "169.254.0.0", "169.254.169.254",
		"169.254.255.255", "172.16.0.0", "172.31.255.255",
		"192.0.0.0", "192.0.0.255", "192.168.0.0", "192.168.255.255",
		"198.18.0.0", "198.19.255.255", "224.0.0.0",
		"255.255.255.255", "::", "::1", "fc00::1", "fd12::1",
		"fe80::1", "fec0::1", "ff02::1", "::ffff:127.0.0.1",
		"::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::10.0.0.1",
		"2002:7f00:1::1", "2002:a00:1::", "1fff::", "4000::",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(public); i++)
		expect(judge(public[i]), "%s", public[i]);
	for (size_t i = 0; i < COUNT_OF(private); i++)
		expect(!judge(private[i]), "%s", private[i]);
	print_message("    addresses: %zu public, %zu not\n",
	    COUNT_OF(public), COUNT_OF(private));
}

static void
test_no_address(void **state)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr other = { .sa_family = AF_UNIX };

	(void)state;
	assert_int_equal(inet_pton(AF_INET, "8.8.8.8", &v4.sin_addr), 1);
	assert_true(wechat_peer_is_public((struct sockaddr *)&v4,
	    sizeof(v4)));
	assert_false(wechat_peer_is_public((struct sockaddr *)&v4,
	    sizeof(v4) - 1));
	assert_false(wechat_peer_is_public(&other, sizeof(other)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_no_address),
	};

	return cmocka_run_group_tests_name("wechat_peer", tests, NULL, NULL);
}
