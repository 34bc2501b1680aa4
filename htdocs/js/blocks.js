// SPDX-License-Identifier: Apache-2.0
/* The list of blocked addresses, blocking one, and letting one in again. */
import { call } from "./api.js";
import { confirmed } from "./confirm.js";
import { showTime } from "./dates.js";
import { alertOf, attempt, isHeld, tell, wireForm } from "./form.js";
import { wirePager } from "./pager.js";

const byId = (id) => document.getElementById(id);

/* Wire the section and load it. Who may not block is offered nothing. */
export function wireBlocks(mayBlock) {
	const section = byId("blocks");
	const list = section.querySelector(".rows");
	const told = section.querySelector("[role=status]");
	const pager = wirePager(section, "admin/blocked-ips?limit=20", (blocks) => {
		list.append(...blocks.map((block) => rowOf(block, mayBlock ? askToUnblock : null)));
	});

	byId("block").hidden = !mayBlock;
	wireForm(byId("block"), async (values) => {
		if (!await block(values))
			return;
		byId("block").reset();
		tell(told, "");
		await pager.load();
		tell(byId("blocked"), `${values.ip} is blocked.`);
	});
	pager.load();

	async function askToUnblock(button, row, { ip, prefix }) {
		const network = networkOf({ ip, prefix });
		const query = prefix === null ? "" : `?prefix=${prefix}`;
		const isMeant = await confirmed({
			title: `Let ${network} in again?`,
			text: "Requests from there will be answered as any others are.",
			yes: "Unblock",
		});
		if (!isMeant)
			return;
		tell(byId("blocked"), "");
		attempt(button, alertOf(section), async () => {
			await call("DELETE", `admin/blocked-ips/${encodeURIComponent(ip)}${query}`);
			row.remove();
			section.querySelector(".empty").hidden = list.children.length > 0;
			tell(told, `${network} is let in again.`);
			byId("blocks-title").focus();
		});
	}
}

/* Gives false when the person thought better of it. */
async function block(values) {
	try {
		await call("POST", "admin/block-ip", values);
	} catch (problem) {
		if (!isOwnAddress(problem))
			throw problem;
		const isMeant = await confirmed({
			title: "This would block you, too",
			text: `You are at an address in ${values.ip}. Once it is blocked, you can no longer use this page from there.`,
			yes: "Block it all the same",
		});
		if (!isMeant)
			return false;
		await call("POST", "admin/block-ip", { ...values, force: true });
	}
	return true;
}

function isOwnAddress(problem) {
	return problem.fields?.some(({ code }) => code === "own_address");
}

function rowOf(block, askToUnblock) {
	const row = byId("block-row").content.cloneNode(true).firstElementChild;
	const button = row.querySelector("button");
	row.querySelector(".network").textContent = networkOf(block);
	row.querySelector(".badge").hidden = block.source !== "auto";
	row.querySelector(".reason").textContent = block.reason;
	showTime(row.querySelector(".since"), block.created_at);
	showEnd(row.querySelector(".until"), block.expires_at);
	button.hidden = askToUnblock === null;
	button.setAttribute("aria-label", `Unblock ${networkOf(block)}`);
	button.addEventListener("click", () => {
		if (!isHeld(button))
			askToUnblock(button, row, block);
	});
	return row;
}

function showEnd(element, text) {
	if (text === null)
		element.textContent = "when it is unblocked";
	else
		showTime(element, text, "in a moment");
}

/* "192.0.2.7" is a single address, which has no prefix; "192.0.2.0/24" */
function networkOf({ ip, prefix }) {
	return prefix === null ? ip : `${ip}/${prefix}`;
}
