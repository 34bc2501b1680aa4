// SPDX-License-Identifier: Apache-2.0
/*
 * The registration page. The answer is the same whether or not the address is
 * known here, and so is what the page says; only the mail differs.
 */
import { callOpenly } from "./api.js";
import { tell, wireForm } from "./form.js";
import { showView } from "./views.js";

let address = "";

wireForm(document.getElementById("register"), async (values) => {
	await callOpenly("POST", "auth/register", values);
	address = values.email;
	document.getElementById("password").value = "";
	document.getElementById("sent-to").textContent = address;
	showView("sent", "Check your mail").focus();
});

wireForm(document.getElementById("resend"), async () => {
	await callOpenly("POST", "auth/verify-email/resend", { email: address });
	tell(document.getElementById("resent"), "Sent again. It can take a minute or two to arrive.");
});
