// SPDX-License-Identifier: Apache-2.0
/*
 * The captcha of the sign-in page: fetch a challenge, let a worker find the
 * number that solves it, give back the proof. It is done on this device alone;
 * nothing is loaded from another site, so the captchas of others are refused.
 */
import { callOpenly, Problem } from "./api.js";

const ALGORITHM = "SHA-256";
const WORKER = new URL("proof.js", import.meta.url).href;

/* Browsers with trusted types want to be told which script may be a worker:
 * this one, whatever the policy is asked for. */
const policy = globalThis.trustedTypes?.createPolicy("claviger-proof", {
	createScriptURL: () => WORKER,
});

/* How the providers write themselves. */
const PROVIDERS = { hcaptcha: "hCaptcha", turnstile: "Cloudflare Turnstile" };

/*
 * Gives the proof as the sign-in wants it; tells onProgress the share of the
 * numbers tried so far. Throws a Problem when there is no proof to be had.
 */
export async function solveCaptcha(onProgress) {
	const asked = await callOpenly("GET", "auth/captcha");
	if (asked?.provider !== "altcha" || asked.algorithm !== ALGORITHM)
		throw new Problem(0, { code: "captcha_foreign", detail: sentenceFor(asked?.provider) });
	const number = await findNumber(asked, onProgress);
	const { algorithm, challenge, salt, signature } = asked;
	return btoa(JSON.stringify({ algorithm, challenge, number, salt, signature }));
}

function sentenceFor(provider) {
	const name = Object.hasOwn(PROVIDERS, provider) ? PROVIDERS[provider] : "another kind";
	return `This site asks for a captcha of ${name}, which these pages do not load. Please sign in through the application.`;
}

async function findNumber({ challenge, salt, maxnumber }, onProgress) {
	const worker = new Worker(policy?.createScriptURL("") ?? WORKER, { type: "module" });
	try {
		return await new Promise((resolve, reject) => {
			const fail = () => reject(new Problem(0, { code: "captcha_failed" }));
			worker.addEventListener("error", fail);
			worker.addEventListener("message", ({ data: { tried, found } }) => {
				onProgress(tried / (maxnumber + 1));
				if (found !== null)
					resolve(found);
				else if (tried > maxnumber)
					fail();
			});
			worker.postMessage({ challenge, salt, maxnumber });
		});
	} finally {
		worker.terminate();
	}
}
