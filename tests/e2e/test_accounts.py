# SPDX-License-Identifier: Apache-2.0
"""The main job, as one person does it: register to sign out."""

import re
import secrets

from client import Client, Person, owner_of
from stack import wait_until

UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def test_a_person_registers_confirms_signs_in_renews_and_signs_out(stack):
    person = Person(stack, name="Ada Lovelace")
    answer = person.register()
    assert (answer.status_code, answer.json()) == (202, {})
    assert person.verify().status_code == 204

    client = person.login(device_name="Analytical Engine")
    assert client.tokens["token_type"] == "Bearer"
    assert client.tokens["expires_in"] == 900
    assert client.tokens["refresh_expires_in"] > 24 * 3600
    user = client.tokens["user"]
    assert UUID7.fullmatch(user["id"])
    assert user["email"] == person.email
    assert user["name"] == "Ada Lovelace"
    assert user["email_verified"] is True
    assert user["status"] == "active"
    assert TIME.fullmatch(user["created_at"])

    session = client.get("/auth/session")
    assert session.status_code == 200
    assert session.json()["sub"] == user["id"]
    assert 0 < session.json()["expires_in"] <= 900

    renewed = person.renew(client.refresh_token)
    assert renewed.status_code == 200
    assert renewed.json()["refresh_token"] != client.refresh_token

    client.token = renewed.json()["access_token"]
    left = client.post("/auth/logout", {"refresh_token": renewed.json()["refresh_token"]})
    assert left.status_code == 204
    assert client.get("/auth/session").status_code == 401


def test_the_claims_of_an_access_token_are_the_published_ones(stack, person):
    client = person.login()
    claims = client.get("/auth/session").json()
    for name in ("iss", "aud", "sub", "jti", "iat", "nbf", "exp", "userId",
                 "email", "role", "tenantId", "sid", "auth_time", "amr"):
        assert name in claims, name
    assert claims["iss"] == stack.url
    assert claims["userId"] == claims["sub"] == person.user_id
    assert claims["email"] == person.email
    assert claims["role"] == "owner"
    assert claims["amr"] == ["pwd"]
    assert UUID7.fullmatch(claims["tenantId"])
    assert claims["exp"] - claims["iat"] == 900


def test_registration_makes_the_persons_own_tenant(stack):
    ada = Person(stack)
    ada.register(tenant_name="Engines & Co")
    rows = stack.query(
        "SELECT t.name, m.role FROM user u JOIN membership m ON m.user_id = u.id"
        " JOIN tenant t ON t.id = m.tenant_id WHERE u.email = %s", ada.email)
    assert [(row["name"], row["role"]) for row in rows] == [("Engines & Co", b"owner")]
    bob = Person(stack).join()
    tenants = {owner.login().get("/auth/session").json()["tenantId"]
               for owner in (ada, bob)}
    assert len(tenants) == 2


def test_the_first_owner_owns_the_system_tenant(stack):
    claims = owner_of(stack).login().get("/auth/session").json()
    rows = stack.query("SELECT LOWER(HEX(system_tenant_id)) AS id FROM installation")
    assert claims["tenantId"].replace("-", "") == rows[0]["id"]
    assert claims["role"] == "owner"


def test_mail_has_a_text_and_an_html_part_with_the_same_link(stack):
    person = Person(stack)
    person.register()
    message = person.mail.wait("/verify.html#token=")
    assert message.get_content_type() == "multipart/alternative"
    parts = {part.get_content_type(): part.get_content()
             for part in message.iter_parts()}
    link = re.search(r"https://\S+#token=[A-Za-z0-9_-]+", parts["text/plain"])[0]
    assert link.startswith(stack.url + "/verify.html#token=")
    assert link in parts["text/html"]
    assert message["Date"] and message["Message-ID"] and message["From"]
    assert message["Subject"].strip()


def test_a_name_is_shown_and_changed(stack, person):
    client = person.login()
    assert client.get("/me").json()["name"] == person.name
    answer = client.patch("/me", {"name": "Augusta Ada King 🦊"})
    assert answer.status_code == 200, answer.text
    assert client.get("/me").json()["name"] == "Augusta Ada King 🦊"


def test_a_wrong_field_is_named(stack, person):
    answer = person.login().patch("/me", {"name": "x" * 5000})
    assert answer.status_code == 422
    problem = answer.json()
    assert problem["code"] == "validation_failed"
    assert problem["errors"][0]["field"] == "name"
    assert problem["errors"][0]["code"] and problem["errors"][0]["detail"]


def test_every_missing_field_is_named(client):
    problem = client.post("/auth/register", {}).json()
    assert {one["field"] for one in problem["errors"]} == {"email", "password"}


def test_unknown_members_are_ignored_and_give_nothing(stack):
    person = Person(stack)
    answer = person.register(role="admin", is_admin=True, verified=True,
                             email_verified=True, tenant_id=str(secrets.token_hex(16)))
    assert answer.status_code == 202
    user = person.login().get("/me").json()
    assert user["email_verified"] is False


def test_an_unverified_person_signs_in_but_is_kept_from_sensitive_actions(stack):
    person = Person(stack)
    person.register()
    client = person.login()
    assert client.get("/me").json()["email_verified"] is False
    refused = client.post("/auth/password/change", {
        "current_password": person.password,
        "new_password": secrets.token_urlsafe(18)})
    assert refused.status_code == 403
    assert refused.json()["code"] == "email_not_verified"


def test_case_and_spelling_of_an_address_are_one_account(stack, person):
    shouted = Person(stack, password=person.password,
                     address=person.email.upper())
    assert shouted.try_login().status_code == 200
    before = len(person.mail.messages())
    assert shouted.register().status_code == 202
    rows = stack.query("SELECT COUNT(*) AS count FROM user WHERE email IN (%s, %s)",
                       person.email, person.email.upper())
    assert rows[0]["count"] == 1
    wait_until(lambda: len(person.mail.messages()) > before)


def test_a_resent_confirmation_works(stack):
    person = Person(stack)
    person.register()
    person.mail.wait("/verify.html#token=")
    answer = Client(stack).post("/auth/verify-email/resend", {"email": person.email})
    assert answer.status_code == 202
    person.mail.wait_for_token("/verify.html", count=2)
    assert person.verify().status_code == 204
    assert person.login().get("/me").json()["email_verified"] is True


def test_a_reset_password_works_and_the_old_one_does_not(stack, person):
    Client(stack).post("/auth/password/forgot", {"email": person.email})
    token = person.mail.wait_for_token("/reset.html")
    old, person.password = person.password, secrets.token_urlsafe(18)
    answer = Client(stack).post("/auth/password/reset", {
        "token": token, "new_password": person.password})
    assert answer.status_code == 204
    assert person.try_login().status_code == 200
    person.password = old
    assert person.try_login().status_code == 401


def test_healthz_and_readyz_are_ready(client):
    assert client.fetch("GET", "/healthz").status_code == 200
    assert client.fetch("GET", "/readyz").status_code == 200
