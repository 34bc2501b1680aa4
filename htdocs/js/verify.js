// SPDX-License-Identifier: Apache-2.0
/*
 * The page behind the link in a confirmation mail. Opening it changes nothing,
 * because mail scanners open links too; the button does.
 */
import { callOpenly, hasSession } from "./api.js";
import { tell, wireForm } from "./form.js";
import { onTokenArrival } from "./navigate.js";
import { showView } from "./views.js";

/* The mail to a former address leads here with "?undo". */
const isUndo = location.search === "?undo";
let token = null;

wireForm(document.getElementById("confirm"), () => useToken(() => {
	document.getElementById("to-account").hidden = !hasSession();
	document.getElementById("to-login").hidden = hasSession();
	showView("done", "Confirmed").focus();
}));

wireForm(document.getElementById("take-back"), () => useToken(() => {
	showView("taken-back", "Taken back").focus();
}));

wireForm(document.getElementById("resend"), async (values) => {
	await callOpenly("POST", "auth/verify-email/resend", values);
	tell(document.getElementById("resent"),
		"If that address waits to be confirmed, a new link is on its way.");
});

/* A new link confirms an address; there is none to take a change back. */
document.getElementById("resend").hidden = isUndo;

onTokenArrival((arrived) => {
	token = arrived;
	if (token === null)
		showView("stale", "This link is not complete");
	else if (isUndo)
		showView("undo", "Take the change back");
	else
		showView("ready", "Confirm your address");
});

async function useToken(celebrate) {
	try {
		await callOpenly("POST", "auth/verify-email", { token });
	} catch (problem) {
		if (problem.code !== "token_invalid")
			throw problem;
		showView("stale", "This link no longer works").focus();
		return;
	}
	celebrate();
}
