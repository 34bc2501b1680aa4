-- SPDX-License-Identifier: Apache-2.0
-- The foundation: tenants, people, sessions, keys, the record, the outbox.
-- Ids are UUIDv7 in 16 bytes. Moments are milliseconds since 1970 UTC.
-- What must compare byte by byte (e-mail, hashes, words of ours) is binary.

CREATE TABLE tenant (
	id         BINARY(16)   NOT NULL PRIMARY KEY,
	name       VARCHAR(120) NOT NULL,
	status     ENUM('active', 'disabled') NOT NULL DEFAULT 'active',
	generation INT UNSIGNED NOT NULL DEFAULT 0,
	created_at BIGINT       NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- One row: what belongs to no tenant.
CREATE TABLE installation (
	id               TINYINT      NOT NULL PRIMARY KEY CHECK (id = 1),
	system_tenant_id BINARY(16)   NOT NULL,
	generation       INT UNSIGNED NOT NULL DEFAULT 0,
	FOREIGN KEY (system_tenant_id) REFERENCES tenant (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- A UUIDv7 by hand: 48 bits of time, version 7, variant 10, random rest.
SET @now_ms = FLOOR(UNIX_TIMESTAMP(NOW(3)) * 1000);
SET @random = HEX(RANDOM_BYTES(10));
SET @system_tenant = UNHEX(CONCAT(LPAD(HEX(@now_ms), 12, '0'),
	'7', SUBSTR(@random, 1, 3), '8', SUBSTR(@random, 4, 15)));
INSERT INTO tenant (id, name, created_at) VALUES (@system_tenant, 'System', @now_ms);
INSERT INTO installation (id, system_tenant_id) VALUES (1, @system_tenant);

CREATE TABLE user (
	id                  BINARY(16)     NOT NULL PRIMARY KEY,
	email               VARBINARY(254) NOT NULL,
	name                VARCHAR(120)   NOT NULL DEFAULT '',
	status              ENUM('active', 'disabled') NOT NULL DEFAULT 'active',
	email_verified_at   BIGINT         NULL,
	pending_email       VARBINARY(254) NULL,
	password_hash       VARBINARY(160) NOT NULL,
	pepper_id           VARBINARY(32)  NOT NULL,
	password_changed_at BIGINT         NOT NULL,
	home_tenant_id      BINARY(16)     NOT NULL,
	generation          INT UNSIGNED   NOT NULL DEFAULT 0,
	created_at          BIGINT         NOT NULL,
	UNIQUE KEY user_email (email),
	FOREIGN KEY (home_tenant_id) REFERENCES tenant (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE membership (
	tenant_id  BINARY(16)    NOT NULL,
	user_id    BINARY(16)    NOT NULL,
	role       VARBINARY(32) NOT NULL,
	created_at BIGINT        NOT NULL,
	PRIMARY KEY (tenant_id, user_id),
	KEY membership_user (user_id),
	FOREIGN KEY (tenant_id) REFERENCES tenant (id) ON DELETE CASCADE,
	FOREIGN KEY (user_id) REFERENCES user (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE password_history (
	user_id       BINARY(16)     NOT NULL,
	replaced_at   BIGINT         NOT NULL,
	password_hash VARBINARY(160) NOT NULL,
	pepper_id     VARBINARY(32)  NOT NULL,
	PRIMARY KEY (user_id, replaced_at, password_hash),
	FOREIGN KEY (user_id) REFERENCES user (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- Tokens that were mailed. used_at is set by use and by being replaced.
CREATE TABLE email_token (
	token_hash BINARY(32)     NOT NULL PRIMARY KEY,
	user_id    BINARY(16)     NOT NULL,
	purpose    ENUM('verify', 'reset', 'email_change', 'email_undo') NOT NULL,
	email      VARBINARY(254) NOT NULL,
	created_at BIGINT         NOT NULL,
	expires_at BIGINT         NOT NULL,
	used_at    BIGINT         NULL,
	KEY email_token_user (user_id, purpose, created_at),
	KEY email_token_expires (expires_at),
	FOREIGN KEY (user_id) REFERENCES user (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- A session is a refresh token family. It lives while ended_at is NULL, the
-- three generations equal the ones of its user, tenant and installation, and
-- both moments of expiry lie ahead.
CREATE TABLE session (
	id                BINARY(16)     NOT NULL PRIMARY KEY,
	user_id           BINARY(16)     NOT NULL,
	tenant_id         BINARY(16)     NOT NULL,
	kind              ENUM('token', 'cookie') NOT NULL,
	user_generation   INT UNSIGNED   NOT NULL,
	tenant_generation INT UNSIGNED   NOT NULL,
	all_generation    INT UNSIGNED   NOT NULL,
	device_name       VARCHAR(120)   NOT NULL DEFAULT '',
	user_agent        VARBINARY(255) NOT NULL DEFAULT '',
	ip                BINARY(16)     NOT NULL,
	amr               VARBINARY(64)  NOT NULL,
	auth_at           BIGINT         NOT NULL,
	created_at        BIGINT         NOT NULL,
	last_used_at      BIGINT         NOT NULL,
	idle_expires_at   BIGINT         NOT NULL,
	expires_at        BIGINT         NOT NULL,
	ended_at          BIGINT         NULL,
	end_reason        VARBINARY(64)  NULL,
	KEY session_user (user_id, ended_at, id),
	KEY session_expires (expires_at),
	FOREIGN KEY (user_id) REFERENCES user (id) ON DELETE CASCADE,
	FOREIGN KEY (tenant_id) REFERENCES tenant (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- successor: the next token sealed under this one, only while a grace is set.
CREATE TABLE refresh_token (
	token_hash BINARY(32)     NOT NULL PRIMARY KEY,
	session_id BINARY(16)     NOT NULL,
	created_at BIGINT         NOT NULL,
	expires_at BIGINT         NOT NULL,
	used_at    BIGINT         NULL,
	successor  VARBINARY(200) NULL,
	KEY refresh_token_session (session_id),
	KEY refresh_token_expires (expires_at),
	FOREIGN KEY (session_id) REFERENCES session (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- Marks that access tokens are held against until the last token they could
-- refuse has died. number is 1 for a token or session, else a generation;
-- tokens of spared_session_id pass. published_at is NULL until Redis has it.
CREATE TABLE revocation (
	kind              ENUM('token', 'session', 'user', 'tenant', 'all') NOT NULL,
	subject           BINARY(16)    NOT NULL,
	number            INT UNSIGNED  NOT NULL,
	spared_session_id BINARY(16)    NULL,
	reason            VARBINARY(64) NOT NULL,
	created_at        BIGINT        NOT NULL,
	expires_at        BIGINT        NOT NULL,
	published_at      BIGINT        NULL,
	PRIMARY KEY (kind, subject),
	KEY revocation_expires (expires_at),
	KEY revocation_published (published_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- Keys sealed under the master key, bound to "purpose:id".
CREATE TABLE key_ring (
	id         VARBINARY(32)  NOT NULL PRIMARY KEY,
	purpose    VARBINARY(32)  NOT NULL,
	state      ENUM('next', 'current', 'retiring', 'retired') NOT NULL,
	sealed     VARBINARY(255) NOT NULL,
	created_at BIGINT         NOT NULL,
	retires_at BIGINT         NULL,
	-- at most one current key of a purpose
	current_purpose VARBINARY(32) AS (IF(state = 'current', purpose, NULL)) PERSISTENT,
	UNIQUE KEY key_ring_current (current_purpose)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- No foreign keys: the record outlives what it is about.
CREATE TABLE audit_event (
	id         BINARY(16)      NOT NULL PRIMARY KEY,
	at         BIGINT          NOT NULL,
	type       VARBINARY(40)   NOT NULL,
	severity   ENUM('info', 'warning', 'critical') NOT NULL,
	success    TINYINT         NOT NULL,
	user_id    BINARY(16)      NULL,
	actor_id   BINARY(16)      NULL,
	tenant_id  BINARY(16)      NULL,
	session_id BINARY(16)      NULL,
	key_id     BINARY(16)      NULL,
	ip         BINARY(16)      NULL,
	user_agent VARBINARY(255)  NOT NULL DEFAULT '',
	request_id VARBINARY(40)   NOT NULL DEFAULT '',
	reason     VARBINARY(64)   NOT NULL DEFAULT '',
	detail     VARBINARY(1000) NOT NULL DEFAULT '',
	KEY audit_event_user (user_id, id),
	KEY audit_event_tenant (tenant_id, id),
	KEY audit_event_type (type, id),
	KEY audit_event_severity (severity, id),
	KEY audit_event_ip (ip, id),
	KEY audit_event_at (at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- Mail that waits. sealed holds the recipient and the values of the template
-- under the key ring; it is emptied once the mail has left. A void row is what
-- a request for an unknown address writes, so that both cost the same.
CREATE TABLE outbox (
	id          BINARY(16)      NOT NULL PRIMARY KEY,
	template    VARBINARY(40)   NOT NULL,
	user_id     BINARY(16)      NULL,
	key_id      VARBINARY(32)   NOT NULL,
	sealed      VARBINARY(3000) NOT NULL,
	state       ENUM('waiting', 'sent', 'failed', 'void') NOT NULL,
	attempts    INT UNSIGNED    NOT NULL DEFAULT 0,
	next_at     BIGINT          NOT NULL,
	created_at  BIGINT          NOT NULL,
	finished_at BIGINT          NULL,
	last_error  VARBINARY(200)  NOT NULL DEFAULT '',
	KEY outbox_due (state, next_at),
	KEY outbox_finished (finished_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
