// SPDX-License-Identifier: Apache-2.0
/*
 * The page behind the link in a confirmation mail. Opening it changes nothing,
 * because mail scanners open links too; the button does.
 */
import { callOpenly, hasSession } from "./api.js";
import { tell, wireForm } from "./form.js";
import { onTokenArrival } from "./navigate.js";
import { showView } from "./views.js";

let token = null;

wireForm(document.getElementById("confirm"), async () => {
	try {
		await callOpenly("POST", "auth/verify-email", { token });
	} catch (problem) {
		if (problem.code !== "token_invalid")
			throw problem;
		showView("stale", "This link no longer works").focus();
		return;
	}
	document.getElementById("to-account").hidden = !hasSession();
	document.getElementById("to-login").hidden = hasSession();
	showView("done", "Confirmed").focus();
});

wireForm(document.getElementById("resend"), async (values) => {
	await callOpenly("POST", "auth/verify-email/resend", values);
	tell(document.getElementById("resent"),
		"If that address waits to be confirmed, a new link is on its way.");
});

onTokenArrival((arrived) => {
	token = arrived;
	if (token === null)
		showView("stale", "This link is not complete");
	else
		showView("ready", "Confirm your address");
});
