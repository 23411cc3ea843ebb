sys = {clock = os.clock}
