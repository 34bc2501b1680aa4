// SPDX-License-Identifier: Apache-2.0
/* What happened to the account: one's own security events, newest first. */
import { showTime } from "./dates.js";
import { deviceName } from "./device.js";
import { wirePager } from "./pager.js";

/*
 * What an event is called when it went well, and when it was refused. A row
 * with a reason, "type:reason", goes before the one without.
 */
const EVENTS = {
	authorization_failed: ["Access refused", "Access refused"],
	email_change: ["E-mail address changed", "Change of e-mail address refused"],
	"email_change:requested": ["Change of e-mail address asked for", ""],
	"email_change:undone": ["Change of e-mail address taken back", ""],
	email_verify: ["E-mail address confirmed", "Confirmation refused"],
	login_attempt: ["Signed in", "Sign-in refused"],
	logout: ["Signed out", "Sign-out refused"],
	password_change: ["Password changed", "Password change refused"],
	password_reset: ["Password reset", "Password reset refused"],
	password_reset_request: ["Reset link asked for", "Reset link refused"],
	profile_update: ["Profile changed", "Profile change refused"],
	role_change: ["Role changed", "Role change refused"],
	session_end: ["Session ended", "End of a session refused"],
	"session_end:all_others": ["All other sessions ended", ""],
	suspicious_activity: ["Suspicious activity", "Suspicious activity"],
	"suspicious_activity:refresh_token_reuse": ["", "Session ended: its renewal token was used twice"],
	token_refresh: ["Session renewed", "Session renewal refused"],
	token_revoke: ["Session ended", "End of a session refused"],
	user_create: ["Account created", "Account refused"],
	user_register: ["Account created", "Registration refused"],
	user_status: ["Status of the account changed", "Status change refused"],
	verification_request: ["Confirmation link asked for", "Confirmation link refused"],
};

/*
 * Wire the activity section; gives { load }. The user is named, because who
 * may see everything would be shown everything.
 */
export function wireActivity(userId) {
	const section = document.getElementById("activity");
	const list = section.querySelector(".rows");
	const path = `audit?user_id=${encodeURIComponent(userId)}&limit=20`;
	return wirePager(section, path, (events) => {
		for (const event of events)
			append(list, event);
	});
}

/* A run of the same event, such as renewals, is one row with a count. */
function append(list, event) {
	const row = list.lastElementChild;
	const key = [nameOf(event), event.success, event.ip, event.user_agent].join("\n");
	if (row === null || row.dataset.key !== key) {
		list.append(rowOf(event, key));
		return;
	}
	row.dataset.count = Number(row.dataset.count) + 1;
	row.querySelector(".times").textContent = `${row.dataset.count} times`;
}

function rowOf(event, key) {
	const row = document.getElementById("event-row").content.cloneNode(true).firstElementChild;
	row.dataset.key = key;
	row.dataset.count = 1;
	row.classList.toggle("refused", !event.success || event.severity === "critical");
	row.querySelector(".what").textContent = nameOf(event);
	row.querySelector(".device").textContent = deviceName(event.user_agent ?? "") ?? "Unknown device";
	row.querySelector(".address").textContent = event.ip ?? "";
	showTime(row.querySelector(".at"), event.at);
	return row;
}

/* An event without a name here is told in its own words: "mfa enroll". */
function nameOf({ event_type: type, reason, success }) {
	const outcome = success ? 0 : 1;
	for (const key of [`${type}:${reason}`, type]) {
		if (Object.hasOwn(EVENTS, key) && EVENTS[key][outcome] !== "")
			return EVENTS[key][outcome];
	}
	const words = String(type).replaceAll("_", " ");
	return success ? words : `${words}: refused`;
}
