// SPDX-License-Identifier: Apache-2.0
/* A question before something that is not lightly undone. */

const dialog = document.getElementById("confirm");

/* Gives whether the person wants it: yes is the word on the button. */
export function confirmed({ title, text, yes }) {
	document.getElementById("confirm-title").textContent = title;
	document.getElementById("confirm-text").textContent = text;
	document.getElementById("confirm-yes").textContent = yes;
	dialog.returnValue = "";
	dialog.showModal();
	return new Promise((resolve) => {
		dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
	});
}
