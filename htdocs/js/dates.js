// SPDX-License-Identifier: Apache-2.0
/* Times for people: the language is the pages' own, the zone the reader's. */

const EXACT = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });
const DAY = new Intl.DateTimeFormat("en-GB", { dateStyle: "long" });
const RELATIVE = new Intl.RelativeTimeFormat("en-GB", { numeric: "auto" });

/* The first unit that a distance in seconds fills. */
const UNITS = [
	{ name: "day", seconds: 86400 },
	{ name: "hour", seconds: 3600 },
	{ name: "minute", seconds: 60 },
];
const WEEK_S = 7 * 86400;

/*
 * Fill a <time> element: "3 hours ago" or "in 3 hours" within the week, else the
 * date; now is what less than half a minute from now is called.
 */
export function showTime(element, text, now = "just now") {
	const time = new Date(text);
	if (Number.isNaN(time.getTime()))
		return;
	element.dateTime = text;
	element.title = EXACT.format(time);
	element.textContent = inWords(time, now);
}

/* "15 January 2026" */
export function showDay(element, text) {
	const time = new Date(text);
	if (Number.isNaN(time.getTime()))
		return;
	element.dateTime = text;
	element.textContent = DAY.format(time);
}

function inWords(time, now) {
	/* To the minute: what ends in an hour ends "in 1 hour", a second later, too. */
	const distance = Math.round((time.getTime() - Date.now()) / 60000) * 60;
	if (Math.abs(distance) > WEEK_S)
		return EXACT.format(time);
	const unit = UNITS.find(({ seconds }) => Math.abs(distance) >= seconds);
	if (unit === undefined)
		return now;
	return RELATIVE.format(Math.trunc(distance / unit.seconds), unit.name);
}
