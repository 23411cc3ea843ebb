nn = {}

-- A class: `make` is its constructor, the rest its methods; what it lacks a layer has.
local Layer = {}
Layer.__index = Layer

function Layer:zeroGradParameters() end
function Layer:updateParameters() end

local function class(name, make, methods)
   local meta = setmetatable(methods, Layer)
   meta.__index = meta
   nn[name] = function(...) return setmetatable(make(...), meta) end
end

class('Linear', function(m, n)
   local made = {weight = zeros(n, m), bias = zeros(n), gradWeight = zeros(n, m)}
   made.gradBias, made.gradInput = zeros(n), {}
   return made
end, {
   forward = function(self, x)
      local n, m = self.weight:size(1), self.weight:size(2)
      self.output = zeros(x:size(1), n)
      for b = 0, x:size(1) - 1 do
         for i = 0, n - 1 do
            local sum = self.bias.data[i + 1]
            for j = 1, m do sum = sum + self.weight.data[i * m + j] * x.data[b * m + j] end
            self.output.data[b * n + i + 1] = sum
         end
      end
      return self.output
   end,
   backward = function(self, x, g)
      local n, m = self.weight:size(1), self.weight:size(2)
      local into = self.gradInput and zeros(x:size(1), m)
      for b = 0, x:size(1) - 1 do
         for i = 0, n - 1 do
            local slope = g.data[b * n + i + 1]
            self.gradBias.data[i + 1] = self.gradBias.data[i + 1] + slope
            for j = 1, m do
               local at, from = i * m + j, b * m + j
               self.gradWeight.data[at] = self.gradWeight.data[at] + slope * x.data[from]
               if into then into.data[from] = into.data[from] + slope * self.weight.data[at] end
            end
         end
      end
      self.gradInput = into
      return into
   end,
   zeroGradParameters = function(self)
      self.gradWeight:fill(0)
      self.gradBias:fill(0)
   end,
   updateParameters = function(self, rate)
      local function less(value, gradient) return value - rate * gradient end
      self.weight:copy(self.weight:map(less, self.gradWeight))
      self.bias:copy(self.bias:map(less, self.gradBias))
   end,
})

class('Sequential', function() return {modules = {}} end, {
   add = function(self, layer) table.insert(self.modules, layer) end,
   get = function(self, i) return self.modules[i] end,
   getParameters = function() end,
   forward = function(self, x)
      for _, layer in ipairs(self.modules) do
         layer.input, x = x, layer:forward(x)
      end
      return x
   end,
   backward = function(self, x, g)
      for i = #self.modules, 1, -1 do g = self.modules[i]:backward(self.modules[i].input, g) end
      return g
   end,
   zeroGradParameters = function(self)
      for _, layer in ipairs(self.modules) do layer:zeroGradParameters() end
   end,
   updateParameters = function(self, rate)
      for _, layer in ipairs(self.modules) do layer:updateParameters(rate) end
   end,
})

class('ReLU', function() return {} end, {
   forward = function(_, x) return x:map(function(v) return math.max(v, 0) end) end,
   backward = function(_, x, g) return x:map(function(v, s) return v > 0 and s or 0 end, g) end,
})

class('LookupTable', function(n, m)
   return {weight = zeros(n, m), gradWeight = zeros(n, m)}
end, {
   forward = function(self, ids)
      local m = self.weight:size(2)
      local output = zeros(ids:size(1), m)
      for k, id in ipairs(ids.data) do
         for j = 1, m do output.data[(k - 1) * m + j] = self.weight.data[(id - 1) * m + j] end
      end
      return output
   end,
   backward = function(self, ids, g)
      local m = self.weight:size(2)
      for k, id in ipairs(ids.data) do
         for j = 1, m do
            local at = (id - 1) * m + j
            self.gradWeight.data[at] = self.gradWeight.data[at] + g.data[(k - 1) * m + j]
         end
      end
   end,
   zeroGradParameters = function(self) self.gradWeight:fill(0) end,
})

class('MSECriterion', function() return {} end, {
   forward = function(_, x, y)
      local sum = 0
      for i, value in ipairs(x.data) do sum = sum + (value - y.data[i]) ^ 2 end
      return sum / #x.data
   end,
   backward = function(_, x, y)
      return x:map(function(value, target) return 2 * (value - target) / #x.data end, y)
   end,
})

class('LogSoftMax', function() return {} end, {
   forward = function(self, x)
      local n = x:size(2)
      self.output = zeros(x:size(1), n)
      for b = 0, x:size(1) - 1 do
         local sum = 0
         for i = 1, n do sum = sum + math.exp(x.data[b * n + i]) end
         for i = 1, n do self.output.data[b * n + i] = x.data[b * n + i] - math.log(sum) end
      end
      return self.output
   end,
   backward = function(self, x, g)
      local n = x:size(2)
      local found = zeros(x:size(1), n)
      for b = 0, x:size(1) - 1 do
         local sum = 0
         for i = 1, n do sum = sum + g.data[b * n + i] end
         for i = b * n + 1, b * n + n do
            found.data[i] = g.data[i] - math.exp(self.output.data[i]) * sum
         end
      end
      return found
   end,
})

class('ClassNLLCriterion', function() return {} end, {
   forward = function(_, x, y)
      local sum = 0
      for b, class in ipairs(y.data) do sum = sum - x.data[(b - 1) * x:size(2) + class] end
      return sum / #y.data
   end,
   backward = function(_, x, y)
      local found = zeros(x:size(1), x:size(2))
      for b, class in ipairs(y.data) do found.data[(b - 1) * x:size(2) + class] = -1 / #y.data end
      return found
   end,
})
