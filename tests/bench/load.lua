-- SPDX-License-Identifier: Apache-2.0
-- What wrk sends and counts. Words behind "--": the kind of load, then what it
-- needs. The last line of output is for load.py.

local kinds = {}
local threads = {}
refused, failed = 0, 0 -- of one thread; globals, so that done() can read them

local function count(status)
	if status == 503 then
		refused = refused + 1
	elseif status >= 400 then
		failed = failed + 1
	end
end

local function post(path, body)
	return wrk.format("POST", path, {["Content-Type"] = "application/json"}, body)
end

-- The path of the URL. wrk reads no answer without response(), which spares it
-- and the machine half of its work.
function kinds.get() end

-- EMAIL PASSWORD pairs, in turn.
function kinds.login(words)
	local bodies, turn = {}, number
	for i = 2, #words, 2 do
		bodies[#bodies + 1] = string.format(
			'{"email":"%s","password":"%s"}', words[i], words[i + 1])
	end
	function request()
		turn = turn + 1
		return post("/api/v1/auth/login", bodies[turn % #bodies + 1])
	end
	response = count
end

-- A refresh token for each thread, which has one connection: every answer
-- holds the token of the next request.
function kinds.refresh(words)
	local token = words[1 + number]
	function request()
		return post("/api/v1/auth/refresh", '{"refresh_token":"' .. token .. '"}')
	end
	function response(status, _, body)
		count(status)
		token = string.match(body, '"refresh_token":"([^"]+)"') or token
	end
end

function setup(thread)
	threads[#threads + 1] = thread
	thread:set("number", #threads)
end

function init(words)
	kinds[words[1] or "get"](words)
end

function done(summary, latency)
	local errors = summary.errors
	local busy, wrong = 0, 0
	for _, thread in ipairs(threads) do
		busy = busy + thread:get("refused")
		wrong = wrong + thread:get("failed")
	end
	-- Without response() only wrk has seen the statuses.
	wrong = math.max(wrong, errors.status - busy) + errors.connect +
		errors.read + errors.write + errors.timeout
	print(string.format(
		'{"requests":%d,"refused":%d,"failed":%d,"seconds":%f,"median_us":%d}',
		summary.requests, busy, wrong, summary.duration / 1e6,
		latency:percentile(50)))
end
