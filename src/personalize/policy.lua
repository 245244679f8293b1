--- Policies as IAM writes them: whether one allows or denies something.
-- Judges with three values, since a policy may ask for what nobody here can
-- know: "yes", "no" and "unknown". Refuses to know where a policy hangs, and
-- what follows from it.

local Error = require "personalize.error"
local ascii = require "personalize.ascii"
local callback = require "personalize.callback"
local json = require "personalize.json"

local M = {}

local YES, NO, UNKNOWN = "yes", "no", "unknown"
M.YES, M.NO, M.UNKNOWN = YES, NO, UNKNOWN

-- Both have to hold.
local function both(a, b)
  if a == NO or b == NO then
    return NO
  end
  return a == YES and b or UNKNOWN
end

-- One of them is enough.
local function either(a, b)
  if a == YES or b == YES then
    return YES
  end
  return a == NO and b or UNKNOWN
end

local function opposite(a)
  return a == YES and NO or a == NO and YES or UNKNOWN
end

local function as_list(value)
  if type(value) == "table" and (value[1] ~= nil or next(value) == nil) then
    return value
  end
  return { value }
end

-- ---- reading -----------------------------------------------------------------

local EFFECTS = { Allow = true, Deny = true }

-- A policy that is nested deeper is none of AWS's.
local DEEPEST = 8

local function is_shallow(value, depth)
  if type(value) ~= "table" then
    return true
  elseif depth == 0 then
    return false
  end
  for _, inner in pairs(value) do
    if not is_shallow(inner, depth - 1) then
      return false
    end
  end
  return true
end

--- The statements of a policy.
---@param text string JSON, or what should be
---@return table[]? statements
---@return string? why not, for a sentence about the policy
function M.read(text)
  local ok, document = callback.pcall("reading a policy", json.decode, text)
  if not ok then
    if Error.is_memory(document) then
      error(document, 0)
    end
    return nil, "is not JSON that can be read"
  elseif type(document) ~= "table" or document[1] ~= nil then
    return nil, "is no object"
  elseif not is_shallow(document, DEEPEST) then
    return nil, "is nested too deeply"
  end
  local statements = document.Statement
  if type(statements) ~= "table" then
    return nil, "has no statements"
  end
  statements = as_list(statements)
  for _, statement in ipairs(statements) do
    if type(statement) ~= "table" or not EFFECTS[statement.Effect] then
      return nil, "has a statement that is none"
    end
  end
  return statements
end

-- ---- wildcards ---------------------------------------------------------------

-- The places in a pattern from which the rest has to match, once it has taken
-- all of a text.
local function places_after(pattern, text)
  local places = {}
  local function add(set, at)
    while not set[at] do
      set[at] = true
      if pattern:sub(at, at) ~= "*" then
        break
      end
      at = at + 1
    end
  end
  add(places, 1)
  for i = 1, #text do
    local character, after = text:sub(i, i), {}
    for at in pairs(places) do
      local of = pattern:sub(at, at)
      if of == "*" then
        add(after, at)
      elseif of == "?" or of == character then
        add(after, at + 1)
      end
    end
    places = after
    if next(places) == nil then
      break
    end
  end
  return places
end

-- Do "*" and "?" of a pattern make the text? One with a variable of the request
-- in it is for others to know.
local function glob(pattern, text)
  if pattern:find("${", 1, true) then
    return UNKNOWN
  end
  return places_after(pattern, text)[#pattern + 1] and YES or NO
end

-- The same of a text of which only the beginning is known.
local function glob_start(pattern, start)
  if pattern:find("${", 1, true) then
    return UNKNOWN
  end
  local places = places_after(pattern, start)
  if next(places) == nil then
    return NO
  end
  for at in pairs(places) do
    if pattern:find("^%*+$", at) then
      return YES
    end
  end
  return UNKNOWN
end

local function matches_any(patterns, text, fold)
  local found = NO
  text = fold and ascii.lower(text) or text
  for _, pattern in ipairs(as_list(patterns)) do
    if type(pattern) ~= "string" then
      return UNKNOWN
    end
    found = either(found, glob(fold and ascii.lower(pattern) or pattern, text))
  end
  return found
end

-- A statement's Action or Resource, or its Not...; without one it is for all.
local function fits(statement, member, text, fold)
  if statement[member] ~= nil then
    return matches_any(statement[member], text, fold)
  elseif statement["Not" .. member] ~= nil then
    return opposite(matches_any(statement["Not" .. member], text, fold))
  end
  return YES
end

-- ---- principals --------------------------------------------------------------

-- Is one of those who ask among these of a kind?
local function is_named(kind, names, who)
  local found = kind == "CanonicalUser" and UNKNOWN or NO
  for _, name in ipairs(as_list(names)) do
    if name == "*" and (kind == "AWS" or kind == "Service") then
      return YES
    elseif type(name) ~= "string" then
      found = either(found, UNKNOWN)
    elseif (who[kind] or {})[name] then
      return YES
    end
  end
  return found
end

local function takes(value, who)
  if value == "*" then
    return YES
  elseif type(value) ~= "table" then
    return UNKNOWN
  end
  local found = NO
  for kind, names in pairs(value) do
    found = either(found, is_named(kind, names, who))
  end
  return found
end

local function takes_principal(statement, who)
  if statement.Principal ~= nil then
    return takes(statement.Principal, who)
  elseif statement.NotPrincipal ~= nil then
    -- Who is not named there need not be meant: a role is also its sessions.
    return takes(statement.NotPrincipal, who) == YES and NO or UNKNOWN
  end
  return UNKNOWN
end

-- ---- conditions --------------------------------------------------------------

-- How a value of the context and one that is wanted are compared.
local OPERATORS = {
  ArnEquals = "like", ArnLike = "like", Bool = "fold", StringEquals = "same",
  StringEqualsIgnoreCase = "fold", StringLike = "like",
}
local NEGATED = { ArnNotEquals = "like", ArnNotLike = "like",
  StringNotEquals = "same", StringNotEqualsIgnoreCase = "fold",
  StringNotLike = "like" }

-- Only that a number is at least so much is known.
local function is_less(least, wanted)
  local limit = ascii.number(wanted)
  return limit and limit <= least and NO or UNKNOWN
end

local function compare(how, value, wanted)
  if type(value) == "table" and value.least then
    return UNKNOWN
  elseif type(value) == "table" then
    if how == "like" then
      return glob_start(wanted, value.start)
    end
    -- Equal to one whole text: possible, if it begins so.
    return wanted:sub(1, #value.start) == value.start and UNKNOWN or NO
  elseif wanted:find("${", 1, true) then
    return UNKNOWN
  elseif how == "like" then
    return glob(wanted, value)
  elseif how == "fold" then
    return ascii.lower(wanted) == ascii.lower(value) and YES or NO
  end
  return wanted == value and YES or NO
end

-- What an operator says of a key that the request does not have.
local function of_absent(quantifier, name, is_optional)
  return (is_optional or NEGATED[name] or quantifier == "ForAllValues") and
    YES or NO
end

-- One condition: an operator, a key, and what is wanted of it.
local function holds(operator, key, wanted, context)
  local quantifier, name = operator:match "^(%a+):(%a+)$"
  name = name or operator
  local value = context[ascii.lower(key)]
  wanted = as_list(wanted)
  if value == nil then
    return UNKNOWN
  elseif type(value) == "table" and value.least and
    name == "NumericLessThan" then
    return is_less(value.least, tostring(wanted[1]))
  elseif name == "Null" then
    return (value == false) == (tostring(wanted[1]) == "true") and YES or NO
  end
  local base = name:match "^(.*)IfExists$"
  local is_optional = base ~= nil
  name = base or name
  local how = OPERATORS[name] or NEGATED[name]
  if value == false then
    return how and of_absent(quantifier, name, is_optional) or UNKNOWN
  elseif not how or quantifier then
    return UNKNOWN
  end
  local found = NO
  for _, one in ipairs(wanted) do
    found = either(found, compare(how, value, tostring(one)))
  end
  return NEGATED[name] and opposite(found) or found
end

-- All conditions of a statement; those that nobody can judge are added to
-- `open`.
local function conditions(statement, context, open)
  local found = YES
  if statement.Condition == nil then
    return found
  elseif type(statement.Condition) ~= "table" then
    return UNKNOWN
  end
  for operator, keys in pairs(statement.Condition) do
    if type(operator) ~= "string" or type(keys) ~= "table" then
      return UNKNOWN
    end
    for key, wanted in pairs(keys) do
      local one = type(key) == "string" and
        holds(operator, key, wanted, context) or UNKNOWN
      if one == UNKNOWN then
        open[#open + 1] = ("%s on %s"):format(operator, tostring(key))
      end
      found = both(found, one)
    end
  end
  return found
end

-- ---- judging -----------------------------------------------------------------

---@alias personalize.Ternary "yes"|"no"|"unknown"

--- Somebody who asks for something.
---@class personalize.PolicyQuestion
---@field who table<string, table<string, true>> by kind ("Service", "AWS"), all
--- that the one who asks is known as
---@field action string
---@field resource? string ARN; of a trust document there is none
---@field context table<string, string|false|{ start: string }|{ least: number }>
--- keys in lower case: a value, false for one that the request does not have, or
--- one of which only the beginning, or the least, is known; others nobody can
--- judge

---@class personalize.PolicyAnswer
---@field allow personalize.Ternary does a statement allow it?
---@field deny personalize.Ternary does a statement deny it?
---@field denied_by? table the statement
---@field open string[] conditions that nobody can judge here, and that matter

-- Does a statement speak of what is asked?
local function applies(statement, question, open)
  local found = both(takes_principal(statement, question.who),
    fits(statement, "Action", question.action, true))
  if question.resource then
    found = both(found, fits(statement, "Resource", question.resource))
  end
  if found == NO then
    return NO
  end
  local mine = {}
  found = both(found, conditions(statement, question.context, mine))
  if found == UNKNOWN then
    for _, text in ipairs(mine) do
      open[#open + 1] = text
    end
  end
  return found
end

--- What a policy's statements say to a question.
---@param statements table[] of `read`
---@param question personalize.PolicyQuestion
---@return personalize.PolicyAnswer
function M.judge(statements, question)
  local answer = { allow = NO, deny = NO, open = {} }
  for _, statement in ipairs(statements) do
    local found = applies(statement, question, answer.open)
    if statement.Effect == "Allow" then
      answer.allow = either(answer.allow, found)
    else
      answer.deny = either(answer.deny, found)
      answer.denied_by = found == YES and statement or answer.denied_by
    end
  end
  table.sort(answer.open)
  return answer
end

--- Does a statement have a condition on one of these keys?
---@param statement table
---@param keys table<string, true> in lower case
---@return boolean
function M.asks_for(statement, keys)
  local condition = statement.Condition
  for _, of_operator in pairs(type(condition) == "table" and condition or {}) do
    for key in pairs(type(of_operator) == "table" and of_operator or {}) do
      if type(key) == "string" and keys[ascii.lower(key)] then
        return true
      end
    end
  end
  return false
end

return M
