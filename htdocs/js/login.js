// SPDX-License-Identifier: Apache-2.0
/* The sign-in page. */
import { callOpenly, hasSession, sessionBegan } from "./api.js";
import { deviceName } from "./device.js";
import { tell, wireForm } from "./form.js";
import { arrivalNotice, go, nextPage } from "./navigate.js";

const form = document.getElementById("login");
const notice = arrivalNotice();

if (notice !== null)
	tell(document.getElementById("notice"), notice);
else
	document.getElementById("already").hidden = !hasSession();

wireForm(form, async ({ email, password }) => {
	await callOpenly("POST", "auth/login", {
		email,
		password,
		session: "cookie",
		device_name: deviceName(navigator.userAgent) ?? undefined,
	});
	sessionBegan();
	await go(nextPage());
});
