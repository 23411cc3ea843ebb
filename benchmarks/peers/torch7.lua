-- What Torch7 does of the benchmarks: the other half of torch7.py, which starts it by
--
--     th torch7.lua THREADS DTYPE WORK LAYER RATE FOLDER Float:64x10 Float:64 ...
--
-- In the folder are files "1", "2" and so on, one for each array, of such kinds and sizes. A line
-- of input is answered by a line: "step" takes a step, leaves what it found in the file "found" and
-- says "done"; "turn 0.05" takes steps for so many seconds and says how many each of them took.

require 'torch'
require 'nn'
require 'optim'
require 'sys'

local threads, dtype, work, layer, rate, folder = unpack(arg, 1, 6)
local kind = dtype == 'float32' and 'Float' or 'Double'
torch.setdefaulttensortype('torch.' .. kind .. 'Tensor')
torch.setnumthreads(tonumber(threads))
rate = tonumber(rate)

local function read(name, description)
   local of, shape = description:match('(%a+):(.*)')
   local sizes, count = {}, 1
   for size in shape:gmatch('%d+') do
      table.insert(sizes, tonumber(size))
      count = count * tonumber(size)
   end
   local file = torch.DiskFile(folder .. '/' .. name, 'r')
   file:binary()
   local storage = file['read' .. of](file, count)
   file:close()
   return torch[of .. 'Tensor'](storage, 1, torch.LongStorage(sizes))
end

local function write(found)
   local file = torch.DiskFile(folder .. '/found', 'w')
   file:binary()
   for _, part in ipairs(found) do
      local single = type(part) == 'number'
      local copy = torch[kind .. 'Tensor'](single and 1 or part:nElement())
      if single then copy:fill(part) else copy:copy(part) end
      file['write' .. kind](file, copy:storage())
   end
   file:close()
end

local arrays = {}
for i = 7, #arg do
   arrays[i - 6] = read(i - 6, arg[i])
end
-- What most cases begin with; only networks and tables have arrays before these.
local x, y = arrays[#arrays - 1], arrays[#arrays]

local function network()
   local net = nn.Sequential()
   for i = 1, #arrays - 2, 2 do
      local weight, bias = arrays[i], arrays[i + 1]
      if i > 1 then net:add(nn.ReLU()) end
      local linear = nn.Linear(weight:size(2), weight:size(1))
      linear.weight:copy(weight)
      linear.bias:copy(bias)
      net:add(linear)
   end
   net:getParameters()
   return net
end

-- Each makes a function that takes a step and returns what it found.
local works = {}

function works.training()
   local net, criterion = network(), nn.MSECriterion()
   net:get(1).gradInput = nil
   return function()
      local output = net:forward(x)
      local loss = criterion:forward(output, y)
      net:zeroGradParameters()
      net:backward(x, criterion:backward(output, y))
      net:updateParameters(rate)
      return loss
   end
end

function works.forward()
   local net = network()
   return function() return net:forward(x) end
end

function works.layer()
   if layer == 'LookupTable' then
      local weight = arrays[1]
      local made = nn.LookupTable(weight:size(1), weight:size(2))
      made.weight:copy(weight)
      return function()
         made:zeroGradParameters()
         local output = made:forward(x)
         made:backward(x, y)
         return output, made.gradWeight
      end
   end
   local made = nn[layer](layer == 'BatchNormalization' and x:size(2) or nil)
   if made.weight then made.weight:fill(1) end
   return function()
      made:zeroGradParameters()
      return made:forward(x), made:backward(x, y)
   end
end

function works.nll()
   local made, criterion = nn.LogSoftMax(), nn.ClassNLLCriterion()
   return function()
      local output = made:forward(x)
      local loss = criterion:forward(output, y)
      return loss, made:backward(x, criterion:backward(output, y))
   end
end

local function updates(method, config)
   local tensors, gradients, half = {}, {}, #arrays / 2
   for i = 1, half do
      tensors[i], gradients[i] = arrays[i], arrays[half + i]
   end
   local parameters, gradient = torch.cat(tensors, 1), torch.cat(gradients, 1)
   return function()
      method(function() return 0, gradient end, parameters, config)
      return parameters
   end
end

function works.adam()
   return updates(optim.adam, {learningRate = 1e-3})
end

function works.sgd()
   return updates(optim.sgd, {learningRate = 1e-3, momentum = 0.9, dampening = 0})
end

local step = works[work]()

local function turn(seconds)
   local times, stop = {}, sys.clock() + seconds
   repeat
      local before = sys.clock()
      step()
      local after = sys.clock()
      table.insert(times, ('%.9f'):format(after - before))
   until after >= stop
   return table.concat(times, ' ')
end

for line in io.lines() do
   local seconds = line:match('^turn (.*)')
   if seconds then
      print(turn(tonumber(seconds)))
   else
      write({step()})
      print('done')
   end
   io.flush()
end
