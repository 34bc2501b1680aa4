-- SPDX-License-Identifier: Apache-2.0
-- May this request come in? One look at what was revoked, one at the limits;
-- README.md has the contract. Everything is checked before anything is charged.

local mark_count = tonumber(ARGV[2])
local session = ARGV[3]
local held = redis.call('MGET', unpack(KEYS, 1, mark_count + 1))
local ready = held[1] == ARGV[1] and 1 or 0

local revoked = 0
for i = 1, mark_count do
	local mark = held[i + 1]
	if mark then
		local number, spared = string.match(mark, '^(-?%d+):?(.*)$')
		if tonumber(number) >= tonumber(ARGV[i + 3])
			and (spared == '' or spared ~= session) then
			revoked = i
			break
		end
	end
end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- A moment leaves its list when the window is over, to the millisecond.
local limited = 0
local answer = {ready, revoked, 0}
local limits = {}
for i = 1, #KEYS - mark_count - 1 do
	local key = KEYS[mark_count + 1 + i]
	local count = tonumber(ARGV[mark_count + 2 + 2 * i])
	local window = tonumber(ARGV[mark_count + 3 + 2 * i])
	local oldest = redis.call('LINDEX', key, 0)
	while oldest and oldest + window <= now do
		redis.call('LPOP', key)
		oldest = redis.call('LINDEX', key, 0)
	end
	local used = oldest and redis.call('LLEN', key) or 0
	if used >= count and limited == 0 then
		limited = i
	end
	answer[2 + 2 * i] = math.max(count - used, 0)
	answer[3 + 2 * i] = oldest and oldest + window - now or 0
	limits[i] = window
end
answer[3] = limited
if limited ~= 0 then
	return answer
end

-- The list lives as long as its newest moment: never without an end.
for i, window in ipairs(limits) do
	local key = KEYS[mark_count + 1 + i]
	redis.call('RPUSH', key, now)
	redis.call('PEXPIRE', key, window)
	answer[2 + 2 * i] = answer[2 + 2 * i] - 1
	if answer[3 + 2 * i] == 0 then
		answer[3 + 2 * i] = window
	end
end
return answer
