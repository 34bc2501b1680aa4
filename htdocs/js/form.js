// SPDX-License-Identifier: Apache-2.0
/*
 * Forms that talk to the API: one submission at a time, refusals told beside
 * the field they concern, a countdown when the server asks to wait. Nothing
 * that was typed is ever lost. Text reaches the page as text only.
 */
import { Problem, SessionEnded } from "./api.js";
import { goSignIn } from "./navigate.js";

/* What a refusal means to a person; others are told in the server's words. */
const SENTENCES = {
	unreachable: "The server could not be reached. Check your connection and try again.",
	invalid_credentials: "The e-mail address and the password do not match.",
	token_invalid: "This link no longer works: it was used already, or it is too old.",
	validation_failed: "Some of this is not right yet.",
	rate_limited: "That was tried too often.",
	account_locked: "There were too many wrong passwords for this account, so it takes no sign-in for the moment.",
	captcha_required: "The check that you are not a machine was not accepted. Please try again.",
	captcha_failed: "The check that you are not a machine could not be done. Reload the page and try again.",
	ip_blocked: "Your network is blocked here. Ask the people who run this site.",
	service_unavailable: "The service is busy just now.",
	internal_error: "Something went wrong on our side.",
	csrf_failed: "Your session changed in another tab. Reload this page and try again.",
	email_not_verified: "Confirm your e-mail address first; then this will work.",
	reauthentication_required: "Your sign-in is too long ago for this. Sign out, sign in again, and repeat it.",
};

/*
 * Make a form work: send(values) is called with its named fields and may
 * throw. The form's alert, errors and button are found by the markup alone.
 */
export function wireForm(form, send) {
	const button = form.querySelector("button[type=submit]");
	button.disabled = false;
	form.addEventListener("submit", (event) => {
		event.preventDefault();
		if (isHeld(button))
			return;
		clearOutcome(form);
		hideSecrets(form);
		if (!checkRequired(form))
			return;
		attempt(button, alertOf(form), () => send(valuesOf(form)),
			(problem) => tellProblem(form, problem));
	});
	form.addEventListener("input", (event) => clearFieldError(event.target));
	for (const reveal of form.querySelectorAll("button.reveal"))
		wireReveal(reveal);
	for (const output of form.querySelectorAll("[data-counts]"))
		wireCounter(output);
}

/*
 * Do a piece of work for a button, which is held meanwhile. A refusal is told
 * by tellRefusal, or in the alert; the end of the session leads to signing in.
 */
export async function attempt(button, alert, work, tellRefusal) {
	const label = button.textContent;
	hold(button, button.dataset.busy ?? label);
	hideAlert(alert);
	try {
		await work();
	} catch (error) {
		if (error instanceof SessionEnded)
			await goSignIn("session-ended");
		if (!(error instanceof Problem))
			throw error;
		if (error.retryAfter !== undefined)
			return countDown(button, label, alert, error);
		if (tellRefusal !== undefined)
			tellRefusal(error);
		else
			showAlert(alert, sentenceOf(error));
	}
	release(button, label);
}

/* The problem in words for people. */
export function sentenceOf(problem) {
	const sentence = SENTENCES[problem.code] ?? problem.message;
	if (problem.status >= 500 && problem.requestId)
		return `${sentence} (Reference: ${problem.requestId})`;
	return sentence;
}

/* Put a refusal into an alert and take the reader there. */
export function showAlert(alert, sentence) {
	alert.textContent = sentence;
	alert.hidden = false;
	alert.focus();
}

export function hideAlert(alert) {
	alert.hidden = true;
	alert.textContent = "";
}

/* Tell a success in a live region, which is read out where it stands. */
export function tell(region, sentence) {
	region.textContent = sentence;
}

export function alertOf(form) {
	return form.querySelector(".alert");
}

/* The form's named fields; an empty optional field is left out. */
function valuesOf(form) {
	const values = {};
	for (const [name, value] of new FormData(form)) {
		if (value !== "" || form.elements[name].required)
			values[name] = value;
	}
	return values;
}

function checkRequired(form) {
	const empty = fieldsOf(form).filter((field) => field.required && !field.disabled && field.value === "");
	for (const field of empty)
		setFieldError(field, field.dataset.missing ?? "Fill this in.");
	empty[0]?.focus();
	return empty.length === 0;
}

/* Beside the fields it names; what names no field here goes to the alert. */
function tellProblem(form, problem) {
	const wrong = [];
	const rest = [];
	for (const error of fieldErrorsOf(form, problem)) {
		const field = fieldNamed(form, error.field);
		if (field === undefined) {
			rest.push(error.detail);
			continue;
		}
		setFieldError(field, error.detail);
		wrong.push(field);
	}
	if (wrong.length === 0 || rest.length > 0)
		showAlert(alertOf(form), [...new Set([sentenceOf(problem), ...rest])].join(" "));
	/* In the order of the page, whatever the order of the errors. */
	fieldsOf(form).find((field) => wrong.includes(field))?.focus();
}

/* A wrong current password is a matter of that field, where there is one. */
function fieldErrorsOf(form, problem) {
	if (problem.code === "invalid_credentials" && fieldNamed(form, "current_password"))
		return [{ field: "current_password", detail: "This is not your current password." }];
	return problem.fields;
}

function fieldsOf(form) {
	return [...form.elements].filter((element) => element.matches(":is(input, select)[name]:not([hidden])"));
}

function fieldNamed(form, name) {
	return fieldsOf(form).find((field) => field.name === name);
}

function errorOf(field) {
	return document.getElementById(`${field.id}-error`);
}

function setFieldError(field, sentence) {
	field.setAttribute("aria-invalid", "true");
	const error = errorOf(field);
	error.textContent = sentence;
	error.hidden = false;
}

function clearFieldError(field) {
	if (!field.matches("[aria-invalid]"))
		return;
	field.removeAttribute("aria-invalid");
	errorOf(field).hidden = true;
	errorOf(field).textContent = "";
}

/* Of an earlier attempt: what it found wrong and what it achieved. */
export function clearOutcome(form) {
	hideAlert(alertOf(form));
	for (const field of fieldsOf(form))
		clearFieldError(field);
	for (const region of form.querySelectorAll("[role=status]"))
		region.textContent = "";
}

/*
 * A held button keeps the focus, which a disabled one would lose, and does
 * nothing.
 */
function hold(button, label) {
	button.setAttribute("aria-disabled", "true");
	button.textContent = label;
}

function release(button, label) {
	button.removeAttribute("aria-disabled");
	button.textContent = label;
}

export function isHeld(button) {
	return button.getAttribute("aria-disabled") === "true";
}

/*
 * Hold the button until the server will listen again. The seconds run on the
 * button; the alert tells the wait once, so that a screen reader is not made
 * to count along. A lock is of one account: who types another need not wait.
 */
function countDown(button, label, alert, problem) {
	let until = Date.now() + problem.retryAfter * 1000;
	if (problem.code === "account_locked")
		button.form?.querySelector("[autocomplete=username]")?.addEventListener(
			"input", () => { until = 0; }, { once: true });
	showAlert(alert, `${sentenceOf(problem)} You can try again in ${inWords(problem.retryAfter)}.`);
	const tick = () => {
		const left = Math.ceil((until - Date.now()) / 1000);
		if (left > 0) {
			hold(button, `${label} (in ${onClock(left)})`);
			setTimeout(tick, 250);
			return;
		}
		release(button, label);
		alert.textContent = "You can try again now.";
	};
	tick();
}

function inWords(seconds) {
	if (seconds < 60)
		return `${seconds} ${seconds === 1 ? "second" : "seconds"}`;
	const minutes = Math.ceil(seconds / 60);
	if (minutes < 100)
		return `about ${minutes} ${minutes === 1 ? "minute" : "minutes"}`;
	return `about ${Math.round(minutes / 60)} hours`;
}

/* "4:05", "1:00:00" */
function onClock(seconds) {
	const parts = [Math.floor(seconds / 60) % 60, seconds % 60];
	const hours = Math.floor(seconds / 3600);
	if (hours === 0)
		return `${parts[0]}:${String(parts[1]).padStart(2, "0")}`;
	return [hours, ...parts.map((part) => String(part).padStart(2, "0"))].join(":");
}

/* The button that shows what was typed into a password field. */
function wireReveal(button) {
	const field = document.getElementById(button.getAttribute("aria-controls"));
	button.disabled = false;
	button.addEventListener("click", () => reveal(button, field, field.type === "password"));
}

function reveal(button, field, isShown) {
	field.type = isShown ? "text" : "password";
	button.textContent = isShown ? "Hide" : "Show";
	button.setAttribute("aria-label", isShown ? "Hide password" : "Show password");
}

/* A password in a text field would be kept by the browser as a plain entry. */
function hideSecrets(form) {
	for (const button of form.querySelectorAll("button.reveal")) {
		const field = document.getElementById(button.getAttribute("aria-controls"));
		if (field.type === "text")
			reveal(button, field, false);
	}
}

/*
 * Count code points as the server does: an emoji is one character. The verdict
 * on strength is the server's alone.
 */
function wireCounter(output) {
	const field = document.getElementById(output.dataset.counts);
	const least = Number(output.dataset.least);
	const show = () => {
		const length = [...field.value].length;
		output.textContent = length === 0 ? "" : wordsFor(length, least);
		output.classList.toggle("enough", length >= least);
	};
	field.addEventListener("input", show);
	show();
}

function wordsFor(length, least) {
	if (length < least)
		return `${length} of ${least} characters`;
	return `${length} characters: long enough`;
}
