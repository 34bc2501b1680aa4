// SPDX-License-Identifier: Apache-2.0
/* Signing out in one tab: the others leave the session that they show, too. */
import { goSignIn } from "./navigate.js";

const farewell = new BroadcastChannel("claviger-sign-out");

farewell.addEventListener("message", () => goSignIn("signed-out"));

/* Tell the other tabs that the session is over. */
export function sayFarewell() {
	farewell.postMessage(null);
}
