"""The Lua scripts of ``app.store.nonces``: what happens to one key, as a whole.

A code is a hash with these fields: ``state`` (waiting, claimed, spent), ``record``
(JSON), ``owner`` (the holder's or the spender's request id), ``lease_until`` (ms since
1970 by the clock of Redis), ``call`` (of the claim that made the owner), ``at`` (the
caller's moment of that claim), ``result``; and ``key`` and ``end`` (the id of the key
that signed it, its last second since 1970), which no script reads. Every script touches
``KEYS[1]`` alone and answers its own repeat as it answered the first time.
"""

from __future__ import annotations

# What the scripts share. ``keep`` only ever lengthens a key's life, so that no order
# of repeats can shorten it.
_NOW = """
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
"""
_KEEP = """
local function keep(ms)
    if redis.call('PTTL', KEYS[1]) < tonumber(ms) then
        redis.call('PEXPIRE', KEYS[1], ms)
    end
end
"""

# ARGV: record, keep in ms, key and end, each empty where it was not told.
ISSUE = f"""
{_KEEP}
if redis.call('EXISTS', KEYS[1]) == 0 then
    redis.call('HSET', KEYS[1], 'state', 'waiting', 'record', ARGV[1])
    if ARGV[3] ~= '' then
        redis.call('HSET', KEYS[1], 'key', ARGV[3], 'end', ARGV[4])
    end
elseif redis.call('HGET', KEYS[1], 'record') ~= ARGV[1] then
    return 0
end
keep(ARGV[2])
return 1
"""

# ARGV: request id, lease in ms, call id (the same when redis-py repeats the call),
# the caller's now.
CLAIM = f"""
{_NOW}
{_KEEP}
local state, owner, lease_until, call, at, record, result = unpack(redis.call('HMGET',
    KEYS[1], 'state', 'owner', 'lease_until', 'call', 'at', 'record', 'result'))
if not state then
    return {{'unknown'}}
end
local is_mine = owner == ARGV[1]
if state == 'spent' then
    return {{is_mine and 'again' or 'spent', record, result}}
end
local left = state == 'claimed' and tonumber(lease_until) - now or 0
if left > 0 and not is_mine then
    return {{'in_use', record, false, left}}
end
-- Mine by another call: a retry by the device. Mine by this call: redis-py's repeat.
local word = is_mine and call ~= ARGV[3] and 'again' or 'claimed'
if not is_mine then
    at = ARGV[4]
    redis.call('HSET', KEYS[1],
        'state', 'claimed', 'owner', ARGV[1], 'call', ARGV[3], 'at', at)
end
redis.call('HSET', KEYS[1],
    'lease_until', string.format('%.0f', now + tonumber(ARGV[2])))
keep(ARGV[2])
return {{word, record, false, false, at}}
"""

# ARGV: request id. Without an owner the state is 'waiting'.
RELEASE = """
local state, owner = unpack(redis.call('HMGET', KEYS[1], 'state', 'owner'))
if state == 'claimed' and owner == ARGV[1] then
    redis.call('HSET', KEYS[1], 'state', 'waiting')
    redis.call('HDEL', KEYS[1], 'owner', 'lease_until', 'call', 'at')
end
return 1
"""

# ARGV: request id, result, keep in ms.
SETTLE = f"""
{_KEEP}
if redis.call('HGET', KEYS[1], 'state') ~= 'spent' then
    redis.call('HSET', KEYS[1],
        'state', 'spent', 'owner', ARGV[1], 'result', ARGV[2])
    redis.call('HDEL', KEYS[1], 'lease_until', 'call', 'at')
end
keep(ARGV[3])
return 1
"""

LOOK = f"""
{_NOW}
local state, lease_until, record, result = unpack(redis.call(
    'HMGET', KEYS[1], 'state', 'lease_until', 'record', 'result'))
if not state then
    return {{'unknown'}}
end
if state == 'spent' then
    return {{'spent', record, result}}
end
local left = state == 'claimed' and tonumber(lease_until) - now or 0
if left > 0 then
    return {{'in_use', record, false, left}}
end
return {{'waiting', record}}
"""

# ARGV: text, keep in ms.
ALIAS = f"""
{_KEEP}
local held = redis.call('GET', KEYS[1])
if not held then
    redis.call('SET', KEYS[1], ARGV[1])
elseif held ~= ARGV[1] then
    return 0
end
keep(ARGV[2])
return 1
"""

# ARGV: an id for a new epoch. Never expires.
EPOCH = f"""
{_NOW}
if redis.call('HSETNX', KEYS[1], 'id', ARGV[1]) == 1 then
    redis.call('HSET', KEYS[1], 'started_at', string.format('%.0f', now))
end
return redis.call('HMGET', KEYS[1], 'id', 'started_at')
"""

# Whoever asks names the epoch, so that a repeat of the command changes its moment by
# no more than the time between the two.
BEGIN_EPOCH = f"""
{_NOW}
redis.call('HSET', KEYS[1], 'id', ARGV[1], 'started_at', string.format('%.0f', now))
return redis.call('HMGET', KEYS[1], 'id', 'started_at')
"""
