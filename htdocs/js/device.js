// SPDX-License-Identifier: Apache-2.0
/* A short name for a device, "Firefox on Linux", from what a browser sends. */

/* First match wins: most browsers also claim to be the ones below them. */
const BROWSERS = [
	[/\bEdg(A|iOS)?\//, "Edge"],
	[/\bOPR\//, "Opera"],
	[/\bSamsungBrowser\//, "Samsung Internet"],
	[/\b(Firefox|FxiOS)\//, "Firefox"],
	[/\b(Headless)?Chrome\/|\b(CriOS|Chromium)\//, "Chrome"],
	[/\bSafari\//, "Safari"],
];
const SYSTEMS = [
	[/\biPhone\b/, "iPhone"],
	[/\biPad\b/, "iPad"],
	[/\bAndroid\b/, "Android"],
	[/\bCrOS\b/, "ChromeOS"],
	[/\bWindows\b/, "Windows"],
	[/\bMacintosh\b/, "macOS"],
	[/\bLinux\b/, "Linux"],
];

/* Null when nothing is recognised. */
export function deviceName(userAgent) {
	const browser = firstMatch(BROWSERS, userAgent);
	const system = firstMatch(SYSTEMS, userAgent);
	if (browser !== null && system !== null)
		return `${browser} on ${system}`;
	return browser ?? system;
}

function firstMatch(rows, text) {
	const row = rows.find(([pattern]) => pattern.test(text));
	return row === undefined ? null : row[1];
}
