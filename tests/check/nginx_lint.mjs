// nginx_lint: what "nginx -T" prints, against what our locations must have
// [threats.md E1-E16, section 4 nginx].  Also as a program:
//	nginx -T -c CONF 2>/dev/null | node nginx_lint.mjs

import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const ALLOWED_PARAMS = new Set(`REQUEST_METHOD PATH_INFO QUERY_STRING
    CONTENT_TYPE CONTENT_LENGTH REMOTE_ADDR REMOTE_USER REQUEST_ID
    SERVER_PROTOCOL HTTPS HTTP_ORIGIN HTTP_ACCEPT HTTP_ACCEPT_LANGUAGE
    HTTP_USER_AGENT HTTP_COOKIE HTTP_X_CSRF_TOKEN HTTP_REFERER
    HTTP_PROXY`.split(/\s+/));

// What each program's locations may take: the longest wait for an answer, the
// largest body, and who says who the operator is.
const PROGRAMS = {
	wxpay_pay: { read_ms: 30000, body: 16384 },
	wxpay_refund: { read_ms: 15000, body: 16384 },
	wxpay_notify: { read_ms: 4500, body: 65536 },
};

const LOGGED_NEVER = /\$(args|query_string|request|request_uri|request_body|http_authorization|http_referer|http_cookie|arg_\w+)\b/;
const SPOOFABLE = /\$(tcpinfo_\w+|http_x_forwarded_\w+|http_x_real_ip|http_forwarded|http_host|host)\b/;

// tokens of one file: words (unquoted), and { } ; as themselves.
function* tokens(text) {
	const pattern = /#[^\n]*|"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|([{};])|((?:[^\s{};"'\\]|\\.|\$\{\w+\})[^\s{};]*)/g;
	for (const m of text.matchAll(pattern)) {
		if (m[0].startsWith('#'))
			continue;
		if (m[3])
			yield { mark: m[3] };
		else
			yield { word: m[1] ?? m[2] ?? m[4] };
	}
}

// A directive is { name, args, block, parent }.
function parse(stream, parent) {
	const block = [];
	let words = [];
	for (let t = stream.next(); !t.done; t = stream.next()) {
		const { mark, word } = t.value;
		if (mark === undefined) {
			words.push(word);
			continue;
		}
		if (mark === '}')
			return block;
		const directive = { name: words[0], args: words.slice(1), parent };
		if (mark === '{')
			directive.block = parse(stream, directive);
		block.push(directive);
		words = [];
	}
	return block;
}

function readDump(dump) {
	const parts = dump.split(/^# configuration file (.*):\n/m).slice(1);
	const files = new Map();
	for (let i = 0; i < parts.length; i += 2)
		files.set(parts[i], parts[i + 1]);
	const [main] = files.keys();
	const include = (block, parent) => block.flatMap((d) => {
		d.parent = parent;
		if (d.name === 'include') {
			const path = resolve(dirname(main), d.args[0]);
			if (!files.has(path))
				return [];
			return include(parse(tokens(files.get(path))), parent);
		}
		if (d.block)
			d.block = include(d.block, d);
		return [d];
	});
	const root = { name: 'main', args: [] };
	root.block = include(parse(tokens(files.get(main))), root);
	return root;
}

function* walk(directive) {
	yield directive;
	for (const child of directive.block ?? [])
		yield* walk(child);
}

const own = (d, name) => (d.block ?? []).filter((c) => c.name === name);

// The directives of that name that hold in d: its own, or else those of the
// nearest block around it that has any.
function effective(d, name) {
	for (let at = d; at; at = at.parent) {
		const found = own(at, name);
		if (found.length)
			return found;
	}
	return [];
}

const value = (d, name) => effective(d, name)[0]?.args.join(' ');
const around = (d, name) => {
	while (d && d.name !== name)
		d = d.parent;
	return d;
};

function bytes(text) {
	const m = /^(\d+)([km]?)$/i.exec(text ?? '');
	return m ? m[1] * { '': 1, k: 1024, m: 1 << 20 }[m[2].toLowerCase()] : NaN;
}

function milliseconds(text) {
	const m = /^(\d+)(ms|s|m)?$/.exec(text ?? '');
	return m ? m[1] * { ms: 1, s: 1000, m: 60000 }[m[2] ?? 's'] : NaN;
}

const isLoopback = (listen) =>
	/^(127\.|\[::1\]|unix:|localhost\b)/.test(listen.args[0]);

// Each rule answers with the faults that it finds in one location.
const RULES = {
	params(location, program) {
		const faults = [];
		const params = new Map(effective(location, 'fastcgi_param')
			.map((d) => d.args));
		for (const [name, text] of params) {
			if (!ALLOWED_PARAMS.has(name))
				faults.push(`passes ${name}`);
			if (SPOOFABLE.test(text))
				faults.push(`${name} is ${text}`);
		}
		for (const name of ALLOWED_PARAMS)
			if (!params.has(name))
				faults.push(`does not pass ${name}`);
		if (params.get('HTTP_PROXY') !== '')
			faults.push('HTTP_PROXY is not empty');
		const pass = program === 'wxpay_notify' ? 'on' : 'off';
		if (value(location, 'fastcgi_pass_request_headers') !== pass)
			faults.push(`fastcgi_pass_request_headers is not ${pass}`);
		return faults;
	},
	operator(location) {
		const user = effective(location, 'fastcgi_param')
			.find((d) => d.args[0] === 'REMOTE_USER')?.args[1];
		const isMerchant = /\/merchant/.test(location.args.join(' '));
		if (!isMerchant)
			return user === '' ? [] : [`REMOTE_USER is ${user}`];
		const basic = value(location, 'auth_basic');
		const judged = (basic && basic !== 'off'
		    && value(location, 'auth_basic_user_file'))
		    || value(location, 'auth_request');
		return [judged ? '' : 'nobody asks who the operator is',
			user === '$remote_user' ? '' : `REMOTE_USER is ${user}`];
	},
	once(location) {
		return [value(location, 'fastcgi_next_upstream') === 'off'
			? '' : 'may deliver twice',
		value(location, 'fastcgi_ignore_client_abort') === 'on'
			? '' : 'ends when the client leaves'];
	},
	waits(location, program) {
		const faults = [];
		const limit = PROGRAMS[program].read_ms;
		if (!(milliseconds(value(location, 'fastcgi_read_timeout')) <= limit))
			faults.push(`fastcgi_read_timeout over ${limit} ms`);
		for (const name of ['client_body_timeout', 'send_timeout',
			'fastcgi_connect_timeout', 'fastcgi_send_timeout'])
			if (!(milliseconds(value(location, name)) <= 5000))
				faults.push(`${name} over 5 s`);
		if (value(location, 'reset_timedout_connection') !== 'on')
			faults.push('keeps timed-out connections');
		return faults;
	},
	memory(location, program) {
		const most = bytes(value(location, 'client_max_body_size'));
		const held = bytes(value(location, 'client_body_buffer_size'));
		return [most <= PROGRAMS[program].body ? '' : 'body too large',
			held >= most ? '' : 'a body may go to disk',
			value(location, 'fastcgi_request_buffering') === 'on'
				? '' : 'passes on an unfinished body',
			value(location, 'fastcgi_max_temp_file_size') === '0'
				? '' : 'an answer may go to disk'];
	},
	limits(location) {
		return [value(location, 'limit_req') ? '' : 'no limit_req',
			value(location, 'limit_conn') ? '' : 'no limit_conn',
			value(location, 'limit_req_status') === '429'
				? '' : 'limit_req_status is not 429',
			value(location, 'limit_conn_status') === '429'
				? '' : 'limit_conn_status is not 429'];
	},
	refusals(location) {
		const handled = new Set(effective(location, 'error_page')
			.flatMap((d) => d.args));
		return ['404', '413', '429', '502', '504']
			.filter((code) => !handled.has(code))
			.map((code) => `its ${code} is nginx's page`)
			.concat(value(location, 'server_tokens') === 'off'
				? [] : ['tells the version']);
	},
	secrecy(location, program, root) {
		const faults = [];
		const log = effective(location, 'access_log')[0]?.args ?? [];
		const format = [...walk(root)].find((d) => d.name === 'log_format'
		    && d.args[0] === log[1]);
		if (!format || format.args[1] !== 'escape=json')
			faults.push('its log is not JSON');
		else if (LOGGED_NEVER.test(format.args.join(' ')))
			faults.push('logs what is secret');
		if (effective(location, 'error_log')[0]?.args[1] !== 'crit')
			faults.push('error_log quotes query strings');
		if (value(location, 'gzip') !== 'off')
			faults.push('compresses secrets beside what is reflected');
		return faults;
	},
	place(location) {
		const faults = [];
		if (/^[~=]/.test(location.args[0]))
			faults.push('not a prefix location');
		for (let at = location; at; at = at.parent)
			for (const name of ['limit_except', 'if', 'proxy_pass'])
				if (own(at, name).length)
					faults.push(`uses ${name}`);
		if (!effective(location, 'internal').length)
			faults.push('can be reached past the rewrite');
		return faults;
	},
};

// A server that only this machine can ask: for health, and nothing else.
function isHealth(server) {
	const listens = own(server, 'listen');
	return listens.every((l) => isLoopback(l) && !l.args.includes('ssl'))
	    && listens.length > 0;
}

function lintServer(server, root) {
	const faults = [];
	const protocols = effective(server, 'ssl_protocols')
		.flatMap((d) => d.args);
	if (!protocols.length || protocols.some((p) => !/^TLSv1\.[23]$/.test(p)))
		faults.push('TLS below 1.2');
	for (const listen of own(server, 'listen')) {
		if (!listen.args.includes('ssl'))
			faults.push(`${listen.args[0]} without TLS`);
		const guard = [...walk(root)].find((d) => d.name === 'server'
		    && value(d, 'ssl_reject_handshake') === 'on'
		    && value(d, 'return') === '444'
		    && own(d, 'listen').some((l) => l.args[0] === listen.args[0]
			&& l.args.includes('default_server')));
		if (!guard)
			faults.push(`${listen.args[0]}: unknown names are served`);
	}
	if (!(milliseconds(value(server, 'client_header_timeout')) <= 5000))
		faults.push('client_header_timeout over 5 s');
	if (!(milliseconds(value(server, 'keepalive_timeout')) <= 15000))
		faults.push('keepalive_timeout over 15 s');
	if (value(server, 'large_client_header_buffers') !== '2 4k')
		faults.push('large_client_header_buffers is not 2 4k');
	return faults;
}

export function lint(dump) {
	const root = readDump(dump);
	const faults = [];
	const servers = new Set();
	let seen = 0;
	for (const location of walk(root)) {
		const program = location.name === 'location'
		    && own(location, 'fastcgi_pass')[0]?.args[0];
		if (!(program in PROGRAMS))
			continue;
		const server = around(location, 'server');
		if (isHealth(server)) {
			if (!/^= \/healthz\//.test(location.args.join(' ')))
				faults.push(`place: ${location.args.join(' ')}: `
				    + 'not for health');
			continue;
		}
		seen++;
		servers.add(server);
		for (const [name, rule] of Object.entries(RULES))
			for (const fault of rule(location, program, root))
				if (fault)
					faults.push(`${name}: `
					    + `${location.args.join(' ')}: ${fault}`);
	}
	for (const server of servers)
		for (const fault of lintServer(server, root))
			faults.push(`server: ${fault}`);
	for (const d of walk(root)) {
		if (d.args.some((a) => /\$tcpinfo_/.test(a)))
			faults.push(`params: ${d.name} reads $tcpinfo_`);
		if (d.name === 'add_header'
		    && /^access-control-/i.test(d.args[0]))
			faults.push(`refusals: ${d.args[0]}`);
	}
	if (seen === 0)
		faults.push('place: no location of ours');
	return { faults, seen };
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
	const { faults, seen } = lint(readFileSync(0, 'utf8'));
	for (const fault of faults)
		console.log(fault);
	console.log(`${seen} locations, ${faults.length} faults`);
	process.exitCode = faults.length ? 1 : 0;
}
