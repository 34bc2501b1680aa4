# SPDX-License-Identifier: Apache-2.0
"""The pages for everyone: keyboard, screen reader, contrast, narrow screens."""

import pathlib
import re

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

HTDOCS = pathlib.Path(__file__).resolve().parents[2] / "htdocs"
OPEN_PAGES = ("index.html", "login.html", "register.html", "forgot.html",
              "verify.html", "verify.html#token=x", "verify.html?undo#token=x",
              "reset.html", "reset.html#token=x", "problems/",
              "problems/not_found/")

# Text and what it stands on; large marks and edges need 3, text needs 4.5.
TEXT_PAIRS = [
    ("ink", "paper"), ("ink", "sheet"), ("ink-soft", "paper"),
    ("ink-soft", "sheet"), ("accent", "paper"), ("accent", "sheet"),
    ("accent-strong", "paper"), ("accent-strong", "sheet"),
    ("accent", "good-wash"), ("on-accent", "accent"),
    ("on-accent", "accent-strong"), ("danger", "sheet"), ("danger", "paper"),
    ("danger", "danger-wash"), ("good", "sheet"), ("good", "good-wash"),
    ("good", "paper"), ("good", "warning-wash"), ("ink", "good-wash"),
    ("ink", "warning-wash"),
]
EDGE_PAIRS = [("line-strong", "sheet"), ("line-strong", "paper"),
              ("accent", "paper"), ("accent", "sheet"), ("danger", "sheet")]

# Colour of every visible text against the nearest painted ground behind it.
DIM_TEXTS = """
const parse = (text) => text.match(/[\\d.]+/g).map(Number);
const light = (rgb) => {
	const [r, g, b] = rgb.slice(0, 3).map((c) => c / 255)
		.map((c) => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
	return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const ground = (element) => {
	for (let one = element; one; one = one.parentElement) {
		const colour = parse(getComputedStyle(one).backgroundColor);
		if (colour.length === 3 || colour[3] === 1)
			return colour;
	}
	return parse(getComputedStyle(document.documentElement).backgroundColor);
};
const found = [];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
	const element = walker.currentNode.parentElement;
	if (!walker.currentNode.textContent.trim() || !element.checkVisibility())
		continue;
	const [a, b] = [parse(getComputedStyle(element).color), ground(element)]
		.map(light);
	const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
	if (ratio < 4.5)
		found.push(`${element.textContent.trim()}: ${ratio.toFixed(2)}`);
}
return found;
"""

# Broken references, fields without a label, doubled ids, lost landmarks.
FLAWS = """
const flaws = [];
const ids = [...document.querySelectorAll("[id]")].map((one) => one.id);
for (const id of new Set(ids.filter((id, i) => ids.indexOf(id) !== i)))
	flaws.push(`the id ${id} occurs twice`);
for (const name of ["aria-describedby", "aria-labelledby", "aria-controls", "for"])
	for (const one of document.querySelectorAll(`[${name}]`))
		for (const id of one.getAttribute(name).split(" "))
			if (!document.getElementById(id))
				flaws.push(`${name} leads to no ${id}`);
for (const input of document.querySelectorAll("input:not([hidden])")) {
	if (input.labels.length !== 1)
		flaws.push(`${input.id} has ${input.labels.length} labels`);
	if (!input.autocomplete)
		flaws.push(`${input.id} has no autocomplete`);
}
for (const name of ["main", "header.site", "footer.site", "a.skip"])
	if (document.querySelectorAll(name).length !== 1)
		flaws.push(`not one ${name}`);
const seen = [...document.querySelectorAll("h1")].filter((h) => h.checkVisibility());
if (seen.length !== 1)
	flaws.push(`${seen.length} first headings`);
if (document.documentElement.lang !== "en")
	flaws.push("no language");
if (!/^.+ – Claviger$/.test(document.title))
	flaws.push(`title ${document.title}`);
for (const image of document.images)
	if (!image.hasAttribute("alt"))
		flaws.push("an image has no alt");
return flaws;
"""

WIDER_THAN_THE_SCREEN = """
return document.documentElement.scrollWidth > innerWidth
	? [...document.querySelectorAll("body *")]
		.filter((one) => one.getBoundingClientRect().right > innerWidth + 0.5)
		.map((one) => one.outerHTML.slice(0, 80))
	: [];
"""

# The focus must be seen: an outline, or a border and an outline on fields.
FOCUS_IS_SEEN = """
const style = getComputedStyle(document.activeElement);
return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
"""


def use_theme(browser, theme):
    browser.cdp("Emulation.setEmulatedMedia", features=[
        {"name": "prefers-color-scheme", "value": theme}])


def use_width(browser, width):
    browser.cdp("Emulation.setDeviceMetricsOverride", width=width, height=640,
                deviceScaleFactor=1, mobile=False)


def press_keys(browser, *keys):
    ActionChains(browser.driver).send_keys(*keys).perform()


def tokens(theme):
    """The colours of a theme, as the stylesheet has them."""
    text = (HTDOCS / "style.css").read_text()
    light, dark = re.findall(r":root \{(.*?)\}", text, re.S)
    found = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", light))
    if theme == "dark":
        found |= dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", dark))
    return found


def contrast(one, other):
    """The ratio of WCAG 2.2 between two colours "#rrggbb"."""
    def luminance(colour):
        parts = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
        r, g, b = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4
                   for c in parts)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("least, pairs", [(4.5, TEXT_PAIRS), (3, EDGE_PAIRS)])
def test_colours_that_meet_have_contrast(theme, least, pairs):
    colours = tokens(theme)
    weak = {f"{front} on {back}": round(contrast(colours[front], colours[back]), 2)
            for front, back in pairs
            if contrast(colours[front], colours[back]) < least}
    assert weak == {}


def test_colours_are_named_in_the_tokens_only():
    text = (HTDOCS / "style.css").read_text()
    rules = re.sub(r":root \{.*?\}", "", text, flags=re.S)
    rules = re.sub(r"/\*.*?\*/", "", rules, flags=re.S)
    assert re.findall(r"#[0-9a-fA-F]{3,8}\b|rgba?\(|hsla?\(", rules) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_open_pages_are_sound_legible_and_fit(browser, theme):
    use_theme(browser, theme)
    for page in OPEN_PAGES:
        browser.open("problems/conflict/")
        browser.open(page)
        browser.wait_for(lambda: browser.visible("h1"))
        assert browser.script(FLAWS) == [], page
        assert browser.script(DIM_TEXTS) == [], page
        for width in (280, 320, 768):
            use_width(browser, width)
            assert browser.script(WIDER_THAN_THE_SCREEN) == [], (page, width)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_account_is_sound_legible_and_fits(account, theme):
    use_theme(account, theme)
    account.fill("Name", "Wolfeschlegelsteinhausenbergerdorff" * 3)
    account.press("Save name")
    account.wait_text("Your name is saved.")
    account.press("Change password")
    account.wait_text("Enter your password.")
    assert account.script(FLAWS) == []
    assert account.script(DIM_TEXTS) == []
    for width in (280, 320, 768):
        use_width(account, width)
        assert account.script(WIDER_THAN_THE_SCREEN) == [], width


def test_every_control_has_a_name_for_a_screen_reader(account):
    named = {}
    for page in ("account.html", *OPEN_PAGES):
        account.open(page)
        account.wait_for(lambda: account.visible("h1"))
        if page == "account.html":
            account.wait_account()
        for node in account.cdp("Accessibility.getFullAXTree")["nodes"]:
            role = node.get("role", {}).get("value")
            if node["ignored"] or role not in ("button", "textbox", "link"):
                continue
            name = node["name"]["value"]
            assert name.strip(), (page, node)
            named.setdefault(page, []).append((role, name))
    assert ("button", "Sign out") in named["account.html"]
    assert ("textbox", "New e-mail address") in named["account.html"]


def test_outcomes_are_told_in_live_regions(account):
    account.press("Save name")
    account.wait_text("Your name is saved.")
    assert account.one("#profile-saved").get_attribute("role") == "status"
    assert all(one.get_attribute("role") == "alert"
               and one.get_attribute("tabindex") == "-1"
               for one in account.all(".alert"))


def test_signing_in_needs_no_mouse(browser, person):
    browser.open("login.html")
    passed = []
    while browser.focused.get_attribute("id") != "email":
        press_keys(browser, Keys.TAB)
        passed.append(browser.focused.text or browser.focused.get_attribute("id"))
        assert browser.script(FOCUS_IS_SEEN), passed
        assert len(passed) < 6, passed
    assert passed[0] == "Skip to the content"
    press_keys(browser, person.email, Keys.TAB, person.password)
    assert browser.focused == browser.field("Password")
    press_keys(browser, Keys.TAB)
    assert browser.focused == browser.button("Show password")
    assert browser.script(FOCUS_IS_SEEN)
    press_keys(browser, Keys.SPACE)
    assert browser.field("Password").get_attribute("type") == "text"
    press_keys(browser, Keys.TAB)
    assert browser.focused == browser.button("Sign in")
    assert browser.script(FOCUS_IS_SEEN)
    press_keys(browser, Keys.ENTER)
    browser.wait_path("/account.html")
    browser.wait_account()

    # The skip link is the first stop and leads past the header.
    press_keys(browser, Keys.TAB)
    assert browser.focused.text == "Skip to the content"
    press_keys(browser, Keys.ENTER, Keys.TAB)
    assert browser.focused.text == "Profile"
    stops = 0
    while browser.focused.text != "Save name":
        press_keys(browser, Keys.TAB)
        assert browser.script(FOCUS_IS_SEEN)
        stops += 1
        assert stops < 12
    press_keys(browser, Keys.ENTER)
    browser.wait_text("Your name is saved.")
    assert browser.focused.text == "Save name", "the focus stays where it was"


def test_enter_in_a_field_submits(browser, person):
    browser.open("login.html")
    browser.fill("E-mail address", person.email)
    browser.fill("Password", person.password).send_keys(Keys.ENTER)
    browser.wait_path("/account.html")


def test_without_scripts_a_page_says_so_and_sends_nothing(browser):
    browser.cdp("Emulation.setScriptExecutionDisabled", value=True)
    for page in ("login.html", "register.html", "forgot.html", "account.html",
                 "verify.html", "reset.html"):
        browser.open(page)
        browser.wait_text("These pages need JavaScript.")
        assert all(not one.is_enabled() for one in browser.visible("button"))
    browser.cdp("Emulation.setScriptExecutionDisabled", value=False)


def test_nothing_moves_for_who_wants_rest(browser):
    browser.cdp("Emulation.setEmulatedMedia", features=[
        {"name": "prefers-reduced-motion", "value": "reduce"}])
    browser.open("login.html")
    moving = browser.script("""
		return [...document.querySelectorAll("*")].filter((one) => {
			const style = getComputedStyle(one);
			return style.animationName !== "none"
				|| style.transitionDuration !== "0s"
				|| style.scrollBehavior === "smooth";
		}).length;
	""")
    assert moving == 0


def test_forced_colours_keep_edges(browser):
    browser.cdp("Emulation.setEmulatedMedia", features=[
        {"name": "forced-colors", "value": "active"}])
    browser.open("login.html")
    browser.wait_for(lambda: browser.button("Sign in").is_enabled())
    edge = browser.script("""
		return getComputedStyle(document.querySelector("#login .primary"))
			.borderTopWidth;
	""")
    assert edge == "2px"
