-- SPDX-License-Identifier: Apache-2.0
-- Raise marks. Neither the number nor the rest of its life ever gets less, so
-- that marks may arrive in any order and more than once. A mark is its number,
-- and behind a colon the session that it spares.

for i, key in ipairs(KEYS) do
	local mark = ARGV[3 * i - 2]
	local life = tonumber(ARGV[3 * i - 1])
	local spared = ARGV[3 * i]
	local held = redis.call('GET', key)
	if held then
		life = math.max(life, redis.call('PTTL', key))
		if tonumber(string.match(held, '^-?%d+')) > tonumber(mark) then
			mark, spared = held, ''
		end
	end
	if spared ~= '' then
		mark = mark .. ':' .. spared
	end
	redis.call('SET', key, mark, 'PX', life)
end
return {#KEYS}
