// SPDX-License-Identifier: Apache-2.0
/*
 * A list of the API shown page by page: first page, "Show more" while there is
 * a cursor, a sentence when there is nothing.
 */
import { call } from "./api.js";
import { alertOf, attempt } from "./form.js";

/*
 * In the section: a list .rows, a button .more, a sentence .empty, an .alert.
 * show(items) appends to the list. Gives { load } for (again) the first page.
 */
export function wirePager(section, path, show) {
	const list = section.querySelector(".rows");
	const more = section.querySelector(".more");
	const empty = section.querySelector(".empty");
	let cursor = null;
	let isAtEnd = false;

	const readPage = async () => {
		const isFirst = cursor === null;
		isAtEnd = false;
		const page = await call("GET", isFirst ? path : `${path}&cursor=${encodeURIComponent(cursor)}`);
		if (isFirst)
			list.replaceChildren();
		show(page.items);
		cursor = page.next_cursor;
		isAtEnd = cursor === null;
		empty.hidden = list.children.length > 0;
		list.removeAttribute("aria-busy");
	};
	/* What failed can be tried again: the button stays, or comes. */
	const fetchPage = async () => {
		await attempt(more, alertOf(section), readPage);
		more.hidden = isAtEnd;
	};

	more.addEventListener("click", fetchPage);
	return {
		load() {
			cursor = null;
			return fetchPage();
		},
	};
}
