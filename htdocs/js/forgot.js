// SPDX-License-Identifier: Apache-2.0
/* Asking for a reset link. The page cannot know whether the address is ours. */
import { callOpenly } from "./api.js";
import { wireForm } from "./form.js";
import { showView } from "./views.js";

wireForm(document.getElementById("forgot"), async (values) => {
	await callOpenly("POST", "auth/password/forgot", values);
	document.getElementById("sent-to").textContent = values.email;
	showView("sent", "Check your mail").focus();
});
