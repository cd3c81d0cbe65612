"""The training engine: one pure step, run over devices, saved exactly."""
