// SPDX-License-Identifier: Apache-2.0
/*
 * The page of those who run the site: limits and blocked addresses. What it
 * shows and offers follows from the person's permissions; the server judges.
 */
import { call, hasSession, Problem, SessionEnded } from "./api.js";
import { wireBlocks } from "./blocks.js";
import "./farewell.js";
import { sentenceOf, showAlert } from "./form.js";
import { goSignIn } from "./navigate.js";
import { wirePolicies } from "./policies.js";
import { showView } from "./views.js";

const byId = (id) => document.getElementById(id);
start();

async function start() {
	const hadSession = hasSession();
	byId("loading").hidden = false;
	try {
		const { permissions } = await call("GET", "me");
		const { items } = await call("GET", "admin/policies");
		open(new Set(permissions), items);
	} catch (error) {
		if (error instanceof SessionEnded)
			await goSignIn(hadSession ? "session-ended" : "sign-in-first");
		if (!(error instanceof Problem))
			throw error;
		refuse(error);
	}
	byId("loading").hidden = true;
}

function open(permissions, policies) {
	const mayChangeLimits = permissions.has("platform:policy_write");
	const mayBlock = permissions.has("platform:block_write");
	byId("read-only").hidden = mayChangeLimits || mayBlock;
	byId("guard").hidden = false;
	wirePolicies(policies, mayChangeLimits);
	wireBlocks(mayBlock);
}

function refuse(problem) {
	if (problem.status === 403)
		showView("closed", "This door is not yours").focus();
	else
		showAlert(byId("unreachable"), `${sentenceOf(problem)} Reload the page to try again.`);
}
