// SPDX-License-Identifier: Apache-2.0
/* The list of devices signed in, and ending sessions. */
import { call } from "./api.js";
import { showTime } from "./dates.js";
import { deviceName } from "./device.js";
import { alertOf, attempt, isHeld, tell } from "./form.js";
import { wirePager } from "./pager.js";

/* Wire the sessions section; gives { load }. */
export function wireSessions() {
	const section = document.getElementById("sessions");
	const list = section.querySelector(".rows");
	const heading = section.querySelector("h2");
	const told = section.querySelector("[role=status]");
	const endOthers = document.getElementById("end-others");
	const pager = wirePager(section, "me/sessions?limit=20", (items) => {
		list.append(...items.map((session) => rowOf(session, endOne)));
		showWhetherOthers();
	});

	endOthers.addEventListener("click", () => {
		if (isHeld(endOthers))
			return;
		attempt(endOthers, alertOf(section), async () => {
			await call("DELETE", "me/sessions");
			await pager.load();
			tell(told, "Every other session has ended.");
			heading.focus();
		});
	});
	return pager;

	function endOne(button, row, session) {
		attempt(button, alertOf(section), async () => {
			await call("DELETE", `me/sessions/${encodeURIComponent(session.id)}`);
			row.remove();
			showWhetherOthers();
			tell(told, `Ended: ${nameOf(session)}.`);
			heading.focus();
		});
	}

	function showWhetherOthers() {
		const hasOthers = list.querySelector("li:not(.current)") !== null;
		endOthers.hidden = !hasOthers;
		document.getElementById("no-others").hidden = hasOthers;
	}
}

function rowOf(session, endOne) {
	const row = document.getElementById("session-row").content.cloneNode(true).firstElementChild;
	const button = row.querySelector("button");
	row.classList.toggle("current", session.current);
	row.querySelector(".device").textContent = nameOf(session);
	row.querySelector(".address").textContent = session.ip;
	showTime(row.querySelector(".last-used"), session.last_used_at ?? session.created_at);
	showTime(row.querySelector(".begun"), session.created_at);
	row.querySelector(".badge").hidden = !session.current;
	button.hidden = session.current;
	button.setAttribute("aria-label", `End session: ${nameOf(session)}`);
	button.addEventListener("click", () => {
		if (!isHeld(button))
			endOne(button, row, session);
	});
	return row;
}

function nameOf(session) {
	return session.device_name || deviceName(session.user_agent ?? "") || "Unknown device";
}
