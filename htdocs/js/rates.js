// SPDX-License-Identifier: Apache-2.0
/* Rates in words for people: "5 per 15 minutes", "100 per minute, 10 at once". */

const UNITS = [
	{ name: "day", seconds: 86400 },
	{ name: "hour", seconds: 3600 },
	{ name: "minute", seconds: 60 },
	{ name: "second", seconds: 1 },
];
const NUMBER = new Intl.NumberFormat("en-GB");

/* The largest unit that measures a time without a rest: { count, unit }. */
export function measure(seconds) {
	const unit = UNITS.find((one) => seconds % one.seconds === 0);
	return { count: seconds / unit.seconds, unit };
}

/* A rate of the API: { limit, window_s, burst }, burst null for none. */
export function rateInWords({ limit, window_s: window, burst }) {
	const { count, unit } = measure(window);
	const time = count === 1 ? unit.name : `${NUMBER.format(count)} ${unit.name}s`;
	const rate = `${NUMBER.format(limit)} per ${time}`;
	return burst ? `${rate}, ${NUMBER.format(burst)} at once` : rate;
}
