// SPDX-License-Identifier: Apache-2.0
/*
 * Going from page to page: where to after signing in, what to say on arrival,
 * and the one-time token that a mail link brings in its fragment.
 */

/* What a page may be asked to say on arrival: never text from the address. */
const NOTICES = {
	"signed-out": "You are signed out.",
	"session-ended": "Your session has ended. Please sign in again.",
	"sign-in-first": "Please sign in to go on.",
	"password-reset": "Your new password is set. Sign in with it.",
};

/* A page that the browser kept may show an account that signed out since. */
addEventListener("pageshow", (event) => {
	if (event.persisted)
		location.reload();
});

/* Leave for another page; never comes back, so that what waits keeps waiting. */
export function go(address) {
	location.assign(address);
	return new Promise(() => {});
}

/* To the sign-in page, and back here after it. */
export function goSignIn(notice) {
	const address = new URL("login.html", location.href);
	address.searchParams.set("next", location.pathname + location.search);
	address.searchParams.set("notice", notice);
	location.replace(address);
	return new Promise(() => {});
}

/*
 * Where to go after signing in: the page that ?next= names, if it is one of
 * this very site, else the account. Parsed before it is judged, because
 * "//elsewhere", "/\elsewhere" and "blob:" all look harmless as text.
 */
export function nextPage() {
	const home = new URL("account.html", location.href);
	const asked = new URLSearchParams(location.search).get("next");
	if (asked === null || !URL.canParse(asked, location.href))
		return home;
	const next = new URL(asked, location.href);
	const isOurs = next.origin === location.origin && next.protocol === location.protocol;
	return isOurs ? next : home;
}

/* The sentence that ?notice= asks for, or null. */
export function arrivalNotice() {
	const asked = new URLSearchParams(location.search).get("notice");
	return Object.hasOwn(NOTICES, asked) ? NOTICES[asked] : null;
}

/*
 * Call arrive(token) for the link that opened the page, with null when it
 * brought no token, and for every further one opened in the same tab.
 */
export function onTokenArrival(arrive) {
	addEventListener("hashchange", () => {
		if (location.hash.startsWith("#token="))
			arrive(takeToken());
	});
	arrive(takeToken());
}

/* Out of the fragment, and the fragment out of address bar and history. */
function takeToken() {
	const token = new URLSearchParams(location.hash.slice(1)).get("token");
	history.replaceState(null, "", location.pathname + location.search);
	return token === "" ? null : token;
}
