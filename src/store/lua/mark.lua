-- SPDX-License-Identifier: Apache-2.0
-- Raise marks. Neither the number nor the rest of its life ever gets less, so
-- that marks may arrive in any order and more than once.

for i, key in ipairs(KEYS) do
	local number = ARGV[2 * i - 1]
	local life = tonumber(ARGV[2 * i])
	local held = redis.call('GET', key)
	if held then
		life = math.max(life, redis.call('PTTL', key))
		if tonumber(held) > tonumber(number) then
			number = held
		end
	end
	redis.call('SET', key, number, 'PX', life)
end
return {#KEYS}
