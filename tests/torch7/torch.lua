-- So much of Torch7 as benchmarks/peers/torch7.lua needs, in plain loops: a stand-in for its tests.

local ffi = require 'ffi'

local Tensor = {}
Tensor.__index = Tensor

function tensor(data, sizes)
   return setmetatable({data = data, sizes = sizes}, Tensor)
end

function zeros(...)
   local sizes, data, count = {...}, {}, 1
   for _, size in ipairs(sizes) do count = count * size end
   for i = 1, count do data[i] = 0 end
   return tensor(data, sizes)
end

function Tensor:size(dim) return self.sizes[dim] end
function Tensor:nElement() return #self.data end
function Tensor:storage() return self.data end

function Tensor:fill(value)
   for i = 1, #self.data do self.data[i] = value end
   return self
end

function Tensor:copy(other)
   assert(#self.data == #other.data)
   for i = 1, #self.data do self.data[i] = other.data[i] end
   return self
end

-- The function of the entries that stand at the same place in all.
function Tensor:map(f, a, b)
   local data = {}
   for i = 1, #self.data do data[i] = f(self.data[i], a and a.data[i], b and b.data[i]) end
   return tensor(data, self.sizes)
end

local ctypes = {Float = 'float[?]', Double = 'double[?]', Long = 'int64_t[?]'}
local File = {}
File.__index = File

function File:binary() self.isBinary = true end
function File:close() self.handle:close() end

torch = {
   LongStorage = function(sizes) return sizes end,
   setnumthreads = function(n) assert(n >= 1) end,
   setdefaulttensortype = function(name) assert(name:match('^torch%.%a+Tensor$')) end,
   cat = function(tensors, dim)
      assert(dim == 1)
      local data = {}
      for _, each in ipairs(tensors) do
         for _, value in ipairs(each.data) do table.insert(data, value) end
      end
      return tensor(data, {#data})
   end,
   DiskFile = function(path, mode)
      return setmetatable({handle = assert(io.open(path, mode .. 'b'))}, File)
   end,
}

for kind, ctype in pairs(ctypes) do
   torch[kind .. 'Tensor'] = function(first, offset, sizes)
      if type(first) == 'number' then return zeros(first) end
      assert(offset == 1)
      return tensor(first, sizes)
   end
   File['read' .. kind] = function(self, count)
      assert(self.isBinary)
      local numbers, data = ffi.new(ctype, count), {}
      local bytes = self.handle:read('*a')
      assert(#bytes == ffi.sizeof(numbers))
      ffi.copy(numbers, bytes, #bytes)
      for i = 1, count do data[i] = tonumber(numbers[i - 1]) end
      return data
   end
   File['write' .. kind] = function(self, data)
      assert(self.isBinary)
      local numbers = ffi.new(ctype, #data)
      for i, value in ipairs(data) do numbers[i - 1] = value end
      self.handle:write(ffi.string(numbers, ffi.sizeof(numbers)))
   end
end
