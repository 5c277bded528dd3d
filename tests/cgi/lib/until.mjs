// until: waiting for something to become true, and for no longer.
import { AssertionError } from 'node:assert';

const PAUSE_MS = 25;

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Ask again until fn says something true, and return that.  what: named in
// the failure; a function, if it knows more by then.
export async function until(what, fn, deadline_ms = 20000) {
	const end = performance.now() + deadline_ms;
	for (;;) {
		const said = await fn();
		if (said)
			return said;
		if (performance.now() >= end)
			throw new AssertionError({ message:
				`not within ${deadline_ms} ms: `
				+ (what instanceof Function ? what() : what) });
		await pause(PAUSE_MS);
	}
}
