# SPDX-License-Identifier: Apache-2.0
"""Names as nobody is called: each tries to be more than text on a page.

Written for this project. Every script in them would open a dialog or ask
another host for something, so that a page that runs one is noticed.
"""

CALL = "alert('ran')"
AWAY = "https://elsewhere.example/"

MARKUP = [
    f"<script>{CALL}</script>",
    f"</title><script>{CALL}</script>",
    f"</h1></main><script>{CALL}</script>",
    f"<ScRiPt>{CALL}</sCrIpT>",
    f"<script src={AWAY}a.js></script>",
    f"<<script>script>{CALL}</script>",
    f"<img src=x onerror={CALL}>",
    f"<img src={AWAY}a.png>",
    f"<img/src='x'onerror={CALL}>",
    f"<svg onload={CALL}>",
    f"<svg><script>{CALL}</script></svg>",
    f"<svg><animate onbegin={CALL} attributeName=x></svg>",
    f"<math><mi xlink:href='javascript:{CALL}'>x</mi></math>",
    f"<body onload={CALL}>",
    f"<details open ontoggle={CALL}>",
    f"<input autofocus onfocus={CALL}>",
    f"<video><source onerror={CALL}></video>",
    f"<iframe src='javascript:{CALL}'></iframe>",
    f"<iframe srcdoc='<script>{CALL}</script>'></iframe>",
    f"<object data='{AWAY}'></object>",
    f"<embed src='{AWAY}'>",
    f"<link rel=stylesheet href='{AWAY}a.css'>",
    f"<style>@import '{AWAY}a.css';</style>",
    f"<meta http-equiv=refresh content='0;url={AWAY}'>",
    f"<base href='{AWAY}'>",
    f"<form action='{AWAY}'><button>x</button></form>",
    f"<a href='javascript:{CALL}'>press me</a>",
    f"<template><script>{CALL}</script></template>",
    "<!-- comment --> <![CDATA[ x ]]>",
    "<plaintext>",
    "<table><td>",
    "</template></ul></section>",
    "&lt;b&gt;bold&lt;/b&gt; &amp; &#60;i&#62; &nbsp;",
    f"&lt;script&gt;{CALL}&lt;/script&gt;",
]

ATTRIBUTES = [
    f"\" onmouseover=\"{CALL}",
    f"' onfocus='{CALL}' autofocus='",
    f"` onload=`{CALL}",
    f"\"><img src=x onerror={CALL}>",
    f"javascript:{CALL}",
    f"data:text/html,<script>{CALL}</script>",
]

TEMPLATES = [
    "{{7*7}}", "${7*7}", f"${{{CALL}}}", "#{7*7}", "<%= 7*7 %>", "{% raw %}",
    f"{{{{constructor.constructor(\"{CALL}\")()}}}}",
    f"';{CALL};//", f"\\\";{CALL};//", "</script>", "*/" + CALL + "/*",
    "%3Cscript%3Ealert(1)%3C/script%3E", "\\u003cscript\\u003e", "%s%n%x",
    "'; DROP TABLE user; --", "../../../../etc/passwd", "__proto__",
    "constructor", "null", "undefined", "0", "[object Object]",
]

UNICODE = [
    "\u202egnp.exe\u202c",                      # right to left override
    "\u2066isolate", "\u05d0\u05d1\u05d2 abc \u0627\u0628",
    "\u200b\u200d\ufeffzero width",
    "Z\u0351\u036b\u0343\u036a\u0302a\u0321\u0353\u031el" * 4,
    "\uff1cscript\uff1e", "\U0001f469\u200d\U0001f52c \U0001f511",
    "\u2028line\u2029paragraph", "\ufffd\ufffe\uffff",
    "\u0130\u0131\u017f", "A" * 118, "\u0e47" * 60,
]

# A server may refuse these; if it keeps one, the page must show it as it is.
CONTROLS = ["a\x00b", "a\r\nSet-Cookie: x=1", "\x1b[31mred\x1b[0m", "a\tb", "\x7f"]

NAMES = MARKUP + ATTRIBUTES + TEMPLATES + UNICODE + CONTROLS
