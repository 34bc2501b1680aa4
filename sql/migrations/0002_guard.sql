-- SPDX-License-Identifier: Apache-2.0
-- The guard: policies that differ from the configuration, counters of failed
-- sign-ins, blocked addresses, things that may be used once.

-- Raised by every change of policies and blocks; workers that see another
-- number than theirs read both anew.
ALTER TABLE installation ADD COLUMN guard_version INT UNSIGNED NOT NULL DEFAULT 1;

-- burst 0 is a sliding window, else a token bucket of that size.
CREATE TABLE limit_policy (
	name       VARBINARY(32) NOT NULL PRIMARY KEY,
	count      INT UNSIGNED  NOT NULL,
	window_ms  BIGINT        NOT NULL,
	burst      INT UNSIGNED  NOT NULL,
	changed_by BINARY(16)    NULL,
	changed_at BIGINT        NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- Consecutive failures. subject is an HMAC, so that no address is kept; of a
-- pair, account is the account's subject, so that an unlock finds it. counted is
-- a pair's share of its account's lock, and of an account the sum of the shares;
-- a share counts while both rows are of one epoch, which a lock and a sign-in end.
CREATE TABLE sign_in_failure (
	kind         ENUM('account', 'network', 'pair') NOT NULL,
	subject      BINARY(32)   NOT NULL,
	account      BINARY(32)   NULL,
	failures     INT UNSIGNED NOT NULL,
	locks        INT UNSIGNED NOT NULL DEFAULT 0,
	epoch        INT UNSIGNED NOT NULL DEFAULT 0,
	counted      INT UNSIGNED NOT NULL DEFAULT 0,
	last_at      BIGINT       NOT NULL,
	next_at      BIGINT       NOT NULL DEFAULT 0,
	locked_until BIGINT       NOT NULL DEFAULT 0,
	PRIMARY KEY (kind, subject),
	KEY sign_in_failure_account (account),
	KEY sign_in_failure_last (last_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- prefix counts bits of 128, also for IPv4 (mapped).
CREATE TABLE address_block (
	address    BINARY(16)       NOT NULL,
	prefix     TINYINT UNSIGNED NOT NULL,
	reason     VARCHAR(200)     NOT NULL DEFAULT '',
	source     ENUM('admin', 'auto') NOT NULL,
	created_by BINARY(16)       NULL,
	created_at BIGINT           NOT NULL,
	expires_at BIGINT           NULL,
	PRIMARY KEY (address, prefix),
	KEY address_block_expires (expires_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- Whoever inserts the row has won; a duplicate key is a replay.
CREATE TABLE used_once (
	hash       BINARY(32) NOT NULL PRIMARY KEY,
	expires_at BIGINT     NOT NULL,
	KEY used_once_expires (expires_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
