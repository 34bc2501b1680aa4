#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Write what a front server answers when the program cannot: one page and one
# problem document (RFC 9457) a status, from the table at the end.
#   make.sh FOLDER
# lighttpd names its error files PREFIX404.html whatever they hold, so it finds
# the problem documents a second time under that name.
set -eu

folder=${1:?usage: make.sh FOLDER}

write_page() { # STATUS TITLE TEXT
	cat >"$folder/$1.html" <<EOF
<!DOCTYPE html>
<html lang="en">
<head>
	<meta charset="utf-8">
	<meta name="viewport" content="width=device-width, initial-scale=1">
	<meta name="color-scheme" content="light dark">
	<title>$2</title>
	<link rel="stylesheet" href="/style.css">
</head>
<body>
<main class="narrow">
	<h1>$2</h1>
	<p>$3</p>
	<p><a href="/">Back to the start</a></p>
</main>
</body>
</html>
EOF
}

write_problem() { # STATUS CODE TITLE TEXT
	cat >"$folder/$1.json" <<EOF
{"type":"/problems/$2","title":"$3","status":$1,"detail":"$4","code":"$2"}
EOF
	ln -f "$folder/$1.json" "$folder/problem-$1.html"
}

mkdir -p "$folder"
while IFS='|' read -r status code title text; do
	write_page "$status" "$title" "$text"
	write_problem "$status" "$code" "$title" "$text"
done <<'TABLE'
400|invalid_request|Bad request|The request could not be read.
403|forbidden|Forbidden|This is not for you to see.
404|not_found|Not found|There is nothing at this address.
405|method_not_allowed|Method not allowed|This address does not answer to that method.
408|request_timeout|Request timeout|The request came too slowly.
411|invalid_request|Length required|A body needs its length.
413|payload_too_large|Content too large|The body is larger than this server takes.
414|invalid_request|Address too long|The address is longer than this server takes.
417|invalid_request|Expectation failed|What the request expects cannot be met.
431|invalid_request|Header fields too large|The headers are larger than this server takes.
500|internal_error|Internal error|Something went wrong here. It is on record.
501|invalid_request|Not implemented|This server does not know that method.
502|service_unavailable|Bad gateway|The service does not answer. Please try again shortly.
503|service_unavailable|Service unavailable|The service does not answer. Please try again shortly.
504|service_unavailable|Gateway timeout|The service does not answer in time. Please try again shortly.
505|invalid_request|Version not supported|This server does not speak that version of HTTP.
TABLE
