--- How specs wait: until something has happened, and with limits of time that
-- are long enough on a busy machine. The bounds here are a last resort against
-- hanging: no spec measures anything by them.
-- Knows clocks; refuses to know what is waited for.

local system = require "system"

local patience = {}

--- Seconds after which nothing more is waited for.
patience.LAST = 60

--- Seconds on a clock that never goes back.
patience.now = system.monotime or system.gettime

--- Looks again and again until `holds` answers something true; answers that.
-- `what` says in an error what did not happen.
function patience.await(what, holds)
  local stop = patience.now() + patience.LAST
  repeat
    local value = holds()
    if value then
      return value
    end
    system.sleep(0.005)
  until patience.now() > stop
  error("waited in vain for " .. what, 2)
end

--- For a limit that a spec wants to run out, but not before something else has
-- happened: calls `try` with `seconds`, and with twice as many again and again
-- until it answers something true; answers that.
function patience.long_enough(seconds, try)
  local given = seconds
  repeat
    local value = try(given)
    if value then
      return value
    end
    given = 2 * given
  until given > patience.LAST
  error(("%g s and more were not long enough"):format(seconds), 2)
end

return patience
