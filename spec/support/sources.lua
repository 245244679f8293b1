--- Sources for specs, in place of the module's own: of texts, and with faults.
-- Knows spec/support/source.c; refuses to know transports.

local native = require "spec.support.native"

local sources = {}

local module, before

--- From now on the transport's class of sources is this one.
function sources.install()
  module = module or assert(native.load "source")
  before = module.install()
end

function sources.restore()
  module.restore(before)
end

--- A source of this text. `faults`: fails, ends (at that byte), most (bytes a
-- read), refuses (rewinds after so many), version, length.
function sources.new(text, faults)
  return module.new(text, faults)
end

return sources
