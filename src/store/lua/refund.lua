-- SPDX-License-Identifier: Apache-2.0
-- Give the newest attempt of each limit back; its key keeps its end, or gets a
-- nearer one.

local time = redis.call('TIME')
local now_us = time[1] * 1000000 + time[2]

local function refund_window(key)
	return redis.call('RPOP', key) and 1 or 0
end

local function refund_bucket(key, count, window_ms)
	local debt_us = (tonumber(redis.call('GET', key)) or 0) - now_us
	if debt_us <= 0 then
		return 0
	end
	debt_us = debt_us - math.ceil(window_ms * 1000 / count)
	if debt_us > 0 then
		redis.call('SET', key, string.format('%.0f', now_us + debt_us),
			'PX', math.ceil(debt_us / 1000))
	else
		redis.call('DEL', key)
	end
	return 1
end

local answer = {}
for i, key in ipairs(KEYS) do
	local count = tonumber(ARGV[3 * i - 2])
	local window_ms = tonumber(ARGV[3 * i - 1])
	if ARGV[3 * i] == '0' then
		answer[i] = refund_window(key)
	else
		answer[i] = refund_bucket(key, count, window_ms)
	end
end
return answer
