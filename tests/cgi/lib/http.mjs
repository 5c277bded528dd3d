// http: one HTTPS client that remembers every byte it was answered.
import fs from 'node:fs';
import https from 'node:https';
import tls from 'node:tls';

// Fields as a form body; undefined ones are left out, text is sent as it is.
export function form(fields) {
	if (typeof fields === 'string' || Buffer.isBuffer(fields))
		return fields;
	const pairs = Array.isArray(fields) ? fields : Object.entries(fields);
	return new URLSearchParams(pairs.filter(([, value]) =>
		value !== undefined).map(([name, value]) =>
		[name, String(value)])).toString();
}

class Answer {
	constructor(message, body, ms) {
		this.status = message.statusCode;
		this.headers = message.headers;
		this.rawHeaders = message.rawHeaders;
		this.bytes = body;
		this.text = body.toString();
		this.ms = ms;
	}

	get json() {
		return JSON.parse(this.text);
	}

	// For a failed assertion: what came instead.
	toString() {
		return `${this.status} ${this.text.slice(0, 300)}`;
	}
}

export class Client {
	// record: a file to which every answer is appended.
	constructor(url, ca, record) {
		this.url = url;
		this.ca = fs.readFileSync(ca);
		this.record = record;
		// nginx drops an idle connection after 15 s: be earlier.
		this.agent = new https.Agent({ ca: this.ca, keepAlive: true,
			maxSockets: 64, timeout: 10000 });
		this.count = 0;
	}

	request(method, path, { headers = {}, body = '', options = {} } = {}) {
		const began = performance.now();
		const bytes = Buffer.from(body);
		this.count++;
		return new Promise((resolve, reject) => {
			const request = https.request(this.url + path, {
				agent: this.agent, method,
				headers: method === 'GET' && bytes.length === 0
					? headers
					: { 'content-length': bytes.length,
						...headers },
				...options,
			}, (message) => {
				const chunks = [];
				message.on('data',
					(chunk) => chunks.push(chunk));
				message.on('error', reject);
				message.on('end', () => {
					const answer = new Answer(message,
						Buffer.concat(chunks),
						performance.now() - began);
					this.remember(answer);
					resolve(answer);
				});
			});
			request.on('error', reject);
			request.end(bytes);
		});
	}

	remember(answer) {
		fs.appendFileSync(this.record, `${answer.status} `
			+ `${answer.rawHeaders.join(' ')}\n${answer.text}\n`);
	}

	get(path, headers) {
		return this.request('GET', path, { headers });
	}

	post(path, fields = {}, headers = {}) {
		return this.request('POST', path,
			{ body: form(fields), headers: {
			'content-type': 'application/x-www-form-urlencoded',
			...headers } });
	}

	// Bytes of our own making, and all that comes back until it closes.
	raw(bytes, options = {}) {
		const { hostname, port } = new URL(this.url);
		return new Promise((resolve, reject) => {
			const chunks = [];
			const socket = tls.connect({ host: hostname, port,
				servername: hostname, ca: this.ca, ...options },
				() => socket.write(bytes));
			const done = () => {
				const text = Buffer.concat(chunks).toString();
				fs.appendFileSync(this.record, `${text}\n`);
				resolve(text);
			};
			socket.setTimeout(10000, () => {
				socket.destroy();
				done();
			});
			socket.on('data', (chunk) => chunks.push(chunk));
			socket.on('close', done);
			// A reset after an answer is an answer.
			socket.on('error', (error) => chunks.length === 0
				? reject(error) : done());
		});
	}

	close() {
		this.agent.destroy();
	}
}
