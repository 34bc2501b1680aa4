// SPDX-License-Identifier: Apache-2.0
/* The account page: who one is, one's address and password, and signing out. */
import { call, callOpenly, hasSession, Problem, SessionEnded } from "./api.js";
import { wireActivity } from "./activity.js";
import { showDay } from "./dates.js";
import { sayFarewell } from "./farewell.js";
import { sentenceOf, showAlert, tell, wireForm } from "./form.js";
import { go, goSignIn } from "./navigate.js";
import { wireSessions } from "./sessions.js";

/* One of these opens the administration. */
const ADMINISTRATION = ["platform:policy_read", "platform:block_read"];

const byId = (id) => document.getElementById(id);
let user = null;

wireForm(byId("sign-out"), async () => {
	await call("POST", "auth/logout", {});
	sayFarewell();
	await go(new URL("login.html?notice=signed-out", location.href));
});

wireForm(byId("profile"), async () => {
	showUser(await call("PATCH", "me", { name: byId("name").value }));
	tell(byId("profile-saved"), "Your name is saved.");
});

wireForm(byId("change-email"), async (values) => {
	await call("PATCH", "me", values);
	byId("change-email").reset();
	tell(byId("email-saved"), `Nearly done: open the link that we sent to ${values.email}.`);
	showUser(await call("GET", "me"));
});

wireForm(byId("change-password"), async (values) => {
	await call("POST", "auth/password/change", values);
	byId("change-password").reset();
	tell(byId("password-saved"), "Your password is changed. Every other session has ended.");
	sessions.load();
	activity.load();
});

wireForm(byId("resend"), async () => {
	await callOpenly("POST", "auth/verify-email/resend", { email: user.email });
	tell(byId("resent"), "Sent. It can take a minute or two to arrive.");
});

const sessions = wireSessions();
let activity = null;
start();

async function start() {
	const hadSession = hasSession();
	byId("loading").hidden = false;
	try {
		showUser(await call("GET", "me"));
	} catch (error) {
		if (error instanceof SessionEnded)
			await goSignIn(hadSession ? "session-ended" : "sign-in-first");
		if (!(error instanceof Problem))
			throw error;
		byId("loading").hidden = true;
		showAlert(byId("unreachable"), `${sentenceOf(error)} Reload the page to try again.`);
		return;
	}
	byId("loading").hidden = true;
	byId("account").hidden = false;
	activity = wireActivity(user.id);
	sessions.load();
	activity.load();
}

/* Every place that shows something of the account. */
function showUser(answer) {
	user = answer;
	byId("title").textContent = user.name || "Your account";
	byId("address").textContent = user.email;
	byId("current-address").textContent = user.email;
	byId("username").value = user.email;
	byId("name").value = user.name ?? "";
	showDay(byId("since"), user.created_at);
	byId("resend").hidden = user.email_verified;
	byId("to-admin").hidden = !ADMINISTRATION.some((one) => user.permissions?.includes(one));
	byId("verified").hidden = !user.email_verified;
	byId("pending").hidden = !user.pending_email;
	byId("pending-address").textContent = user.pending_email ?? "";
}
