// SPDX-License-Identifier: Apache-2.0
/* A page that shows one of several views, each with its own heading. */

/* Show this view alone. Gives its heading, for the focus to go to. */
export function showView(id, title) {
	for (const view of document.querySelectorAll("main > .view"))
		view.hidden = view.id !== id;
	document.title = `${title} – Claviger`;
	return document.querySelector(`#${id} h1`);
}
