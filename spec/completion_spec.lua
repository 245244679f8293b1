--- Completion in the shells themselves, set up by the line that the help gives.

local child = require "spec.support.child"
local commands = require "personalize.cli.commands"
local script = require "spec.support.script"

local quote = child.quote

local function output(command)
  local process = child.start("sh -c " .. quote(command .. " 2>&1 </dev/null"))
  local text = process:rest()
  process:stop()
  return text
end

local function is_there(program)
  return output("command -v " .. program) ~= ""
end

describe("completion", function()
  local folder
  setup(function()
    folder = output "mktemp -d":match "%S+"
    local root = output "pwd":match "[^\n]+"
    local file = assert(io.open(folder .. "/personalize", "w"))
    file:write("#!/bin/sh\nexec ", script.command(root ..
      "/src/bin/personalize", '"$@"'), "\n")
    file:close()
    os.execute(("chmod 755 %s/personalize; cd %s; touch file1 file2")
      :format(folder, folder))
  end)
  teardown(function()
    os.execute("rm -r " .. folder)
  end)

  local function run(program)
    return output(("cd %s && env HOME=%s PATH=%s:\"$PATH\" TERM=dumb %s")
      :format(folder, folder, folder, program))
  end

  local function words(text)
    local found = {}
    for word in text:gmatch "%S+" do
      found[#found + 1] = word
    end
    table.sort(found)
    return table.concat(found, " ")
  end

  -- Command line -> what is offered, sorted; the last word is completed.
  local names = {}
  for i, command in ipairs(commands.COMMANDS) do
    names[i] = command[1]
  end
  table.sort(names)
  local CASES = {
    ["completion "] = "bash fish zsh",
    ["completion z"] = "zsh",
    [""] = table.concat(names, " "),
    ["--region eu-west-1 comp"] = "completion",
    ["help id"] = "identity",
    ["check-list --form"] = "--format",
    ["check-list --format "] = "csv lines",
    ["--quiet check-list fi"] = "file1 file2",
    ["delete-users file1 --receipt fi"] = "file1 file2",
    ["delete-users file1 --exp"] = "--expected-bucket-owner",
    ["delete-users file1 --role fi"] = "",
    ["identity fi"] = "",
    ["create --loc"] = "--location",
    ["describe --js"] = "--json",
  }

  it("works in bash", function()
    if not is_there "bash" then
      pending "there is no bash"
      return
    end
    for line, offered in pairs(CASES) do
      local found = run("bash -c " .. quote([[
        source <(personalize completion bash)
        line="personalize ]] .. line .. [["
        read -ra COMP_WORDS <<<"$line"
        case $line in *" ") COMP_WORDS+=("") ;; esac
        COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        _personalize
        echo "${COMPREPLY[@]}"]]))
      assert.equal(offered, words(found), line)
    end
  end)

  it("works in bash behind =, where it makes words of that", function()
    if not is_there "bash" then
      pending "there is no bash"
      return
    end
    assert.equal("csv lines", words(run("bash -c " .. quote [[
      source <(personalize completion bash)
      COMP_WORDS=(personalize --region = eu-west-1 check-list --format =)
      COMP_CWORD=6
      _personalize
      echo "${COMPREPLY[@]}"]])))
  end)

  it("works in fish", function()
    if not is_there "fish" then
      pending "there is no fish"
      return
    end
    for line, offered in pairs(CASES) do
      local found = run("fish --no-config -c " .. quote(
        "personalize completion fish | source\n" ..
        "complete -C 'personalize " .. line .. "'"))
      local values = {}
      for value in found:gmatch "([^\t\n]+)[^\n]*\n" do
        values[#values + 1] = value
      end
      assert.equal(offered, words(table.concat(values, " ")), line)
    end
  end)

  -- Types into a shell on a terminal, and prints what that shows. A pattern
  -- before each text says what to wait for.
  local TYPIST = [[
import os, pty, re, select, sys
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:4])
seen = b""
for pattern, text in zip(sys.argv[4::2], sys.argv[5::2]):
    while not re.search(pattern.encode(), seen, re.S):
        if not select.select([fd], [], [], 60)[0]:
            break
        try:
            seen += os.read(fd, 65536)
        except OSError:
            break
    sys.stdout.write(seen.decode("utf-8", "replace"))
    seen = b""
    os.write(fd, text.encode().decode("unicode_escape").encode())
os.close(fd)
os.waitpid(pid, 0)
]]

  it("works in zsh", function()
    if not is_there "zsh" then
      pending "there is no zsh"
      return
    end
    local text = run("python3 -c " .. quote(TYPIST) .. " zsh -f -i " .. quote(
      "^") .. " " .. quote([[PS1= RPS1=; source <(personalize completion zsh);]] ..
      [[ echo set''up\n]]) .. " setup " .. quote [[personalize completion \t]] ..
      " " .. quote "bash.*fish.*zsh" ..
      " " .. quote [[\x15personalize check-list --format \t]] ..
      " " .. quote "csv +lines" ..
      " " .. quote [[\x15personalize check-list fi\t\t]] ..
      " " .. quote "file1 +file2" .. " " .. quote [[\x15exit\n]])
    assert.truthy(text:find "bash%s+fish%s+zsh", text)
    assert.truthy(text:find "csv%s+lines", text)
    assert.truthy(text:find "file1%s+file2", text)
    assert.is_nil(text:find("command not found", 1, true), text)
  end)
end)
