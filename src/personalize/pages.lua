--- Every page of a list of the service, item by item.
-- Knows how lists go on and when they must not; refuses to know what is listed.

local Client = require "personalize.client"
local Error = require "personalize.error"

local M = {}

-- What is remembered of a list, at most; a loop of more pages is one that the
-- service would have to make on purpose.
local TOKENS_MOST = 10000

--- The items of a list. A page is asked for when the one before is used up.
-- After an error the iterator can be called again: it asks for the same page.
--
-- Errors: those of the operation; ResponseError where the service gives a token
-- twice.
---@param client personalize.Client
---@param operation string such as "ListSolutions"
---@param member string of the output, such as "solutions"
---@param input? table `maxResults` is the size of a page; `nextToken` is where to
--- start
---@param on_page? fun(meta: personalize.Meta) told of every answer
---@return fun(): table? next nil at the end
function M.each(client, operation, member, input, on_page)
  local asked = {}
  for name, value in pairs(input or {}) do
    asked[name] = value
  end
  local items, at, is_last = {}, 0, false
  local seen, count = {}, 0

  local function turn()
    local page, meta = Client.call(client, operation, asked)
    if on_page then
      on_page(meta)
    end
    local token = page.nextToken
    if token and seen[token] then
      Error.raise { code = "ResponseError", kind = "transport",
        operation = operation, retryable = false,
        message = "the service gave the same nextToken twice: the list " ..
          "would have no end" }
    end
    items, at = page[member] or {}, 0
    is_last = token == nil or token == ""
    if count == TOKENS_MOST then
      seen, count = {}, 0
    end
    if not is_last then
      seen[token], count = true, count + 1
    end
    asked.nextToken = token
  end

  if asked.nextToken then
    seen[asked.nextToken], count = true, 1
  end
  return function()
    while at >= #items do
      if is_last then
        return nil
      end
      turn()
    end
    at = at + 1
    return items[at]
  end
end

return M
