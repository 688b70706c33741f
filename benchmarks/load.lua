-- wrk's script: one POST body, read from the file that is given after `--`; the summary as one line of JSON.
-- wrk makes the request once, as there is no `request` function; every answer is counted whose status is not 200.
local threads = {}

function setup(thread)
   table.insert(threads, thread)
end

function init(args)
   refused = 0
   wrk.method = "POST"
   wrk.headers["Content-Type"] = "application/json"
   wrk.body = io.open(args[1], "rb"):read("*a")
end

function response(status)
   if status ~= 200 then
      refused = refused + 1
   end
end

function done(summary, latency)
   local refused = 0
   for _, thread in ipairs(threads) do
      refused = refused + thread:get("refused")
   end
   local errors = summary.errors
   print(string.format(
      '{"answers": %d, "seconds": %.6f, "refused": %d, "broken": %d, "p50_ms": %.3f, "p99_ms": %.3f}',
      summary.requests, summary.duration / 1e6, refused, errors.connect + errors.read + errors.write + errors.timeout,
      latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
