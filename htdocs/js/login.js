// SPDX-License-Identifier: Apache-2.0
/*
 * The sign-in page. When the server wants a captcha first, it is solved here
 * and the sign-in repeated; the person has nothing to do but to wait.
 */
import { callOpenly, hasSession, sessionBegan } from "./api.js";
import { solveCaptcha } from "./captcha.js";
import { deviceName } from "./device.js";
import { tell, wireForm } from "./form.js";
import { arrivalNotice, go, nextPage } from "./navigate.js";

const byId = (id) => document.getElementById(id);
const form = byId("login");
const notice = arrivalNotice();

/* Once asked for, the proof is sent unasked: who is refused for lack of one has
 * used up an attempt. */
let isProofWanted = false;

if (notice !== null)
	tell(byId("notice"), notice);
else
	byId("already").hidden = !hasSession();

wireForm(form, async ({ email, password }) => {
	byId("locked").hidden = true;
	try {
		await signIn({
			email,
			password,
			session: "cookie",
			device_name: deviceName(navigator.userAgent) ?? undefined,
		});
	} catch (problem) {
		byId("locked").hidden = problem.code !== "account_locked";
		hideProof();
		throw problem;
	}
	sessionBegan();
	await go(nextPage());
});

/* What is said of a locked account is not said of another. */
byId("email").addEventListener("input", () => {
	byId("locked").hidden = true;
});

async function signIn(wanted) {
	if (!isProofWanted) {
		try {
			return await callOpenly("POST", "auth/login", wanted);
		} catch (problem) {
			if (problem.code !== "captcha_required")
				throw problem;
		}
	}
	/* Until it is solved, the next attempt asks whether it is still wanted. */
	isProofWanted = false;
	const captcha = await prove();
	isProofWanted = true;
	return callOpenly("POST", "auth/login", { ...wanted, captcha });
}

async function prove() {
	const bar = byId("proof");
	bar.value = 0;
	bar.hidden = false;
	tell(byId("proving"), "Checking that you are not a machine…");
	const proof = await solveCaptcha((share) => {
		bar.value = share;
	});
	bar.value = 1;
	tell(byId("proving"), "Checked. Signing in…");
	return proof;
}

function hideProof() {
	byId("proof").hidden = true;
	tell(byId("proving"), "");
}
