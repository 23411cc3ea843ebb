optim = {}

function optim.adam(evaluate, x, config)
   local _, gradient = evaluate(x)
   local state = config
   state.t = (state.t or 0) + 1
   state.m, state.v = state.m or zeros(#x.data), state.v or zeros(#x.data)
   local rate = config.learningRate * math.sqrt(1 - 0.999 ^ state.t) / (1 - 0.9 ^ state.t)
   for i, g in ipairs(gradient.data) do
      state.m.data[i] = 0.9 * state.m.data[i] + 0.1 * g
      state.v.data[i] = 0.999 * state.v.data[i] + 0.001 * g * g
      x.data[i] = x.data[i] - rate * state.m.data[i] / (math.sqrt(state.v.data[i]) + 1e-8)
   end
end

function optim.sgd(evaluate, x, config)
   local _, gradient = evaluate(x)
   config.v = config.v or zeros(#x.data)
   for i, g in ipairs(gradient.data) do
      config.v.data[i] = config.momentum * config.v.data[i] + (1 - config.dampening) * g
      x.data[i] = x.data[i] - config.learningRate * config.v.data[i]
   end
end
