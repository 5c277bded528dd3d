// Proves that the shipped nginx files pass the lint, and that the lint finds
// each of these faults when it is planted.  NGINX_CONF: the stack's.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { lint } from './nginx_lint.mjs';

const dump = execFileSync('nginx',
	['-T', '-e', '/dev/null', '-c', process.env.NGINX_CONF],
	{ encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });

// Rule, text of the files, and what a careless hand makes of it.
const FAULTS = [
	['params', /fastcgi_pass_request_headers off;(\n\tclient)/, '$1'],
	['params', /HTTP_PROXY +"";/, 'HTTP_PROXY $http_proxy;'],
	['params', /fastcgi_param HTTP_PROXY .*/, ''],
	['params', /(REMOTE_ADDR +)\$remote_addr/, '$1$http_x_forwarded_for'],
	['params', /(REMOTE_ADDR +)\$remote_addr/, '$1$http_x_real_ip'],
	['params', /(SERVER_PROTOCOL +)\$server_protocol/, '$1$tcpinfo_rtt'],
	['params', /(fastcgi_param HTTPS .*)/, '$1\nfastcgi_param HTTP_HOST $host;'],
	['params', /fastcgi_param REQUEST_ID .*/, ''],
	['operator', /REMOTE_USER "";(\n\t\tfastcgi_read_timeout 30s)/,
	    'REMOTE_USER $remote_user;$1'],
	['operator', /auth_basic "wxpay";/, 'auth_basic off;'],
	['operator', /auth_basic_user_file .*/, ''],
	['operator', 'REMOTE_USER $remote_user;', 'REMOTE_USER $cookie_user;'],
	['once', 'fastcgi_next_upstream off;', ''],
	['once', 'fastcgi_next_upstream off;', 'fastcgi_next_upstream error;'],
	['once', 'fastcgi_ignore_client_abort on;', ''],
	['waits', 'fastcgi_read_timeout 4500ms;', 'fastcgi_read_timeout 5s;'],
	['waits', 'fastcgi_read_timeout 30s;', ''],
	['waits', 'fastcgi_connect_timeout 2s;', ''],
	['waits', /client_body_timeout 5s;/g, 'client_body_timeout 60s;'],
	['waits', /reset_timedout_connection on;/g, ''],
	['memory', 'client_max_body_size 16k;', 'client_max_body_size 1m;'],
	['memory', 'client_body_buffer_size 64k;', ''],
	['memory', 'fastcgi_request_buffering on;', ''],
	['memory', 'fastcgi_max_temp_file_size 0;', ''],
	['limits', /limit_req zone=wxpay_shopper .*/, ''],
	['limits', /limit_req zone=wxpay_notify .*/, ''],
	['limits', /limit_conn wxpay_client .*/, ''],
	['limits', 'limit_req_status 429;', ''],
	['refusals', /error_page 400 401 403[^;]*;/, ''],
	['refusals', /server_tokens off;/g, ''],
	['refusals', 'gzip off;', 'gzip off; '
	    + 'add_header Access-Control-Allow-Origin *;'],
	['secrecy', /"path":"\$wxpay_asked"/, '"path":"$request_uri"'],
	['secrecy', /"client":"\$remote_addr"/, '"auth":"$http_authorization"'],
	['secrecy', 'escape=json', 'escape=none'],
	['secrecy', /error_log (\S+wxpay_error.log) crit;/, 'error_log $1 warn;'],
	['secrecy', 'gzip off;', 'gzip on;'],
	['place', /location (\/wxpay-internal\/pay) /, 'location ~ ^$1 '],
	['place', 'reset_timedout_connection on;\n\tfastcgi',
	    'limit_except GET { deny all; }\n\tfastcgi'],
	['place', /location (\/wxpay-internal\/) \{\n\tinternal;/, 'location $1 {'],
	['place', '= /healthz/pay', '/pay'],
	['server', 'ssl_protocols TLSv1.2 TLSv1.3;', 'ssl_protocols TLSv1.1;'],
	['server', 'ssl_protocols TLSv1.2 TLSv1.3;', ''],
	['server', 'ssl_reject_handshake on;', ''],
	['server', 'return 444;', 'return 200;'],
	['server', 'client_header_timeout 5s;', ''],
	['server', 'keepalive_timeout 15s;', 'keepalive_timeout 65s;'],
	['server', 'large_client_header_buffers 2 4k;', ''],
	['place', /listen (\S+) ssl;/g, 'listen $1;'],
	['server', /listen 127\S+:(\d+) ssl;/, 'listen $1;'],
];

test('the shipped files have no fault', () => {
	const { faults, seen } = lint(dump);
	assert.deepEqual(faults, []);
	assert.equal(seen, 6);
});

for (const [rule, from, to] of FAULTS) {
	test(`planted: ${rule}: ${from} becomes "${to}"`, () => {
		const planted = dump.replace(from, to);
		assert.notEqual(planted, dump, 'the fault could not be planted');
		const { faults } = lint(planted);
		assert.ok(faults.some((f) => f.startsWith(`${rule}: `)),
			`not found; found: ${faults}`);
	});
}
