-- wrk: each notice once; two threads take every other line.
local threads = 0
function setup(thread)
   thread:set("first", threads)
   threads = threads + 1
end

local bodies, at = {}, 0
function init()
   local n = 0
   for line in io.lines(os.getenv("NOTICES")) do
      if n % 2 == first then bodies[#bodies + 1] = line end
      n = n + 1
   end
end

function request()
   at = at % #bodies + 1
   return wrk.format("POST", nil, { ["Content-Type"] = "text/xml" }, bodies[at])
end
