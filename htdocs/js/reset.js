// SPDX-License-Identifier: Apache-2.0
/* The page behind the link in a reset mail: set a new password. */
import { callOpenly } from "./api.js";
import { wireForm } from "./form.js";
import { go, onTokenArrival } from "./navigate.js";
import { showView } from "./views.js";

let token = null;

wireForm(document.getElementById("reset"), async (values) => {
	try {
		await callOpenly("POST", "auth/password/reset", { ...values, token });
	} catch (problem) {
		if (problem.code !== "token_invalid")
			throw problem;
		showView("stale", "This link no longer works").focus();
		return;
	}
	await go(new URL("login.html?notice=password-reset", location.href));
});

onTokenArrival((arrived) => {
	token = arrived;
	if (token === null)
		showView("stale", "This link is not complete");
	else
		showView("ready", "Set a new password");
});
