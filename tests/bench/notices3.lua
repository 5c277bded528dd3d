-- wrk: each V3 notice once; two threads take every other line.
local threads = 0
function setup(thread)
   thread:set("first", threads)
   threads = threads + 1
end

local lines, at = {}, 0
function init()
   local n = 0
   for line in io.lines(os.getenv("NOTICES")) do
      if n % 2 == first then
         local time, nonce, signature, serial, body =
            line:match("^(.-)\t(.-)\t(.-)\t(.-)\t(.*)$")
         lines[#lines + 1] = { body, {
            ["Content-Type"] = "application/json",
            ["Wechatpay-Timestamp"] = time,
            ["Wechatpay-Nonce"] = nonce,
            ["Wechatpay-Signature"] = signature,
            ["Wechatpay-Serial"] = serial,
         } }
      end
      n = n + 1
   end
end

function request()
   at = at % #lines + 1
   return wrk.format("POST", nil, lines[at][2], lines[at][1])
end
