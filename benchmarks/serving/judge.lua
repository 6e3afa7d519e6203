-- wrk: POST until it is interrupted; counts what was answered, by status, version in the header, and body.
dofile(os.getenv("POST"))

local threads = {}
answers = {}

function setup(thread)
  threads[#threads + 1] = thread
end

function response(status, headers, body)
  local said = status .. "|" .. (headers["x-model-version"] or "") .. "|" .. body
  answers[said] = (answers[said] or 0) + 1
end

local function escaped(text)
  return (text:gsub('[%c"\\]', function(letter)
    return string.format("\\u%04x", letter:byte())
  end))
end

function done(summary, latency, requests)
  local lines = {}
  for _, thread in ipairs(threads) do
    for said, count in pairs(thread:get("answers")) do
      lines[#lines + 1] = string.format('"%s": %d', escaped(said), count)
    end
  end
  local errors = summary.errors
  io.write(string.format(
    '{"microseconds": %d, "broken": %d, "answers": {%s}}\n', summary.duration,
    errors.connect + errors.read + errors.write + errors.timeout, table.concat(lines, ", ")))
end
