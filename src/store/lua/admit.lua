-- SPDX-License-Identifier: Apache-2.0
-- May this request come in? One look at what was revoked, one at the limits;
-- README.md has the contract. Everything is checked before anything is charged.

local mark_count = tonumber(ARGV[3])
local session = ARGV[4]
-- The lists among the keys come as nothing.
local held = redis.call('MGET', unpack(KEYS))
local ready = held[1] == ARGV[1] and 1 or 0
local guard = tonumber(held[2]) or 0

-- Who asks by old rules learns that they are old, and asks again.
if guard ~= 0 and ARGV[2] ~= '0' and held[2] ~= ARGV[2] then
	return {ready, 0, 0, guard}
end

local revoked = 0
for i = 1, mark_count do
	local mark = held[i + 2]
	if mark then
		local number, spared = string.match(mark, '^(-?%d+):?(.*)$')
		if tonumber(number) >= tonumber(ARGV[i + 4])
			and (spared == '' or spared ~= session) then
			revoked = i
			break
		end
	end
end

local time = redis.call('TIME')
local now_us = time[1] * 1000000 + time[2]
local now_ms = math.floor(now_us / 1000)

-- A moment leaves its list when the window is over, to the millisecond. A list
-- that is too long for a rate that was lowered is free later than its oldest.
local function look_at_window(limit)
	local oldest = redis.call('LINDEX', limit.key, 0)
	while oldest and oldest + limit.window_ms <= now_ms do
		redis.call('LPOP', limit.key)
		oldest = redis.call('LINDEX', limit.key, 0)
	end
	local used = oldest and redis.call('LLEN', limit.key) or 0
	if used > limit.count then
		oldest = redis.call('LINDEX', limit.key, used - limit.count) or oldest
	end
	limit.remaining = math.max(limit.count - used, 0)
	limit.reset_ms = oldest and oldest + limit.window_ms - now_ms or 0
end

local function charge_window(limit)
	redis.call('RPUSH', limit.key, now_ms)
	redis.call('PEXPIRE', limit.key, limit.window_ms)
	if limit.reset_ms == 0 then
		limit.reset_ms = limit.window_ms
	end
end

-- A token takes step_us to come back; debt_us is what all that are out take.
-- More than the bucket holds is out only when a rate or a clock was changed.
local function look_at_bucket(limit, held_number)
	local arrival = tonumber(held_number or 0)
	limit.step_us = math.ceil(limit.window_ms * 1000 / limit.count)
	local size_us = limit.step_us * limit.burst
	limit.debt_us = math.min(math.max(arrival - now_us, 0), size_us)
	local left_us = size_us - limit.debt_us
	limit.remaining = math.floor(left_us / limit.step_us)
	local wait_us = limit.debt_us
	if limit.remaining == 0 then
		wait_us = limit.step_us - left_us
	end
	limit.reset_ms = math.ceil(wait_us / 1000)
end

-- The key ends when the bucket is full: then there is nothing to remember.
local function charge_bucket(limit)
	limit.debt_us = limit.debt_us + limit.step_us
	limit.reset_ms = math.ceil(limit.debt_us / 1000)
	redis.call('SET', limit.key,
		string.format('%.0f', now_us + limit.debt_us), 'PX', limit.reset_ms)
end

local limits = {}
local limited = 0
for i = 1, #KEYS - mark_count - 2 do
	local at = mark_count + 2 + 3 * i
	local limit = {
		key = KEYS[mark_count + 2 + i],
		count = tonumber(ARGV[at]),
		window_ms = tonumber(ARGV[at + 1]),
		burst = tonumber(ARGV[at + 2]),
	}
	if limit.burst == 0 then
		look_at_window(limit)
	else
		look_at_bucket(limit, held[mark_count + 2 + i])
	end
	if limit.remaining == 0 and limited == 0 then
		limited = i
	end
	limits[i] = limit
end

local answer = {ready, revoked, limited, guard}
for i, limit in ipairs(limits) do
	if limited == 0 then
		limit.remaining = limit.remaining - 1
		if limit.burst == 0 then
			charge_window(limit)
		else
			charge_bucket(limit)
		end
	end
	answer[3 + 2 * i] = limit.remaining
	answer[4 + 2 * i] = limit.reset_ms
end
return answer
