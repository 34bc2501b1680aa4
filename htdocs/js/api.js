// SPDX-License-Identifier: Apache-2.0
/*
 * The way from a page to the API: one call with the session's cookies, the
 * CSRF token, and silent renewal when the access token has run out. It knows
 * nothing of forms or of what a page shows.
 */

const BASE = new URL("../api/v1/", import.meta.url);
const CSRF_COOKIE = "__Host-claviger_csrf";
const LOCK = "claviger-refresh";

/* When a session was last begun or renewed, by whichever tab; no secret. */
const MARK = "claviger.renewed";
const MARK_DELAY_MS = 60;

/* A 401 with one of these may be mended with the refresh cookie. */
const RENEWABLE = new Set(["unauthenticated", "token_expired", "token_invalid"]);

/* A reading that came too fast is asked again after so short a wait, so often. */
const PATIENCE_S = 5;
const PATIENCE_TIMES = 2;

/* An answer that is not a success, or no answer at all (status 0). */
export class Problem extends Error {
	constructor(status, body, retryAfter) {
		super(body.detail ?? body.title ?? "The request failed.");
		this.status = status;
		this.code = body.code ?? (status === 503 ? "service_unavailable" : "internal_error");
		this.fields = Array.isArray(body.errors) ? body.errors : [];
		this.requestId = body.request_id;
		this.retryAfter = retryAfter;
	}
}

/* The refusal after which only signing in again helps. */
export class SessionEnded extends Error {}

/* Whether this browser holds a session, as far as a page can see. */
export function hasSession() {
	return csrfToken() !== null;
}

/* Note that a new session begins now, so that no other tab renews it. */
export function sessionBegan() {
	try {
		localStorage.setItem(MARK, `${Date.now()} ${Math.random()}`);
	} catch {
		/* Storage may be off: the price is a renewal too many. */
	}
}

/* A call that needs no session; gives the parsed body, or null for none. */
export async function callOpenly(method, path, body) {
	const answer = await send(method, path, body);
	if (!answer.ok)
		throw await problemOf(answer);
	return bodyOf(answer);
}

/*
 * A call as the person signed in. When the access token has run out it is
 * renewed and the call is made once more; SessionEnded when that fails.
 */
export async function call(method, path, body) {
	const mark = lastMark();
	let answer = await send(method, path, body);
	if (answer.status === 401) {
		const problem = await problemOf(answer);
		if (problem.code === "token_revoked")
			throw new SessionEnded();
		if (!RENEWABLE.has(problem.code))
			throw problem;
		await renew(mark);
		answer = await send(method, path, body);
	}
	if (answer.ok)
		return bodyOf(answer);
	const problem = await problemOf(answer);
	if (problem.status === 401 && RENEWABLE.has(problem.code))
		throw new SessionEnded();
	throw problem;
}

/*
 * A refresh token works once, and using it twice ends the session as stolen:
 * tabs take turns, and one that waited finds the mark moved and leaves it be.
 */
async function renew(markBefore) {
	if (!hasSession())
		throw new SessionEnded();
	await navigator.locks.request(LOCK, async () => {
		/* A mark of another tab, which is another process, comes after its lock. */
		await pause(MARK_DELAY_MS);
		if (lastMark() !== markBefore)
			return;
		/* keepalive: a page left meanwhile must still receive the cookies. */
		const answer = await send("POST", "auth/refresh", {}, { keepalive: true });
		if (answer.status === 401 || answer.status === 403)
			throw new SessionEnded();
		if (!answer.ok)
			throw await problemOf(answer);
		sessionBegan();
	});
}

/* A page asks for several things at once, which may be one too many. */
async function send(method, path, body, options) {
	let answer = await sendOnce(method, path, body, options);
	for (let i = 0; i < PATIENCE_TIMES && method === "GET" && answer.status === 429; i++) {
		const wait = retryAfterOf(answer) ?? Infinity;
		if (wait > PATIENCE_S)
			break;
		await pause(wait * 1000);
		answer = await sendOnce(method, path, body, options);
	}
	return answer;
}

/*
 * No fetch mode is set on purpose: with "same-origin" and our referrer policy
 * a browser would send "Origin: null", and the server would refuse it.
 */
async function sendOnce(method, path, body, options = {}) {
	const headers = { Accept: "application/json" };
	const token = csrfToken();
	if (method !== "GET" && token !== null)
		headers["X-CSRF-Token"] = token;
	if (body !== undefined)
		headers["Content-Type"] = "application/json";
	try {
		return await fetch(new URL(path, BASE), {
			...options,
			method,
			headers,
			body: body === undefined ? undefined : JSON.stringify(body),
			cache: "no-store",
			redirect: "error",
		});
	} catch {
		throw new Problem(0, { code: "unreachable" });
	}
}

async function bodyOf(answer) {
	if (answer.status === 204)
		return null;
	return answer.json().catch(() => null);
}

async function problemOf(answer) {
	const body = await answer.json().catch(() => null);
	return new Problem(answer.status, body ?? {}, retryAfterOf(answer));
}

/* In seconds; undefined when the server did not say. */
function retryAfterOf(answer) {
	const value = answer.headers.get("Retry-After");
	return value !== null && /^\d{1,6}$/.test(value) ? Number(value) : undefined;
}

function pause(ms) {
	return new Promise((resolve) => { setTimeout(resolve, ms); });
}

function csrfToken() {
	const start = `${CSRF_COOKIE}=`;
	const cookie = document.cookie.split("; ").find((text) => text.startsWith(start));
	return cookie === undefined ? null : cookie.slice(start.length);
}

function lastMark() {
	try {
		return localStorage.getItem(MARK);
	} catch {
		return null;
	}
}
