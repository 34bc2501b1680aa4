// SPDX-License-Identifier: Apache-2.0
/* The list of limits, and the dialog that changes one of them. */
import { call, Problem } from "./api.js";
import { alertOf, attempt, clearOutcome, isHeld, tell, wireForm } from "./form.js";
import { measure, rateInWords } from "./rates.js";

/* What each policy limits, and by what it counts. */
const POLICIES = {
	login: ["Sign-in attempts", "for each network address"],
	login_account: ["Sign-in attempts at one account", "for each account"],
	factor: ["Second-factor attempts", "for each account"],
	registration: ["New accounts", "for each network address"],
	reset: ["Requests to reset a password", "for each network address"],
	verification: ["Confirmations of an e-mail address", "for each network address"],
	api_user: ["Requests when signed in", "for each person"],
	api_anonymous: ["Requests without signing in", "for each network address"],
	api_key: ["Requests with an API key", "for each key without a limit of its own"],
	websocket: ["WebSocket connections", "for each person, or else network address"],
};

const MOST = 1000000;
const byId = (id) => document.getElementById(id);

/* Show the policies; gives nothing. Who may not change them is offered nothing. */
export function wirePolicies(policies, mayChange) {
	const section = byId("limits");
	const list = section.querySelector(".rows");
	const told = section.querySelector("[role=status]");
	const rows = new Map();
	const edit = mayChange ? wireDialog(save) : null;

	for (const policy of inOrder(policies)) {
		const row = byId("policy-row").content.cloneNode(true).firstElementChild;
		const button = row.querySelector("button");
		button.hidden = !mayChange;
		button.addEventListener("click", () => {
			tell(told, "");
			edit(rows.get(policy.name).policy);
		});
		rows.set(policy.name, { row, policy });
		show(row, policy);
		list.append(row);
	}
	list.removeAttribute("aria-busy");

	/* A null rate takes the change back. */
	async function save({ name }, rate) {
		const { items } = await call("PATCH", "admin/policies", { policies: { [name]: rate } });
		const policy = items.find((one) => one.name === name);
		const entry = rows.get(name);
		entry.policy = policy;
		show(entry.row, policy);
		tell(told, `${nameOf(policy)}: now ${rateInWords(policy)}.`);
	}
}

/* As they stand above; what is not known here comes last. */
function inOrder(policies) {
	const names = Object.keys(POLICIES);
	const place = ({ name }) => names.includes(name) ? names.indexOf(name) : names.length;
	return policies.toSorted((one, other) => place(one) - place(other));
}

function show(row, policy) {
	row.querySelector(".name").textContent = nameOf(policy);
	row.querySelector(".rate").textContent = rateInWords(policy);
	row.querySelector(".subject").textContent = subjectOf(policy);
	row.querySelector(".badge").hidden = !policy.is_changed;
	row.querySelector(".configured").hidden = !policy.is_changed;
	row.querySelector(".configured").textContent = `Configured: ${rateInWords(policy.configured)}`;
	row.querySelector("button").setAttribute("aria-label", `Change: ${nameOf(policy)}`);
}

function nameOf({ name }) {
	return Object.hasOwn(POLICIES, name) ? POLICIES[name][0] : name.replaceAll("_", " ");
}

function subjectOf({ name }) {
	return Object.hasOwn(POLICIES, name) ? POLICIES[name][1] : "";
}

/* Gives edit(policy), which opens the dialog; save(policy, rate) may throw. */
function wireDialog(save) {
	const dialog = byId("edit");
	const form = byId("policy");
	const restore = byId("restore");
	let policy = null;

	wireForm(form, async (values) => {
		await save(policy, rateOf(values));
		dialog.close();
	});
	restore.addEventListener("click", () => {
		if (isHeld(restore))
			return;
		attempt(restore, alertOf(form), async () => {
			await save(policy, null);
			dialog.close();
		});
	});
	byId("keep").addEventListener("click", () => dialog.close());
	for (const way of form.elements.way)
		way.addEventListener("change", showWay);

	return (chosen) => {
		policy = chosen;
		clearOutcome(form);
		fill(policy);
		dialog.showModal();
		byId("limit").select();
	};
}

function fill(policy) {
	const { count, unit } = measure(policy.window_s);
	byId("edit-title").textContent = nameOf(policy);
	byId("edit-subject").textContent = subjectOf(policy);
	byId("limit").value = policy.limit;
	byId("window").value = count;
	byId("unit").value = unit.seconds;
	byId("way-bucket").checked = policy.burst > 0;
	byId("way-window").checked = !(policy.burst > 0);
	byId("burst").value = policy.burst || policy.configured.burst || 10;
	byId("restoring").hidden = !policy.is_changed;
	byId("configured").textContent = `Configured: ${rateInWords(policy.configured)}`;
	showWay();
}

/* A strict count has no burst: a field that is off is neither wanted nor sent. */
function showWay() {
	const isSteady = byId("way-bucket").checked;
	byId("burst-field").hidden = !isSteady;
	byId("burst").disabled = !isSteady;
}

/* The rate that was entered; throws a Problem that names every wrong field. */
function rateOf({ limit, window, unit, burst }) {
	const wrong = [limit, window, burst].map((text) => text !== undefined && !isCount(text));
	const errors = ["limit", "window", "burst"].filter((_, i) => wrong[i])
		.map((field) => ({ field, detail: "Enter a whole number from 1 to 1,000,000." }));
	const seconds = Number(window) * Number(unit);
	if (!wrong[1] && seconds > 30 * 86400)
		errors.push({ field: "window", detail: "At most 30 days." });
	if (errors.length > 0)
		throw new Problem(422, { code: "validation_failed", errors });
	return {
		limit: Number(limit),
		window_s: seconds,
		burst: burst === undefined ? null : Number(burst),
	};
}

function isCount(text) {
	return /^\d{1,7}$/.test(text) && Number(text) >= 1 && Number(text) <= MOST;
}
