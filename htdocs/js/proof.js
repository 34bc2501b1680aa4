// SPDX-License-Identifier: Apache-2.0
/*
 * The worker that solves a captcha: it looks for the number from 0 to maxnumber
 * whose SHA-256, written behind the salt, is the challenge. After every batch it
 * posts { tried, found }: how many it has tried, and the number or null.
 */

/* So many digests are under way at once; the page hears of each batch. */
const BATCH = 500;

const encoder = new TextEncoder();

addEventListener("message", async ({ data: { challenge, salt, maxnumber } }) => {
	const wanted = bytesOf(challenge);
	let found = null;
	for (let first = 0; first <= maxnumber && found === null; first += BATCH) {
		const count = Math.min(BATCH, maxnumber + 1 - first);
		const digests = await Promise.all(Array.from({ length: count },
			(_, i) => crypto.subtle.digest("SHA-256", encoder.encode(`${salt}${first + i}`))));
		const hit = digests.findIndex((digest) => isEqual(new Uint8Array(digest), wanted));
		if (hit >= 0)
			found = first + hit;
		postMessage({ tried: first + count, found });
	}
});

function bytesOf(hex) {
	return hex.match(/../g).map((pair) => parseInt(pair, 16));
}

function isEqual(digest, wanted) {
	return digest.every((byte, i) => byte === wanted[i]);
}
