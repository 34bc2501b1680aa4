#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Write the page of every problem: the "type" of a problem document (RFC 9457)
# is the address of its page, <site>/problems/<code>. The pages are alike and
# are kept in the repository, so that a site is served without any build step;
# run this after a change of the table, a test compares.
#
#	sh make.sh [FOLDER]	default: the folder of this script
set -eu

here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here}

# code | status | title | what it means | what to do
table() {
	cat <<'ROWS'
invalid_json|400|The body is not valid JSON|The body could not be read as JSON: a cut or doubled member, text after the end, bytes that are not UTF-8, or too much nesting.|Send one JSON object in UTF-8, nested at most 16 deep, each member once.
invalid_request|400|The request is not well formed|Something about the request itself is wrong: its address, its query, its headers or a missing part.|Compare the request with the description of the route. The member <code>detail</code> tells what was wrong.
unauthenticated|401|Nobody is signed in|The route wants to know the caller, and the request brought neither an access token nor the cookies of a session.|Sign in, and send the access token as <code>Authorization: Bearer …</code>.
invalid_credentials|401|The credentials are wrong|The address and the password, or the password that was asked for again, do not match. Which of them is wrong is not told, and an unknown address gets the same answer.|Try again, or ask for a reset link.
token_invalid|401|The token is not valid|The token is not one of ours, was changed on the way, is of another kind, or, when it works only once, was used already or is too old.|Sign in again, or ask for a new link.
token_expired|401|The token has expired|The access token was good and is too old now. Access tokens live for a few minutes by design.|Get a new one with the refresh token, then repeat the request.
token_revoked|401|The token has been revoked|The session of the token was ended: by signing out, by a change of the password, by an administrator, or because a refresh token was used a second time, which is the sign of a stolen copy.|Sign in again. If you did not end the session yourself, look at the activity of your account.
reauthentication_required|401|A fresh sign-in is needed|The operation is sensitive, and the last proof of who you are is too old for it.|Prove it again with the password or a second factor, then repeat the request.
certificate_required|401|A client certificate is needed|The route is for machines that identify themselves by a TLS client certificate, and none was presented.|Connect with the certificate that was issued to the node.
certificate_rejected|401|The client certificate was rejected|A certificate was presented, and it is expired, revoked, of another authority, or not the one that this node is known by.|Renew the certificate of the node, or enrol the node again.
forbidden|403|You may not do this|We know who you are, and your role does not allow the operation.|Ask somebody who manages the tenant for the permission.
insufficient_scope|403|The key does not reach this far|The API key is good, but the operation is not among its scopes, or its owner has lost the right.|Use a key with the scope that the operation wants.
mfa_required|403|A second factor is needed|The operation or the tenant wants a second factor, and the session has none.|Set up a second factor, or sign in with the one you have.
email_not_verified|403|The e-mail address is not confirmed|The account may do this only when its address is confirmed.|Open the link in the message that was sent to you, or ask for a new one.
captcha_required|403|A small proof of work is needed|There were many attempts, so the next one must come with a solved challenge.|Fetch a challenge, solve it, and send the solution with the request.
csrf_failed|403|The request did not come from our pages|The request used the cookies of a session but lacked the matching <code>X-CSRF-Token</code>, or came from another site.|Reload the page and try again. Programs send the value of the cookie as the header, with the <code>Origin</code> of the site.
nonce_required|403|A one-time number is needed|The operation is critical and must not happen twice by accident, so it wants a fresh number in <code>X-Nonce</code>.|Ask for a nonce, and send it with the request. Each works once.
ip_blocked|403|Your address is blocked|The network address that the request came from is blocked for now.|Wait, or ask the people who run this site.
not_found|404|There is nothing here|The address leads nowhere, or to something that is not yours to see; the two are not told apart.|Check the address and the id in it.
method_not_allowed|405|The method does not fit|The route exists, but not for this HTTP method.|Use one of the methods in the header <code>Allow</code>.
request_timeout|408|The request took too long to arrive|The body did not arrive within the time allowed for it.|Send the request again, over a better connection if you can.
conflict|409|It clashes with what is there|The request was right in itself, but the present state does not allow it: the thing exists already, or was changed meanwhile.|Fetch the present state, and decide again.
payload_too_large|413|The body is too large|The body of the request is larger than the route takes: 64 KiB for JSON.|Send less at a time.
unsupported_media_type|415|The media type is not supported|The body was not declared as JSON.|Send <code>Content-Type: application/json</code>.
validation_failed|422|Some fields are not right|The JSON was read, but some members have a value that is not accepted. The member <code>errors</code> names each field with a code and a sentence.|Mend the fields that are named, and send the request again.
rate_limited|429|Too many requests|There were more requests from your address or your account than are allowed in the time.|Wait for the seconds that <code>Retry-After</code> tells.
account_locked|429|The account takes no sign-in for now|There were too many failed attempts for this account.|Wait for the seconds that <code>Retry-After</code> tells. A device that has signed in before is not kept out.
internal_error|500|Something went wrong on our side|The request may well be right: we failed. The failure is in our log under the request’s id.|Try again later. If it goes on, tell the people who run this site the <code>request_id</code>.
service_unavailable|503|The service is busy or a part of it is down|A store that is needed does not answer, or more work has come in than can be done at once.|Wait for the seconds that <code>Retry-After</code> tells, then send the same request again.
ROWS
}

# page_start DEPTH TITLE
page_start() {
	cat <<PAGE
<!DOCTYPE html>
<!-- SPDX-License-Identifier: Apache-2.0 -->
<!-- Written by make.sh: change the table there. -->
<html lang="en">
<head>
	<meta charset="utf-8">
	<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'">
	<meta name="viewport" content="width=device-width, initial-scale=1">
	<meta name="color-scheme" content="light dark">
	<meta name="referrer" content="no-referrer">
	<title>$2 – Claviger</title>
	<link rel="icon" href="$1mark.svg" type="image/svg+xml">
	<link rel="stylesheet" href="$1style.css">
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header class="site">
	<a class="brand" href="$1index.html"><img src="$1mark.svg" alt="" width="32" height="32">Claviger</a>
</header>
<main id="main" class="narrow" tabindex="-1">
	<h1>$2</h1>
PAGE
}

page_end() {
	cat <<'PAGE'
</main>
<footer class="site">
	<p>Claviger, keeper of the keys.</p>
</footer>
</body>
</html>
PAGE
}

# page_of CODE STATUS TITLE MEANING REMEDY
page_of() {
	page_start ../../ "$3"
	cat <<PAGE
	<p class="lead">$4</p>
	<div class="sheet">
		<h2>What to do</h2>
		<p>$5</p>
		<dl class="facts">
			<dt>Code</dt>
			<dd><code>$1</code></dd>
			<dt>HTTP status</dt>
			<dd>$2</dd>
		</dl>
	</div>
	<p class="below"><a href="../">All problems</a></p>
PAGE
	page_end
}

list_of_all() {
	page_start ../ 'Problems'
	cat <<'PAGE'
	<p class="lead">Every refusal of the API is a problem document (RFC 9457). Its <code>code</code> is one of these words, and its <code>type</code> is the address of the page here.</p>
	<div class="sheet">
	<ul class="rows">
PAGE
	table | while IFS='|' read -r code status title _; do
		printf '\t\t<li><div><a href="%s/"><code>%s</code></a><br>%s</div> <span class="hint">%s</span></li>\n' \
			"$code" "$code" "$title" "$status"
	done
	printf '\t</ul>\n\t</div>\n'
	page_end
}

table | while IFS='|' read -r code status title meaning remedy; do
	mkdir -p "$out/$code"
	page_of "$code" "$status" "$title" "$meaning" "$remedy" > "$out/$code/index.html"
done
list_of_all > "$out/index.html"
