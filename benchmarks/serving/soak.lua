-- wrk: POST until so many requests are answered (REQUESTS), then end at once. The rest is post.lua.
dofile(os.getenv("POST"))

local wanted, answered, refused = tonumber(os.getenv("REQUESTS")), 0, 0

function response(status)
  answered = answered + 1
  if status ~= 200 then
    refused = refused + 1
  end
  if answered >= wanted then
    -- wrk itself would sleep for its whole duration first.
    io.write(string.format('{"requests": %d, "refused": %d}\n', answered, refused))
    io.flush()
    os.exit(0)
  end
end
