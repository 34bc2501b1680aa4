-- SPDX-License-Identifier: Apache-2.0
-- Give the newest attempt of a limit back; its key keeps its end.

return {redis.call('RPOP', KEYS[1]) and 1 or 0}
